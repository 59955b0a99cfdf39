"""/v1/report-regimes: which reports are frozen by themselves; /v1/regime-reports: those that were, and what waits."""

from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.api.parameters import Context, InContext, invalid
from reporting.api.reports.regime_shapes import (
    MOST_DAYS,
    REGIME_REPORTS,
    RegimeFields,
    RegimeReportResponse,
    RegimeResponse,
    regime_shape,
    report_shape,
)
from reporting.api.sending.addresses import show
from reporting.api.sending.rules import RECORD_KEYS, REFUSED, check_agency, check_room, lock_record
from reporting.domain.instants import VIETNAM, duration, millis, moment, start_of
from reporting.reports.snapshot import chain
from reporting.reports.snapshot.report import FilterPart
from reporting.storage.mandate import records
from reporting.storage.sending import regimes
from reporting.storage.sending.regimes import REGIMES
from reporting.urging.regimes import UnknownScopeError, find_scope
from vonggac.auth import Caller, guarded_router
from vonggac.http import ProblemError
from vonggac.http.conditional import IfMatch
from vonggac.http.lists import Listing, PageQuery
from vonggac.http.openapi import problems
from vonggac.http.problems import not_found

router = guarded_router(prefix="/v1", tags=["reports"])
LISTED: Listing[Any, RegimeResponse] = Listing(RegimeResponse, keys=RECORD_KEYS, id_key="id", default_sort="name")
_CALENDAR = ("rhythm", "cut_off_day", "every_days", "starts_on")


@router.get(
    "/report-regimes",
    summary="Regimes of reports",
    description="By name, each with the period that is frozen next.",
    response_model=None,
    responses=LISTED.responses,
)
async def list_report_regimes(
    shared: InContext, paging: Annotated[PageQuery[Any, RegimeResponse], Depends(LISTED)]
) -> Response:
    async with shared.database.transaction() as session:
        rows, total = await REGIMES.page(session, paging.orderings, paging.last, paging.limit, count=paging.wants_total)
    page = paging.page(rows, total=total)
    return paging.answer(page, [_shape(shared, row) for row in page.rows])


@router.post(
    "/report-regimes",
    summary="Add a regime of reports",
    description=(
        "From its first day on, the report of each cut-off is frozen by itself, with the comparison to the last one of "
        "the regime, as soon as its evidence is complete; it is laid before who approves it (`GET /v1/regime-reports`, "
        "their channels, the event `report_laid_before`), and sent to the recipients once it is approved. A cut-off "
        "that has passed is frozen once and marked late. Needs the right `decide`."
    ),
    status_code=HTTPStatus.CREATED,
    response_model=RegimeResponse,
    responses=problems({409: "There are too many.", 422: "Not allowed."}),
)
async def add_report_regime(body: RegimeFields, shared: InContext, caller: Caller) -> Response:
    now = shared.clock()
    async with shared.database.transaction() as session:
        await check_room(session, REGIMES)
        values = {"id": uuid4(), **await _columns(session, shared, body, now)}
        values["counts_from"] = moment(start_of(values["starts_on"]))
        row = await REGIMES.add(session, values, now, caller.subject)
    return show(_shape(shared, row), row.revision, HTTPStatus.CREATED, f"/v1/report-regimes/{row.id}")


@router.get(
    "/report-regimes/{regime_id}",
    summary="One regime of reports",
    description="Its ETag is its revision.",
    response_model=RegimeResponse,
    responses=problems({404: "Unknown."}),
)
async def get_report_regime(regime_id: UUID, shared: InContext) -> Response:
    async with shared.database.transaction() as session:
        row = await REGIMES.get(session, regime_id)
    if row is None:
        raise not_found("regime", regime_id)
    return show(_shape(shared, row), row.revision)


@router.put(
    "/report-regimes/{regime_id}",
    summary="Replace a regime of reports",
    description=(
        "The whole regime: what is left out has its default, but `starts_on` stays. Cut-offs that pass while it is "
        "switched off are not frozen later. Its calendar stays once a report was frozen by it: end it, and add another."
    ),
    response_model=RegimeResponse,
    responses=REFUSED | problems({409: "It has reports already."}),
)
async def replace_report_regime(
    regime_id: UUID, body: RegimeFields, shared: InContext, if_match: IfMatch, caller: Caller
) -> Response:
    now = shared.clock()
    async with shared.database.transaction() as session:
        before = await lock_record(session, REGIMES, "regime", regime_id, if_match)
        values = await _columns(session, shared, body, now, before.starts_on)
        other = [name for name in _CALENDAR if values[name] != getattr(before, name)]
        if other and await regimes.made_reports(session, regime_id):
            msg = f"reports were frozen by it, so {', '.join(other)} stays: give ends_on, and add another regime"
            raise ProblemError(HTTPStatus.CONFLICT, "regime_has_reports", msg)
        if other:
            values["counts_from"] = moment(start_of(values["starts_on"]))
        elif body.enabled and not before.enabled:
            values["counts_from"] = now
        row = await REGIMES.change(session, regime_id, {**values, "problem": None}, now, caller.subject)
    return show(_shape(shared, row), row.revision)


@router.get(
    "/regime-reports",
    summary="Reports that regimes froze",
    description=(
        "Newest first, each in its newest version: `awaiting_approval=true` is what lies before who approves "
        "(`POST /v1/reports/{report_id}/approve`). With what was sent, to whom and with which outcome."
    ),
    response_model=None,
    responses=REGIME_REPORTS.responses,
)
async def list_regime_reports(
    shared: InContext,
    paging: Annotated[PageQuery[Any, RegimeReportResponse], Depends(REGIME_REPORTS)],
    regime: Annotated[UUID | None, Query(description="Of this regime alone.")] = None,
    awaiting_approval: Annotated[bool | None, Query(description="Those that wait, or those that do not.")] = None,
) -> Response:
    asked = paging.orderings, paging.last, paging.limit
    async with shared.database.transaction() as session:
        rows, total = await chain.page_of_regimes(
            session, asked, count=paging.wants_total, regime_id=regime, waiting=awaiting_approval
        )
        page = paging.page(rows, total=total)
        sent = await regimes.sendings(session, [row.report_id for row in page.rows])
    return paging.answer(page, [report_shape(row, sent.get(row.report_id, [])) for row in page.rows])


async def _columns(
    session: AsyncSession, shared: Context, body: RegimeFields, now: datetime, starts_on: date | None = None
) -> dict[str, Any]:
    """Build the columns of a regime to store. Raises ProblemError 422 naming what is not known, or cannot be."""
    today = now.astimezone(VIETNAM).date()
    values = body.columns(body.starts_on or starts_on or today)
    if starts_on != values["starts_on"] and values["starts_on"] < today - timedelta(days=MOST_DAYS):
        raise invalid("starts_on", f"lies more than {MOST_DAYS} days back; freeze older reports by POST /v1/reports")
    if body.ends_on is not None and body.ends_on < values["starts_on"]:
        raise invalid("ends_on", f"is before starts_on, {values['starts_on']}")
    for agency_id in body.recipient_agency_ids:
        await check_agency(session, agency_id, "recipient_agency_ids")
    await check_agency(session, body.approver_agency_id, "approver_agency_id")
    await _check_known(session, body, now)
    return values


async def _check_known(session: AsyncSession, body: RegimeFields, now: datetime) -> None:
    at = millis(now)
    filters = FilterPart(unit=body.unit, agency=body.agency, facility=body.facility)
    try:
        await find_scope(session, filters, at)
    except UnknownScopeError as error:
        noun, given = error.args
        msg = f"no {noun} with the code or id '{given}' is known; give one that inventory lists"
        raise invalid(noun, msg) from None
    if body.directive_id is None:
        return
    if (await records.read(session, ("directive",), at)).find_version("directive", body.directive_id, at) is None:
        raise invalid("directive_id", f"no directive {body.directive_id} is known; give one that inventory lists")


def _shape(shared: Context, row: Any) -> RegimeResponse:
    return regime_shape(row, millis(shared.clock()), duration(shared.settings.lateness_horizon_s))
