"""Verbs of requests for information and of maintenance windows."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Reason, WriteContext
from inventory.api.mandate.action import change_thing
from inventory.api.nouns.models import models_of
from inventory.api.nouns.rules import patch_thing
from inventory.api.nouns.writes import answer_with
from inventory.domain.mandate.information_request import Answer, GivenAnswers, Question, merge_answers
from inventory.domain.mandate.maintenance_window import cancelled
from inventory.domain.people.own_word import ANSWER, has_document
from inventory.nouns.mandate.information_requests import INFORMATION_REQUEST, InformationRequestResponse
from inventory.nouns.mandate.maintenance_windows import MAINTENANCE_WINDOW, MaintenanceWindowResponse, span_of
from inventory.nouns.parties import find_recorder
from inventory.nouns.writer import Write
from inventory.storage.conflicts import refuse_as_422
from inventory.storage.tables import InformationRequest, MaintenanceWindow, Thing
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import InformationRequestStatus
from vonggac.http import ProblemError
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

router = guarded_router()


@router.post(
    "/v1/information-requests/{thing_id}/answers",
    summary="Answer questions of a request",
    tags=["information requests"],
    response_model=InformationRequestResponse,
)
async def answer_information_request(
    thing_id: UUID, body: GivenAnswers, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """As many as are known; a later answer replaces an earlier one. 409 unless the request was sent and is open.

    By the facility's own token, or its managing agency's. Anybody else enters their answer with its document
    (`document_number`, `signed_on`, `document_file`), and stands there as `recorded_by`.
    """

    async def work(writing: Write) -> Thing:
        request = await writing.transaction.get_thing(InformationRequest, thing_id)
        if_match.check(request.revision)
        return await patch_thing(writing, INFORMATION_REQUEST, request, await add(writing, request))

    async def add(writing: Write, request: InformationRequest) -> Mapping[str, Any]:
        if request.status != InformationRequestStatus.SENT:
            msg = f"the request is {request.status}: only one that is sent takes answers"
            raise ProblemError(HTTPStatus.CONFLICT, "not_open", msg)
        questions = [Question.model_validate(one) for one in request.questions]
        answers = [Answer.model_validate(one) for one in request.answers]
        now, by = writing.transaction.now, writing.transaction.actor.subject
        is_documented = has_document(ANSWER, dict(body))
        recorder = await find_recorder(writing, request.facility_id, ANSWER, is_documented=is_documented)
        with refuse_as_422("answers"):
            return {"answers": merge_answers(questions, answers, body, now=now, by=by, recorded_by=recorder)}

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, INFORMATION_REQUEST, models_of(INFORMATION_REQUEST), thing.id)

    return await context.write(caller, work, answer)


@router.post(
    "/v1/maintenance-windows/{thing_id}/cancel",
    summary="Cancel maintenance",
    tags=["maintenance windows"],
    response_model=MaintenanceWindowResponse,
)
async def cancel_maintenance_window(
    thing_id: UUID, context: WriteContext, caller: Caller, if_match: IfMatch, reason: Reason = None
) -> Response:
    """One that has not begun never counts; a running one ends now. What is over stays as it was: 409."""

    def cut(writing: Write, window: MaintenanceWindow) -> Mapping[str, Any]:
        left = cancelled(span_of(window), writing.transaction.now)
        if left is None:
            detail = "this maintenance is over or already cancelled; what has been cannot be changed"
            raise ProblemError(HTTPStatus.CONFLICT, "maintenance_over", detail)
        by = writing.transaction.actor.subject
        return {"ends_at": left.ends_at, "cancelled_at": left.cancelled_at, "cancelled_by": by}

    return await change_thing(context, caller, MAINTENANCE_WINDOW, thing_id, if_match, cut, reason=reason)
