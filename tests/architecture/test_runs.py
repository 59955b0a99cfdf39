"""What a run of all tests leaves out, and that it comes to its end."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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

pytestmark = pytest.mark.server


def run_hanging(folder: Path, text: str, *chosen: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests with one worker and little patience."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.unit.hangs"]\n', "utf-8")
    (folder / "test_it.py").write_text(text, "utf-8")
    settings = ["-o", "timeout=0.2", "-o", "hang_grace_s=0.3", "-p", "no:cacheprovider", "--import-mode=importlib"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "1", "--dist", "loadfile", "-v", *settings, *chosen],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


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
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.unit.day"]\n', "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = here\nmarkers = weekly\n", "utf-8")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/test_it.py").write_text(WEEKLY, "utf-8")
    options = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "VONGGAC_EVERY_CASE": every_case},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert re.search(rf"\b{passed} passed\b", done.stdout), done.stdout + done.stderr
