"""Evidence that came after a report of its time had been frozen: marks, and which reports they may change.

A mark is no verdict: the figures may still be the same. Freezing a further version finds out.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, moment
from reporting.domain.ledger import date_of, day_of
from reporting.storage.tables import metadata

ANY_CAMERA = UUID(int=0)
"""Of a mark that may touch any camera, such as a hole in what its prober watched."""
REGISTER = (
    "agency", "blocked_reason", "connection_plan", "coverage", "directive", "focal_point", "inspection",
    "installation_proposal", "obligation", "plan_exception", "survey", "unit",
)  # fmt: skip
"""Nouns whose marks are of the mandate's register: they touch the rows of the cut-off and no camera's seconds."""

report_mark = Table(
    "report_mark",
    metadata,
    Column("id", BigInteger, Identity(), nullable=False, unique=True),
    Column("camera_id", Uuid, nullable=False, comment="The nil id: any camera"),
    Column("day", Date, nullable=False, comment="The first day that it touches"),
    Column("what", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, comment="The first moment of that day that it touches"),
    Column("noticed_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("camera_id", "day", "what"),
    Index("ix_report_mark_noticed_at", "noticed_at"),
    comment="Evidence that was stored after a report of its time had been frozen, the newest of each kind",
)
report_evidence = Table(
    "report_evidence",
    metadata,
    Column("number", BigInteger, ForeignKey("frozen_report.number"), primary_key=True, autoincrement=False),
    Column("seen_mark", BigInteger, nullable=False, comment="Marks up to this one are in its figures, or change none"),
    Column("camera_ids", ARRAY(Uuid), nullable=False, comment="The cameras that it tells of"),
    Column("published_mark", BigInteger, comment="The seen_mark for which its flag was published; null: none was"),
    Column(
        "covers_until",
        DateTime(timezone=True),
        nullable=False,
        comment="Evidence for time before it may change it: the end of its period, or the cut-off of its register",
    ),
    comment="What each frozen report was made of",
)

_MARK = text(
    """
    insert into report_mark as known (camera_id, day, what, since, noticed_at)
    select camera_id, day, what, since, now() from unnest(
        cast(:cameras as uuid[]), cast(:days as date[]), cast(:what as text[]), cast(:since as timestamptz[])
    ) as new (camera_id, day, what, since) order by camera_id, day, what
    on conflict (camera_id, day, what) do update
    set id = default, since = least(known.since, excluded.since), noticed_at = excluded.noticed_at
    """
)
_ANNOUNCE = text("update ledger_state set frozen_until = greatest(frozen_until, :until)")
_NEWEST = text("select coalesce(max(id), 0) from report_mark")
_KEEP = text(
    """
    insert into report_evidence (number, seen_mark, camera_ids, covers_until) values (:number, :seen, :cameras, :until)
    """
)
_CHECKED = text("update report_evidence set seen_mark = greatest(seen_mark, :seen) where number = :number")
# What is said of a camera that a report does not name counts where it is the register that says it.
_FLAGS = """
    select e.number, {more} min(m.since) as since, max(m.noticed_at) as noticed_at, array_agg(distinct m.what) as what,
           count(distinct m.camera_id) filter (where m.camera_id <> :any) as cameras,
           bool_or(m.camera_id = :any and m.what <> all(:register)) as whole
    from report_evidence as e join frozen_report as f using (number) join report_mark as m
        on m.id > e.seen_mark and m.since < e.covers_until
        and (m.camera_id = :any or m.what in ('camera', 'maintenance') or m.camera_id = any(e.camera_ids))
    where {of} and not exists (select from frozen_report as later where later.id = f.id and later.version > f.version)
    group by {by}
"""
_LATE = text(_FLAGS.format(more="", of="e.number = any(:numbers)", by="e.number"))
_UNPUBLISHED = text(
    _FLAGS.format(
        more="f.id, f.version, e.seen_mark,",
        of="m.noticed_at >= :since and e.published_mark is distinct from e.seen_mark",
        by="e.number, f.id, f.version, e.seen_mark order by e.number",
    )
)
_NAMED = {"any": ANY_CAMERA, "register": list(REGISTER)}
_PUBLISHED = text("update report_evidence set published_mark = seen_mark where number = any(:numbers)")


class Late(NamedTuple):
    """What came for a report since it was frozen: kinds of facts, of so many cameras; `whole`: maybe of all."""

    since: Any
    noticed_at: Any
    what: Sequence[str]
    cameras: int
    whole: bool


async def mark(session: AsyncSession, touched: Mapping[tuple[UUID | None, str], Millis]) -> None:
    """Keep that evidence came for the time since then; by camera (None: any) and kind of fact."""
    if touched:
        columns = {
            "cameras": [camera_id or ANY_CAMERA for camera_id, _ in touched],
            "days": [date_of(day_of(since)) for since in touched.values()],
            "what": [what for _, what in touched],
            "since": [moment(since) for since in touched.values()],
        }
        await session.execute(_MARK, columns)


async def announce(session: AsyncSession, until: Millis) -> int:
    """From the commit on, evidence for time before `until` is marked; returns the newest mark.

    Waits for what is being stored, so that all that has no later mark is in a snapshot taken after the commit.
    """
    await session.execute(_ANNOUNCE, {"until": moment(until)})
    return int(await session.scalar(_NEWEST) or 0)


async def keep(session: AsyncSession, number: int, seen: int, cameras: Collection[UUID], until: Millis) -> None:
    """Keep what a report was made of: of which cameras, and of evidence until when."""
    given = {"number": number, "seen": seen, "cameras": list(cameras), "until": moment(until)}
    await session.execute(_KEEP, given)


async def checked(session: AsyncSession, number: int, seen: int) -> None:
    """Record that marks up to this one change no figure of it."""
    await session.execute(_CHECKED, {"number": number, "seen": seen})


async def late(session: AsyncSession, numbers: Collection[int]) -> dict[int, Late]:
    """Read what came for each of these reports, of those that no further version has replaced."""
    found = await session.execute(_LATE, {"numbers": list(numbers), **_NAMED})
    return {row.number: Late(row.since, row.noticed_at, row.what, row.cameras, row.whole) for row in found}


async def unpublished(session: AsyncSession, since: Millis) -> Sequence[Any]:
    """Read the reports that marks of `since` or later flag, and whose flag was not published: what `Late` has, with id,
    version and seen_mark. A report that was checked is published anew with what comes then."""
    return (await session.execute(_UNPUBLISHED, {"since": moment(since), **_NAMED})).all()


async def published(session: AsyncSession, numbers: Collection[int]) -> None:
    """Record that the flags of these reports are published."""
    await session.execute(_PUBLISHED, {"numbers": list(numbers)})
