"""The seed of the day chooses what is too much to ask in every run, so that all of it comes round. Weekly all is asked.

`VONGGAC_DAY=20261201` chooses as on that day, `VONGGAC_EVERY_CASE=1` leaves nothing out. `make test` prints both.
A test marked `weekly` is left out of a run of all tests, and of none that names files, folders, words (`-k`) or the
mark itself (`-m weekly`).
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

DAY = "VONGGAC_DAY"
EVERY_CASE = "VONGGAC_EVERY_CASE"
_WEEKLY_LEFT_OUT = "VONGGAC_WEEKLY_LEFT_OUT"
"""Set for the workers of xdist, to which every run names its folders."""


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


def pytest_configure(config: pytest.Config) -> None:
    """Choose once: the workers of xdist inherit it, also at midnight."""
    os.environ.setdefault(DAY, f"{datetime.now(UTC):%Y%m%d}")
    if not hasattr(config, "workerinput"):
        marked = "weekly" in config.option.markexpr
        named = config.args_source == pytest.Config.ArgsSource.ARGS or config.option.keyword or marked
        os.environ[_WEEKLY_LEFT_OUT] = "" if named or is_every_case() else "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is asked weekly."""
    if os.environ[_WEEKLY_LEFT_OUT]:
        weekly = [item for item in items if item.get_closest_marker("weekly")]
        config.hook.pytest_deselected(items=weekly)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]


def pytest_report_header() -> str:
    """Say how to choose the same again."""
    if is_every_case():
        return f"{EVERY_CASE}: nothing is left out"
    left_out = ", what is weekly is left out" if os.environ[_WEEKLY_LEFT_OUT] else ""
    return f"{DAY}={os.environ[DAY]} chooses the cases of the day{left_out}; {EVERY_CASE}=1 asks all of them"
