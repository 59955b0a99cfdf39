"""The scan of a directive: the file itself, beside its link. Never opened, and sent as a file that no browser runs."""

import asyncio
import hashlib
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect

from inventory.api.context import Context, RequestContext
from inventory.domain.mandate.surveying.attachments import MAX_SCAN_BYTES, MediaType, check_whole
from inventory.nouns.writer import Write
from inventory.storage.conflicts import invalid, not_found
from inventory.storage.queries.sight import read_thing
from inventory.storage.tables import Directive, DirectiveScan
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer

router = guarded_router(prefix="/v1/directives", tags=["directives"])

_KINDS: dict[str, Any] = {
    "content": {kind.value: {"schema": {"type": "string", "format": "binary"}} for kind in MediaType}
}
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
_SUFFIX = {MediaType.JPEG: "jpg", MediaType.PNG: "png", MediaType.PDF: "pdf"}


class ScanResponse(BaseModel):
    """What is known of the scan of a directive."""

    directive_id: UUID
    sha256: str
    media_type: MediaType
    size_bytes: int
    received_at: AwareDatetime
    received_by: str


@router.put(
    "/{thing_id}/scan",
    summary="Upload the scan of a directive",
    openapi_extra={"requestBody": {"required": True, **_KINDS}},
    response_model=ScanResponse,
)
async def put_directive_scan(
    thing_id: UUID,
    context: Context,
    caller: Caller,
) -> Response:
    """PDF, JPEG or PNG of at most 20 MiB; safe to send again. It is kept as it came, with its SHA-256.

    422 when it is none of these, is cut off, or has not the `file_sha256` of the directive; 409 when another scan is
    kept.
    """
    async with context.read_transaction() as session:
        directive = await read_thing(session, Directive, thing_id)
    content = await _read_body(context)
    sha256, kind = await asyncio.to_thread(_checked, content, directive.file_sha256)

    async def work(writing: Write) -> ScanResponse:
        transaction = writing.transaction
        await transaction.get_thing(Directive, thing_id)
        kept = await transaction.session.get(DirectiveScan, thing_id)
        if kept is None:
            kept = DirectiveScan(
                directive_id=thing_id,
                sha256=sha256,
                media_type=kind,
                size_bytes=len(content),
                content=content,
                received_at=transaction.now,
                received_by=transaction.actor.subject,
            )
            transaction.session.add(kept)
            await transaction.flush_changes()
        elif kept.sha256 != sha256:
            msg = f"a scan with the SHA-256 {kept.sha256} is kept already: what was received does not change"
            vi = f"đã lưu bản quét có mã SHA-256 {kept.sha256}: tệp đã nhận không thay đổi được"
            raise ProblemError(HTTPStatus.CONFLICT, "scan_kept", msg, detail_vi=vi)
        return _to_response(kept)

    async def answer(_session: AsyncSession, shown: ScanResponse) -> KeptAnswer:
        return KeptAnswer(HTTPStatus.OK, {}, shown.model_dump_json().encode())

    return await context.write(caller, work, answer)


@router.get(
    "/{thing_id}/scan",
    summary="The scan of a directive",
    response_class=Response,
    responses={200: _KINDS},
)
async def get_directive_scan(thing_id: UUID, context: Context) -> Response:
    """As a file to save; 404 until there is one."""
    async with context.read_transaction() as session:
        await read_thing(session, Directive, thing_id)
        kept = await session.get(DirectiveScan, thing_id)
    if kept is None:
        raise not_found("scan")
    kind = MediaType(kept.media_type)
    name = f'attachment; filename="{kept.sha256[:16]}.{_SUFFIX[kind]}"'
    return Response(kept.content, media_type=kind, headers=_HEADERS | {"Content-Disposition": name})


def _to_response(kept: DirectiveScan) -> ScanResponse:
    return ScanResponse(
        directive_id=kept.directive_id,
        sha256=kept.sha256,
        media_type=MediaType(kept.media_type),
        size_bytes=kept.size_bytes,
        received_at=kept.received_at,
        received_by=kept.received_by,
    )


def _checked(content: bytes, declared: str | None) -> tuple[str, MediaType]:
    """SHA-256 and kind. Raises ProblemError 422."""
    sha256 = hashlib.sha256(content).hexdigest()
    if declared is not None and declared != sha256:
        raise invalid("content", f"has the SHA-256 {sha256}, and the directive's file_sha256 is {declared}")
    try:
        return sha256, check_whole(content)
    except ValueError as error:
        raise invalid("content", str(error)) from None


async def _read_body(context: RequestContext) -> bytes:
    """Read the body, within the limit of the route. Raises ProblemError 400, 413."""
    body = bytearray()
    try:
        async for piece in context.request.stream():
            body += piece
            if len(body) > MAX_SCAN_BYTES:
                msg = f"the scan is longer than {MAX_SCAN_BYTES} bytes"
                raise ProblemError(HTTPStatus(413), "too_large", msg)
    except ClientDisconnect:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "cut_off", "the connection ended before the scan did") from None
    return bytes(body)
