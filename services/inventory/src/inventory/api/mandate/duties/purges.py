"""/v1/due-purges and /v1/purges: what closed facilities leave of people, and what was purged of it (R23).

A purge is asked for (`POST /v1/decision-requests`, act `purge`) and granted by somebody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.named import name_actors
from inventory.domain.days import day_of
from inventory.domain.places.retention import KIND_WORDS, STAYS_VI, Kind, Retention, find_due_day
from inventory.nouns.shown import Acted, Acts
from inventory.storage.tables import Facility, Purge
from inventory.storage.upkeep.purging import count_kinds, date_requests, find_closings, list_purges
from vonggac.auth import guarded_router
from vonggac.events.inventory import FacilityStatus
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(tags=["purges"])


class Counted(BaseModel):
    """How many of one kind."""

    kind: Kind
    kind_vi: str
    count: int


class Staying(BaseModel):
    """What a purge does not reach, and may name people."""

    what: str
    what_vi: str


STAYS = tuple(Staying(what=what, what_vi=words) for what, words in STAYS_VI.items())


class DuePurge(BaseModel):
    """What one closed facility leaves behind, and from when on it is due."""

    facility_id: UUID
    facility_code: str
    closed_at: AwareDatetime
    due_on: date = Field(description="First day on which it may be purged.")
    due: bool
    retention_days: int
    retention_source: str
    leaves: tuple[Counted, ...] = Field(description="What would be purged: kinds and how many, never the data.")
    stays: tuple[Staying, ...] = Field(
        default_factory=lambda: STAYS, description="What a purge does not reach and may name people."
    )


class PurgeResponse(Acted):
    """One purge on record."""

    acts: ClassVar[Acts] = {"asked_by": "asked_at", "decided_by": "purged_at"}

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    facility_id: UUID
    facility_code: str
    closed_at: AwareDatetime
    due_on: date
    retention_days: int
    retention_source: str
    purged_at: AwareDatetime
    asked_by: str
    asked_at: AwareDatetime
    decided_by: str
    request_id: UUID
    reason: str
    purged: tuple[Counted, ...]
    stays: tuple[Staying, ...] = Field(
        default_factory=lambda: STAYS, description="What the purge did not reach and may name people."
    )


@dataclass(frozen=True, slots=True)
class _Left:
    """A closed facility whose data nobody purged."""

    id: UUID
    code: str
    closed_at: datetime
    due_on: date


DUE = Listing[_Left, DuePurge](
    DuePurge,
    keys={
        "due_on": Key(lambda one: one.due_on, date),
        "facility_code": Key(lambda one: one.code),
        "facility_id": Key(lambda one: one.id, UUID),
    },
    id_key="facility_id",
    default_sort="due_on,facility_code",
)
PURGES = Listing[Any, PurgeResponse](
    PurgeResponse,
    keys={"purged_at": Key(lambda row: row.purged_at, datetime), "id": Key(lambda row: row.id, UUID)},
    id_key="id",
    default_sort="-purged_at",
)


@router.get(
    "/v1/due-purges",
    summary="Closed facilities whose data wait for their purge",
    responses=DUE.responses,
    response_model=None,
)
async def list_due_purges(
    context: Context,
    page: Annotated[PageQuery[_Left, DuePurge], Depends(DUE)],
    due_only: Annotated[bool, Query(description="Only what may be purged today.")] = False,
) -> Response:
    """List what is due: the clock runs from the facility's closing until it is opened again."""
    retention, today = context.services.retention, day_of(context.services.store.now())
    async with context.read_transaction() as session:
        waiting = [one for one in await _list_left(context, session, retention) if one.due_on <= today or not due_only]
        found = page.cut(waiting)
        counts = {one.id: await count_kinds(session, one.id) for one in found.rows}
    return page.answer(found, [_to_due(one, counts[one.id], retention, today) for one in found.rows])


@router.get(
    "/v1/purges", summary="What was purged of closed facilities", responses=PURGES.responses, response_model=None
)
async def list_purges_done(
    context: Context, page: Annotated[PageQuery[Any, PurgeResponse], Depends(PURGES)]
) -> Response:
    """List kinds and numbers, who asked, who decided, why, and by which rule."""
    async with context.read_transaction() as session:
        found = page.cut(await list_purges(session))
        asked_at = await date_requests(session, [row.request_id for row in found.rows])
        shown = await name_actors(session, [_to_response(row, asked_at[row.request_id]) for row in found.rows])
    return page.answer(found, shown)


async def _list_left(context: Any, session: AsyncSession, retention: Retention) -> Sequence[_Left]:
    facilities = context.recorded(None)(Facility)
    closed = select(facilities.c.id, facilities.c.code).where(facilities.c.status == FacilityStatus.CLOSED)
    codes = {row.id: row.code for row in await session.execute(closed)}
    closings = await find_closings(session, list(codes))
    purged: Mapping[UUID, datetime] = {one.facility_id: one.closed_at for one in await list_purges(session)}
    return [
        _Left(facility_id, codes[facility_id], closed_at, find_due_day(closed_at, retention))
        for facility_id, closed_at in closings.items()
        if purged.get(facility_id) != closed_at
    ]


def _to_due(one: _Left, counts: Mapping[Kind, int], retention: Retention, today: date) -> DuePurge:
    return DuePurge(
        facility_id=one.id,
        facility_code=one.code,
        closed_at=one.closed_at,
        due_on=one.due_on,
        due=one.due_on <= today,
        retention_days=retention.days,
        retention_source=retention.source,
        leaves=_to_counts(counts),
    )


def _to_response(row: Purge, asked_at: datetime) -> PurgeResponse:
    counts = {Kind(kind): count for kind, count in row.counts.items()}
    apart = {"asked_at", "purged", "stays", "named"}
    values = {name: getattr(row, name) for name in PurgeResponse.model_fields if name not in apart}
    return PurgeResponse(**values, asked_at=asked_at, purged=_to_counts(counts))


def _to_counts(counts: Mapping[Kind, int]) -> tuple[Counted, ...]:
    return tuple(Counted(kind=kind, kind_vi=KIND_WORDS[kind], count=count) for kind, count in counts.items())
