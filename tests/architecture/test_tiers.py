"""A unit test that starts a server, a process or a simulator, or that sends beyond this machine, fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.files import has_chosen_tests
from tests.unit.parts import PARTS
from tests.unit.seconds import FileTime, describe_growth, only_whole_files, read_table, write_table
from tests.unit.shards import Shard, choose_files, parse_shard

ROOT = Path(__file__).parents[2]
CONFTEST = 'pytest_plugins = ["vonggac.testing.fixtures", "tests.unit.tiers"]\n'
TESTS = """
import asyncio, contextlib, pytest, socket, subprocess, sys
from simulator import Simulator, SimulatorConfig

def test_process():
    subprocess.run([sys.executable, "-c", ""])

def test_process_of_asyncio():
    asyncio.run(asyncio.create_subprocess_exec(sys.executable, "-c", ""))

def test_server(request):
    request.getfixturevalue("nats_server")

def test_simulator():
    Simulator(SimulatorConfig()).bind()

def test_datagram():
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"", ("192.0.2.1", 9))

def test_connection():
    socket.create_connection(("192.0.2.1", 9), timeout=0.1)

def test_exception_that_is_caught():
    with contextlib.suppress(Exception):
        subprocess.run(["true"])

@pytest.mark.server
def test_marked_process():
    subprocess.run([sys.executable, "-c", ""])

def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname()).close()

@pytest.fixture
def simulate():
    return Simulator(SimulatorConfig()).bind()

def test_fixture_of_a_server(simulate):
    subprocess.run(["true"])
"""
ALLOWED = {"test_marked_process", "test_loopback", "test_fixture_of_a_server"}

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The tests above, run once: the outcome of each by its name, with the reason where it failed."""
    folder = tmp_path_factory.mktemp("tiers")
    (folder / "conftest.py").write_text(CONFTEST, "utf-8")
    (folder / "test_it.py").write_text(TESTS, "utf-8")
    options = ["-rA", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-o", "markers=server"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(re.findall(r"^(?:FAILED|PASSED) test_it\.py::(\w+)(.*)", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("name", re.findall(r"def (test_\w+)", TESTS))
def test_the_guard_fails_what_is_not_a_unit_test(outcomes: dict[str, str], name: str) -> None:
    assert ("a unit test " in outcomes[name]) == (name not in ALLOWED)


def test_every_file_of_tests_is_in_one_part_of_the_unit_tests(pytestconfig: pytest.Config) -> None:
    files = [path for folder in pytestconfig.getini("testpaths") for path in (ROOT / folder).rglob("test_*.py")]

    def has(part: tuple[str, ...], path: Path) -> bool:
        left_out = [ROOT / word.removeprefix("--ignore=") for word in part if word.startswith("--ignore=")]
        taken = [ROOT / word for word in part if not word.startswith("--ignore=")]
        return any(map(path.is_relative_to, taken)) and not any(map(path.is_relative_to, left_out))

    assert files
    assert [path for path in files if sum(has(part, path) for part in PARTS) != 1] == []


@pytest.mark.parametrize(
    ("text", "expression", "chosen"),
    [
        ("pytestmark = pytest.mark.heavy", "not server and not slow and not heavy", False),
        ("pytestmark = pytest.mark.heavy", "not server and not slow", True),
        ("pytestmark = [\n    pytest.mark.timeout(9),\n    pytest.mark.slow,\n]", "not server and not slow", False),
        ("pytestmark = pytest.mark.server", "not server", False),
        ("pytestmark = pytest.mark.server", "not slow", True),
        ("pytestmark = pytest.mark.heavy", "heavy", True),
        ("pytestmark = pytest.mark.heavy", "not heavy or slow", True),
        ("@pytest.mark.heavy", "not heavy", True),
    ],
)
def test_a_file_is_left_out_only_where_its_marks_say_so_of_each_test(
    tmp_path: Path, text: str, expression: str, chosen: bool
) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(f"import pytest\n\n{text}\ndef test_it() -> None: ...\n", "utf-8")
    assert has_chosen_tests(file, expression) == chosen


def test_the_files_that_grew_most_are_named(tmp_path: Path) -> None:
    table = tmp_path / "seconds.csv"
    before = {"a.py": FileTime(3, 1.0), "b.py": FileTime(5, 20.0)} | {
        f"f{number}.py": FileTime(1, 1.0) for number in range(12)
    }
    write_table(table, before)
    assert read_table(table) == before
    now = before | {"a.py": FileTime(4, 31.0), "b.py": FileTime(5, 20.4), "new.py": FileTime(2, 7.0)}
    now |= {f"f{number}.py": FileTime(1, 3.0) for number in range(12)}
    lines = describe_growth(read_table(table), now)
    assert lines[:2] == [
        "seconds: a.py took 31.0 s, +30.0 s, with 4 tests",
        "seconds: new.py took 7.0 s, +7.0 s, with 2 tests",
    ]
    assert len(lines) == 10
    assert not any("b.py" in line for line in lines), "less than a second is noise"
    assert describe_growth(read_table(tmp_path / "none.csv"), now) == []


def test_a_file_of_which_tests_wait_for_another_day_keeps_its_row() -> None:
    before = {"whole.py": FileTime(3, 9.0), "part.py": FileTime(7, 20.0)}
    ran = {"whole.py": FileTime(3, 8.0), "part.py": FileTime(1, 2.0), "new.py": FileTime(1, 1.0)}
    assert only_whole_files(ran, before) == {"whole.py": FileTime(3, 8.0), "new.py": FileTime(1, 1.0)}


def test_shares_of_the_files_take_about_as_long_and_miss_none() -> None:
    times = {f"f{number}.py": FileTime(1, float(number % 7 + 1)) for number in range(40)} | {
        "long.py": FileTime(9, 30.0)
    }
    files = [*times, "new.py"]
    shares = [choose_files(files, times, Shard(number, 4)) for number in range(1, 5)]
    assert sorted(name for share in shares for name in share) == sorted(files)
    seconds = [sum(times.get(name, FileTime(1, 4.0)).seconds for name in share) for share in shares]
    assert max(seconds) - min(seconds) <= 7
    assert choose_files(files, {}, Shard(1, 1)) == set(files)


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "a/b", "1/0", "-1/4"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 2/4"):
        parse_shard(text)
