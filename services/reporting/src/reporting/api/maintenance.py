"""POST, GET, DELETE /v1/maintenance: time agreed beforehand."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reporting.api.parameters import InContext, invalid, not_found
from reporting.domain.instants import VIETNAM, millis, moment
from reporting.domain.maintenance import Window, refusal
from reporting.storage import maintenance
from vonggac.auth import Principal, Right, require
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = APIRouter(prefix="/v1/maintenance", tags=["maintenance"])

LISTED_BACK = timedelta(days=31)
LISTED_AHEAD = timedelta(days=366)


class NewWindow(BaseModel):
    """One camera or one facility, [from, to), and why."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "facility_id": "3f2b1c7e-5a0d-4c8e-9b1a-2d6f0e4a7c31",
                    "from": "2026-12-01T22:00:00+07:00",
                    "to": "2026-12-02T02:00:00+07:00",
                    "reason": "The operator replaces the switch.",
                }
            ]
        },
    )

    camera_id: UUID | None = None
    facility_id: UUID | None = None
    start: AwareDatetime = Field(alias="from", description="Start, included; in the future.")
    end: AwareDatetime = Field(alias="to", description="End, excluded.")
    reason: str = Field(min_length=1, max_length=500)


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


KEYS: dict[str, Key[Any]] = {
    "from": Key(lambda row: row.starts_at, datetime),
    "to": Key(lambda row: row.ends_at, datetime),
    "created_at": Key(lambda row: row.created_at, datetime),
    "id": Key(lambda row: row.id, UUID),
}
WINDOWS = Listing(WindowShape, keys=KEYS, id_key="id", default_sort="from")


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    summary="Agree on maintenance",
    description=(
        "Only a window entered before it begins counts as maintenance; one that has begun is refused, for it would "
        "excuse an outage afterwards. Give `camera_id` or `facility_id`, not both."
    ),
)
async def add_window(
    given: NewWindow, shared: InContext, caller: Annotated[Principal, Depends(require(Right.ADD))]
) -> WindowShape:
    now = shared.clock()
    if (given.camera_id is None) == (given.facility_id is None):
        raise invalid("camera_id", "or facility_id must be given, and not both")
    refused = refusal(Window(millis(given.start), millis(given.end), millis(now)))
    if refused is not None:
        raise invalid(*refused)
    async with shared.database.transaction() as session:
        subject = {"camera_id": given.camera_id, "facility_id": given.facility_id}
        if not await maintenance.subject_known(session, **subject):
            field, value = next((name, value) for name, value in subject.items() if value is not None)
            raise invalid(field, f"names no {field.removesuffix('_id')} that is known here: {value}")
        values = {
            **subject,
            "id": uuid4(),
            "starts_at": moment(millis(given.start)),
            "ends_at": moment(millis(given.end)),
            "reason": given.reason,
            "approved_by": caller.subject,
            "created_at": moment(millis(now)),
        }
        return _shape(await maintenance.add(session, values))


@router.get(
    "",
    summary="Maintenance agreed",
    description="By start. A camera's list holds its facility's windows too.",
    response_model=None,
    responses=WINDOWS.responses,
)
async def list_windows(
    shared: InContext,
    paging: Annotated[PageQuery[Any, WindowShape], Depends(WINDOWS)],
    _caller: Annotated[Principal, Depends(require(Right.READ))],
    start: Annotated[AwareDatetime | None, Query(alias="from", description="Default: 31 days ago.")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to", description="Default: in a year.")] = None,
    camera_id: UUID | None = None,
    facility_id: UUID | None = None,
) -> Response:
    now = paging.as_of or shared.clock()
    wanted = maintenance.listed(
        since=start or now - LISTED_BACK,
        until=end or now + LISTED_AHEAD,
        camera_id=camera_id,
        facility_id=facility_id,
    )
    async with shared.database.transaction() as session:
        rows, total = await maintenance.page(
            session, wanted, paging.orderings, paging.last, paging.limit, count=paging.wants_total
        )
    page = paging.page(rows, total=total, as_of=now)
    return paging.answer(page, [_shape(row) for row in page.rows])


@router.delete(
    "/{window_id}",
    summary="Cancel maintenance",
    description="One that has not begun never counts; a running one ends now. What is over stays as it was: 409.",
    responses=problems({404: "There is no such window", 409: "It is over or cancelled"}),
)
async def cancel_window(
    window_id: UUID, shared: InContext, caller: Annotated[Principal, Depends(require(Right.REMOVE))]
) -> WindowShape:
    now = moment(millis(shared.clock()))
    async with shared.database.transaction() as session:
        row = await maintenance.cancel(session, window_id, now=now, by=caller.subject)
        if row is None:
            if not await maintenance.exists(session, window_id):
                raise not_found("maintenance window", window_id)
            detail = "this maintenance is over or already cancelled; what has been cannot be changed"
            raise ProblemError(HTTPStatus.CONFLICT, "maintenance_over", detail)
        return _shape(row)


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
