"""Verbs of obligations: settle one, give it its next deadline (R05, R06)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response

from inventory.api.context import WriteContext
from inventory.api.mandate.action import change_thing
from inventory.api.mandate.duties.columns import next_deadline, settled_columns
from inventory.api.nouns.rules import refuse_to_stay
from inventory.domain.mandate.deadline import NewDeadline
from inventory.domain.mandate.obligation import MACHINE, Completion
from inventory.nouns.mandate.obligations import OBLIGATION, ObligationResponse
from inventory.nouns.writer import Write
from inventory.storage.tables import Obligation
from vonggac.auth import Caller, guarded_router
from vonggac.http.conditional import IfMatch

router = guarded_router(tags=["obligations"])


@router.post(
    "/v1/obligations/{thing_id}/transitions",
    summary="Move an obligation to another state",
    response_model=ObligationResponse,
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
    response_model=ObligationResponse,
)
async def set_deadline(
    thing_id: UUID, body: NewDeadline, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """Keep the earlier ones on record, each with who set it, when and why."""

    def add(writing: Write, obligation: Obligation) -> Mapping[str, Any]:
        return next_deadline(writing, obligation, body.due_before, body.reason, body.directive_id)

    return await change_thing(context, caller, OBLIGATION, thing_id, if_match, add, reason=body.reason)
