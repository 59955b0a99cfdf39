"""One program `vonggac` has the commands of every package that is installed beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

PROGRAM = Path(sys.executable).with_name("vonggac")


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "--help"), "--nats-ca-file"),
        (("restore", "--help"), "--from"),
        (("report", "verify", "--help"), "PDF"),
    ],
)
def test_each_package_brings_its_commands(arguments: tuple[str, ...], said: str) -> None:
    done = call(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert said in done.stdout


def test_a_command_that_is_not_here_is_refused_with_those_that_are() -> None:
    done = call("forward")
    assert (done.returncode, done.stdout) == (2, "")
    assert "backup, " in done.stderr
    assert ", report, " in done.stderr


def test_the_status_of_a_command_is_the_programs() -> None:
    assert call("report", "verify", "/nonexistent").returncode == 2
