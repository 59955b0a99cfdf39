"""GET /v1/availability: where the time of cameras, deliveries and groups of them went, over any period."""

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from reporting.api.availability.schemas import (
    Availability,
    BudgetResponse,
    CameraLengths,
    DeliveryLengths,
    LineResponse,
    OutagesResponse,
)
from reporting.api.compliance_schemas import PercentagesResponse
from reporting.api.files import Chosen, file_answers, table_answer
from reporting.api.parameters import Asks, Filters, InContext, invalid, resumed
from reporting.domain.compliance import RULE_VERSION
from reporting.domain.instants import moment
from reporting.domain.ledger import date_of, days_within
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.domain.percentages import budget, percentages
from reporting.domain.segments import Step, series
from reporting.reports.accounts import Question
from reporting.reports.availability.lines import (
    OF_DELIVERIES,
    ONE_BY_ONE,
    Line,
    LineKind,
    accounted,
    group_series,
    single_lines,
    stretches,
    with_outages,
)
from reporting.storage.availability import evidence, ledger, targets
from reporting.storage.availability.targets import Target
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.events.inventory import DestinationRole, PlanBasis
from vonggac.http.lists import Key, Listing, PageQuery

_EVERY = (
    "A series of these; default: one figure. Each stretch is of the cameras on record in it: one that came later, or "
    "was removed before, adds no time out of scope to it, as it does to one figure of the whole. All else adds up."
)

router = guarded_router(prefix="/v1", tags=["availability"])

MOST_STRETCHES = 800
"""A month of hours, two years of days."""

KEYS: dict[str, Key[Line]] = {
    "start": Key(lambda line: line.period.start, int),
    "code": Key(lambda line: line.code),
    "id": Key(lambda line: line.key),
}
LINES = Listing(LineResponse, keys=KEYS, id_key="start,id", default_sort="start,code", envelope=Availability)


@router.get(
    "/availability",
    summary="Where the time went, by group and stretch of time",
    description=(
        "Milliseconds of the five parts of time, the three percentages with their coverage, and what is left of the "
        "target, as one figure or as a series. Whole local days that are closed come from the ledger, all else from "
        "runs and claims; both give the same milliseconds. `format=csv`, `xlsx` or `parquet` gives the table "
        "`availability`, `availability_with_outages` with `outages=true`, or `availability_of_deliveries` of "
        "deliveries and destinations."
    ),
    response_model=None,
    responses=file_answers(LINES.responses[200]),
)
async def read_availability(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[Line, LineResponse], Depends(LINES)],
    request: Request,
    chosen: Chosen,
    by: Annotated[LineKind, Query(description="What a line is of.")] = LineKind.TOTAL,
    every: Annotated[Step | None, Query(description=_EVERY)] = None,
    outages: Annotated[bool, Query(description="Also what outages come to: number, MTTR, MTBF, longest.")] = False,
) -> Response:
    asks = resumed(asks, paging.as_of, request)
    periods = [asks.period] if every is None else series(asks.period, every, asks.zone)
    if len(periods) > MOST_STRETCHES:
        raise invalid("every", f"gives {len(periods)} stretches, at most {MOST_STRETCHES}; ask for longer ones")
    if outages and by in OF_DELIVERIES:
        raise invalid("outages", f"are of cameras; by={by} has not_connected_by_cause_ms instead")
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asks.last)).scope
        if chosen.is_file:
            cameras = "availability_with_outages" if outages else "availability"
            table = "availability_of_deliveries" if by in OF_DELIVERIES else cameras
            return table_answer(shared, table, asks, chosen, scope, by=by, every=every)
        asked = stretches(asks, periods)
        if by in ONE_BY_ONE:
            lines = [line for one in asked for line in await single_lines(session, one, scope, by)]
        else:
            lines = [line async for found in group_series(session, asked, scope, by) for line in found]
        page = paging.cut(lines, as_of=moment(asks.period.end))
        shown = list(page.rows)
        if by in ONE_BY_ONE:
            shown = await accounted(session, asks, shown)
        if outages:
            shown = await with_outages(session, asks, scope, by, shown)
        known = await targets.read(session)
        closed = (await ledger.state(session)).closed_until
        late = await evidence.count(session, *days_within(asks.period), scope.visible)
    return paging.answer(
        page,
        [_shape(asks, by, line, known) for line in shown],
        start=_local(asks, asks.period.start),
        end=_local(asks, asks.period.end),
        time_zone=asks.time_zone,
        every=every,
        current=asks.current,
        rule_version=RULE_VERSION,
        closed_until=None if closed is None else date_of(closed),
        late_days=late,
    )


def _local(asks: Question, instant: int) -> Any:
    return moment(instant).astimezone(asks.zone)


def _shape(asks: Question, by: LineKind, line: Line, known: list[Target]) -> LineResponse:
    camera, delivery = line.camera, line.delivery
    with_cameras, without = line.facilities or (None, None)
    made = LineResponse.model_construct(
        by=by,
        id=line.id,
        code=line.code,
        name=line.name,
        start=_local(asks, line.period.start),
        end=_local(asks, line.period.end),
        cameras=line.cameras,
        facilities_with_cameras=with_cameras,
        facilities_without_cameras=without,
        milliseconds=None,
        availability=None,
        compliance=None,
        delivery_milliseconds=None,
        connection=None,
        not_connected_by_cause_ms=None,
        availability_budget=None,
        compliance_budget=None,
        outages=_outages(line),
        facility_code=None if camera is None else camera.facility.code,
        shared_device_reason=None if camera is None else camera.shared_device_reason,
        destination_code=None if delivery is None else delivery.destination.code,
        destination_role=None if delivery is None or delivery.role is None else DestinationRole(delivery.role),
        plan=None if delivery is None or delivery.plan is None else PlanBasis(delivery.plan),
        plan_exception=None if delivery is None else delivery.plan_exception,
    )
    if (time := line.durations) is not None:
        made.milliseconds = CameraLengths(**dict(zip(DURATION_NAMES, time.lengths, strict=True)))
        up, compliant = (
            (time.up, time.down, time.unknown),
            (time.compliant, time.non_compliant, time.compliance_unknown),
        )
        made.availability, made.compliance = _percentages(*up), _percentages(*compliant)
        wanted = targets.in_force(known, line.period.start)
        made.availability_budget = _budget(wanted.get("availability"), *up)
        made.compliance_budget = _budget(wanted.get("compliance"), *compliant)
    if (parts := line.connection) is not None:
        made.delivery_milliseconds = DeliveryLengths(**{name: getattr(parts, name) for name in LEDGER_NAMES})
        made.connection = _percentages(parts.connected, parts.not_connected, parts.unknown)
        made.not_connected_by_cause_ms = dict(sorted(parts.by_cause.items()))
    return made


def _percentages(good: int, bad: int, unknown: int) -> PercentagesResponse:
    return PercentagesResponse(**percentages(good, bad, unknown)._asdict())


def _budget(target: Any, good: int, bad: int, unknown: int) -> BudgetResponse | None:
    if target is None:
        return None
    found = budget(target, good, bad, unknown)
    return BudgetResponse(
        target_percent=found.target_percent,
        allowed_ms=found.allowed_ms,
        used_ms=found.used_ms,
        remaining_ms=found.remaining_ms,
        remaining_minutes=found.remaining_ms / 60_000,
        met=found.remaining_ms >= 0,
    )


def _outages(line: Line) -> OutagesResponse | None:
    found = line.outages
    if found is None:
        return None
    return OutagesResponse(
        count=found.count,
        unconfirmed=found.unconfirmed,
        site_faults=found.site_faults,
        down_ms=found.down,
        mttr_ms=found.mttr,
        mtbf_ms=found.mtbf,
        longest_ms=found.longest,
        by_cause_ms=dict(sorted(found.by_cause.items())),
    )
