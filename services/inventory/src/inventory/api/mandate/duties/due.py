"""What is due: every obligation, and which facilities owe it until when (R05, R06, R11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.mandate.duties.histories import Site, load_directive_days, load_sites, to_instant, to_millis
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import answer_derived
from inventory.domain.mandate.deadline import DUE_SOON, Deadline, DueState, deadline_at, due_state_at, is_in_time
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Obligation
from vonggac.auth import guarded_router
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.mandate.duty_time import find_duty

router = guarded_router(tags=["obligations"])
URGENCY = (
    DueState.OVERDUE,
    DueState.DUE_SOON,
    DueState.OPEN,
    DueState.DONE_LATE,
    DueState.DONE,
    DueState.WAIVED,
)
"""The most urgent first."""


class DueFacility(BaseModel):
    """How an obligation stands for one facility that owes it."""

    facility_id: UUID
    since: AwareDatetime = Field(description="Since when the facility comes under the obligation.")
    due_before: AwareDatetime | None = Field(description="Its deadline; null: it has none.")
    own_deadline: bool = Field(
        description="Whether the deadline is its own: it came under the obligation after the directive's day."
    )
    due_state: DueState
    done_at: AwareDatetime | None = Field(description="The day on paper of the last step that was needed.")


class DueObligation(BaseModel):
    """How one obligation stands."""

    id: UUID
    code: str
    name: str
    kind: ObligationKind
    responsible_agency_id: UUID
    due_before: AwareDatetime | None = Field(description="The deadline of all that held then.")
    due_state: DueState = Field(description="The most urgent of its facilities; without any, by the deadline of all.")
    facility_ids: list[UUID] = Field(description="The facilities that owe it, by their code.")
    facilities: list[DueFacility] = Field(description="Until when each of them owes it, and how that stands.")


class DueObligations(PageOf[DueObligation]):
    """A page; what has no deadline comes last."""

    at: AwareDatetime | None = Field(description="As asked; null: the clock of this answer, which its Date says.")


DUE = Listing[DueObligation, DueObligation](
    DueObligation,
    keys={
        "due_before": Key(lambda one: one.due_before, datetime),
        "code": Key(lambda one: one.code),
        "kind": Key(lambda one: one.kind),
        "id": Key(lambda one: one.id, UUID),
    },
    id_key="id",
    default_sort="due_before,code",
    envelope=DueObligations,
)


@dataclass(frozen=True, slots=True)
class DueFilters:
    """Which obligations are shown; all that are given must match."""

    due_state: DueState | None = None
    kind: ObligationKind | None = None
    responsible_agency_id: UUID | None = None
    facility_id: Annotated[
        UUID | None, Query(description="Only those that this facility owes, and how they stand for it.")
    ] = None

    def fit(self, one: DueObligation) -> bool:
        """Whether an obligation is shown."""
        return (
            self.due_state in {None, one.due_state}
            and self.kind in {None, one.kind}
            and self.responsible_agency_id in {None, one.responsible_agency_id}
            and (self.facility_id is None or self.facility_id in one.facility_ids)
        )


class _Clock(NamedTuple):
    """`at`: the instant that deadlines are compared with. `recorded_at`: until when the register is read."""

    at: datetime
    recorded_at: datetime
    soon: timedelta


@router.get("/v1/due-obligations", summary="How every obligation stands", responses=DUE.responses, response_model=None)
async def list_due_obligations(
    context: Context,
    page: Annotated[PageQuery[DueObligation, DueObligation], Depends(DUE)],
    filters: Annotated[DueFilters, Depends()],
    at: Annotated[
        AwareDatetime | None, Query(description="By the clock of this instant; default: `as_of`, else now.")
    ] = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
    soon_days: Annotated[int, Query(ge=0, le=366, description="Due soon: within so many days.")] = DUE_SOON.days,
) -> Response:
    """Due soon and overdue follow from the deadline and the clock; nothing of it is stored.

    Which facility owes an obligation, and until when, goes by what held at the directive's day and at the deadline, by
    the same rule as `/v1/obligations` of reporting. A survey, a plan, a proposal and a focal point are done by the day
    on their paper; what is observed (connections, coverage) and what is repeated is judged in reporting.
    """
    now = context.services.store.now()
    clock = _Clock(at or as_of or now, as_of or now, timedelta(days=soon_days))

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[DueObligation]:
        rows = (await session.execute(select(recorded.in_force(Obligation)))).all()
        days = await load_directive_days(session, recorded)
        sites = await load_sites(session, recorded, filters.facility_id)
        every = (_stands(row, sites, days, clock) for row in rows)
        return [one for one in every if filters.fit(one)]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one, at=at)


def _stands(obligation: Any, sites: Sequence[Site], days: Mapping[UUID, int], clock: _Clock) -> DueObligation:
    due_before = _due_before(obligation.deadlines, clock.at)
    found = (_of_facility(obligation, due_before, site, days.get(obligation.directive_id), clock) for site in sites)
    facilities = [one for one in found if one is not None]
    states = [one.due_state for one in facilities]
    alone = due_state_at(obligation.status, due_before, clock.at, due_soon=clock.soon)
    values = {
        "due_before": due_before,
        "due_state": min(states, key=URGENCY.index, default=alone),
        "facility_ids": [one.facility_id for one in facilities],
        "facilities": facilities,
    }
    return DueObligation.model_validate({**obligation._mapping, **values})


def _of_facility(
    obligation: Any, due_before: datetime | None, site: Site, directive_day: int | None, clock: _Clock
) -> DueFacility | None:
    """None: the facility does not owe it, or not any more."""
    now = max(to_millis(clock.at), to_millis(clock.recorded_at))
    met_at = site.met_at(obligation.kind, now)
    if met_at is None and obligation.completed_at is not None:
        met_at = to_millis(obligation.completed_at)
    due = find_duty(
        obligation,
        None if due_before is None else to_millis(due_before),
        site.history,
        directive_day=directive_day,
        met_at=met_at,
        now=now,
    )
    if due is None:
        return None
    until = None if due.due_before is None else to_instant(due.due_before)
    done_at = None if met_at is None or obligation.every_days is not None else to_instant(met_at)
    return DueFacility(
        facility_id=site.id,
        since=to_instant(due.since),
        due_before=until,
        own_deadline=due.own,
        due_state=_state_of(obligation.status, until, done_at, clock),
        done_at=done_at if done_at is not None and done_at <= clock.at else None,
    )


def _state_of(
    status: ObligationStatus, due_before: datetime | None, done_at: datetime | None, clock: _Clock
) -> DueState:
    """Decide the state: what the register settled stands; else what is done on paper is done by that day."""
    if status is ObligationStatus.OPEN and done_at is not None and done_at <= clock.at:
        return DueState.DONE if is_in_time(done_at, due_before) else DueState.DONE_LATE
    return due_state_at(status, due_before, clock.at, due_soon=clock.soon)


def _due_before(deadlines: Sequence[Deadline], instant: datetime) -> datetime | None:
    """Find the deadline that held at `instant`; before the first entry, the first holds."""
    entry = deadline_at(deadlines, instant) or deadlines[0]
    return entry.due_before
