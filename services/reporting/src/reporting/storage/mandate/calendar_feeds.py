"""Calendar feeds: who may read the deadlines with a password of its own, of which facilities, until it is revoked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, LargeBinary, Table, Text, Uuid, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import metadata
from vonggac.database.keyset import Ordered, keyset_page

calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, comment="Codes or ids that narrow it, as they were given"),
    Column("agency", Text),
    Column("type", Text),
    Column("facility", Text),
    Column("restricted", Boolean, nullable=False, comment="Whether restricted facilities are in it"),
    Column("password_sha256", LargeBinary, nullable=False, comment="Of 32 random bytes: nobody guesses them"),
    Column(
        "by_address",
        Boolean,
        nullable=False,
        server_default="false",
        comment="Whether an address may carry the password",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("revoked_by", Text),
    Column("last_read_at", DateTime(timezone=True), comment="To the hour"),
    comment="Who reads the deadlines as a calendar, with a password instead of a token",
)
SORTABLE = {"name": calendar_feed.c.name, "created_at": calendar_feed.c.created_at, "id": calendar_feed.c.id}
MAX_FEEDS = 1000
READ_NOTED_EVERY = timedelta(hours=1)


async def add(session: AsyncSession, values: dict[str, Any]) -> Any:
    """Add one; the row."""
    return (await session.execute(insert(calendar_feed).values(values).returning(calendar_feed))).one()


async def valid(session: AsyncSession) -> int:
    """How many are not revoked."""
    wanted = select(func.count()).select_from(calendar_feed).where(calendar_feed.c.revoked_at.is_(None))
    return int((await session.execute(wanted)).scalar_one())


async def get(session: AsyncSession, feed_id: UUID) -> Any:
    """Read the row, or None."""
    return (await session.execute(select(calendar_feed).where(calendar_feed.c.id == feed_id))).one_or_none()


async def revoke(session: AsyncSession, feed_id: UUID, now: datetime, by: str) -> bool:
    """Revoke one for good; False when there is none that is valid."""
    statement = (
        update(calendar_feed)
        .where(calendar_feed.c.id == feed_id, calendar_feed.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=by)
        .returning(calendar_feed.c.id)
    )
    return (await session.execute(statement)).one_or_none() is not None


async def note_read(session: AsyncSession, row: Any, now: datetime) -> None:
    """Note that it was read, to the hour: a calendar program asks all the time."""
    if row.last_read_at is None or now - row.last_read_at >= READ_NOTED_EVERY:
        await session.execute(update(calendar_feed).where(calendar_feed.c.id == row.id).values(last_read_at=now))


async def page(
    session: AsyncSession, orderings: Sequence[Ordered], last: Sequence[Any] | None, limit: int, *, count: bool
) -> tuple[Sequence[Any], int | None]:
    """Read the rows of one page and one more, and the number of all when it is asked."""
    rows = (await session.execute(keyset_page(select(calendar_feed), SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(calendar_feed)) if count else None
    return rows, total
