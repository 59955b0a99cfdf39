"""What the field sends of a survey: submissions with ids of their own, and the contents of their attachments.

Both are safe to repeat over any connection: a submission is taken once by its id, a content once by its SHA-256. The
answer of each says what is still missing.
"""

import json
from http import HTTPStatus
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context, WriteContext
from inventory.api.nouns.rules import patch_thing
from inventory.domain.mandate.surveying.attachments import Attachment, missing_contents
from inventory.domain.mandate.surveying.form import form_schema
from inventory.domain.mandate.surveying.submission import FROM_THE_FORM, TAKEN_IN, Submission
from inventory.domain.mandate.surveying.survey import MACHINE
from inventory.nouns.mandate.closable import columns_of
from inventory.nouns.mandate.surveys import SURVEY, survey_guards
from inventory.nouns.writer import Write
from inventory.storage.conflicts import not_found
from inventory.storage.queries.contents import stored_hashes
from inventory.storage.queries.sight import read_thing
from inventory.storage.tables import Survey, SurveySubmission
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import SurveyStatus
from vonggac.http import FieldError, ProblemError
from vonggac.http.conditional import weak_etag_of
from vonggac.http.idempotency import KeptAnswer

SCHEMA_TYPE = "application/schema+json"

form_router = guarded_router(prefix="/v1/surveys", tags=["surveys"])
router = guarded_router(prefix="/v1/surveys", tags=["surveys"])


class SubmissionResponse(BaseModel):
    """How far a submission is."""

    survey_id: UUID
    submission_id: UUID
    received_at: AwareDatetime
    current: bool = Field(description="False: a later submission has replaced its findings.")
    status: SurveyStatus = Field(description="Of the survey: submitted as soon as nothing is missing.")
    missing: tuple[str, ...] = Field(description="SHA-256 of the attachments to upload.")


@form_router.get(
    "/form.schema.json",
    summary="The survey form as JSON Schema",
    response_class=Response,
    responses={200: {"content": {SCHEMA_TYPE: {"schema": {"type": "object"}}}}},
)
async def get_survey_form_schema() -> Response:
    """Titles are in Vietnamese. Rooms, toilets and bathrooms are no areas (4403/CV-BCĐ)."""
    return Response(_SCHEMA, media_type=SCHEMA_TYPE, headers={"ETag": weak_etag_of(_SCHEMA)})


@router.put(
    "/{thing_id}/submissions/{submission_id}",
    summary="Send a survey's findings from the field",
    response_model=SubmissionResponse,
)
async def put_survey_submission(
    thing_id: UUID, submission_id: UUID, body: Submission, context: WriteContext, caller: Caller
) -> Response:
    """Take it once: the sender makes the id, and sends again until it is answered.

    409 for other findings under a known id, or for a survey that is neither in progress nor returned. Upload what the
    answer calls missing; with the last of it the survey is submitted.
    """

    async def work(writing: Write) -> SubmissionResponse:
        survey = await writing.transaction.get_thing(Survey, thing_id)
        return await _take_submission(writing, survey, submission_id, body)

    async def answer(_session: AsyncSession, shown: SubmissionResponse) -> KeptAnswer:
        return KeptAnswer(HTTPStatus.OK, {}, shown.model_dump_json().encode())

    return await context.write(caller, work, answer)


@router.get("/{thing_id}/submissions/{submission_id}", summary="What of a submission is missing")
async def get_survey_submission(thing_id: UUID, submission_id: UUID, context: Context) -> SubmissionResponse:
    """404 when it was not taken: send it again."""
    async with context.read_transaction() as session:
        survey = await read_thing(session, Survey, thing_id)
        taken = await session.get(SurveySubmission, submission_id)
        if taken is None or taken.survey_id != thing_id:
            raise not_found("survey_submission")
        return await _to_response(session, survey, taken)


async def submit_when_complete(writing: Write, survey: Survey) -> None:
    """Move a survey on whose submission waited for nothing but contents. Raises ProblemError.

    A submission from before the survey came to where it stands moves nothing: the lead has returned its findings.
    """
    if survey.submission_id is None or survey.status not in TAKEN_IN:
        return
    taken = await writing.transaction.session.get_one(SurveySubmission, survey.submission_id)
    if taken.received_at < survey.status_since:
        return
    met = await survey_guards(writing.transaction, survey, SurveyStatus.SUBMITTED)
    if MACHINE.check(survey.status, SurveyStatus.SUBMITTED, met) is None:
        await patch_thing(writing, SURVEY, survey, {"status": SurveyStatus.SUBMITTED})


async def missing_of(session: AsyncSession, survey: Survey) -> tuple[str, ...]:
    """SHA-256 of what a survey declares and nobody has uploaded."""
    return missing_contents(survey.attachments, await stored_hashes(session, survey.id))


def declared(survey: Survey, sha256: str) -> Attachment:
    """Find the declared attachment. Raises ProblemError 404."""
    found = next((one for one in survey.attachments if one.sha256 == sha256), None)
    if found is None:
        msg = "the survey declares no attachment with this SHA-256: send its submission first"
        raise ProblemError(HTTPStatus.NOT_FOUND, "not_declared", msg)
    return found


async def _take_submission(writing: Write, survey: Survey, submission_id: UUID, body: Submission) -> SubmissionResponse:
    transaction = writing.transaction
    session, digest = transaction.session, body.digest()
    taken = await session.get(SurveySubmission, submission_id)
    if taken is None:
        if survey.status not in TAKEN_IN:
            states = " or ".join(sorted(TAKEN_IN))
            msg = f"the survey is {survey.status} and takes a submission only while it is {states}"
            raise ProblemError(HTTPStatus.CONFLICT, "not_in_the_field", msg)
        taken = SurveySubmission(
            id=submission_id,
            survey_id=survey.id,
            digest=digest,
            received_at=transaction.now,
            received_by=transaction.actor.subject,
        )
        session.add(taken)
        await patch_thing(writing, SURVEY, survey, columns_of(body) | {"submission_id": submission_id})
        await _refuse_incomplete(writing, survey)
        await submit_when_complete(writing, survey)
    elif (taken.survey_id, taken.digest) != (survey.id, digest):
        msg = "other findings were taken under this id: make a new id for what has changed"
        raise ProblemError(HTTPStatus.CONFLICT, "submission_id_taken", msg)
    return await _to_response(session, survey, taken)


async def _refuse_incomplete(writing: Write, survey: Survey) -> None:
    met = await survey_guards(writing.transaction, survey, SurveyStatus.SUBMITTED)
    lacking = [MACHINE.sentence(guard) for guard in FROM_THE_FORM if guard not in met]
    if not lacking:
        return
    parts = survey.form.missing_parts() if survey.form is not None else ()
    errors = [FieldError(field=f"form.{part}", message="is missing in a finished form") for part in parts]
    errors = errors or [FieldError(field="participants", message="; ".join(lacking))]
    msg = f"a submission is complete: {'; '.join(lacking)}. Keep unfinished findings with PATCH."
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "incomplete", msg, errors)


async def _to_response(session: AsyncSession, survey: Survey, taken: SurveySubmission) -> SubmissionResponse:
    current = survey.submission_id == taken.id
    return SubmissionResponse(
        survey_id=survey.id,
        submission_id=taken.id,
        received_at=taken.received_at,
        current=current,
        status=survey.status,
        missing=await missing_of(session, survey) if current else (),
    )


_SCHEMA = json.dumps(form_schema(), ensure_ascii=False).encode()
