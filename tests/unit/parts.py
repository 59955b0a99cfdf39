"""The parts of the unit tests, and how five processes run them side by side (`make test-unit`).

Each collects its own part of the folders only. The workers of pytest-xdist collect all tests each, which takes them
longer than running theirs. Five for two cores: some tests wait for time-outs, most of them those of HTTP and RTSP.

`--counted` as the first argument (`make coverage`): the heavy ones too, with lines and branches counted and the floor
of `tests/unit/branches.toml` kept.

Arguments that name a file or a folder choose that one, in this process alone. Last line: how many tests, and how long.
"""

import gc
import importlib
import multiprocessing
import os
import re
import subprocess
import sys
import time
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import TextIO

import pytest

ROOT = Path(__file__).parents[2]
_WAITING = ("shared/tests/http", "shared/tests/rtsp")
PARTS = (
    ("services/prober", "services/inventory", "local/tests", "console/tests"),
    ("services/forwarder", "shared/tests", *(f"--ignore={folder}" for folder in _WAITING)),
    ("services/reporting", "tests"),
    ("shared/tests/http",),
    ("shared/tests/rtsp", "simulator/tests"),
)
IMPORTED = (
    *(
        "alembic.context",
        "asgi_lifespan",
        "av",
        "cryptography.x509",
        "fastapi",
        "httpx",
        "hypothesis.strategies",
        "jwt",
    ),
    *("nacl.public", "nats", "numpy", "prometheus_client", "psycopg", "pydantic_settings", "sqlalchemy.ext.asyncio"),
    *("structlog", "trustme"),
)
"""By nearly every part: imported once, before the parts are forked."""
SERVICES = ("forwarder.app", "inventory.app", "prober.app", "reporting.app", "simulator")
"""By two parts or more: imported before too, but not where their lines are counted as they are imported."""
# anyio and hypothesis are plugins of pytest too, whose assertions nobody needs explained.
_REWRITTEN = "ignore:Module already imported so cannot be rewritten"
FORKED = tuple(
    word
    for name in ("anyio", "hypothesis", "_hypothesis_globals")
    for word in ("-W", f"{_REWRITTEN}; {name}:pytest.PytestAssertRewriteWarning")
)
_UNITS = "not server and not slow"
CHOSEN = ("-m", f"{_UNITS} and not heavy", "-p", "no:schemathesis", "--hypothesis-profile", "unit")
BRANCHES = "tests/unit/branches.toml"
# The floor is that of all parts together.
COUNTED = (*("-m", _UNITS), *CHOSEN[2:], "--cov", f"--cov-config={BRANCHES}", "--cov-report=", "--cov-fail-under=0")
DATA = ".coverage.branches"
NONE_FOUND = int(pytest.ExitCode.NO_TESTS_COLLECTED)
_COUNTED = re.compile(r"(\d+) (passed|failed|errors?)\b")


def main(arguments: list[str]) -> int:
    """Exit status: pytest's of the part that went worst; that nothing was found only where none found anything."""
    if arguments[:1] == ["--counted"]:
        return _in_parts([*COUNTED, *arguments[1:]], counted=True) or _judge_coverage()
    if any((ROOT / argument.partition("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return int(pytest.main(["-q", *CHOSEN, *arguments]))
    return _in_parts([*CHOSEN, *arguments])


def _in_parts(arguments: list[str], *, counted: bool = False) -> int:
    begun = time.monotonic()
    # Nothing of it is garbage, nor searched for some in the parts.
    gc.disable()
    for name in IMPORTED if counted else (*IMPORTED, *SERVICES):
        importlib.import_module(name)
    gc.freeze()
    parts = [
        _begin([*folders, *arguments], f"{DATA}.{number}" if counted else None) for number, folders in enumerate(PARTS)
    ]
    try:
        said = [_shown(part) for part in parts]
    except KeyboardInterrupt:
        for part, _ in parts:
            part.join()
        return int(pytest.ExitCode.INTERRUPTED)
    numbers: dict[str, int] = {}
    for text in said:
        for number, word in _COUNTED.findall(text.rstrip().rpartition("\n")[2]):
            numbers[word] = numbers.get(word, 0) + int(number)
    total = ", ".join(f"{number} {word}" for word, number in numbers.items())
    sys.stdout.write(f"{total or 'no tests'} in {time.monotonic() - begun:.1f} s\n")
    found = [_status_of(part) for part, _ in parts if part.exitcode != NONE_FOUND]
    return max(found, default=NONE_FOUND)


def _judge_coverage() -> int:
    """Put together what the parts counted, and print the total. Exit status: 2 below the floor."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q", f"--rcfile={BRANCHES}"], cwd=ROOT, check=True)
    sys.stdout.write("lines and branches of the unit tests, per cent:\n")
    sys.stdout.flush()
    return subprocess.call([*coverage, "report", "--format=total", "--precision=2", f"--rcfile={BRANCHES}"], cwd=ROOT)


type _Part = tuple[ForkProcess, TextIO]
"""A process, and what it writes."""


def _begin(arguments: list[str], data: str | None) -> _Part:
    ours, theirs = os.pipe()
    part = multiprocessing.get_context("fork").Process(target=_run, args=(arguments, theirs, data))
    part.start()
    os.close(theirs)
    return part, os.fdopen(ours, encoding="utf-8", errors="replace")


def _run(arguments: list[str], output: int, data: str | None) -> None:
    """In the process of a part."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    if data is not None:
        os.environ["COVERAGE_FILE"] = data
    sys.exit(int(pytest.main(["-q", "--no-header", *FORKED, *arguments])))


def _shown(part: _Part) -> str:
    """What it writes, shown line by line meanwhile; those of the others wait in their pipes."""
    process, output = part
    lines = []
    with output:
        for line in output:
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    process.join()
    return "".join(lines)


def _status_of(part: ForkProcess) -> int:
    """Pytest's; of a part that a signal ended, one that is no success."""
    assert part.exitcode is not None
    return part.exitcode if part.exitcode >= 0 else 128 - part.exitcode
