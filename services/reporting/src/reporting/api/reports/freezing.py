"""POST /v1/reports and what becomes of one: lists, approval, further versions."""

import asyncio
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.parameters import Context, Filters, InContext, invalid, not_found
from reporting.api.reports.shapes import (
    REPORTS,
    ChangeResponse,
    DetailResponse,
    DifferenceResponse,
    FreezeResponse,
    ReportResponse,
    VersionResponse,
    detailed,
    late_shape,
    listed,
)
from reporting.domain.instants import VIETNAM, Millis, duration, format_instant, millis, moment
from reporting.domain.segments import Period
from reporting.reports.snapshot import approvals, chain, freezing
from reporting.reports.snapshot.difference import changes
from reporting.reports.snapshot.freezing import Request
from reporting.reports.snapshot.letterhead import Letterhead
from reporting.reports.snapshot.of_register import letterhead_of_register
from reporting.reports.snapshot.report import Approval, FilterPart, PeriodPart, Report
from reporting.storage import plan
from reporting.storage.availability import after_freezing, targets
from reporting.storage.sending import notices
from reporting.urging.regimes import send_approved
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.events.reporting import ReportFrozenV1
from vonggac.http import ProblemError
from vonggac.http.lists import PageQuery
from vonggac.http.lists.words import Words, matcher
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/reports", tags=["reports"])

MOST_CHANGES = 1000
"""Changed figures that an answer lists."""
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Default: the newest.")]
ReadVersion = Annotated[int, Query(ge=1, le=2**31 - 1, description="The version that you have read.", examples=[1])]
"""Without a default: whoever read one version answers for no other that came meanwhile."""


@router.post(
    "",
    summary="Freeze a report",
    description=(
        "Keeps the figures of a period for good, in integers, with their digest, chained to the report before. The "
        "period ends, and its evidence is complete, at least the lateness horizon ago."
    ),
    status_code=HTTPStatus.CREATED,
)
async def freeze_report(
    shared: InContext,
    body: FreezeResponse,
    response: Response,
    caller: Caller,
) -> DetailResponse:
    now = shared.clock()
    period, cut_off = _period(shared, body)
    filters = FilterPart(
        unit=body.unit,
        agency=body.agency,
        type=body.type.value if body.type is not None else None,
        facility=body.facility,
    )
    order = freezing.Order(
        period=PeriodPart(from_ms=period.start, to_ms=period.end, time_zone=body.time_zone),
        cut_off_ms=cut_off,
        filters=filters,
        author=freezing.Author.of(caller),
        deadline_ms=None if body.deadline is None else millis(body.deadline),
        target_ppm=await _target(shared, body, period),
        proposals=tuple(body.proposals),
        letterhead=await _letterhead(shared, body.letterhead, cut_off, millis(now)),
    )
    asked = Request(period, ZoneInfo(body.time_zone), filters, register_at=cut_off)
    seen = await freezing.announce(shared.database, asked)
    found = await _read(shared, caller, asked)
    make = await asyncio.to_thread(freezing.first_version, order, found.tables, now)
    async with shared.database.transaction() as session:
        report = await chain.append(session, make)
        await after_freezing.keep(session, report.header.number, seen, found.cameras, asked.covers_until)
        await _publish(session, report, caller, now)
    return _created(report, response)


@router.get(
    "",
    summary="Frozen reports",
    description="All versions, newest first.",
    response_model=None,
    responses=REPORTS.responses,
)
async def list_reports(
    shared: InContext,
    paging: Annotated[PageQuery[Any, ReportResponse], Depends(REPORTS)],
    q: Words = None,
) -> Response:
    async with shared.database.transaction() as session:
        among = None if q is None else await _matching(session, q)
        rows, total = await chain.page(
            session, (paging.orderings, paging.last, paging.limit), count=paging.wants_total, among=among
        )
        late = await after_freezing.late(session, [row.number for row in rows])
    page = paging.page(rows, total=total)
    return paging.answer(page, [listed(row, late.get(row.number)) for row in page.rows])


@router.post(
    "/{report_id}/approve",
    summary="Approve a frozen report",
    description=(
        "Once for each version, by the lead of the province or who is named for it, and by nobody who wrote it or a "
        "version before it (403 names them). Its files say so then, webhooks get `report_approved`, and the recipients "
        "of its regime their copy."
    ),
    responses=problems({404: "No such report", 409: "It is approved already"}),
)
async def approve_report(
    shared: InContext,
    report_id: UUID,
    caller: Caller,
    version: ReadVersion,
) -> DetailResponse:
    async with shared.database.transaction() as session:
        report = await wanted(session, report_id, version)
        authors, now = await approvals.load_authors(session, report), shared.clock()
        if caller.subject in authors and not await approvals.allows_authors(session, report, now):
            english, vietnamese = approvals.refuse_author(authors, caller.subject)
            raise ProblemError(HTTPStatus.FORBIDDEN, "wrote_it", english, detail_vi=vietnamese)
        if not await chain.approve(session, report, _approval_of(caller, now)):
            detail = f"version {report.header.version} of report {report_id} is approved already; approvals stay"
            raise ProblemError(HTTPStatus.CONFLICT, "approved_already", detail)
        await send_approved(session, report, caller.subject, now)
        return detailed(
            await wanted(session, report_id, report.header.version), await chain.versions(session, report_id)
        )


@router.post(
    "/{report_id}/versions",
    summary="Freeze a further version",
    description=(
        "For late evidence or an agreed correction that changed a figure of the same period. The versions before stay; "
        "the new one carries the reason, its author and each figure before and after. `version` is the newest."
    ),
    status_code=HTTPStatus.CREATED,
    responses=problems({404: "No such report", 409: "No figure changed, or there is a newer version"}),
)
async def freeze_version(
    shared: InContext,
    report_id: UUID,
    body: VersionResponse,
    response: Response,
    caller: Caller,
    version: ReadVersion,
) -> DetailResponse:
    async with shared.database.transaction() as session:
        before = await wanted(session, report_id, version)
        if version != max(await chain.versions(session, report_id)):
            raise _superseded(version)
        asked = await _same_request(session, before)
    header, now = before.header, shared.clock()
    seen = await freezing.announce(shared.database, asked)
    found = await _read(shared, caller, asked)
    cut_off = freezing.latest_cut_off(now, duration(shared.settings.lateness_horizon_s))
    correction = freezing.Correction(body.reason, freezing.Author.of(caller), now, max(cut_off, header.cut_off_ms))
    try:
        make = await asyncio.to_thread(freezing.next_version, before, found.tables, correction)
        async with shared.database.transaction() as session:
            report = await chain.append(session, make, replaces=before)
            await after_freezing.keep(session, report.header.number, seen, found.cameras, asked.covers_until)
            await _publish(session, report, caller, now)
    except freezing.NothingChangedError:
        async with shared.database.transaction() as session:
            await after_freezing.checked(session, header.number, seen)
        detail = f"every figure is as in version {header.version}; a further version needs one that changed"
        raise ProblemError(HTTPStatus.CONFLICT, "nothing_changed", detail) from None
    except chain.SupersededError:
        raise _superseded(version) from None
    return _created(report, response)


@router.get(
    "/{report_id}/difference",
    summary="What a further version would change",
    description=(
        "The figures of the newest version beside those that the same period has now, with all evidence that came. "
        "Nothing is kept: `POST …/versions` does."
    ),
    responses=problems({404: "No such report"}),
)
async def read_difference(shared: InContext, report_id: UUID, caller: Caller) -> DifferenceResponse:
    async with shared.database.transaction() as session:
        before = await wanted(session, report_id)
        number = before.header.number
        late = (await after_freezing.late(session, [number])).get(number)
        asked = await _same_request(session, before)
    now = await _read(shared, caller, asked)
    found = await asyncio.to_thread(changes, before.tables, freezing.of_same_regime(before, now.tables))
    return DifferenceResponse(
        version=before.header.version,
        changed_figures=len(found),
        changes=[ChangeResponse.model_validate(one) for one in found[:MOST_CHANGES]],
        late_evidence=late_shape(late),
    )


def _approval_of(caller: Principal, now: datetime) -> Approval:
    return Approval(by=caller.subject, at_ms=millis(now), name=caller.name or None, post=caller.post or None)


def _superseded(version: int) -> ProblemError:
    detail = f"meanwhile version {version} is no longer the newest; read the newest and try again"
    return ProblemError(HTTPStatus.CONFLICT, "superseded", detail)


async def _publish(session: AsyncSession, report: Report, caller: Principal, now: datetime) -> None:
    """Bus and webhooks hear of the version once it is committed."""
    header = report.header
    frozen = ReportFrozenV1(
        report_id=report.id,
        version=header.version,
        cut_off_at=moment(header.cut_off_ms),
        sha256=report.sha256,
        frozen_by=caller.subject,
    )
    await notices.report_frozen(session, frozen, now)


async def _matching(session: AsyncSession, q: str) -> list[int]:
    """Numbers of the reports whose author, approver, number or days have the words."""
    matches = matcher(q)
    return [
        row.number
        for row in (await session.execute(chain.listed())).all()
        if matches(
            str(row.number),
            row.author,
            row.author_name,
            row.approved_by,
            row.approver_name,
            *(f"{each.astimezone(VIETNAM):%d/%m/%Y}" for each in (row.starts_at, row.ends_at, row.frozen_at)),
        )
    ]


async def wanted(session: AsyncSession, report_id: UUID, version: int | None = None) -> Report:
    """Read a report. Raises ProblemError 404 where it is not there."""
    report = await chain.read(session, report_id, version)
    if report is None:
        raise not_found("report", report_id if version is None else f"{report_id} version {version}")
    return report


async def _target(shared: Context, body: FreezeResponse, period: Period) -> int:
    if body.target_ppm is not None:
        return body.target_ppm
    async with shared.database.transaction() as session:
        return await targets.demanded_ppm(session, period.start)


async def _letterhead(shared: Context, given: Letterhead, at: Millis, now: Millis) -> Letterhead:
    """As it was given, and what it leaves out as the register has it; addressees that neither names are those of the
    settings."""
    async with shared.database.transaction() as session:
        found = await letterhead_of_register(session, given, at, now)
    if "addressees" in found.model_fields_set:
        return found
    return found.model_copy(update={"addressees": list(shared.settings.report_addressees)})


def _created(report: Report, response: Response) -> DetailResponse:
    header = report.header
    response.headers["Location"] = f"/v1/reports/{header.id}?version={header.version}"
    return detailed(report, list(range(1, header.version + 1)))


def _period(shared: Context, body: FreezeResponse) -> tuple[Period, Millis]:
    """Compute the period and the cut-off. Raises ProblemError naming the field."""
    period = Period(millis(body.start), millis(body.end))
    if period.length <= 0:
        raise invalid("from", f"must be earlier than to, which is {format_instant(period.end)}")
    if period.length > shared.settings.max_period_days * 86_400_000:
        raise invalid("from", f"the period is longer than {shared.settings.max_period_days} days; freeze in parts")
    latest = freezing.latest_cut_off(shared.clock(), duration(shared.settings.lateness_horizon_s))
    if period.end > latest:
        raise invalid("to", f"evidence may still come for that time; the latest possible is {format_instant(latest)}")
    cut_off = latest if body.cut_off is None else millis(body.cut_off)
    if not period.end <= cut_off <= latest:
        raise invalid("cut_off", f"lies between to, {format_instant(period.end)}, and {format_instant(latest)}")
    return period, cut_off


async def _same_request(session: AsyncSession, before: Report) -> Request:
    """Repeat the request of the first version: with the register of its cut-off, or without any if it has none."""
    header = before.header
    first = before if header.version == 1 else await wanted(session, before.id, 1)
    period, zone = Period(header.period.from_ms, header.period.to_ms), ZoneInfo(header.period.time_zone)
    register_at = first.header.cut_off_ms if first.has_register else None
    of_first = first.header.frozen_at_ms, first.has_notes, first.has_assessment, first.has_security
    return Request(period, zone, header.filters, register_at, *of_first)


async def _read(shared: Context, caller: Principal, asked: Request) -> freezing.Found:
    given = asked.filters
    filters = Filters(given.unit, given.agency, None, given.facility, caller=caller)

    async def scope_of(session: AsyncSession) -> plan.Scope:
        return (await filters.resolved(session, asked.codes_of)).scope

    alive_ms = duration(shared.settings.presumed_alive_s)
    return await freezing.read(shared.database, asked, scope_of, now=shared.clock(), alive_ms=alive_ms)
