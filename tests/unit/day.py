"""What a run of all tests leaves for another day, so that it is short and all of it comes round.

- A test marked `server` runs in turn, one day of seven, unless it is marked `daily`. Those of a file that share a
  fixture (a whole platform takes minutes to start) have the same day.
- `choose_of_day` chooses from what many share.
- A test marked `weekly` is left out.

Nothing is left out of a run that names files, folders, words (`-k`) or marks (`-m weekly`), but with `--of-day`; nor
where `VONGGAC_EVERY_CASE=1` asks everything, as every night. `VONGGAC_DAY=20261201` chooses as on that day; a run
prints its own.
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from zlib import crc32

import pytest

DAY = "VONGGAC_DAY"
EVERY_CASE = "VONGGAC_EVERY_CASE"
_LEFT_OUT = "VONGGAC_LEFT_OUT"
"""Set for the workers of xdist, to which every run names its folders."""
_DAYS = 7


def choose_of_day[T](things: Sequence[T], count: int, *, purpose: str) -> list[T]:
    """Return `count` of the things, other ones each day and for each purpose; all of them where nothing is left out."""
    if is_every_case() or len(things) <= count:
        return list(things)
    # Not `hash`: the processes of a run must choose the same.
    chosen = set(random.Random(f"{os.environ[DAY]} {purpose}").sample(range(len(things)), count))
    return [thing for number, thing in enumerate(things) if number in chosen]


def is_every_case() -> bool:
    """Whether this run leaves nothing out."""
    return os.environ.get(EVERY_CASE, "") not in ("", "0")


def turn_of(name: str) -> int:
    """Return the day of the week, Monday 0, on which a test or a file is asked."""
    return crc32(name.encode()) % _DAYS


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that `.ci/run` gives for the pages."""
    parser.addoption("--of-day", action="store_true", help="leave out what is another day's, also of files named")


def pytest_configure(config: pytest.Config) -> None:
    """Choose once: the workers of xdist inherit it, also at midnight."""
    os.environ.setdefault(DAY, f"{datetime.now(UTC):%Y%m%d}")
    if not hasattr(config, "workerinput"):
        marked = "weekly" in config.option.markexpr
        named = config.args_source == pytest.Config.ArgsSource.ARGS or config.option.keyword or marked
        is_left_out = (not named or config.getoption("--of-day")) and not is_every_case()
        os.environ[_LEFT_OUT] = "1" if is_left_out else ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is another day's, and what is asked weekly."""
    if not os.environ[_LEFT_OUT]:
        return
    today = _weekday()
    chosen = [item for item in items if _is_of_day(item, today)]
    kept = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = chosen


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Take a day on which no test of those named has its turn for a success."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("--of-day"):
        session.exitstatus = pytest.ExitCode.OK


def _is_of_day(item: pytest.Item, today: int) -> bool:
    if item.get_closest_marker("weekly"):
        return False
    if not item.get_closest_marker("server") or item.get_closest_marker("daily"):
        return True
    return turn_of(item.nodeid.partition("::")[0] if _shares_fixture(item) else item.nodeid) == today


def _shares_fixture(item: pytest.Item) -> bool:
    found = getattr(item, "_fixtureinfo", None)
    known = {} if found is None else found.name2fixturedefs
    return any(each[-1].scope == "module" for name, each in known.items() if each and not name.startswith("_"))


def _weekday() -> int:
    try:
        return datetime.strptime(os.environ[DAY], "%Y%m%d").replace(tzinfo=UTC).weekday()
    except ValueError:
        msg = f"{DAY}={os.environ[DAY]}: write a day as 20261201"
        raise pytest.UsageError(msg) from None


def pytest_report_header() -> str:
    """Say how to choose the same again."""
    if is_every_case():
        return f"{EVERY_CASE}: nothing is left out"
    left_out = ", a seventh of the tests with servers, and nothing weekly" if os.environ[_LEFT_OUT] else ""
    return f"{DAY}={os.environ[DAY]} chooses the cases of the day{left_out}; {EVERY_CASE}=1 asks all of them"
