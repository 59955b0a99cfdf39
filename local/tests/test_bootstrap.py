"""The set-up of a fresh machine, with what it needs missing in turn."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds the set-up alone."""
    (tmp_path / "local").mkdir()
    shutil.copy(ROOT / "local" / "bootstrap.py", tmp_path / "local")
    for name in ("uv.lock", "pyproject.toml"):
        (tmp_path / name).write_text("", "utf-8")
    return tmp_path


def put_uv(folder: Path, body: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "uv").write_text(f"#!/bin/sh\n{body}\n", "utf-8")
    (folder / "uv").chmod(0o755)
    return folder


def set_up(
    checkout: Path, *, path: Path | None = None, missing: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run it; `missing` modules of Python end as they do where a distribution has left them out."""
    modules = checkout / "modules"
    modules.mkdir(exist_ok=True)
    for name in missing:
        (modules / f"{name}.py").write_text(f"import sys\nsys.exit('{name} is not available')\n", "utf-8")
    tools = checkout / "tools"
    tools.mkdir(exist_ok=True)
    mkdir = shutil.which("mkdir")
    assert mkdir is not None
    if not (tools / "mkdir").exists():
        (tools / "mkdir").symlink_to(mkdir)
    search = os.pathsep.join([*([str(path)] if path else []), str(tools)])
    environment = {"PATH": search, "PYTHONPATH": str(modules), "HOME": str(checkout)}
    return subprocess.run(
        [sys.executable, "local/bootstrap.py"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_uv_on_path_is_used_and_nothing_is_brought(checkout: Path) -> None:
    log = checkout / "calls"
    path = put_uv(
        checkout / "bin",
        f'case $1 in --version) echo "uv 0.13.9";; *) echo "$*" >>{log}; mkdir -p .venv;; esac',
    )
    done = set_up(checkout, path=path)
    assert done.returncode == 0, done.stderr
    assert not (checkout / ".tools").exists()
    find, sync = log.read_text("utf-8").splitlines()
    assert find.startswith("python find")
    assert sync == f"sync --locked --all-packages --directory {checkout}"


def test_the_second_time_it_is_quiet(checkout: Path) -> None:
    path = put_uv(checkout / "bin", 'case $1 in --version) echo "uv 0.13.9";; *) mkdir -p .venv;; esac')
    assert "installing the locked packages" in set_up(checkout, path=path).stderr
    again = set_up(checkout, path=path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_packages_are_counted_and_not_listed(checkout: Path) -> None:
    listed = "; ".join(f'echo " + package-{number}==1.0" >&2' for number in range(3))
    path = put_uv(checkout / "bin", f'case $1 in --version) echo "uv 0.13.9";; *) mkdir -p .venv; {listed};; esac')
    lines = set_up(checkout, path=path).stderr.splitlines()
    assert lines[0] == "set-up: installing the locked packages into .venv/"
    assert lines[1].startswith("set-up: 3 packages installed in ")
    assert len(lines) == 2


def test_a_uv_that_is_too_old_is_not_used(checkout: Path) -> None:
    path = put_uv(checkout / "bin", 'case $1 in --version) echo "uv 0.4.1";; *) exit 9;; esac')
    done = set_up(checkout, path=path, missing=("venv", "pip"))
    assert done.returncode == 1
    assert "bringing uv" in done.stderr


def test_one_line_says_what_is_missing_where_uv_cannot_be_brought(checkout: Path) -> None:
    done = set_up(checkout, missing=("venv", "pip"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "set-up: uv is missing and could not be brought from PyPI, neither by python3 -m venv nor by pip "
        "(venv is not available; pip is not available)"
    )


def test_one_line_says_that_python_is_missing(checkout: Path) -> None:
    path = put_uv(
        checkout / "bin", 'case $1 in --version) echo "uv 0.13.9";; *) echo "error: no such Python"; exit 2;; esac'
    )
    done = set_up(checkout, path=path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "set-up: Python 3.12 or newer is missing and uv could not bring one (error: no such Python): "
        "install it, then try again"
    )


def test_a_failed_installation_is_not_taken_for_done(checkout: Path) -> None:
    path = put_uv(
        checkout / "bin",
        'case "$1 $2" in "--version "*) echo "uv 0.13.9";; "python find") ;; *) mkdir -p .venv; exit 2;; esac',
    )
    assert set_up(checkout, path=path).returncode == 1
    assert (
        set_up(checkout, path=path).stderr.splitlines()[-1]
        == "set-up: uv sync ended with status 2, see the lines above"
    )


def test_the_set_up_speaks_the_python_of_old_machines() -> None:
    source = (ROOT / "local" / "bootstrap.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 9))


def test_the_uv_brought_is_the_uv_of_the_images() -> None:
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")
    bootstrap = (ROOT / "local" / "bootstrap.py").read_text("utf-8")
    version = bootstrap.partition('UV_VERSION = "')[2].partition('"')[0]
    assert f"ARG UV_VERSION={version}\n" in dockerfile
