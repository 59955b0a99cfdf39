"""GET /v1/progress (R12): the board; its facilities, one of them with its cameras, and what changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers
from reporting.api.mandate.instants import AsOf, Instant, Since, shown_at, table_of
from reporting.api.mandate.obligations import ObligationResponse, obligation_shape
from reporting.api.mandate.schemas import (
    FacilityAtResponse,
    ProgressFigures,
    ProgressLine,
    UnitLine,
    facility_shape,
    figures_of,
    named_shape,
)
from reporting.api.parameters import Context, Filters, InContext, invalid, not_found, seen_by
from reporting.domain.instants import VIETNAM, Millis, moment
from reporting.domain.mandate.progress import (
    CameraProgress,
    Change,
    FacilityProgress,
    GroupKey,
    changes,
    compared,
    grouped,
    total_of,
)
from reporting.domain.scope import Facility
from reporting.reports.mandate.progress import Board, board
from reporting.reports.mandate.situation import ended_on, successors
from reporting.reports.totals import TYPE_NAMES
from reporting.storage.mandate import codes
from reporting.storage.snapshot import snapshot
from vonggac.auth import Caller, guarded_router
from vonggac.events.inventory import FacilityStatus
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/progress", tags=["progress"])

SCHEMA_VERSION = "vonggac.progress/1"


class ProgressReport(BaseModel):
    """The board of an instant, by the facts that are known today of that instant."""

    schema_version: str
    generated_at: datetime
    as_of: datetime
    since: datetime | None
    totals: ProgressFigures
    by_unit: list[UnitLine]
    by_agency: list[ProgressLine]
    by_type: list[ProgressLine]
    totals_since: ProgressFigures | None = Field(description="The totals at `since`; null without it.")
    changes: int | None = Field(description="How many things changed since; GET /v1/progress/changes lists them.")


class CameraRow(BaseModel):
    """One camera at the instant."""

    id: UUID
    code: str
    name: str
    area: str | None = Field(description="The area that it watches (4403/CV-BCĐ).")
    in_scope: bool = Field(description="False while it is switched off or its facility is not counted.")
    state: str
    cause: str | None
    connected_national: bool | None = Field(description="Up, and there as the centre demands; null: unknown.")
    connected_provincial: bool | None
    connected_both: bool | None


class FacilityRow(BaseModel):
    """One facility at the instant: a row of the board. null is unknown."""

    facility: FacilityAtResponse
    status: FacilityStatus
    counted: bool = Field(description="Approved or active; others are in no number but planned, suspended, closed.")
    cameras: int
    surveyed: bool
    plan_agreed: bool
    plan_excepted: bool
    connected_national: bool | None
    connected_provincial: bool | None
    connected_both: bool | None
    sufficient: bool | None = Field(description="null: no area was found uncovered, and some are not assessed.")
    missing_areas: list[str] = Field(description="Required areas without a camera; unassessed ones too.")
    unassessed_areas: list[str] = Field(description="Of the missing areas those that nobody assessed.")
    cameras_needed: int = Field(description="For the areas that were found uncovered.")
    focal_point: bool
    blocked: list[str] = Field(description="Kinds of reasons on record.")
    overdue: list[str] = Field(description="Codes of the obligations that are overdue for it.")


class FacilityDetail(FacilityRow):
    """One facility with its cameras and obligations."""

    as_of: datetime
    camera_rows: list[CameraRow]
    obligations: list[ObligationResponse]


class ChangeRow(BaseModel):
    """One thing of one facility that differs; null where there was none."""

    facility: FacilityAtResponse
    field: str
    before: str | None
    after: str | None


class FacilityRows(PageOf[FacilityRow]):
    """A page of the board."""

    as_of: datetime


class ChangeRows(PageOf[ChangeRow]):
    """A page of changes."""

    as_of: datetime
    since: datetime


class Lack(StrEnum):
    """What a facility may lack."""

    CAMERAS = "cameras"
    SURVEYED = "surveyed"
    PLAN_AGREED = "plan_agreed"
    CONNECTED_NATIONAL = "connected_national"
    CONNECTED_PROVINCIAL = "connected_provincial"
    CONNECTED_BOTH = "connected_both"
    SUFFICIENT = "sufficient"
    FOCAL_POINT = "focal_point"

    def lacked_by(self, row: FacilityProgress) -> bool:
        """Whether a counted facility has it not, or not certainly."""
        has = bool(row.cameras) if self is Lack.CAMERAS else compared(row)[self.value] == "yes"
        return row.counted and not has


ROW_KEYS: dict[str, Key[FacilityProgress]] = {
    "code": Key(lambda row: row.facility.code),
    "name": Key(lambda row: row.facility.name),
    "unit_code": Key(lambda row: row.facility.unit.code),
    "agency_code": Key(lambda row: row.facility.agency.code),
    "type": Key(lambda row: row.facility.type),
    "cameras": Key(lambda row: len(row.cameras), int),
    "id": Key(lambda row: row.facility.id, UUID),
}
ROWS = Listing(FacilityRow, keys=ROW_KEYS, id_key="id", default_sort="unit_code,code", envelope=FacilityRows)
CHANGE_KEYS: dict[str, Key[Change]] = {
    "code": Key(lambda one: one.facility.code),
    "id": Key(lambda one: one.facility.id, UUID),
    "field": Key(lambda one: one.field),
}
CHANGES = Listing(ChangeRow, keys=CHANGE_KEYS, id_key="id,field", default_sort="code,field", envelope=ChangeRows)


@router.get(
    "",
    summary="How far the province is, in total and in groups",
    description="Facilities by unit, managing agency and type; the numbers of a group are the sums of its facilities. "
    "`format=csv`, `xlsx` or `parquet` gives the lines.",
    response_model=None,
    responses=file_answers({"model": ProgressReport}),
)
async def read_progress(
    shared: InContext,
    asked: AsOf,
    since: Since,
    filters: Annotated[Filters, Depends()],
    request: Request,
    chosen: Chosen,
) -> ProgressReport | Response:
    if chosen.is_file:
        return await table_of(shared, "progress", asked, chosen, filters, request, own=("since",))
    now = await _board(shared, asked, filters)
    before = None if since is None else await _board(shared, since, filters, named_at=asked.at)
    return ProgressReport(
        schema_version=SCHEMA_VERSION,
        generated_at=shared.clock().astimezone(VIETNAM),
        as_of=shown_at(asked.at),
        since=None if since is None else shown_at(since.at),
        totals=ProgressFigures(**figures_of(total_of(now.rows))),
        by_unit=_units(now),
        by_agency=_lines(now, lambda one: (one.agency.id, one.agency.code, one.agency.name)),
        by_type=_lines(now, lambda one: (None, one.type, TYPE_NAMES.get(one.type, one.type))),
        totals_since=None if before is None else ProgressFigures(**figures_of(total_of(before.rows))),
        changes=None if before is None else len(changes(before.rows, now.rows)),
    )


@router.get(
    "/facilities",
    summary="How far each facility is",
    description="A row per facility that existed at the instant, also those that are not counted.",
    response_model=None,
    responses=file_answers(ROWS.responses[200]),
)
async def list_facilities(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[FacilityProgress, FacilityRow], Depends(ROWS)],
    request: Request,
    chosen: Chosen,
    lacking: Annotated[Lack | None, Query(description="Only counted facilities without it, or not certainly.")] = None,
    overdue: Annotated[bool | None, Query(description="With, or without, an overdue obligation.")] = None,
    blocked: Annotated[bool | None, Query(description="With, or without, a reason on record.")] = None,
    q: Words = None,
) -> Response:
    asked = asked.resumed(paging.as_of)
    if chosen.is_file:
        own = ("lacking", "overdue", "blocked", "q")
        return await table_of(shared, "progress_facilities", asked, chosen, filters, request, own=own)
    matches = matcher(q)
    rows = [
        row
        for row in (await _board(shared, asked, filters)).rows
        if (lacking is None or lacking.lacked_by(row))
        and overdue in {None, bool(row.overdue)}
        and blocked in {None, bool(row.blocked)}
        and matches(row.facility.code, row.facility.name)
    ]
    page = paging.cut(rows, as_of=moment(asked.at))
    return paging.answer(page, [FacilityRow(**_row(row)) for row in page.rows], as_of=shown_at(asked.at))


@router.get(
    "/facilities/{facility}",
    summary="How far one facility is, camera by camera",
    description="Its row of the board, its cameras with the accounts' word, and what it owes with the evidence.",
    responses=problems({404: "No such facility existed at the instant"}),
)
async def read_facility(
    facility: Annotated[str, Path(max_length=64, description="Code or id of the facility.")],
    shared: InContext,
    asked: AsOf,
    caller: Caller,
) -> FacilityDetail:
    async with snapshot(shared.database) as session:
        found = await codes.find(session, "facility", facility, asked.at)
        if found is None:
            raise not_found("facility", facility)
        scope = replace(await seen_by(session, caller.sight), facility_id=found)
        if scope.visible is not None and found not in scope.visible:
            raise not_found("facility", facility)
        made = await board(session, asked.at, asked.presumed_alive_ms, scope)
    if not made.rows:
        raise not_found("facility", f"{facility} of {shown_at(asked.at).isoformat()}")
    (row,) = made.rows
    return FacilityDetail(
        **_row(row),
        as_of=shown_at(asked.at),
        camera_rows=[_camera(one) for one in row.cameras],
        obligations=[obligation_shape(one, asked) for one in made.duties.items],
    )


@router.get(
    "/changes",
    summary="What changed between two instants",
    description="A row per thing of a facility that differs between `since`, which is needed, and `as_of`. "
    "`format=csv`, `xlsx` or `parquet` gives them all.",
    response_model=None,
    responses=file_answers(CHANGES.responses[200]),
)
async def list_changes(
    shared: InContext,
    asked: AsOf,
    since: Since,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[Change, ChangeRow], Depends(CHANGES)],
    request: Request,
    chosen: Chosen,
) -> Response:
    if since is None:
        raise invalid("since", "is missing: give the earlier instant, such as 2026-11-24T07:00:00+07:00")
    if chosen.is_file:
        return await table_of(shared, "progress_changes", asked, chosen, filters, request, since=since)
    asked = asked.resumed(paging.as_of)
    before = await _board(shared, since, filters, named_at=asked.at)
    now = await _board(shared, asked, filters)
    page = paging.cut(changes(before.rows, now.rows), as_of=moment(asked.at))
    items = [
        ChangeRow(facility=facility_shape(one.facility), field=one.field, before=one.before, after=one.after)
        for one in page.rows
    ]
    return paging.answer(page, items, as_of=shown_at(asked.at), since=shown_at(since.at))


async def _board(shared: Context, asked: Instant, filters: Filters, *, named_at: Millis | None = None) -> Board:
    """`named_at`: when what the filters name had its code, if not at the instant."""
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at if named_at is None else named_at)).scope
        return await board(session, asked.at, asked.presumed_alive_ms, scope)


def _lines(made: Board, key: Callable[[Facility], GroupKey]) -> list[ProgressLine]:
    return [
        ProgressLine(id=line.id, code=line.code, name=line.name, **figures_of(line.counts))
        for line in grouped(made.rows, key)
    ]


def _units(made: Board) -> list[UnitLine]:
    after = successors(made.situation)
    return [
        UnitLine(
            **line.model_dump(),
            ended_on=None if line.id is None else ended_on(made.situation, line.id),
            succeeded_by=[] if line.id is None else [named_shape(one) for one in after.get(line.id, ())],
        )
        for line in _lines(made, lambda one: (one.unit.id, one.unit.code, one.unit.name))
    ]


def _row(row: FacilityProgress) -> dict[str, Any]:
    """Build the fields of FacilityRow."""
    connection = row.connection
    return {
        "facility": facility_shape(row.facility),
        "status": FacilityStatus(row.status),
        "counted": row.counted,
        "cameras": len(row.cameras),
        "surveyed": row.surveyed,
        "plan_agreed": row.plan_agreed,
        "plan_excepted": row.plan_excepted,
        "connected_national": connection.national,
        "connected_provincial": connection.provincial,
        "connected_both": connection.both,
        "sufficient": row.sufficiency.sufficient,
        "missing_areas": list(row.sufficiency.missing),
        "unassessed_areas": list(row.sufficiency.unassessed),
        "cameras_needed": row.sufficiency.cameras_needed,
        "focal_point": row.focal_point,
        "blocked": list(row.blocked),
        "overdue": list(row.overdue),
    }


def _camera(one: CameraProgress) -> CameraRow:
    return CameraRow(
        id=UUID(one.id),
        code=one.code,
        name=one.name,
        area=one.area,
        in_scope=one.in_scope,
        state=one.state,
        cause=one.cause,
        connected_national=one.connection.national,
        connected_provincial=one.connection.provincial,
        connected_both=one.connection.both,
    )
