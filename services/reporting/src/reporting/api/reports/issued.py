"""/v1/issued-papers: number, day and signed file of what was issued, and where it is read again.

A file is never opened here, and goes out as one to save that no browser runs.
"""

import hashlib
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.parameters import InContext, invalid, not_found
from reporting.domain.instants import VIETNAM, moment
from reporting.reports.snapshot import chain
from reporting.storage.sending import issued, log
from vonggac.auth import Caller, guarded_router
from vonggac.decree.dates import short_day
from vonggac.http import FieldError, ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.lists.words import Words, matcher
from vonggac.http.openapi import problems
from vonggac.http.protection.texts import VisibleText

router = guarded_router(prefix="/v1/issued-papers", tags=["issued papers"])

PDF = "application/pdf"
MAX_FILE_BYTES = 20 * 2**20
"""A scan of forty pages at 200 dpi in colour."""
_TAIL = 1024
"""Writers, and those who sign, put some bytes behind the end."""
_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
_BINARY = {"content": {PDF: {"schema": {"type": "string", "format": "binary"}, "example": ""}}}


class NewIssuedPaper(BaseModel):
    """What was issued: an approved version of a report, or an urging letter."""

    model_config = ConfigDict(extra="forbid")

    report_id: UUID | None = None
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    urge_id: UUID | None = None
    number: VisibleText = Field(min_length=1, max_length=100, examples=["05/BC-STTTT"])
    issued_on: date = Field(description="The day on the paper, of Vietnam.")
    signed_by: VisibleText | None = Field(default=None, max_length=200, examples=["Nguyễn Văn Mẫu, Giám đốc"])

    @model_validator(mode="after")
    def _names_one_subject(self) -> Self:
        if (self.report_id is None) == (self.urge_id is None):
            msg = "give report_id with its version, or urge_id"
            raise ValueError(msg)
        if (self.report_id is None) != (self.version is None):
            msg = "version goes with report_id: each version of a report is a paper of its own"
            raise ValueError(msg)
        return self


class IssuedFile(BaseModel):
    """What is known of the signed file."""

    sha256: str
    size_bytes: int
    media_type: str
    received_at: datetime
    received_by: str


class IssuedPaper(BaseModel):
    """One paper that was issued."""

    id: UUID
    report_id: UUID | None
    version: int | None
    urge_id: UUID | None
    number: str
    issued_on: date
    signed_by: str | None
    recorded_at: datetime
    recorded_by: str
    file: IssuedFile | None = Field(description="null until the signed file is here.")


KEYS: dict[str, Key[Any]] = {
    "issued_on": Key(lambda row: row.issued_on, date),
    "recorded_at": Key(lambda row: row.recorded_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
PAPERS: Listing[Any, IssuedPaper] = Listing(IssuedPaper, keys=KEYS, id_key="id", default_sort="-recorded_at")


@router.get("", summary="Papers that were issued", response_model=None, responses=PAPERS.responses)
async def list_issued_papers(
    shared: InContext,
    paging: Annotated[PageQuery[Any, IssuedPaper], Depends(PAPERS)],
    report: Annotated[UUID | None, Query(description="Of this report alone.")] = None,
    urge: Annotated[UUID | None, Query(description="Of this urging letter alone.")] = None,
    q: Words = None,
) -> Response:
    """Newest first: of several entries of one paper the first stands."""
    async with shared.database.transaction() as session:
        rows = await issued.papers_of(session, report, urge)
    matches = matcher(q)
    page = paging.cut([row for row in rows if matches(row.number, row.signed_by, row.recorded_by)])
    return paging.answer(page, [_to_response(row) for row in page.rows])


@router.post(
    "",
    summary="Record the number and day of a paper that was issued",
    status_code=HTTPStatus.CREATED,
    responses=problems({404: "No such report or letter", 409: "The version is not approved, or there is no letter"}),
)
async def record_issued_paper(
    body: NewIssuedPaper, shared: InContext, response: Response, caller: Caller
) -> IssuedPaper:
    """Record what the registry gave a paper: never a day to come, nor one before its draft was made."""
    now = shared.clock()
    async with shared.database.transaction() as session:
        _check_day(body.issued_on, await _made_on(session, body), now.astimezone(VIETNAM).date())
        values = {**body.model_dump(), "id": uuid4(), "recorded_at": now, "recorded_by": caller.subject}
        await issued.add_paper(session, values)
        row = await issued.find_paper(session, values["id"])
    response.headers["Location"] = f"/v1/issued-papers/{values['id']}"
    return _to_response(row)


@router.get("/{paper_id}", summary="One paper that was issued", responses=problems({404: "Unknown."}))
async def get_issued_paper(paper_id: UUID, shared: InContext) -> IssuedPaper:
    """With what is known of its signed file, once that is here."""
    async with shared.database.transaction() as session:
        return _to_response(await _load_paper(session, paper_id))


@router.put(
    "/{paper_id}/file",
    summary="Bring the signed PDF of a paper",
    description="At most 20 MiB; safe to send again. It is kept as it came, with its SHA-256, and never opened.",
    openapi_extra={"requestBody": {"description": "The PDF.", "required": True, **_BINARY}},
    responses=problems({404: "Unknown.", 409: "Another file is kept of it already", 413: "Larger than 20 MiB"}),
)
async def put_issued_file(paper_id: UUID, shared: InContext, request: Request, caller: Caller) -> IssuedPaper:
    async with shared.receiving.body(request) as pieces:
        content = b"".join(pieces)
        pieces.clear()
        _check_pdf(content)
        sha256 = hashlib.sha256(content).digest()
        async with shared.database.transaction() as session:
            row = await _load_paper(session, paper_id)
            if row.sha256 is None:
                values = {"paper_id": paper_id, "sha256": sha256, "bytes": len(content), "content": content}
                await issued.keep_file(
                    session, {**values, "received_at": shared.clock(), "received_by": caller.subject}
                )
            elif row.sha256 != sha256:
                raise ProblemError(
                    HTTPStatus.CONFLICT,
                    "file_kept",
                    f"the file with the SHA-256 {row.sha256.hex()} is kept of it already: record the paper again for "
                    "another file",
                    detail_vi=f"đã lưu tệp có mã SHA-256 {row.sha256.hex()}: muốn thay tệp khác, hãy ghi lại văn bản",
                )
            return _to_response(await _load_paper(session, paper_id))


@router.get(
    "/{paper_id}/file",
    summary="The signed PDF of a paper",
    response_class=Response,
    responses={200: _BINARY, **problems({404: "Unknown, or its file has not come yet"})},
)
async def get_issued_file(paper_id: UUID, shared: InContext) -> Response:
    """As it came, as a file to save."""
    async with shared.database.transaction() as session:
        content = await issued.read_file(session, (await _load_paper(session, paper_id)).id)
    if content is None:
        raise not_found("file of the paper", paper_id)
    name = {"Content-Disposition": f'attachment; filename="van-ban-{paper_id}.pdf"'}
    return Response(content, media_type=PDF, headers=_HEADERS | name)


async def _made_on(session: AsyncSession, body: NewIssuedPaper) -> date:
    """Find the day on which the draft was made. Raises ProblemError 404, 409."""
    if body.report_id is not None:
        report = await chain.read(session, body.report_id, body.version)
        if report is None:
            raise not_found("report", f"{body.report_id} version {body.version}")
        if report.approval is None:
            detail = f"version {body.version} of report {body.report_id} is not approved: what is issued was approved"
            vi = f"phiên bản {body.version} của báo cáo chưa được phê duyệt: chỉ văn bản đã phê duyệt mới được ban hành"
            raise ProblemError(HTTPStatus.CONFLICT, "not_approved", detail, detail_vi=vi)
        return moment(report.header.frozen_at_ms).astimezone(VIETNAM).date()
    assert body.urge_id is not None
    row = await log.get(session, body.urge_id)
    if row is None:
        raise not_found("urge", body.urge_id)
    if row.level < 2:
        detail = "level 1 is a notice and has no letter to issue"
        vi = "mức 1 là nhắc việc, không có công văn để ban hành"
        raise ProblemError(HTTPStatus.CONFLICT, "no_letter", detail, detail_vi=vi)
    day: date = row.urged_at.astimezone(VIETNAM).date()
    return day


def _check_day(issued_on: date, made_on: date, today: date) -> None:
    """Refuse a day to come, or one before the draft was made. Raises ProblemError 422 naming both days."""
    if issued_on > today:
        en = f"lies in the future: the paper says {short_day(issued_on)}, and today is {short_day(today)}"
        vi = f"ngày ban hành {short_day(issued_on)} sau hôm nay {short_day(today)}"
    elif issued_on < made_on:
        en = f"is {short_day(issued_on)}, before the draft was made on {short_day(made_on)}"
        vi = f"ngày ban hành {short_day(issued_on)} trước ngày lập dự thảo {short_day(made_on)}"
    else:
        return
    error = FieldError(field="issued_on", message=en, message_vi=vi)
    raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"issued_on {en}", [error], detail_vi=vi)


def _check_pdf(content: bytes) -> None:
    """Refuse what is no whole PDF by its first and last bytes. Raises ProblemError 422."""
    if not content.startswith(b"%PDF-"):
        raise invalid("content", "is no PDF: send the signed paper as PDF")
    if b"%%EOF" not in content[-_TAIL:]:
        raise invalid("content", "is cut off: the end of the PDF is missing")


async def _load_paper(session: AsyncSession, paper_id: UUID) -> Any:
    row = await issued.find_paper(session, paper_id)
    if row is None:
        raise not_found("issued paper", paper_id)
    return row


def _to_response(row: Any) -> IssuedPaper:
    file = None
    if row.sha256 is not None:
        file = IssuedFile(
            sha256=row.sha256.hex(),
            size_bytes=row.bytes,
            media_type=PDF,
            received_at=row.received_at.astimezone(VIETNAM),
            received_by=row.received_by,
        )
    known = {name: getattr(row, name) for name in IssuedPaper.model_fields if name not in {"file", "recorded_at"}}
    return IssuedPaper(**known, recorded_at=row.recorded_at.astimezone(VIETNAM), file=file)
