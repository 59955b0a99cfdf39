"""Throw-away copies of the repository, and tests run in them in processes of their own.

The packages of others are imported once, before these processes are forked; the project's own come from the copy.
"""

import importlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.unit.guard.faults import ROOT, Fault
from tests.unit.parts import FORKED, IMPORTED

LONGEST_TEST_S = 60
LONGEST_RUN_S = 240
"""With what a test starts: servers, a platform."""
_ALONE = ("-x", "-q", "--no-header", "--tb=line", "-p", "no:schemathesis", "-p", "no:cacheprovider", "-n0")


def snapshot() -> str:
    """Return the tree of the working copy: what is committed, with the changes of tracked files."""
    changed = _git("stash", "create").strip()
    return _git("rev-parse", f"{changed or 'HEAD'}^{{tree}}").strip()


def import_packages() -> None:
    """Import what most tests need of others, for all processes that are forked later."""
    for name in IMPORTED:
        importlib.import_module(name)


def make_copy(tree: str, folder: Path) -> Path:
    """Fill a new folder with a tree."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", tree], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    # A repository of its own, and what stands beside it, ignored by git: some tests use both.
    subprocess.run(["git", "init", "-q"], cwd=folder, capture_output=True, check=True)
    for name in (".venv", ".tools"):
        (folder / name).symlink_to(ROOT / name)
    return folder


class Outcome(NamedTuple):
    """How tests ended: pytest's exit status, its lines and the seconds taken."""

    status: int
    text: str
    seconds: float

    @property
    def red(self) -> bool:
        """A test ran and failed; one that cannot be collected proves nothing."""
        return self.status == pytest.ExitCode.TESTS_FAILED and "\nFAILED " in f"\n{self.text}"


class Run:
    """Tests in a copy, in a process of their own, under a fault if one is given."""

    def __init__(self, copy: Path, tests: Sequence[str], fault: Fault | None = None) -> None:
        """Apply the fault and start. Raises FaultError."""
        self.copy, self.fault = copy, fault
        self._begun = time.monotonic()
        self._output = copy / "guard.out"
        self._kept = {copy / name: _read(copy / name) for name in (fault.files() if fault else ())}
        if fault is not None:
            fault.apply(copy)
        arguments = [*_ALONE, f"--timeout={LONGEST_TEST_S}", *FORKED, *tests]
        context = multiprocessing.get_context("fork")
        self.process: ForkProcess = context.Process(
            target=_run_tests, args=(copy, arguments, self._output, fault is not None)
        )
        self.process.start()

    @property
    def too_long(self) -> bool:
        return time.monotonic() - self._begun > LONGEST_RUN_S

    def finish(self) -> Outcome:
        """Wait for the end, put the copy right again and return how it went."""
        self.process.join()
        self._restore()
        text = self._output.read_text("utf-8", "replace") if self._output.exists() else ""
        return Outcome(self.process.exitcode or 0, text, time.monotonic() - self._begun)

    def stop(self) -> None:
        """End it with what it started."""
        if self.process.pid is not None and self.process.is_alive():
            os.killpg(self.process.pid, signal.SIGKILL)

    def _restore(self) -> None:
        """Put back the bytes and the times of the files: those the compiled files of the copy go by."""
        for path, kept in self._kept.items():
            if kept is None:
                path.unlink(missing_ok=True)
                continue
            content, modified = kept
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(modified, modified))


def copy_again(copy: Path, folder: Path) -> Path:
    """Make another copy, with what tests compiled in the first."""
    shutil.copytree(copy, folder, symlinks=True)
    return folder


def _read(path: Path) -> tuple[bytes, int] | None:
    return (path.read_bytes(), path.stat().st_mtime_ns) if path.exists() else None


def _run_tests(copy: Path, arguments: list[str], output: Path, faulty: bool) -> None:
    """In the process of a run: the project is imported from the copy, also by processes that tests start."""
    os.setsid()
    with output.open("wb") as lines:
        os.dup2(lines.fileno(), 1)
        os.dup2(lines.fileno(), 2)
    os.chdir(copy)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "conftest")]:
        del sys.modules[name]
    sources = [str(copy / path.relative_to(ROOT)) for path in map(Path, sys.path) if path.name == "src"]
    sys.path[:] = [str(copy), *sources, *(path for path in sys.path if not _is_ours(path))]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(copy), *sources])
    if faulty:
        # A compiled file is told from its source by size and second: another fault may have both.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(int(pytest.main(arguments)))


def _is_ours(path: str) -> bool:
    return Path(path) == ROOT or Path(path).name == "src"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
