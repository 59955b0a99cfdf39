"""What a phone sends: the findings under the id that it has given them, and each photo under its SHA-256.

Both may be sent any number of times: the service takes each once. A refusal comes back with its sentences, by the
inputs that they are about.
"""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from console.acts.contracts import Contract
from console.acts.declared import Act
from console.acts.lookup import Lookup
from console.acts.uploads import UPLOADS, media_type_of
from console.apis.caller import Answer, Caller, Found, Refused
from console.drawing.page import language_of
from console.forms.form import Form
from console.forms.routes import input_names
from console.forms.sending import place_mistakes, send_form
from console.sign_in.required import SignedIn
from console.survey.sheets import METHOD, OPERATION, find_contract, findings_fields, owner_of, refuse
from console.words import catalogue
from console.words.catalogue import mark

router = APIRouter()

ASKED_AGAIN = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Statuses that say nothing of what was sent."""
SHA256 = r"^[0-9a-f]{64}$"
PHOTO = UPLOADS["survey-attachment"]
NO_PHOTO = mark("This is no photo: JPEG or PNG.")


class Findings(BaseModel):
    """What was filled in on a phone, by the names of the inputs."""

    model_config = ConfigDict(extra="forbid")

    owner: str = Field(max_length=64)
    language: str = Field(max_length=2)
    typed: dict[str, list[str]]


@router.put("/survey/submissions/{survey_id}/{submission_id}")
async def send_findings(
    request: Request, survey_id: UUID, submission_id: UUID, findings: Findings, visitor: SignedIn
) -> Response:
    """Which photos are still missing; else what is wrong, and at which input."""
    if findings.owner != owner_of(visitor):
        return _other_person()
    request.state.language = catalogue.choose_language(findings.language)
    contract = await find_contract(request, visitor)
    if not isinstance(contract, Contract):
        return refuse(contract)
    inventory: Caller = request.app.state.callers["inventory"]
    form = Form(
        Act(title=""),
        contract.operations[OPERATION],
        findings_fields(contract),
        [],
        {"thing_id": str(survey_id), "submission_id": str(submission_id)},
        inventory,
        Lookup(inventory, visitor.token),
        typed=findings.typed,
    )
    answer = await send_form(form, visitor)
    if isinstance(answer, Found):
        return JSONResponse({"missing": answer.body["missing"], "status": answer.body["status"]})
    language = language_of(request)
    if answer is None:
        words = catalogue.translations(language)
        at = {each.name: words.gettext(each.text) for each in form.mistakes if each.name}
        general = [words.gettext(each.text) for each in form.mistakes if not each.name]
        return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, at, general)
    if _may_be_taken_later(answer) or not isinstance(answer, Refused):
        return refuse(answer)
    at, general = place_mistakes(form, language, input_names(form, form.fields))
    return _refused(answer.status, at, general)


@router.put("/survey/photos/{survey_id}/{sha256}")
async def send_photo(
    request: Request,
    survey_id: UUID,
    sha256: Annotated[str, Path(pattern=SHA256)],
    owner: Annotated[str, Query(max_length=64)],
    visitor: SignedIn,
) -> Response:
    """Which photos are still missing after this one."""
    if owner != owner_of(visitor):
        return _other_person()
    content = await request.body()
    language = language_of(request)
    media_type = media_type_of(content)
    if media_type not in PHOTO.media_types:
        return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, {}, [catalogue.translations(language).gettext(NO_PHOTO)])
    inventory: Caller = request.app.state.callers["inventory"]
    path = PHOTO.path.format(thing_id=survey_id, sha256=sha256)
    headers = {"Content-Type": media_type or ""}
    answer = await inventory.send(visitor.token, METHOD, path, content=content, headers=headers)
    if isinstance(answer, Found):
        return JSONResponse({"missing": answer.body["missing"], "status": answer.body["status"]})
    if _may_be_taken_later(answer) or not isinstance(answer, Refused):
        return refuse(answer)
    vietnamese = language == catalogue.VIETNAMESE
    general = [each.message_vi if vietnamese else each.message for each in answer.mistakes]
    return _refused(answer.status, {}, general or [answer.detail_vi if vietnamese else answer.detail])


def _may_be_taken_later(answer: Answer) -> bool:
    return isinstance(answer, Refused) and answer.status in ASKED_AGAIN


def _other_person() -> Response:
    return JSONResponse({"other_person": True}, status_code=HTTPStatus.FORBIDDEN)


def _refused(status: int, at: dict[str, str], general: list[str]) -> Response:
    return JSONResponse({"refused": True, "at": at, "general": general}, status_code=status)
