"""Verbs of obligations: settle one, give it its next deadline, see what is due (R05, R06, R11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context, WriteContext
from inventory.api.mandate.action import change_thing
from inventory.api.mandate.duties.columns import next_deadline, settled_columns
from inventory.api.mandate.facilities import facility_views
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import answer_derived
from inventory.api.nouns.rules import refuse_to_stay
from inventory.domain.mandate.deadline import DUE_SOON, Deadline, DueState, NewDeadline, deadline_at, due_state_at
from inventory.domain.mandate.obligation import MACHINE, Completion, FacilityView, covers
from inventory.nouns.mandate.obligations import OBLIGATION, ObligationShown
from inventory.nouns.writer import Write
from inventory.storage.queries.lists import Recorded
from inventory.storage.tables import Obligation
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import ObligationKind
from vonggac.http.conditional import IfMatch
from vonggac.http.lists import Key, Listing, PageOf, PageQuery

router = guarded_router(tags=["obligations"])


class DueObligation(BaseModel):
    """How one obligation stands."""

    id: UUID
    code: str
    name: str
    kind: ObligationKind
    responsible_agency_id: UUID
    due_before: AwareDatetime | None = Field(description="The deadline that held then.")
    due_state: DueState
    facility_ids: list[UUID] = Field(description="The facilities that fit it, by their code.")


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


@router.post(
    "/v1/obligations/{thing_id}/transitions",
    summary="Move an obligation to another state",
    response_model=ObligationShown,
)
async def move_obligation(
    thing_id: UUID, body: Completion, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """`done` needs `completed_at` before the deadline, `done_late` at it or later; 409 says what is allowed."""

    def settle(writing: Write, obligation: Obligation) -> Mapping[str, Any]:
        refuse_to_stay(MACHINE, obligation.status, body.to)
        return settled_columns(writing, body.to, body.completed_at, body.reason)

    return await change_thing(context, caller, OBLIGATION, thing_id, if_match, settle, reason=body.reason)


@router.post(
    "/v1/obligations/{thing_id}/deadlines",
    summary="Give an obligation its next deadline",
    response_model=ObligationShown,
)
async def set_deadline(
    thing_id: UUID, body: NewDeadline, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """The earlier ones stay on record, each with who set it, when and why."""

    def add(writing: Write, obligation: Obligation) -> Mapping[str, Any]:
        return next_deadline(writing, obligation, body.due_before, body.reason, body.directive_id)

    return await change_thing(context, caller, OBLIGATION, thing_id, if_match, add, reason=body.reason)


@dataclass(frozen=True, slots=True)
class DueFilters:
    """Which obligations are shown; all that are given must match."""

    due_state: DueState | None = None
    kind: ObligationKind | None = None
    responsible_agency_id: UUID | None = None
    facility_id: Annotated[UUID | None, Query(description="Only those that are about this facility.")] = None

    def fit(self, one: DueObligation) -> bool:
        """Whether an obligation is shown."""
        return (
            self.due_state in {None, one.due_state}
            and self.kind in {None, one.kind}
            and self.responsible_agency_id in {None, one.responsible_agency_id}
            and (self.facility_id is None or self.facility_id in one.facility_ids)
        )


@router.get("/v1/due-obligations", summary="How every obligation stands", responses=DUE.responses, response_model=None)
async def list_due_obligations(
    context: Context,
    page: Annotated[PageQuery[DueObligation, DueObligation], Depends(DUE)],
    filters: Annotated[DueFilters, Depends()],
    at: Annotated[AwareDatetime | None, Query(description="By the clock of this instant; default: now.")] = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
    soon_days: Annotated[int, Query(ge=0, le=366, description="Due soon: within so many days.")] = DUE_SOON.days,
) -> Response:
    """Due soon and overdue follow from the deadline and the clock; nothing of it is stored.

    `facility_ids` are those that fit the obligation by what is on record now, or at `as_of`. Which facility owes it by
    what held at the directive's day and at the deadline, until when, and what fulfils it: `/v1/obligations` of
    reporting.
    """
    instant, soon = at or context.services.store.now(), timedelta(days=soon_days)

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[DueObligation]:
        rows = (await session.execute(select(recorded.in_force(Obligation)))).all()
        views = await facility_views(session, recorded)
        every = (_stands(row, views, instant, soon) for row in rows)
        return [one for one in every if filters.fit(one)]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one, at=at)


def _stands(obligation: Any, views: Sequence[FacilityView], instant: datetime, soon: timedelta) -> DueObligation:
    due_before = _due_before(obligation.deadlines, instant)
    due_state = due_state_at(obligation.status, due_before, instant, due_soon=soon)
    covered = [view.id for view in views if covers(obligation, view)]
    values = {"due_before": due_before, "due_state": due_state, "facility_ids": covered}
    return DueObligation.model_validate({**obligation._mapping, **values})


def _due_before(deadlines: Sequence[Deadline], instant: datetime) -> datetime | None:
    """A question about the past has the deadline that held then; before the first entry, the first holds."""
    entry = deadline_at(deadlines, instant) or deadlines[0]
    return entry.due_before
