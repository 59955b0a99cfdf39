"""A test that does not come to its end ends its process, with the stacks of its threads: the run goes on and names it.

`pytest-timeout` raises once, in the test. What hangs then, in the fixtures that stop servers, would hold the whole run
until somebody kills it, and nobody would know which test it was. xdist says which test its worker ended in, and gives
its file to another worker. There the test is repeated once, as `make test` does with those that fail, two in a run at
most; then it has failed and is not begun again.
"""

import faulthandler
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import pytest_timeout

GRACE_S = 180.0
"""For fixtures to stop what they started, after the time of the test is over. Whole platforms take 20 s."""
MOST_REPEATED = 2
_ENDED_IN = "VONGGAC_TESTS_THAT_ENDED_A_WORKER"
_stderr_key = pytest.StashKey[IO[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting of the tests of this file."""
    text = "seconds that a test may take beyond its time-out before its process ends"
    parser.addini("hang_grace_s", text, default=str(GRACE_S))


def pytest_configure(config: pytest.Config) -> None:
    """Keep the real stderr: while a test runs, its number means a file of pytest."""
    config.stash[_stderr_key] = os.fdopen(os.dup(2), "w")
    if not hasattr(config, "workerinput"):
        # The workers of xdist inherit the name.
        handle, os.environ[_ENDED_IN] = tempfile.mkstemp(prefix="tests-that-ended-a-worker-")
        os.close(handle)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close it, and forget what this run has noted."""
    if stderr := config.stash.get(_stderr_key, None):
        stderr.close()
    if not hasattr(config, "workerinput") and (noted := os.environ.pop(_ENDED_IN, None)):
        Path(noted).unlink(missing_ok=True)


@pytest.hookimpl(optionalhook=True)
def pytest_handlecrashitem(crashitem: str, report: pytest.TestReport) -> None:
    """Note, in the process that has the workers, the test that one of them ended in, and call it one to repeat."""
    with Path(os.environ[_ENDED_IN]).open("a", encoding="utf-8") as noted:
        noted.write(f"{crashitem}\n")
    if _may_begin(crashitem):
        # As pytest-rerunfailures says it.
        report.outcome = "rerun"  # type: ignore[assignment]


def _may_begin(name: str) -> bool:
    """Whether a test may be begun: it never ended a worker, or once, as one of the first two."""
    ended = Path(os.environ[_ENDED_IN]).read_text("utf-8").splitlines()
    return ended.count(name) == 0 or (ended.count(name) == 1 and name in ended[:MOST_REPEATED])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin to count, for each repetition anew."""
    if not _may_begin(item.nodeid):
        pytest.fail("a worker ended in this test: it is not begun again")
    _count(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Begin again: pytest forgets what was to be dumped when a test fails."""
    _count(item)


def _count(item: pytest.Item) -> None:
    """End the process after the time-out and the grace; a test without a time-out may take as long as it wants."""
    if limit_s := pytest_timeout._get_item_settings(item).timeout:
        grace_s = float(item.config.getini("hang_grace_s"))
        faulthandler.dump_traceback_later(limit_s + grace_s, exit=True, file=item.config.stash[_stderr_key])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Stop counting when the fixtures are down."""
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
