"""Two tiers of tests: a `server` test needs a server or another process; every other one is kept a unit test.

A test is `server` when one of its fixtures (or one that these use) is in `SERVER_FIXTURES`, or when it is marked so. A
unit test that starts a process or a simulator, or that sends beyond this machine, fails: neither the list nor the marks
can go stale. `make test-unit` runs what is neither `server` nor `slow` nor `heavy`, and imports no file that has
nothing else.

`make test` repeats a failed `server` test once, a few times in a run, and prints it with its traceback: one time-out of
a busy machine hides no other result. No other test is repeated: one that fails is wrong.
"""

import gc
import sys
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

import pytest
import pytest_timeout
from tests.unit.files import ROOT, SERVER_FIXTURES, has_chosen_tests, has_unit_tests
from tests.unit.seconds import TABLE, read_table

from simulator import Simulator

_NO_SERVERS = frozenset(("git",))
"""Programs that end by themselves within milliseconds."""
_LOCAL = ("127.", "::1", "0.0.0.0", "::", "localhost")
_UNROUTABLE = "255.255.255.255"
"""No kernel sends a TCP connection there: how a test makes `unreachable`."""
_STARTS_PROCESS = frozenset(("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system"))
_SENDS = frozenset(("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"))
_WATCHED = _STARTS_PROCESS | _SENDS


class NotAUnitTestError(AssertionError):
    """A test that is not marked `server` did what only such a test may do."""


class _Guard:
    """Reads what Python's runtime audits (PEP 578) while a unit test runs."""

    def __init__(self) -> None:
        self.watching = False
        self.offences: list[str] = []

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_PROCESS:
            program = str(arguments[0]) if arguments else event
            if program.rpartition("/")[2] not in _NO_SERVERS:
                self.refuse(f"starts the process {program}")
        elif event in _SENDS and isinstance(arguments[1], tuple):
            host = str(arguments[1][0])
            if host and host != _UNROUTABLE and not host.startswith(_LOCAL):
                self.refuse(f"{event} to {host}, which is not this machine")

    def refuse(self, offence: str) -> None:
        if self.watching:
            self.offences.append(offence)
            msg = f"a unit test {offence}: mark it `server`, or name the fixture in tests/unit/files.py"
            raise NotAUnitTestError(msg)


_guard = _Guard()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Called a million times in a run, by `id` most of all: a plain function costs a quarter of a method."""
    if event in _WATCHED and _guard.watching:
        _guard.audit(event, arguments)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not collection_path.match("test_*.py"):
        return None
    # None: others may have another reason.
    return None if has_chosen_tests(collection_path, config.option.markexpr) else True


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is imported or collected is garbage: to search a million objects for some takes a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    _mark(items)
    if hasattr(config, "workerinput"):
        items[:] = _slow_files_first(items)
    units = {item.path for item in items if item.get_closest_marker("server") is None}
    if lost := [str(path) for path in units if not has_unit_tests(path)]:
        msg = f"`make test-unit` leaves out the unit tests of {', '.join(lost)}: see tests/unit/files.py"
        raise pytest.UsageError(msg)


def _slow_files_first(items: list[pytest.Item]) -> list[pytest.Item]:
    """Every third file is one with slow tests, the longest on record first: a run ends on all workers at once.

    Not all of them at the beginning: they would take each other's time.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    slow = [path for path, those in files.items() if any(item.get_closest_marker("slow") for item in those)]
    on_record = read_table(TABLE)

    def known_seconds(path: Path) -> float:
        """A file that is not on record may be the longest of all."""
        time = on_record.get(path.relative_to(ROOT).as_posix()) if path.is_relative_to(ROOT) else None
        return inf if time is None else time.seconds

    slow.sort(key=known_seconds, reverse=True)
    quick = iter([path for path in files if path not in set(slow)])
    order = [path for one in slow for path in (one, *islice(quick, 2))]
    return [item for path in (*order, *quick) for item in files[path]]


def _mark(items: list[pytest.Item]) -> None:
    for item in items:
        if SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)
        # Only on those that may be repeated: the plugin asks its own little server for every marked test, 28 ms each.
        if item.config.option.max_suite_reruns and item.get_closest_marker("server") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


_with_servers: set[Path] = set()
"""Files of the run that have tests marked `server`."""


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect garbage when a file is done: what it has left open fails its last test, not one of another file."""
    yield
    if request.path in _with_servers:
        gc.collect()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what was imported and collected out of every garbage collection of the run: it stays to the end."""
    _with_servers.update(item.path for item in session.items if item.get_closest_marker("server"))
    # Not earlier: imports raise half a million events.
    sys.addaudithook(_audit)
    gc.collect()
    gc.freeze()


def pytest_configure() -> None:
    # Importing and reading the house's own code make a million objects that stay: they are searched less often.
    gc.set_threshold(50_000, 20, 20)
    Simulator.bind = _refused_in_unit_tests(Simulator.bind)  # type: ignore[method-assign, assignment]


def _refused_in_unit_tests(bind: Callable[[Simulator], None]) -> Callable[[Simulator], None]:
    def guarded(simulator: Simulator) -> None:
        _guard.refuse("starts a simulator")
        bind(simulator)

    return guarded


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give a repeated test its own time: pytest-timeout counts once for a test and its repetition, then never again."""
    if getattr(item, "execution_count", 1) > 1:
        hooks = item.config.hook
        hooks.pytest_timeout_cancel_timer(item=item)
        hooks.pytest_timeout_set_timer(item=item, settings=pytest_timeout._get_item_settings(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _guard.watching = item.get_closest_marker("server") is None
    _guard.offences.clear()
    try:
        return (yield)
    finally:
        _guard.watching = False


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a unit test also where the code under test has caught what the guard raised."""
    result = yield
    if _guard.offences:
        pytest.fail(f"a unit test {_guard.offences[0]}: mark it `server`, or name the fixture in tests/unit/files.py")
    return result
