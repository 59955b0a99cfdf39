"""/v1/imports: facilities and cameras from CSV files, all rows or none."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from inventory.api.context import Context, Importer, RequestContext
from inventory.importing.cameras import COLUMNS as CAMERA_COLUMNS
from inventory.importing.cameras import parse_cameras
from inventory.importing.facilities import COLUMNS as FACILITY_COLUMNS
from inventory.importing.facilities import parse_facilities
from inventory.importing.mistakes import Mistakes
from inventory.importing.reading import Columns
from inventory.importing.store_cameras import store_cameras
from inventory.importing.store_facilities import Outcome, store_facilities
from inventory.nouns.secrets import may_write_secrets
from inventory.storage.conflicts import invalid
from vonggac.http import ProblemError
from vonggac.telemetry import get_logger

router = APIRouter(prefix="/v1/imports", tags=["imports"])
log = get_logger(__name__)
PROVINCE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")

type Kind = Literal["facilities", "cameras"]
DryRun = Annotated[bool, Query(description="Check everything, store nothing.")]


class ImportShown(BaseModel):
    """The result of an import, or with `dry_run` of a check."""

    kind: Kind
    dry_run: bool
    rows: int
    created: int = Field(description="Rows with a code that was not on record.")
    updated: int = Field(description="Rows that changed what was on record.")
    unchanged: int


def _body(columns: Columns) -> dict[str, Any]:
    text = {
        "type": "string",
        "description": f"Columns: {', '.join(columns.all)}; required: {', '.join(columns.required)}",
    }
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
    content = {"text/csv": {"schema": text}, "multipart/form-data": {"schema": form}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/facilities", summary="Import facilities from CSV", openapi_extra=_body(FACILITY_COLUMNS))
async def import_facilities(context: Context, caller: Importer, dry_run: DryRun = False) -> ImportShown:
    """Updates known codes, creates new ones. 422 lists every mistake with line and column; then nothing is stored."""
    began = time.monotonic()
    mistakes = Mistakes()
    with _count_refusals(context, "facilities"):
        body = await _read_file(context)
        file = await asyncio.to_thread(parse_facilities, body, mistakes)
        mistakes.raise_if_any()
        async with context.write_transaction(caller, dry_run=dry_run) as transaction:
            today = transaction.now.astimezone(PROVINCE_TIME).date()
            outcome = await store_facilities(transaction, file, mistakes, today)
    return _answer_and_count(context, "facilities", outcome, dry_run=dry_run, began=began)


@router.post("/cameras", summary="Import cameras from CSV", openapi_extra=_body(CAMERA_COLUMNS))
async def import_cameras(context: Context, caller: Importer, dry_run: DryRun = False) -> ImportShown:
    """As facilities. Rows with credentials need the right `write_secret` and always count as updated."""
    began = time.monotonic()
    mistakes = Mistakes()
    with _count_refusals(context, "cameras"):
        body = await _read_file(context)
        file = await asyncio.to_thread(parse_cameras, body, mistakes, context.services.sealer, context.services.allowed)
        if file.has_secrets:
            may_write_secrets(caller)
        mistakes.raise_if_any()
        async with context.write_transaction(caller, dry_run=dry_run) as transaction:
            outcome = await store_cameras(transaction, file, mistakes)
    return _answer_and_count(context, "cameras", outcome, dry_run=dry_run, began=began)


@contextmanager
def _count_refusals(context: RequestContext, kind: Kind) -> Iterator[None]:
    try:
        yield
    except ProblemError as error:
        context.services.metrics.imports.labels(kind, "refused").inc()
        log.info("import_refused", kind=kind, request_id=context.request_id, code=error.problem.code)
        raise


def _answer_and_count(
    context: RequestContext, kind: Kind, outcome: Outcome, *, dry_run: bool, began: float
) -> ImportShown:
    took_s = time.monotonic() - began
    counts = {"created": outcome.created, "updated": outcome.updated, "unchanged": outcome.unchanged}
    metrics = context.services.metrics
    metrics.imports.labels(kind, "dry_run" if dry_run else "done").inc()
    metrics.import_duration.labels(kind).observe(took_s)
    if not dry_run:
        for result, count in counts.items():
            metrics.import_rows.labels(kind, result).inc(count)
    log.info(
        "import_done", kind=kind, request_id=context.request_id, dry_run=dry_run, took_s=round(took_s, 3), **counts
    )
    return ImportShown(kind=kind, dry_run=dry_run, rows=sum(counts.values()), **counts)


async def _read_file(context: RequestContext) -> bytes:
    """The file, from a text/csv body or the form field `file`. Raises ProblemError 413, 415 or 422."""
    request, most = context.request, context.services.import_max_bytes
    if int(request.headers.get("content-length") or 0) > most:
        raise _too_large(most)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form_file(request, most)
    if kind not in {
        "text/csv",
        "text/plain",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
    }:
        msg = "send the file as text/csv, or as the field `file` of multipart/form-data"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", msg)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise _too_large(most)
    return bytes(body)


async def _form_file(request: Request, most: int) -> bytes:
    async with request.form(max_files=1, max_fields=10) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise invalid("file", "is missing: send the CSV as the form field `file`")
        body = await file.read(most + 1)
    if len(body) > most:
        raise _too_large(most)
    return body


def _too_large(most: int) -> ProblemError:
    msg = f"the file is larger than {most} bytes: split it"
    return ProblemError(HTTPStatus(413), "too_large", msg)
