"""Vietnamese is printed as Vietnamese, whatever the shell's locale and Python's settings are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.commands.run import SHOW_JSON

pytestmark = pytest.mark.server

LOCALES = (
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1:strict", "PYTHONUTF8": "0"},
)


def environment(locale: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    return kept | locale


@pytest.mark.parametrize("locale", LOCALES)
def test_mistakes_in_a_file_are_printed_as_they_are_written(tmp_path: Path, locale: dict[str, str]) -> None:
    file = tmp_path / "camera của tôi.csv"
    file.write_text("code,name,url\nCổng chính,Cổng,rtsp://10.0.0.1/x\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "local", "run", "--state", str(tmp_path / "var"), "--cameras", str(file)],
        env=environment(locale),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    printed = done.stderr.decode("utf-8")
    assert "camera của tôi.csv: line 2, column code, 'Cổng chính': use 1 to 64 letters" in printed


@pytest.mark.parametrize("locale", LOCALES)
def test_the_commands_to_try_show_names_and_no_escapes(locale: dict[str, str]) -> None:
    asked = '{"name": "Trường Tiểu học Cam An"}'.encode()
    shell = ["sh", "-c", SHOW_JSON]
    done = subprocess.run(shell, input=asked, env=environment(locale), capture_output=True, check=True)
    assert '"Trường Tiểu học Cam An"' in done.stdout.decode("utf-8")
