"""When a facility is to be inspected next (R24: at least once every 15 days)."""

from datetime import date, timedelta
from typing import NamedTuple

INSPECT_EVERY_DAYS = 15
"""Where no obligation of the kind `inspection` says otherwise (R24)."""


class Due(NamedTuple):
    """`due_on` is the last day that is in time; `overdue_days` is 0 while it is."""

    due_on: date
    overdue_days: int


def next_inspection(last: date | None, since: date, on: date, *, every_days: int = INSPECT_EVERY_DAYS) -> Due:
    """As of the day `on`. `since`: the first day that the facility is to be inspected; an older inspection is of an
    earlier time of the facility and does not count."""
    begin = since if last is None else max(last, since)
    due_on = begin + timedelta(days=every_days)
    return Due(due_on, max(0, (on - due_on).days))
