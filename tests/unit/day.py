"""The seed of the day chooses what is too much to ask in every run, so that all of it comes round. Weekly all is asked.

`VONGGAC_DAY=20261201` chooses as on that day, `VONGGAC_EVERY_CASE=1` leaves nothing out. `make test` prints both.
"""

import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime

DAY = "VONGGAC_DAY"
EVERY_CASE = "VONGGAC_EVERY_CASE"


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


def pytest_configure() -> None:
    # Once: the workers of xdist inherit it, also at midnight.
    os.environ.setdefault(DAY, f"{datetime.now(UTC):%Y%m%d}")


def pytest_report_header() -> str:
    """Say how to choose the same again."""
    if is_every_case():
        return f"{EVERY_CASE}: nothing is left out"
    return f"{DAY}={os.environ[DAY]} chooses the cases of the day; {EVERY_CASE}=1 asks all of them"
