"""The commands of `python -m local`, which `vonggac` has too."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from vonggac.__main__ import main as program

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_names_every_command_and_no_other() -> None:
    installed = {
        command.name for command in entry_points(group="vonggac.commands") if command.value.startswith("local.")
    }
    assert set(re.findall(r"^\| `python -m local ([a-z-]+)", README.read_text("utf-8"), re.MULTILINE)) == installed


def test_the_help_names_the_program_that_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["vonggac", "round-trip", "--help"])
    with pytest.raises(SystemExit):
        program()
    assert capsys.readouterr().out.startswith("usage: vonggac round-trip ")
