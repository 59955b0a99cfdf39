"""`.ci/run`: lint beside the pages of the day, then the tests, from anywhere, and no process left."""

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
test-browser:
\t@echo opened $(ARGS); {browser}
test:
\t@setsid sleep 600 & echo $$! > daemon; echo "== 3 passed in 0.01s =="; {test}
"""


def run(
    folder: Path,
    *,
    lint: str = "true",
    coverage: str = "true",
    test: str = "true",
    browser: str = "true",
    chromium: str = "here",
    every_case: str = "",
) -> subprocess.CompletedProcess[str]:
    """With a Chromium on PATH, or on a machine that has none and gets none."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
    text = MAKEFILE.format(lint=lint, coverage=coverage, test=test, browser=browser)
    (folder / "Makefile").write_text(text, "utf-8")
    (folder / "bin").mkdir()
    tools = (
        []
        if chromium
        else ["bash", "dirname", "env", "grep", "tr", "sleep", "make", "sh", "cat", "mktemp", "rm", "nice"]
    )
    for name in [*tools, *([] if chromium else ["id", "timeout", "setsid", "echo", "true", "false"])]:
        program = shutil.which(name)
        assert program is not None, name
        (folder / "bin" / name).symlink_to(program)
    if chromium:
        (folder / "bin" / "chromium").write_text("#!/bin/sh\n", "utf-8")
        (folder / "bin" / "chromium").chmod(0o755)
    path = f"{folder}/bin:{os.environ['PATH']}" if chromium else f"{folder}/bin"
    return subprocess.run(
        [str(folder / ".ci" / "run")],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path, "BROWSER_WITHIN_S": "2", "VONGGAC_EVERY_CASE": every_case},
    )


def test_the_last_line_is_that_of_the_tests_and_no_process_is_left(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0
    opened, of_pages, linted, of_lint, tested = done.stdout.splitlines()
    assert (linted, opened, tested) == ("linted", "opened --of-day", "== 3 passed in 0.01s ==")
    assert re.match(r"stage browser: done after \d+ s", of_pages)
    assert re.match(r"stage lint: done after \d+ s", of_lint)
    daemon = int((tmp_path / "daemon").read_text("ascii"))
    assert "left over, stopping: " in done.stderr
    assert not psutil.pid_exists(daemon) or still_running([psutil.Process(daemon)], within_s=5) == []


@pytest.mark.parametrize("wrong", [{"lint": "false"}, {"test": "false"}, {"coverage": "false", "every_case": "1"}])
def test_a_failure_is_the_result(tmp_path: Path, wrong: dict[str, str]) -> None:
    assert run(tmp_path, **wrong).returncode != 0


def test_pages_that_are_not_opened_or_fail_are_named_and_are_no_failure(tmp_path: Path) -> None:
    for case, given, sentence in (
        ("none", {"chromium": ""}, "stage browser: no Chromium here, and none to be had"),
        ("slow", {"browser": "sleep 30"}, "stage browser: not done in 2 s"),
        ("wrong", {"browser": "false"}, "stage browser: FAILED, see above"),
    ):
        (tmp_path / case).mkdir()
        done = run(tmp_path / case, **given)
        assert done.returncode == 0, done.stderr
        assert sentence in done.stdout
        assert done.stdout.splitlines()[-1] == "== 3 passed in 0.01s =="


def test_nothing_is_tested_where_the_code_is_not_clean(tmp_path: Path) -> None:
    said = run(tmp_path, lint="false").stdout
    assert "linted" in said
    assert "passed" not in said


@pytest.mark.parametrize(("every_case", "counted"), [("", False), ("0", False), ("1", True)])
def test_lines_and_branches_are_counted_where_every_case_is_asked(
    tmp_path: Path, every_case: str, *, counted: bool
) -> None:
    assert ("counted" in run(tmp_path, every_case=every_case).stdout.splitlines()) is counted


def test_processes_of_others_are_left_alone(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "VONGGAC_CI_RUN"}
    with subprocess.Popen(["sleep", "600"], env=environment) as other:
        run(tmp_path)
        assert other.poll() is None
        other.kill()


def test_the_workflows_run_this_and_targets_of_make() -> None:
    """One of them all of it; beside that only packages of the system are installed."""
    workflows = [path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").iterdir()]
    commands = [line for text in workflows for line in re.findall(r"^\s+(?:- )?run: (.*)", text, re.MULTILINE)]
    assert commands.count(".ci/run") == 1
    others = [line for line in commands if line != ".ci/run" and not line.startswith("sudo apt-get ")]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert [line for line in others if re.split(r"[ ;]", line)[:1] != ["make"]] == []
    assert {line.split()[1] for line in others} <= targets


def test_the_hooks_are_programs_of_the_lock_file_and_make_check() -> None:
    entries = re.findall(r"entry: (\S+)(.*)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert ("make", " check") in entries
    assert [name for name, _ in entries if name != "make" and not (ROOT / name).is_file()] == []
