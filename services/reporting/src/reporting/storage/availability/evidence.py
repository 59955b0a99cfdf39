"""Evidence that came after its day had been written: marks for the ledger, and what became of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis
from reporting.domain.ledger import Day, date_of, number_of
from reporting.storage.availability.tables import late_evidence, ledger_mark
from reporting.storage.mandate.maintenance import cameras_at
from vonggac.database.keyset import Ordered, keyset_page


class Mark(NamedTuple):
    """Evidence for `day`, and maybe later ones, of a camera (None: of any) was stored at `noticed_at`."""

    id: int
    camera_id: UUID | None
    day: Day
    what: str
    noticed_at: datetime


type Gained = Mapping[str, Millis]
"""What each part gained, or lost where it is below 0; those that did neither are left out."""


class DeliveryChange(NamedTuple):
    """What a delivery's day gained: each part of it, and each cause of what was not connected."""

    change: Gained
    by_cause: Gained


class DayChange(NamedTuple):
    """A camera's day whose figures changed, the marks that made it change, and what it gained; the same of each of its
    deliveries that changed, by id."""

    camera_id: UUID
    day: Day
    marks: Sequence[Mark]
    change: Gained
    deliveries: Mapping[str, DeliveryChange]


CAUSE = "cause"
"""Kind of a mark: probes saw another cause of a camera's being down on that day than they had."""

_MARK = text(
    """
    insert into ledger_mark (camera_id, day, what, noticed_at)
    select camera_id, day, what, now() from unnest(
        cast(:cameras as uuid[]), cast(:days as date[]), cast(:what as text[])
    ) as new (camera_id, day, what)
    """
)
_NOTE = text(
    """
    insert into late_evidence (camera_id, day, what, noticed_at, written_at, change, deliveries)
    select camera_id, day, what, noticed_at, now(), change, deliveries from unnest(
        cast(:cameras as uuid[]), cast(:days as date[]), cast(:what as text[]), cast(:noticed as timestamptz[]),
        cast(:changes as jsonb[]), cast(:deliveries as jsonb[])
    ) as new (camera_id, day, what, noticed_at, change, deliveries)
    """
)


async def mark(session: AsyncSession, touched: Sequence[tuple[UUID | None, str, Day]]) -> None:
    """Have the ledger of these cameras written anew from these days on: camera, kind of fact, day."""
    if touched:
        columns = {
            "cameras": [camera_id for camera_id, _, _ in touched],
            "days": [date_of(day) for _, _, day in touched],
            "what": [what for _, what, _ in touched],
        }
        await session.execute(_MARK, columns)


async def marks(session: AsyncSession) -> list[Mark]:
    """All that are left, oldest first."""
    rows = await session.execute(select(ledger_mark).order_by(ledger_mark.c.id))
    return [Mark(row.id, row.camera_id, number_of(row.day), row.what, row.noticed_at) for row in rows]


async def remove_marks(session: AsyncSession, ids: Sequence[int]) -> None:
    await session.execute(text("delete from ledger_mark where id = any(:ids)"), {"ids": list(ids)})


async def note(session: AsyncSession, changed: Iterable[DayChange]) -> None:
    """Keep which days changed after they were written."""
    rows = list(changed)
    if rows:
        columns: dict[str, list[Any]] = {
            "cameras": [one.camera_id for one in rows],
            "days": [date_of(one.day) for one in rows],
            "what": [", ".join(sorted({mark.what for mark in one.marks})) for one in rows],
            "noticed": [min(mark.noticed_at for mark in one.marks) for one in rows],
            "changes": [json.dumps(one.change) for one in rows],
            "deliveries": [
                json.dumps({id_: found._asdict() for id_, found in sorted(one.deliveries.items())}) for one in rows
            ],
        }
        await session.execute(_NOTE, columns)


SORTABLE = {"day": late_evidence.c.day, "noticed_at": late_evidence.c.noticed_at, "id": late_evidence.c.id}


def listed(first: date, last: date, camera_id: UUID | None = None, *, visible: frozenset[UUID] | None) -> Select[Any]:
    """Days [first, last) of cameras that changed after the horizon. `visible`: as of `Scope`."""
    wanted = select(late_evidence).where(late_evidence.c.day >= first, late_evidence.c.day < last)
    if visible is not None:
        wanted = wanted.where(late_evidence.c.camera_id.in_(cameras_at(visible)))
    return wanted if camera_id is None else wanted.where(late_evidence.c.camera_id == camera_id)


async def page(
    session: AsyncSession,
    wanted: Select[Any],
    orderings: Sequence[Ordered],
    last: Sequence[Any] | None,
    limit: int,
    *,
    count: bool,
) -> tuple[Sequence[Any], int | None]:
    """Read the rows of one page of `wanted` and one more, and the number of all of them when it is asked."""
    rows = (await session.execute(keyset_page(wanted, SORTABLE, orderings, last, limit))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


async def count(session: AsyncSession, first: Day, last: Day, visible: frozenset[UUID] | None) -> int:
    """How many days of cameras within [first, last) changed after they had been written."""
    wanted = listed(date_of(first), date_of(last), visible=visible).subquery()
    return int(await session.scalar(select(func.count()).select_from(wanted)) or 0)
