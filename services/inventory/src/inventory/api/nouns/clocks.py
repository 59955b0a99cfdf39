"""The two clocks of a request: what was on record then (`as_of`), and what was in force on a day (`valid_on`)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime
from sqlalchemy import FromClause

from inventory.storage.conflicts import invalid
from inventory.storage.queries.clocks import recorded
from inventory.storage.tables import Thing

AHEAD = timedelta(seconds=1)

AsOf = Annotated[
    AwareDatetime | None, Query(description="What was on record at this instant; without it, what is on record now.")
]
ValidOn = Annotated[
    date | None, Query(description="What was, by what is on record, in force on this day (Asia/Ho_Chi_Minh).")
]


def recorded_at(as_of: datetime | None, now: datetime) -> Callable[[type[Thing]], FromClause]:
    """Gives the things of a kind at `as_of`. Raises ProblemError 422 for an instant to come."""
    if as_of is not None and as_of > now + AHEAD:
        raise invalid("as_of", f"is an instant to come; it is {now.isoformat()} now")
    return partial(recorded, as_of=as_of)
