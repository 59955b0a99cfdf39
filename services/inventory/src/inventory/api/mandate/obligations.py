"""Verbs of obligations: settle one, give it its next deadline, see what is due (R05, R06, R11)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select

from inventory.api.context import Context, WriteContext
from inventory.api.mandate.doing import do
from inventory.api.mandate.facilities import facility_views
from inventory.api.nouns.clocks import AsOf
from inventory.api.nouns.rules import refuse_to_stay
from inventory.domain.mandate.deadline import DUE_SOON, Deadline, DueState, NewDeadline, deadline_at, due_state_at
from inventory.domain.mandate.obligation import MACHINE, Completion, covers
from inventory.nouns.mandate.obligations import OBLIGATION, ObligationShown
from inventory.nouns.writer import Write
from inventory.storage.queries.clocks import read_one_instant
from inventory.storage.tables import Obligation
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import ObligationKind, ObligationStatus
from vonggac.http.conditional import IfMatch

router = guarded_router(tags=["obligations"])

_SETTLES = frozenset({ObligationStatus.DONE, ObligationStatus.DONE_LATE, ObligationStatus.WAIVED})


class DueObligation(BaseModel):
    """How one obligation stands."""

    id: UUID
    code: str
    name: str
    kind: ObligationKind
    responsible_agency_id: UUID
    due_before: AwareDatetime | None = Field(description="The deadline that held then.")
    due_state: DueState
    facility_ids: list[UUID] = Field(description="The facilities that it is about, by their code.")


class DueObligations(BaseModel):
    """By deadline; what has none comes last."""

    at: AwareDatetime
    items: list[DueObligation]


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
        settled = body.to in _SETTLES
        return {
            "status": body.to,
            "completed_at": body.completed_at if settled else None,
            "settled_by": writing.transaction.actor.subject if settled else None,
            "settled_reason": body.reason if settled else None,
        }

    return await do(context, caller, OBLIGATION, thing_id, if_match, settle, reason=body.reason)


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
        transaction = writing.transaction
        entry = Deadline(
            due_before=body.due_before,
            set_at=transaction.now,
            set_by=transaction.actor.subject,
            reason=body.reason,
            directive_id=body.directive_id,
        )
        return {"due_before": body.due_before, "deadlines": (*obligation.deadlines, entry)}

    return await do(context, caller, OBLIGATION, thing_id, if_match, add, reason=body.reason)


@router.get("/v1/due-obligations", summary="How every obligation stands")
async def list_due_obligations(
    context: Context,
    at: Annotated[AwareDatetime | None, Query(description="By the clock of this instant; default: now.")] = None,
    as_of: AsOf = None,
    due_state: Annotated[DueState | None, Query(description="Only these.")] = None,
    responsible_agency_id: UUID | None = None,
    soon_days: Annotated[int, Query(ge=0, le=366, description="Due soon: within so many days.")] = DUE_SOON.days,
) -> DueObligations:
    """Due soon and overdue follow from the deadline and the clock; nothing of it is stored."""
    now = context.services.store.now()
    instant, recorded = at or now, context.recorded(as_of)
    obligations = recorded(Obligation)
    async with context.read_transaction() as session:
        await read_one_instant(session)
        rows = (await session.execute(select(obligations).order_by(obligations.c.code))).all()
        views = await facility_views(session, recorded)
    items = []
    for row in rows:
        due_before = _due_before(row.deadlines, instant)
        stands = due_state_at(row.status, due_before, instant, due_soon=timedelta(days=soon_days))
        if due_state in {None, stands} and responsible_agency_id in {None, row.responsible_agency_id}:
            covered = [view.id for view in views if covers(row, view)]
            values = {**row._mapping, "due_before": due_before, "due_state": stands, "facility_ids": covered}
            items.append(DueObligation.model_validate(values))
    items.sort(key=lambda one: (one.due_before is None, one.due_before or instant))
    return DueObligations(at=instant, items=items)


def _due_before(deadlines: Sequence[Deadline], instant: datetime) -> datetime | None:
    """A question about the past has the deadline that held then; before the first entry, the first holds."""
    entry = deadline_at(deadlines, instant) or deadlines[0]
    return entry.due_before
