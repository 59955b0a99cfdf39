"""/v1/facilities/{id}/connections: what each delivery of a facility runs under (R04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import Row, answer_derived, read_item
from inventory.domain.mandate.planning.basis import FacilityPlan
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.plans import facility_plans
from inventory.storage.tables import Camera, Delivery, Destination, Facility
from vonggac.auth import guarded_router
from vonggac.events.inventory import OUT_OF_SERVICE, PlanBasis
from vonggac.http.lists import Key, Listing, PageQuery

router = guarded_router(prefix="/v1/facilities", tags=["connection plans"])


class ConnectionResponse(BaseModel):
    """One camera to one destination, and what it runs under."""

    camera_id: UUID
    camera_code: str
    destination_id: UUID
    destination_code: str
    delivery_id: UUID
    enabled: bool
    plan: PlanBasis
    plan_exception: str | None = Field(description="Why it runs without an agreed plan.")
    forwarded: bool = Field(description="Enabled, of a camera in service, and planned or excepted.")


CONNECTIONS = Listing[ConnectionResponse, ConnectionResponse](
    ConnectionResponse,
    keys={
        "camera_code": Key(lambda one: one.camera_code),
        "destination_code": Key(lambda one: one.destination_code),
        "delivery_id": Key(lambda one: one.delivery_id, UUID),
    },
    id_key="delivery_id",
    default_sort="camera_code,destination_code",
)


@dataclass(frozen=True, slots=True)
class ConnectionFilters:
    """Which connections are shown; all that are given must match."""

    camera_id: UUID | None = None
    destination_id: UUID | None = None
    plan: Annotated[PlanBasis | None, Query(description="What they run under.")] = None
    forwarded: bool | None = None

    def fit(self, one: ConnectionResponse) -> bool:
        """Whether a connection is shown."""
        return (
            self.camera_id in {None, one.camera_id}
            and self.destination_id in {None, one.destination_id}
            and self.plan in {None, one.plan}
            and self.forwarded in {None, one.forwarded}
        )


@router.get(
    "/{thing_id}/connections",
    summary="What a facility's deliveries run under",
    responses=CONNECTIONS.responses,
    response_model=None,
)
async def list_facility_connections(
    thing_id: UUID,
    context: Context,
    page: Annotated[PageQuery[ConnectionResponse, ConnectionResponse], Depends(CONNECTIONS)],
    filters: Annotated[ConnectionFilters, Depends()],
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> Response:
    """Each camera to each destination: under the agreed plan, under an exception, or not forwarded."""

    async def read(session: AsyncSession, recorded: Recorded) -> Sequence[ConnectionResponse]:
        facility = await read_item(session, Facility, recorded, thing_id)
        under = (await facility_plans(session, {thing_id}, recorded.in_force))[thing_id]
        every = (_to_response(row, facility, under) for row in await _deliveries(session, recorded, thing_id))
        return [one for one in every if filters.fit(one)]

    return await answer_derived(context, page, (as_of, valid_on), read, shown=lambda one: one)


async def _deliveries(session: AsyncSession, recorded: Recorded, facility_id: UUID) -> Sequence[Any]:
    deliveries, cameras, destinations = map(recorded.in_force, (Delivery, Camera, Destination))
    query = (
        select(
            deliveries.c.id.label("delivery_id"),
            cameras.c.id.label("camera_id"),
            cameras.c.code.label("camera_code"),
            cameras.c.enabled.label("camera_enabled"),
            destinations.c.id.label("destination_id"),
            destinations.c.code.label("destination_code"),
            (deliveries.c.enabled & destinations.c.enabled).label("enabled"),
        )
        .join(cameras, cameras.c.id == deliveries.c.camera_id)
        .join(destinations, destinations.c.id == deliveries.c.destination_id)
        .where(cameras.c.facility_id == facility_id)
    )
    return (await session.execute(query)).all()


def _to_response(row: Any, facility: Row, under: FacilityPlan) -> ConnectionResponse:
    basis = under.basis(row.camera_code, row.destination_code)
    runs = row.enabled and row.camera_enabled and facility["status"] not in OUT_OF_SERVICE
    return ConnectionResponse(
        **{name: row._mapping[name] for name in _STATED},
        plan=basis,
        plan_exception=under.exception if basis is PlanBasis.EXCEPTED else None,
        forwarded=runs and basis is not PlanBasis.NONE,
    )


_STATED = ("camera_id", "camera_code", "destination_id", "destination_code", "delivery_id", "enabled")
