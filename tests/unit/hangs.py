"""A test that does not come to its end ends its process, with the stacks of its threads: the run goes on and names it.

`pytest-timeout` raises once, in the test. What hangs then, in the fixtures that stop servers, would hold the whole run
until somebody kills it, and nobody would know which test it was. xdist says which test its worker ended in, and gives
its file to another worker. There a test that may be repeated (`server`, in `make test`) and hung is begun once more,
two in a run at most. Any other has failed, one that crashed too, and is not begun again.
"""

import faulthandler
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from typing import IO, Any

import pytest
import pytest_timeout
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

GRACE_S = 180.0
"""For fixtures to stop what they started, after the time of the test is over. Whole platforms take 20 s."""
MOST_REPEATED = 2
LEAST_PENDING = 2
_NOTES = "VONGGAC_NOTES_OF_HANGS"
"""A folder of this run, whose name the workers of xdist inherit: what each runs, and which tests ended one of them."""
_stderr_key = pytest.StashKey[IO[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting of the tests of this file."""
    text = "seconds that a test may take beyond its time-out before its process ends"
    parser.addini("hang_grace_s", text, default=str(GRACE_S))


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr: while a test runs, its number means a file of pytest."""
    config.stash[_stderr_key] = os.fdopen(os.dup(2), "w")
    if not hasattr(config, "workerinput"):
        os.environ[_NOTES] = tempfile.mkdtemp(prefix="notes-of-hangs-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close it, and forget what this run has noted."""
    if stderr := config.stash.get(_stderr_key, None):
        stderr.close()
    if not hasattr(config, "workerinput") and (notes := os.environ.pop(_NOTES, None)):
        rmtree(notes, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, report: pytest.TestReport) -> None:
    """Decide, in the process that has the workers, whether the test that one of them ended in is begun once more."""
    over, repeated = _ended_in("over"), _ended_in("repeated")
    if crashitem not in {*over, *repeated} and len(repeated) < MOST_REPEATED and _has_hung(crashitem):
        _note("repeated", crashitem)
        # As pytest-rerunfailures says it.
        report.outcome = "rerun"  # type: ignore[assignment]
    else:
        _note("over", crashitem)


class FileScheduling(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Goes on after a worker has ended, where xdist stands still with all tests but the last ones done.

    A worker begins a test once it knows the next one, and is given more once it has reported one. So it needs two, or
    the word that there are no more. xdist gives back whole files of who ended, also those that it had run, of which
    nobody has anything to report, and gives one file to who comes in its place, which may have one test.
    """

    def remove_node(self, node: Any) -> str | None:
        """Give back what was not run alone; return the test that it ended in."""
        units = self.assigned_work[node]
        self.assigned_work[node] = {scope: unit for scope, unit in units.items() if not all(unit.values())}
        ended_in: str | None = super().remove_node(node)
        return ended_in

    def _reschedule(self, node: Any) -> None:
        if node not in self.registered_collections:
            return
        super()._reschedule(node)
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < LEAST_PENDING:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FileScheduling | None:
    """Give out files to whole workers; leave the other ways of xdist as they are."""
    return FileScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def _has_hung(name: str) -> bool:
    """Whether a worker ran this test, which may be repeated, beyond its time. A crash comes earlier."""
    for each in _notes().glob("runs-*"):
        until_s, _, running = each.read_text("utf-8").partition(" ")
        if running == name and time.monotonic() >= float(until_s):
            return True
    return False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to count, for each repetition anew."""
    if item.nodeid in _ended_in("over"):
        pytest.fail("a worker ended in this test: it is not begun again")
    _count(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Begin again: pytest forgets what was to be dumped when a test fails."""
    _count(item)


def _count(item: pytest.Item) -> None:
    """End the process after the time-out and the grace; a test without a time-out may take as long as it wants."""
    if limit_s := pytest_timeout._get_item_settings(item).timeout:
        limit_s += float(item.config.getini("hang_grace_s"))
        faulthandler.dump_traceback_later(limit_s, exit=True, file=item.config.stash[_stderr_key])
        if item.get_closest_marker("flaky"):
            (_notes() / f"runs-{os.getpid()}").write_text(f"{time.monotonic() + limit_s} {item.nodeid}", "utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Stop counting when the fixtures are down."""
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _notes() -> Path:
    return Path(os.environ[_NOTES])


def _ended_in(what: str) -> list[str]:
    """Names of tests that ended a worker: `repeated` or `over`."""
    file = _notes() / what
    return file.read_text("utf-8").splitlines() if file.exists() else []


def _note(what: str, name: str) -> None:
    with (_notes() / what).open("a", encoding="utf-8") as file:
        file.write(f"{name}\n")
