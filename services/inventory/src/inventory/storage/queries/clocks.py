"""Both clocks of a thing: what was on record at an instant, and what was in force on a day.

A reader names neither table: `recorded` gives one with the same columns, whether it is the present or the history.
"""

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, FromClause, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.conflicts import not_found
from inventory.storage.tables import HISTORY, Change, Thing
from inventory.storage.tables.history import SEALED, shown_flag
from vonggac.http import ProblemError

_ONE_SNAPSHOT = text("set transaction isolation level repeatable read, read only")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def recorded(kind: type[Thing], as_of: datetime | None) -> FromClause:
    """Select things as on record at `as_of`, or as they are now; columns as the table's, `has_…` for secrets."""
    if as_of is None:
        present = kind.__table__.c
        return select(*[_show_column(column) for column in present], _etag(present.revision)).subquery(
            kind.__tablename__
        )
    history = HISTORY[kind]
    then = (history.c.recorded_from <= as_of) & (history.c.recorded_to.is_(None) | (history.c.recorded_to > as_of))
    columns = [column for column in history.c if column.name not in {"recorded_from", "recorded_to"}]
    return select(*columns, _etag(history.c.revision)).where(then).subquery(kind.__tablename__)


def in_force(things: FromClause, valid_on: date) -> ColumnElement[bool]:
    """Whether each of `things` is in force on a day."""
    begun = things.c.valid_from.is_(None) | (things.c.valid_from <= valid_on)
    return begun & (things.c.valid_to.is_(None) | (things.c.valid_to >= valid_on))


async def missing(session: AsyncSession, kind: type[Thing], thing_id: UUID) -> ProblemError:
    """Build the problem of an id that is not on record: 410 when it was, else 404."""
    history = HISTORY[kind]
    query = select(history.c.recorded_to).where(history.c.id == thing_id).order_by(history.c.recorded_to.desc())
    removed_at: datetime | None = await session.scalar(query.limit(1))
    if removed_at is None:
        return not_found(kind.noun)
    words = kind.noun.replace("_", " ")
    msg = f"this {words} was removed on {removed_at.isoformat()}; `as_of` before that shows it, its history says why"
    return ProblemError(HTTPStatus.GONE, "removed", msg)


async def read_one_instant(session: AsyncSession) -> None:
    """Have all that a session reads be of one instant; before it reads anything."""
    await session.execute(_ONE_SNAPSHOT)


async def settled_instant(session: AsyncSession) -> datetime | None:
    """Find the newest instant whose state no running write can change any more; None: nothing was ever written.

    A long write records what is new as of its beginning, and commits later (decision 0043).
    """
    begun: int | None = await session.scalar(_LONG_WRITE_SINCE)
    if begun is not None:
        return _EPOCH + (begun - 1) * _MICROSECOND
    latest: datetime | None = await session.scalar(select(func.max(Change.changed_at)))
    return latest


async def announce_long_write(session: AsyncSession, now: datetime) -> None:
    """Let readers see, until this transaction ends, that it records something as of `now`."""
    await session.execute(text(f"select pg_advisory_xact_lock_shared({(now - _EPOCH) // _MICROSECOND})"))


async def set_recorded_now(session: AsyncSession, now: datetime) -> None:
    """Have the history record what this transaction writes as of `now`."""
    await session.execute(text("select set_config('vonggac.now', :now, true)"), {"now": now.isoformat()})


# The key of such a lock is an instant in microseconds: larger than any other key.
_LONG_WRITE_SINCE = text(
    "select min((classid::bigint << 32) + objid::bigint) from pg_locks "
    "where locktype = 'advisory' and objsubid = 1 and classid::bigint > 100000 "
    "and database = (select oid from pg_database where datname = current_database())"
)


def _etag(revision: ColumnElement[Any]) -> ColumnElement[str]:
    return func.concat('"', revision, '"').label("etag")


def _show_column(column: ColumnElement[Any] | Column[Any]) -> ColumnElement[Any]:
    if column.name.startswith(SEALED):
        return column.is_not(None).label(shown_flag(column.name))
    return column
