"""What a run of all tests leaves for another day, and that it comes to its end."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.guard.faults import read_mends, read_mutations

ROOT = Path(__file__).parents[2]
HANGS = """
import contextlib, os, pathlib, pytest, threading

@pytest.fixture
def held():
    yield
    mark = pathlib.Path(os.environ["MARK"])
    if mark.name == "never" or not mark.exists():
        mark.touch()
        while True:
            with contextlib.suppress(BaseException):
                threading.Event().wait()

@pytest.mark.flaky(reruns=1)
def test_that_hangs(held):
    pass

def test_that_may_not_be_repeated(held):
    pass

@pytest.mark.flaky(reruns=1)
def test_that_crashes():
    os._exit(1)

def test_after_it():
    pass
"""
WEEKLY = """
import pytest

@pytest.mark.weekly
def test_of_minutes():
    pass

def test_of_a_moment():
    pass
"""

WITH_SERVERS = """
import pytest

@pytest.mark.server
@pytest.mark.parametrize("number", range(21))
def test_in_turn(number):
    pass

@pytest.mark.server
@pytest.mark.daily
def test_that_is_daily():
    pass
"""
WITH_A_PLATFORM = """
import pytest

@pytest.fixture(scope="module")
def platform():
    return "here"

@pytest.mark.server
@pytest.mark.parametrize("number", range(9))
def test_on_it(platform, number):
    pass
"""
RUN = re.compile(r"test_it\.py::(\S+) PASSED")

pytestmark = pytest.mark.server


def run_hanging(folder: Path, text: str, *chosen: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests with one worker and little patience."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.unit.hangs"]\n', "utf-8")
    (folder / "test_it.py").write_text(text, "utf-8")
    settings = ["-o", "timeout=0.2", "-o", "hang_grace_s=0.3", "-p", "no:cacheprovider", "--import-mode=importlib"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadfile", "-v", *settings, *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def failed(done: subprocess.CompletedProcess[str], name: str) -> bool:
    """Whether the summary says of a test that a worker ended in it."""
    said = rf"^FAILED test_it.py::{name} - worker 'gw\d+' crashed while running"
    return done.returncode == 1 and re.search(said, done.stdout, re.MULTILINE) is not None


def test_a_test_whose_fixtures_never_come_down_fails_by_its_name_and_the_rest_runs(tmp_path: Path) -> None:
    done = run_hanging(tmp_path, HANGS, "-k", "hangs or after", MARK=str(tmp_path / "never"))
    assert failed(done, "test_that_hangs"), done.stdout
    assert "1 rerun" in done.stdout
    assert re.search(r"PASSED test_it.py::test_after_it|test_it.py::test_after_it PASSED", done.stdout)
    assert "in held" in done.stderr, "the stack names the fixture"


def test_a_test_that_hangs_once_is_repeated(tmp_path: Path) -> None:
    done = run_hanging(tmp_path, HANGS, "-k", "hangs or after", MARK=str(tmp_path / "once"))
    assert re.search(r"\b2 passed, 1 rerun\b", done.stdout), done.stdout
    assert "in held" in done.stderr
    assert done.returncode == 0


def test_files_that_a_crashed_worker_had_run_do_not_hold_up_what_it_had_not(tmp_path: Path) -> None:
    for name in ("before", "earlier"):
        (tmp_path / f"test_{name}.py").write_text("def test_it():\n    pass\n", "utf-8")
    done = run_hanging(tmp_path, HANGS, "-k", "before or earlier or crashes or after", MARK=str(tmp_path / "once"))
    assert failed(done, "test_that_crashes"), done.stdout
    assert re.search(r"\b3 passed\b", done.stdout), done.stdout


@pytest.mark.parametrize("name", ["test_that_may_not_be_repeated", "test_that_crashes"])
def test_one_that_crashes_or_may_not_be_repeated_has_failed(tmp_path: Path, name: str) -> None:
    done = run_hanging(tmp_path, HANGS, "-k", f"{name} or after", MARK=str(tmp_path / "once"))
    assert failed(done, name), done.stdout
    assert not re.search(r"\d rerun", done.stdout)
    assert re.search(r"PASSED test_it.py::test_after_it|test_it.py::test_after_it PASSED", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "every_case", "passed"),
    [
        ([], "", 1),
        ([], "1", 2),
        (["here"], "", 2),
        (["-k", "test_of"], "", 2),
        (["-n", "1"], "", 1),
        (["-m", "weekly"], "", 1),
        (["-m", "not weekly"], "", 1),
    ],
)
def test_what_is_weekly_is_left_out_of_a_run_that_names_nothing(
    tmp_path: Path, arguments: list[str], every_case: str, passed: int
) -> None:
    done = run_here(tmp_path, WEEKLY, *arguments, VONGGAC_EVERY_CASE=every_case)
    assert re.search(rf"\b{passed} passed\b", done.stdout), done.stdout + done.stderr


def test_a_test_with_a_server_has_its_day_in_seven_and_a_daily_one_each(tmp_path: Path) -> None:
    week = [
        set(RUN.findall(run_here(tmp_path, WITH_SERVERS, VONGGAC_DAY=f"202612{day:02}").stdout)) for day in range(1, 8)
    ]
    assert all("test_that_is_daily" in day for day in week)
    in_turn = [name for day in week for name in day - {"test_that_is_daily"}]
    assert sorted(in_turn) == sorted(f"test_in_turn[{number}]" for number in range(21)), "each once"
    again = run_here(tmp_path, WITH_SERVERS, "-n", "2", VONGGAC_DAY="20261208").stdout
    assert {name for name in week[0] if name in again} == week[0]


def test_tests_that_share_a_fixture_of_their_file_have_the_same_day(tmp_path: Path) -> None:
    days = [
        len(RUN.findall(run_here(tmp_path, WITH_A_PLATFORM, VONGGAC_DAY=f"202612{day:02}").stdout))
        for day in range(1, 8)
    ]
    assert sorted(days) == [0] * 6 + [9]


@pytest.mark.parametrize("chosen", [["here"], ["-k", "test"], []])
def test_nothing_waits_for_its_day_where_tests_are_named_or_every_case_is_asked(
    tmp_path: Path, chosen: list[str]
) -> None:
    done = run_here(tmp_path, WITH_SERVERS, *chosen, VONGGAC_EVERY_CASE="" if chosen else "1")
    assert "22 passed" in done.stdout, done.stdout + done.stderr


def test_files_that_are_named_run_those_of_the_day_where_that_is_asked(tmp_path: Path) -> None:
    named, unnamed = (
        run_here(tmp_path, WITH_SERVERS, *chosen, VONGGAC_DAY="20261202") for chosen in (["here", "--of-day"], [])
    )
    assert set(RUN.findall(named.stdout)) == set(RUN.findall(unnamed.stdout))
    nothing = run_here(tmp_path, WEEKLY.split("def test_of_a_moment", maxsplit=1)[0], "here", "--of-day")
    assert nothing.returncode == 0, "a day without a test is no failure"


def test_a_day_that_is_none_is_refused_with_what_to_write(tmp_path: Path) -> None:
    done = run_here(tmp_path, WITH_SERVERS, VONGGAC_DAY="tomorrow")
    assert "VONGGAC_DAY=tomorrow: write a day as 20261201" in done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


def test_what_finds_a_fault_of_the_guard_runs_each_day() -> None:
    found_by = {mend.test for mend in read_mends()} | {mutation.test for mutation in read_mutations()}
    files = sorted({name.partition("::")[0] for name in found_by})
    options = ["--collect-only", "-q", "-p", "no:schemathesis", "--of-day", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=ROOT,
        env={**os.environ, "VONGGAC_EVERY_CASE": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    collected = {line.partition("[")[0] for line in done.stdout.splitlines()}
    assert {name.partition("[")[0] for name in found_by} <= collected, done.stderr


def run_here(folder: Path, text: str, *chosen: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests in a folder of its own, as `make test` runs ours."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.unit.day"]\n', "utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\ntestpaths = here\nmarkers =\n    weekly\n    daily\n    server\n", "utf-8"
    )
    (folder / "here").mkdir(exist_ok=True)
    (folder / "here/test_it.py").write_text(text, "utf-8")
    options = ["-v", "-p", "no:cacheprovider", "-p", "no:schemathesis", "--import-mode=importlib"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "VONGGAC_EVERY_CASE": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
