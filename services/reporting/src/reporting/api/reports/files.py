"""The files of a frozen report, and whether a file is one."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from reporting.api.parameters import Context, InContext
from reporting.api.reports.freezing import Version, wanted
from reporting.api.reports.shapes import DetailResponse, VerdictResponse, detailed
from reporting.documents.render import FORMS, rendered
from reporting.documents.verifying.child import Answer, Known, verify_in_child
from reporting.reports.snapshot import chain, handed_out
from reporting.reports.snapshot.handed_out import FileDigest
from reporting.storage.availability import after_freezing
from reporting.tables import accepted_of
from vonggac.auth import Caller, Right, demand, guarded_router
from vonggac.http import ProblemError
from vonggac.http.openapi import problems
from vonggac.http.protection.leaving import run_while_connected

router = guarded_router(prefix="/v1/reports", tags=["reports"])

type FormName = Literal["json", "csv", "xlsx", "docx", "pdf"]
MAX_FILE_BYTES = 32 * 2**20
"""Of a file to verify: one in Word takes 5 kB a camera."""
_VARY = {"Vary": "Accept"}
_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": ""}
_FILE = {
    "requestBody": {"description": "The file.", "required": True, "content": {"application/octet-stream": _BINARY}},
}
_WRITTEN: dict[str, dict[str, Any]] = {
    "text/csv": {"schema": {"type": "string"}, "example": ""},
    "application/json": {
        "schema": {"type": "object", "description": "The header, the tables and the approval: docs/reports.md."},
        "example": {"header": {"schema_version": "vonggac.report/1"}, "tables": {}},
    },
}
"""What a generated client reads as text or as an object; the other files are bytes to it."""


def _bodies(*names: str) -> dict[str, Any]:
    kinds = (FORMS[name].media_type for name in names)
    return {kind: _WRITTEN.get(kind.partition(";")[0], _BINARY) for kind in kinds}


_FILES: dict[int | str, dict[str, Any]] = {200: {"description": "The file.", "content": _bodies(*FORMS)}}


@router.post(
    "/verify",
    summary="Whether a file is a frozen report, unaltered",
    description=(
        "Takes any of the five forms as the body. The file is compared with the report that it says it is, as this "
        "register has it: byte for byte, but for signatures that were put behind a PDF. A file that was handed out by "
        "an earlier release is known by its digest. In which rows another file differs is said to those who may read "
        "the report."
    ),
    openapi_extra=_FILE,
    responses=problems(
        {408: "It did not come within a minute", 413: "Larger than 32 MiB", 503: "No room for another file"}
    ),
)
async def verify_report(shared: InContext, request: Request, caller: Caller) -> VerdictResponse:
    async with shared.receiving.body(request) as pieces:
        return await run_while_connected(request, _verified(shared, pieces, by_row=caller.sight.is_everything))


async def _verified(shared: Context, pieces: Sequence[bytearray], *, by_row: bool) -> VerdictResponse:
    async def find(report_id: UUID, version: int) -> Known | None:
        async with shared.database.transaction() as session:
            stored = await chain.read_stored(session, report_id, version)
            return None if stored is None else Known(stored, await handed_out.files_of(session, stored.number))

    digest = await asyncio.to_thread(handed_out.digest_of, pieces)
    async with shared.database.transaction() as session:
        known = await handed_out.find_file(session, digest)
    if known is not None:
        # Byte for byte what this register gave away: nobody has to open it.
        return VerdictResponse(
            unaltered=True,
            form=known.form,
            report_id=known.report_id,
            version=known.version,
            sha256=known.report_sha256,
            differences=[],
            notes=[],
        )
    # One by one: each may take what the service's container has memory for once.
    async with shared.receiving.opening:
        return _verdict(await verify_in_child(pieces, find, by_row=by_row))


@router.get(
    "/{report_id}.{form}",
    summary="A frozen report as a file",
    description="The same bytes each time in one release; the name says which version. Needs the right `export`.",
    response_class=Response,
    responses={**_FILES, **problems({404: "No such report"})},
)
async def download_report(
    shared: InContext,
    report_id: UUID,
    form: FormName,
    version: Version = None,
) -> Response:
    return await _file(shared, report_id, version, form)


@router.get(
    "/{report_id}",
    summary="A frozen report",
    description="What it says of itself. `format`, or an Accept header for another type than JSON, gives its file, for "
    "which the right `export` is needed.",
    response_model=None,
    responses={
        200: {
            "model": DetailResponse,
            "content": _bodies(*(name for name in FORMS if name != "json")),
        },
        **problems({404: "No such report", 406: "The Accept header fits no form"}),
    },
)
async def read_report(
    shared: InContext,
    request: Request,
    report_id: UUID,
    caller: Caller,
    version: Version = None,
    form: Annotated[FormName | None, Query(alias="format", description="The file instead.")] = None,
) -> Response:
    if (file := form or _accepted(request)) is not None:
        demand(request, caller, Right.EXPORT, "a file (the JSON without format= needs none)")
        return await _file(shared, report_id, version, file)
    async with shared.database.transaction() as session:
        report = await wanted(session, report_id, version)
        number = report.header.number
        late = (await after_freezing.late(session, [number])).get(number)
        shape = detailed(report, await chain.versions(session, report_id), late)
    return JSONResponse(shape.model_dump(mode="json", by_alias=True), headers=_VARY)


def _accepted(request: Request) -> str | None:
    """Find the file that the Accept header asks for; None for what a report says of itself. Raises ProblemError 406."""
    accept = request.headers.get("accept", "*/*")
    wanted_form = accepted_of(accept, {name: one.media_type for name, one in FORMS.items()})
    if wanted_form is None:
        detail = f"Accept: '{accept[:100]}' fits no form of a report; or give format={', '.join(FORMS)}"
        raise ProblemError(HTTPStatus.NOT_ACCEPTABLE, "not_acceptable", detail)
    return None if wanted_form == "json" else wanted_form


async def _file(shared: Context, report_id: UUID, version: int | None, form: str) -> Response:
    async with shared.database.transaction() as session:
        report = await wanted(session, report_id, version)
    content = await asyncio.to_thread(rendered, report, form)
    async with shared.database.transaction() as session:
        await handed_out.keep(session, report.header.number, FileDigest.of(content, form))
    headers = {"Content-Disposition": f'attachment; filename="{report.name}.{form}"', **_VARY}
    return Response(content, media_type=FORMS[form].media_type, headers=headers)


def _verdict(found: Answer) -> VerdictResponse:
    return VerdictResponse(
        unaltered=found.unaltered,
        form=found.form,
        report_id=None if found.report_id is None else UUID(found.report_id),
        version=found.version,
        sha256=found.sha256,
        differences=list(found.differences),
        notes=list(found.notes),
    )
