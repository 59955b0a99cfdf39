"""GET /v1/maintenance: time agreed beforehand, as the register has it."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reporting.api.parameters import InContext
from reporting.domain.instants import VIETNAM
from reporting.storage import maintenance
from vonggac.auth import Principal, Right, require
from vonggac.http import ProblemError

router = APIRouter(prefix="/v1/maintenance", tags=["maintenance"])

LISTED_BACK = timedelta(days=31)
LISTED_AHEAD = timedelta(days=366)


class WindowShape(BaseModel):
    """A window as entered. A cancelled one keeps its line; `to` says where it was cut."""

    model_config = ConfigDict(populate_by_name=True)

    id: UUID
    camera_id: UUID | None
    facility_id: UUID | None
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    reason: str
    approved_by: str = Field(description="Subject of the token that entered it.")
    created_at: datetime
    cancelled_at: datetime | None
    cancelled_by: str | None


class Windows(BaseModel):
    items: list[WindowShape]


@router.get("", summary="Maintenance agreed", description="By start. A camera's list holds its facility's windows too.")
async def read_windows(
    shared: InContext,
    _caller: Annotated[Principal, Depends(require(Right.READ))],
    start: Annotated[AwareDatetime | None, Query(alias="from", description="Default: 31 days ago.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="Default: in a year.")] = None,
    camera_id: UUID | None = None,
    facility_id: UUID | None = None,
) -> Windows:
    now = shared.clock()
    async with shared.database.transaction() as session:
        rows = await maintenance.listed(
            session,
            since=start or now - LISTED_BACK,
            until=end or now + LISTED_AHEAD,
            camera_id=camera_id,
            facility_id=facility_id,
        )
    return Windows(items=[_shape(row) for row in rows])


@router.post(
    "",
    deprecated=True,
    status_code=HTTPStatus.GONE,
    response_class=Response,
    summary="Maintenance is agreed in inventory",
    operation_id="agree_maintenance",
)
@router.delete(
    "/{window_id}",
    deprecated=True,
    status_code=HTTPStatus.GONE,
    response_class=Response,
    summary="Maintenance is cancelled in inventory",
    operation_id="cancel_maintenance",
)
async def point_to_inventory(_caller: Annotated[Principal, Depends(require(Right.READ))]) -> None:
    """410: the windows are in the register, and come here by event."""
    detail = (
        "maintenance is agreed and cancelled in inventory: POST /v1/maintenance-windows, and "
        "POST /v1/maintenance-windows/{id}/cancel there; it arrives here within seconds"
    )
    raise ProblemError(HTTPStatus.GONE, "in_inventory", detail)


def _shape(row: Any) -> WindowShape:
    return WindowShape(
        id=row.id,
        camera_id=row.camera_id,
        facility_id=row.facility_id,
        start=row.starts_at.astimezone(VIETNAM),
        end=row.ends_at.astimezone(VIETNAM),
        reason=row.reason,
        approved_by=row.approved_by,
        created_at=row.created_at.astimezone(VIETNAM),
        cancelled_at=None if row.cancelled_at is None else row.cancelled_at.astimezone(VIETNAM),
        cancelled_by=row.cancelled_by,
    )
