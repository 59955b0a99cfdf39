"""GET /v1/charts/….svg: pictures of a period's figures, or of a frozen report's."""

import asyncio
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request, Response

from reporting.api.parameters import Asks, Filters, InContext, check_camera, invalid, parse_moment
from reporting.api.reports.freezing import Version, wanted
from reporting.documents.letter.figures import Shown, chart, shown_of
from reporting.domain.instants import millis
from reporting.reports.snapshot.collect import Extent, collect
from reporting.storage.availability import targets
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, Right, demand, demand_province, guarded_router
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/charts", tags=["charts"])

SVG_TYPE = "image/svg+xml"
type ChartName = Literal["availability", "causes", "obligations", "progress", "strips"]
_OF_REGISTER = frozenset({"obligations", "progress"})
"""Charts with deadlines."""


@router.get(
    "/{name}.svg",
    summary="A chart",
    description=(
        "`availability` over time, lost time by `causes`, `progress` of the cameras against the deadline, the "
        "facilities' `obligations` against theirs, 24-hour `strips` of the cameras longest down. Of a frozen report "
        "when `report` is given, else of the period as it is known now; of one camera when `camera` is given."
    ),
    response_class=Response,
    responses={
        200: {
            "description": "The picture.",
            "content": {SVG_TYPE: {"schema": {"type": "string"}, "example": "<svg/>"}},
        },
        **problems({404: "No such report"}),
    },
)
async def read_chart(
    shared: InContext,
    caller: Caller,
    request: Request,
    name: ChartName,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    deadline: Annotated[
        str | None,
        Query(
            description="Strictly before it all is to be connected. Without an offset it is of `time_zone`. Default: "
            "the deadlines of the register's obligations as of the period's end, or of now in one that goes on."
        ),
    ] = None,
    target_ppm: Annotated[
        int | None,
        Query(
            ge=0,
            le=1_000_000,
            description="Availability demanded, in millionths. Default: the target in force at the beginning of the "
            "period; 990000 while none is set.",
        ),
    ] = None,
    camera: Annotated[UUID | None, Query(description="Only this camera; not of a frozen report.")] = None,
    report: Annotated[UUID | None, Query(description="A frozen report: period and filters are its own.")] = None,
    version: Version = None,
) -> Response:
    due = None if deadline is None else millis(parse_moment("deadline", deadline, asks.zone))
    if camera is not None and report is not None:
        raise invalid("camera", "is not asked for of a frozen report, which has the cameras that it was frozen with")
    if report is not None:
        demand_province(request, caller, "a frozen report is of the province as a whole")
        demand(request, caller, Right.READ_RESTRICTED, "a chart of a frozen report")
        async with shared.database.transaction() as session:
            shown = shown_of(await wanted(session, report, version))
    else:
        async with snapshot(shared.database) as session:
            await check_camera(session, filters.sight, "camera", camera)
            scope = (await filters.resolved(session, asks.last)).scope
            register_at = min(asks.period.end, asks.now) if name in _OF_REGISTER else None
            extent = Extent(asks, scope, ZoneInfo(asks.time_zone), camera, register_at=register_at)
            tables = await collect(session, extent)
            target = await targets.demanded_ppm(session, asks.period.start) if target_ppm is None else target_ppm
        shown = Shown(tables, ZoneInfo(asks.time_zone), due, target)
    picture = await asyncio.to_thread(chart, shown, name)
    return Response(
        picture,
        media_type=SVG_TYPE,
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )
