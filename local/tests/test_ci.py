"""`.ci/run`: lint beside the unit tests' coverage, then all tests, from anywhere, and no process left."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psutil
import pytest

from local.platform.leftovers import still_running

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]
MAKEFILE = """\
setup:
\t@true
lint:
\t@echo linted; {lint}
coverage:
\t@echo counted; {coverage}
chart-tools:
\t@true
test:
\t@setsid sleep 600 & echo $$! > daemon; echo "== 3 passed in 0.01s =="; {test}
"""


def run(
    folder: Path, *, lint: str = "true", coverage: str = "true", test: str = "true"
) -> subprocess.CompletedProcess[str]:
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    (folder / "Makefile").write_text(MAKEFILE.format(lint=lint, coverage=coverage, test=test), "utf-8")
    return subprocess.run(
        [str(folder / ".ci" / "run")], cwd="/", capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_the_last_line_is_that_of_the_tests_and_no_process_is_left(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0
    counted, linted, stage, tested = done.stdout.splitlines()
    assert (counted, linted, tested) == ("counted", "linted", "== 3 passed in 0.01s ==")
    assert re.match(r"stage lint: \d+ s", stage)
    daemon = int((tmp_path / "daemon").read_text("ascii"))
    assert "left over, stopping: " in done.stderr
    assert not psutil.pid_exists(daemon) or still_running([psutil.Process(daemon)], within_s=5) == []


@pytest.mark.parametrize("wrong", [{"lint": "false"}, {"coverage": "false"}, {"test": "false"}])
def test_a_failure_is_the_result(tmp_path: Path, wrong: dict[str, str]) -> None:
    assert run(tmp_path, **wrong).returncode != 0


@pytest.mark.parametrize("wrong", [{"lint": "false"}, {"coverage": "false"}])
def test_nothing_is_tested_where_the_code_is_not_clean(tmp_path: Path, wrong: dict[str, str]) -> None:
    said = run(tmp_path, **wrong).stdout
    assert "linted" in said
    assert "counted" in said
    assert "passed" not in said


def test_processes_of_others_are_left_alone(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VONGGAC_CI_RUN"}
    with subprocess.Popen(["sleep", "600"], env=environment) as other:
        run(tmp_path)
        assert other.poll() is None
        other.kill()


def test_the_workflow_runs_this_and_nothing_else() -> None:
    (workflow,) = (ROOT / ".github" / "workflows").iterdir()
    assert re.findall(r"^\s+(?:- )?run: (.*)", workflow.read_text("utf-8"), re.MULTILINE) == [".ci/run"]


def test_the_hooks_are_programs_of_the_lock_file_and_make_check() -> None:
    entries = re.findall(r"entry: (\S+)(.*)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert ("make", " check") in entries
    assert [name for name, _ in entries if name != "make" and not (ROOT / name).is_file()] == []
