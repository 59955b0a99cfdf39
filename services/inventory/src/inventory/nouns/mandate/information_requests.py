"""Requests for information (R18)."""

from collections.abc import Collection
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from inventory.domain.mandate.information_request import (
    ALL_ANSWERED,
    HEADINGS,
    MACHINE,
    Answer,
    InformationRequestFields,
    Question,
)
from inventory.nouns.mandate.states import StatusWriter, check_day, status_filter
from inventory.nouns.noun import Noun
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import InformationRequest
from vonggac.events.inventory import InformationRequestStatus, InformationRequestV1
from vonggac.http import ProblemError


class InformationRequestResponse(Shown, Acted):
    """One request, with what was answered; a required question without an answer is missing."""

    acts: ClassVar[Acts] = {"answers.answered_by": "answered_at", "answers.recorded_by": "answered_at"}

    code: str
    name: str
    facility_id: UUID
    due_before: AwareDatetime | None
    questions: tuple[Question, ...]
    answers: tuple[Answer, ...]
    status: InformationRequestStatus


class _Writer(StatusWriter[InformationRequestStatus]):
    async def columns(self, _writing: Write, _fields: BaseModel) -> dict[str, object]:
        return {"answers": ()}


async def _check(
    transaction: WriteTransaction, before: InformationRequest | None, after: InformationRequest | None
) -> None:
    """Raise ProblemError 409 when questions change after they were sent, 422 for a day on paper that cannot be."""
    if before is None or after is None:
        return
    for answer in after.answers:
        if answer.signed_on is not None and answer not in before.answers:
            await check_day(transaction, "signed_on", answer.signed_on, after.facility_id, ())
    if before.status == InformationRequestStatus.DRAFT:
        return
    asked = [tuple(Question.model_validate(one) for one in request.questions) for request in (before, after)]
    if asked[0] != asked[1]:
        msg = f"the request is {before.status}: its questions stay as they were sent; write another request"
        raise ProblemError(HTTPStatus.CONFLICT, "already_sent", msg)


async def _guards(
    _transaction: WriteTransaction, request: InformationRequest, _target: InformationRequestStatus
) -> Collection[str]:
    return () if request.missing else (ALL_ANSWERED,)


INFORMATION_REQUEST = Noun(
    name="information_request",
    path="information-requests",
    vietnamese="yêu cầu cung cấp thông tin",
    group="mandate",
    about="Checklists sent to the focal point of a facility (R18).",
    table=InformationRequest,
    fields=InformationRequestFields,
    shown=InformationRequestResponse,
    payload=InformationRequestV1,
    headings=HEADINGS,
    references={"facility_id": "facility"},
    filters=("code", "facility_id"),
    sorts=("code", "name", "status"),
    searched_through=("facility_id",),
    more_filters=status_filter(InformationRequestStatus),
    machine=MACHINE,
    check=_check,
    guards=_guards,
    writer=_Writer(MACHINE, "answers"),
)
