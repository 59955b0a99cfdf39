"""Contents of a survey's attachments: uploaded and read by their SHA-256.

Of a restricted site position and device data are taken out of a photo before it is stored, and again when it is read: a
site may have become restricted later.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Depends, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect

from inventory.api.context import Context, RequestContext
from inventory.api.mandate.surveys import declared, missing_of, submit_when_complete
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import answer_derived, read_item
from inventory.domain.mandate.surveying.attachments import (
    MAX_SURVEY_BYTES,
    Attachment,
    MediaType,
    check_content,
)
from inventory.domain.mandate.surveying.jpeg import UnreadablePhotoError
from inventory.domain.mandate.surveying.metadata import without_metadata
from inventory.nouns.shown import Acted, Acts
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid, not_found
from inventory.storage.queries.contents import find_uploads, read_content, stored_bytes, stored_hashes
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.sight import read_thing
from inventory.storage.tables import Facility, Survey, SurveyContent
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import SurveyStatus
from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/surveys", tags=["surveys"])

Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the content as it was declared.")]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {kind.value: {"schema": {"type": "string", "format": "binary"}} for kind in MediaType},
    }
}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
"""What was uploaded is never run by a browser."""
_SUFFIX = {MediaType.JPEG: "jpg", MediaType.PNG: "png", MediaType.PDF: "pdf"}


class AttachmentResponse(Attachment, Acted):
    """A declared attachment, and whether its content is there."""

    acts: ClassVar[Acts] = {"received_by": "received_at"}

    received: bool
    received_by: str | None
    received_at: AwareDatetime | None


type Declared = tuple[int, AttachmentResponse]
"""An attachment, and its place in the order of their declaration."""
ATTACHMENTS = Listing[Declared, AttachmentResponse](
    AttachmentResponse,
    keys={
        "place": Key(lambda one: one[0], int),
        "name": Key(lambda one: one[1].name),
        "size_bytes": Key(lambda one: one[1].size_bytes, int),
    },
    id_key="place",
)


def _to_response(one: Attachment, upload: tuple[str, datetime] | None) -> AttachmentResponse:
    by, at = upload or (None, None)
    return AttachmentResponse(**one.model_dump(), received=upload is not None, received_by=by, received_at=at)


class UploadResponse(BaseModel):
    """How far the survey is after an upload."""

    survey_id: UUID
    sha256: str
    status: SurveyStatus
    missing: tuple[str, ...] = Field(description="SHA-256 of the attachments that are still to upload.")


@router.get(
    "/{thing_id}/attachments",
    summary="Attachments of a survey",
    responses=ATTACHMENTS.responses,
    response_model=None,
)
async def list_survey_attachments(
    thing_id: UUID,
    context: Context,
    page: Annotated[PageQuery[Declared, AttachmentResponse], Depends(ATTACHMENTS)],
    received: Annotated[bool | None, Query(description="Only those whose content is there, or is missing.")] = None,
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Response:
    """In the order of their declaration. Each says whether its content was received."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[Declared]:
        survey = await read_item(session, Survey, recorded, thing_id)
        # Not by the instant of the pages: a content is no line of the log, and came perhaps after the last of them.
        uploads = await find_uploads(session, thing_id, as_of)
        shown = [_to_response(one, uploads.get(one.sha256)) for one in survey["attachments"]]
        return [(place, one) for place, one in enumerate(shown) if received in {None, one.received}]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one[1])


@router.put(
    "/{thing_id}/attachments/{sha256}",
    summary="Upload the content of an attachment",
    openapi_extra=_BODY,
    response_model=UploadResponse,
)
async def put_survey_attachment(thing_id: UUID, sha256: Sha256, context: Context, caller: Caller) -> Response:
    """JPEG, PNG or PDF, as declared; safe to send again. With the last one missing the survey is submitted.

    422 when size, SHA-256 or kind is not the declared one. Of a restricted site photos are stored without position and
    device data, and a PDF is refused.
    """
    async with context.read_transaction() as session:
        survey = await read_thing(session, Survey, thing_id)
        one = declared(survey, sha256)
        facility = await session.get_one(Facility, survey.facility_id)
    content = await _read_content(context, one)
    kept = await asyncio.to_thread(_checked, one, content, restricted=facility.restricted)

    async def work(writing: Write) -> UploadResponse:
        transaction = writing.transaction
        survey = await transaction.get_thing(Survey, thing_id)
        declared(survey, sha256)
        if sha256 not in await stored_hashes(transaction.session, thing_id):
            await _store(writing, survey, one, kept, bare=facility.restricted)
        await submit_when_complete(writing, survey)
        lacking = await missing_of(transaction.session, survey)
        return UploadResponse(survey_id=thing_id, sha256=sha256, status=survey.status, missing=lacking)

    async def answer(_session: AsyncSession, shown: UploadResponse) -> KeptAnswer:
        return KeptAnswer(HTTPStatus.OK, {}, shown.model_dump_json().encode())

    return await context.write(caller, work, answer)


@router.get(
    "/{thing_id}/attachments/{sha256}",
    summary="The content of an attachment",
    response_class=Response,
    responses={
        200: {"content": {kind.value: {"schema": {"type": "string", "format": "binary"}} for kind in MediaType}}
    },
)
async def get_survey_attachment(thing_id: UUID, sha256: Sha256, context: Context) -> Response:
    """As a file to save; of a restricted site without position and device data."""
    async with context.read_transaction() as session:
        survey = await read_thing(session, Survey, thing_id)
        stored = await read_content(session, thing_id, sha256)
        facility = await session.get_one(Facility, survey.facility_id)
    if stored is None:
        raise not_found("attachment")
    kind, content = MediaType(stored.media_type), stored.content
    if facility.restricted and not stored.bare:
        try:
            content = await asyncio.to_thread(without_metadata, content, kind)
        except UnreadablePhotoError as error:
            msg = f"the site is restricted now, and the attachment {error}"
            raise ProblemError(HTTPStatus.FORBIDDEN, "restricted", msg) from None
    name = f'attachment; filename="{sha256[:16]}.{_SUFFIX[kind]}"'
    return Response(content, media_type=kind, headers=_HEADERS | {"Content-Disposition": name})


def _checked(one: Attachment, content: bytes, *, restricted: bool) -> bytes:
    """Check the content and return what to store. Raises ProblemError 422."""
    try:
        check_content(one, content)
        return without_metadata(content, one.media_type) if restricted else content
    except ValueError as error:
        raise invalid("content", str(error)) from None


async def _read_content(context: RequestContext, one: Attachment) -> bytes:
    """Read the body, no further than declared. Raises ProblemError 400, 413."""
    body = bytearray()
    try:
        async for piece in context.request.stream():
            body += piece
            if len(body) > one.size_bytes:
                msg = f"the content is longer than the {one.size_bytes} bytes that were declared"
                raise ProblemError(HTTPStatus(413), "too_large", msg)
    except ClientDisconnect:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "cut_off", "the connection ended before the content did") from None
    return bytes(body)


async def _store(writing: Write, survey: Survey, one: Attachment, content: bytes, *, bare: bool) -> None:
    transaction = writing.transaction
    if await stored_bytes(transaction.session, survey.id) + len(content) > MAX_SURVEY_BYTES:
        msg = f"the survey would hold more than {MAX_SURVEY_BYTES} bytes of attachments, earlier ones included"
        raise ProblemError(HTTPStatus(413), "survey_full", msg)
    transaction.session.add(
        SurveyContent(
            survey_id=survey.id,
            sha256=one.sha256,
            media_type=one.media_type,
            size_bytes=len(content),
            bare=bare,
            content=content,
            received_at=transaction.now,
            received_by=transaction.actor.subject,
        )
    )
    await transaction.flush_changes()
