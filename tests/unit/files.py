"""Which test files hold tests to run, read from their text: importing a file costs fifty times as much as reading it.

A file is left out only where each of its tests is known to be `server`: by `pytestmark`, or by an argument that leads
to a fixture of `SERVER_FIXTURES`. In doubt it is collected. Every other run compares this with the marks of its tests.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

SERVER_FIXTURES = frozenset(
    ("nats_server", "forgetful_server", "postgres_server", "simulate", "virtual_camera", "running", "tools")
)
"""They start a server or another process."""
ROOT = Path(__file__).parents[2]
EVERYWHERE = ROOT / "shared/src/vonggac/testing/fixtures.py"
"""Its fixtures are known to all tests, behind those of the file and of the `conftest.py` beside and above it."""

_MARKS = re.compile(r"^pytestmark = (\[[^\]]*\]|[^\n]*)", re.MULTILINE)
_MARK = re.compile(r"\bpytest\.mark\.(\w+)")
_REFUSALS = re.compile(r"not \w+(?: and not \w+)*")
_TEST = re.compile(r"^ *(?:async )?def test_\w*\((.*?)\) *->", re.MULTILINE | re.DOTALL)
_FIXTURE = re.compile(
    r"^@pytest(?:_asyncio)?\.fixture\b[^\n]*\n(?:async )?def (\w+)\((.*?)\) *->", re.MULTILINE | re.DOTALL
)
_ARGUMENT = re.compile(r"(\w+):")


def has_chosen_tests(file: Path, expression: str) -> bool:
    """False where `expression` refuses marks (`not server and not heavy`) of which every test of the file has one."""
    if not _REFUSALS.fullmatch(expression):
        return True
    refused = set(expression.removeprefix("not ").split(" and not "))
    if "server" in refused and not has_unit_tests(file):
        return False
    return refused.isdisjoint(_marks_of_all(file.read_text("utf-8")))


def has_unit_tests(file: Path) -> bool:
    """False where every test of the file needs a server or another process."""
    text = file.read_text("utf-8")
    if "server" in _marks_of_all(text):
        return False
    tests = [set(_ARGUMENT.findall(arguments)) for arguments in _TEST.findall(text)]
    rooms = (_fixtures_in(text), *_fixtures_of(file.parent))
    return not tests or not all(any(_needs_server(name, rooms) for name in arguments) for arguments in tests)


def _marks_of_all(text: str) -> set[str]:
    """The marks that a file gives to each of its tests."""
    return {name for marks in _MARKS.findall(text) for name in _MARK.findall(marks)}


type _Fixtures = Mapping[str, frozenset[str]]
"""The arguments of each fixture."""


def _needs_server(name: str, rooms: tuple[_Fixtures, ...]) -> bool:
    """Whether a fixture is one of a server or uses one. A fixture that uses its own name means the one further out."""
    if name in SERVER_FIXTURES:
        return True
    for at, room in enumerate(rooms):
        if name in room:
            return any(_needs_server(used, rooms[at + 1 :] if used == name else rooms) for used in room[name])
    return False


@cache
def _fixtures_of(folder: Path) -> tuple[_Fixtures, ...]:
    """Those that a file in this folder finds outside itself, nearest first."""
    return tuple(_fixtures_in(path.read_text("utf-8")) for path in _places(folder))


def _places(folder: Path) -> Iterator[Path]:
    for above in (folder, *folder.parents):
        if (conftest := above / "conftest.py").exists():
            yield conftest
        if above == ROOT:
            break
    yield EVERYWHERE


def _fixtures_in(text: str) -> _Fixtures:
    return {name: frozenset(_ARGUMENT.findall(arguments)) for name, arguments in _FIXTURE.findall(text)}
