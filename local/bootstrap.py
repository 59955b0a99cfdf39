"""Set the checkout up: find or install uv, then let it make `.venv`. The Makefile runs it with any Python from 3.9.

Installs nothing outside the checkout: a uv that is missing on PATH comes from PyPI into `.tools/`. Prints nothing when
nothing is missing. Exit status 1, with one line that names what is missing, when it fails.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = VENV / "synced"

UV_VERSION = "0.13.9"
UV_LEAST = (0, 9)
"""The oldest uv that the lock file and the build backend work with."""
PYTHON = "3.13"
"""uv installs it where no supported Python is."""


class SetUpError(Exception):
    """What is missing, in one line."""


def main() -> int:
    """Exit status of the set-up."""
    try:
        uv = find_uv() or bring_uv()
        find_python(uv)
        sync(uv)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    point_git_to_hooks()
    return 0


def point_git_to_hooks() -> None:
    """Let git of a checkout call `.githooks/`, unless its owner has set other hooks."""
    git = shutil.which("git")
    if git is not None and (ROOT / ".git").exists():
        hooks = [git, "-C", str(ROOT), "config", "core.hooksPath"]
        if subprocess.run(hooks, capture_output=True, check=False).returncode != 0:
            subprocess.run([*hooks, ".githooks"], capture_output=True, check=False)


def find_uv() -> str | None:
    """The uv of PATH when it is new enough, else the one in `.tools/`."""
    on_path = shutil.which("uv")
    if on_path and version_of(on_path) >= UV_LEAST:
        return on_path
    for brought in (TOOLS / "uv" / "bin" / "uv", TOOLS / "uv-target" / "bin" / "uv"):
        if version_of(str(brought)) >= UV_LEAST:
            return str(brought)
    return None


def version_of(uv: str) -> tuple[int, ...]:
    """The version of `uv`; empty when it does not run."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else ()


def bring_uv() -> str:
    """Install the pinned uv below `.tools/`. Raises SetUpError."""
    TOOLS.mkdir(exist_ok=True)
    with one_at_a_time(TOOLS / "lock"):
        found = find_uv()
        if found is not None:
            return found
        say(f"uv is not on PATH: bringing uv {UV_VERSION} from PyPI into .tools/")
        reasons = [_by_venv(), _by_target()]
        found = find_uv()
    if found is None:
        tried = "; ".join(reason for reason in reasons if reason)
        msg = f"uv is missing and could not be brought from PyPI, neither by python3 -m venv nor by pip ({tried})"
        raise SetUpError(msg)
    return found


def _by_venv() -> str:
    folder = TOOLS / "uv"
    shutil.rmtree(folder, ignore_errors=True)
    return run([sys.executable, "-m", "venv", str(folder)]) or run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"]
    )


def _by_target() -> str:
    if find_uv() is not None:
        return ""
    folder = TOOLS / "uv-target"
    shutil.rmtree(folder, ignore_errors=True)
    return run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), f"uv=={UV_VERSION}"])


def run(command: list[str]) -> str:
    """Empty when the command succeeded, otherwise its last line of output."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except OSError as error:
        return f"{Path(command[0]).name}: {error.strerror}"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    said = (errors or lines or [f"status {done.returncode}"])[-1]
    return said[:200]


def find_python(uv: str) -> None:
    """Make sure that uv has a supported Python. Raises SetUpError."""
    if (VENV / "bin" / "python").exists():
        return
    if not run([uv, "python", "find", "--directory", str(ROOT), "--no-python-downloads"]):
        return
    say(f"no installed Python is new enough: uv brings Python {PYTHON}")
    reason = run([uv, "python", "install", PYTHON])
    if reason:
        msg = f"Python 3.12 or newer is missing and uv could not bring one ({reason}): install it, then try again"
        raise SetUpError(msg)


def sync(uv: str) -> None:
    """Bring `.venv` to the state of uv.lock. Raises SetUpError."""
    wanted = fingerprint()
    fresh = not (STAMP.exists() and STAMP.read_text("ascii") == wanted)
    command = [uv, "sync", "--locked", "--all-packages", "--directory", str(ROOT)]
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    environment["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    status = install(command, environment) if fresh else subprocess.call([*command, "--quiet"], env=environment)
    if status != 0:
        msg = f"uv sync ended with status {status}, see the lines above"
        raise SetUpError(msg)
    STAMP.write_text(wanted, "ascii")


def install(command: list[str], environment: dict[str, str]) -> int:
    """uv's status, behind one line of progress; what uv prints is shown when it fails."""
    what, began = "installing the locked packages into .venv/", time.monotonic()
    say(what)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
            if sys.stderr.isatty():
                print(f"\rset-up: {what} {time.monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        output.seek(0)
        lines = output.read().splitlines()
    if process.returncode != 0:
        print("\n".join(lines), file=sys.stderr)
        return process.returncode
    packages = sum(line.startswith(" + ") for line in lines)
    say(
        f"{packages} package{'' if packages == 1 else 's'} installed in {time.monotonic() - began:.0f} s"
        if packages
        else "nothing was missing"
    )
    return 0


def fingerprint() -> str:
    """Changes with the packages to install."""
    files = [ROOT / "uv.lock", ROOT / "pyproject.toml", *sorted(ROOT.glob("*/pyproject.toml"))]
    files += sorted(ROOT.glob("services/*/pyproject.toml"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Two set-ups at the same time run one after the other."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """One line of progress."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
