"""/v1/national: the list that the Ministry reads; /v1/metrics/compliance: the same for Prometheus."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from reporting.api.compliance_schemas import NamedResponse, PercentagesResponse
from reporting.api.parameters import Asks, Filters, InContext, resumed
from reporting.api.sending.addresses import Shown
from reporting.domain.evidence.lives import presumption
from reporting.domain.instants import Millis, moment
from reporting.domain.partition import LEDGER_NAMES, DeliveryDurations
from reporting.domain.percentages import percentages
from reporting.domain.scope import Delivery, Facility
from reporting.domain.segments import Period
from reporting.feeds.compliance_metrics import ComplianceMetrics
from reporting.feeds.national import Listed, listed
from reporting.reports.accounts import CameraAccount, Question, StateNow
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageOf, PageQuery

router = guarded_router(prefix="/v1", tags=["national"])

MINUTE: Millis = 60_000


class Milliseconds(BaseModel):
    """Where the period went; the five add up to it."""

    up: int
    down: int
    maintenance: int
    unknown: int
    out_of_scope: int


class AtDestination(BaseModel):
    """How a camera reaches one destination. The states are null when the period does not reach now."""

    destination_code: str | None
    role: str | None = Field(description="national or provincial.")
    enabled: bool
    required_proof: str
    state: str | None
    cause: str | None
    since: Shown | None
    connected: bool | None = Field(description="As the destination demands; null: unknown.")
    milliseconds: dict[str, int] = Field(
        description="connected, not_connected, maintenance, unknown and out_of_scope add up to the period.",
        examples=[{"connected": 86_400_000, "not_connected": 0, "maintenance": 0, "unknown": 0, "out_of_scope": 0}],
    )


class NationalCamera(BaseModel):
    """A camera. Its states are null when the period does not reach now."""

    id: UUID
    code: str
    name: str
    state: str | None
    cause: str | None
    since: Shown | None
    national: bool | None = Field(description="Whether every demanded delivery to the national centre is connected.")
    provincial: bool | None
    compliant: bool | None
    availability: PercentagesResponse
    compliance: PercentagesResponse
    milliseconds: Milliseconds
    destinations: list[AtDestination]


class NationalFacility(BaseModel):
    """A facility with its cameras; one without is listed too."""

    id: UUID
    code: str
    name: str
    type: str
    restricted: bool
    unit: NamedResponse
    agency: NamedResponse
    counted: bool = Field(description="At some moment of the period neither planned, suspended nor closed.")
    cameras: list[NationalCamera]


class NationalList(PageOf[NationalFacility]):
    """A page of the list."""

    start: Shown
    end: Shown
    current: bool = Field(description="Whether the period reaches now: only then it has states.")


KEYS: dict[str, Key[Facility]] = {
    "code": Key(lambda one: one.code),
    "id": Key(lambda one: one.id, UUID),
}
NATIONAL: Listing[Facility, NationalFacility] = Listing(
    NationalFacility,
    keys=KEYS,
    id_key="id",
    default_sort="code",
    default_limit=50,
    max_limit=200,
    envelope=NationalList,
)


@router.get(
    "/national",
    summary="The national list",
    description=(
        "Facilities and cameras with their codes, unit and agency, their state at both centres, and the availability "
        "of the period. Without `to` it ends at the last full minute, so that within a minute the answer and its ETag "
        "are the same (send If-None-Match). All pages are of one instant."
    ),
    response_model=None,
    responses=NATIONAL.responses,
)
async def list_national(
    shared: InContext,
    asks: Asks,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[Facility, NationalFacility], Depends(NATIONAL)],
    request: Request,
) -> Response:
    asks = resumed(asks, paging.as_of, request)
    if paging.as_of is None and "to" not in request.query_params:
        asks = to_the_minute(asks, begins_at_will="from" not in request.query_params)
    async with snapshot(shared.database) as session:
        places = await plan.places(session, (await filters.resolved(session, asks.last)).scope, asks.period)
        page = paging.cut(places.facilities, as_of=moment(asks.period.end))
        found = await listed(session, asks, places, page.rows)
    items = [_facility(one) for one in found]
    start, end = moment(asks.period.start), moment(asks.period.end)
    shown = NationalList(items=[], next=None, total=None, start=start, end=end, current=asks.current)
    return paging.answer(page, items, start=shown.start, end=shown.end, current=shown.current)


@router.get(
    "/metrics/compliance",
    summary="Compliance by destination, for Prometheus",
    description=(
        "How cameras stand now and where the last hour went, in Prometheus' text format; computed at most once in the "
        "seconds that the service is set to (30). Give Prometheus a token of the role service."
    ),
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def read_compliance_metrics(shared: InContext, request: Request) -> Response:
    metrics: ComplianceMetrics = request.app.state.compliance_metrics
    return Response(await metrics.page(shared.clock()), media_type=CONTENT_TYPE_LATEST)


def to_the_minute(asks: Question, *, begins_at_will: bool) -> Question:
    """End a period up to now at the last full minute, unless it is shorter; one `begins_at_will` keeps its length."""
    end = asks.period.end - asks.period.end % MINUTE
    if end <= asks.period.start:
        return asks
    start = asks.period.start - asks.period.end % MINUTE if begins_at_will else asks.period.start
    alive_ms = presumption(asks.presumed_alive_ms, end, asks.now)
    return replace(asks, period=Period(start, end), now=end, presumed_alive_ms=alive_ms)


def _facility(one: Listed) -> NationalFacility:
    place = one.facility
    return NationalFacility(
        id=place.id,
        code=place.code,
        name=place.name,
        type=place.type,
        restricted=place.restricted,
        unit=NamedResponse(**place.unit._asdict()),
        agency=NamedResponse(**place.agency._asdict()),
        counted=one.counted,
        cameras=[_camera(each) for each in one.cameras],
    )


def _camera(one: CameraAccount) -> NationalCamera:
    camera, now, lengths = one.camera, one.now, one.account.camera
    nothing = (None,) * len(camera.deliveries)
    return NationalCamera(
        id=UUID(camera.id),
        code=camera.code,
        name=camera.name,
        **_now(now.camera if now is not None else None),
        national=now.national if now is not None else None,
        provincial=now.provincial if now is not None else None,
        compliant=now.compliant if now is not None else None,
        availability=_availability(lengths.up, lengths.down, lengths.unknown),
        compliance=_availability(lengths.compliant, lengths.non_compliant, lengths.compliance_unknown),
        milliseconds=Milliseconds(
            up=lengths.up,
            down=lengths.down,
            maintenance=lengths.maintenance,
            unknown=lengths.unknown,
            out_of_scope=lengths.out_of_scope,
        ),
        destinations=[
            _destination(planned, state, connected, ledger)
            for planned, state, connected, ledger in zip(
                camera.deliveries,
                now.deliveries if now is not None else nothing,
                now.connected if now is not None else nothing,
                one.account.deliveries,
                strict=True,
            )
        ],
    )


def _destination(
    planned: Delivery, state: StateNow | None, connected: bool | None, ledger: DeliveryDurations
) -> AtDestination:
    return AtDestination(
        destination_code=planned.destination.code,
        role=planned.role,
        enabled=planned.enabled,
        required_proof=planned.required_proof,
        **_now(state),
        connected=connected,
        milliseconds={name: getattr(ledger, name) for name in LEDGER_NAMES},
    )


def _now(now: StateNow | None) -> dict[str, object]:
    if now is None:
        return {"state": None, "cause": None, "since": None}
    return {"state": now.state, "cause": now.cause, "since": None if now.since is None else moment(now.since)}


def _availability(good: Millis, bad: Millis, unknown: Millis) -> PercentagesResponse:
    return PercentagesResponse(**percentages(good, bad, unknown)._asdict())
