"""GET /v1/inspections-due (R24): when each active facility is to be inspected next."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from reporting.api.files import Chosen, file_answers
from reporting.api.mandate.instants import AsOf, shown_at, table_of
from reporting.api.mandate.schemas import FacilityAtResponse, facility_shape
from reporting.api.parameters import Filters, InContext
from reporting.domain.instants import moment
from reporting.reports.mandate.inspections import NOUNS, InspectionDue, inspections_due
from reporting.reports.mandate.situation import situation_of_record
from reporting.storage.snapshot import snapshot
from vonggac.auth import guarded_router
from vonggac.http.lists import Key, Listing, PageOf, PageQuery
from vonggac.http.lists.words import Words, matcher

router = guarded_router(prefix="/v1", tags=["inspections"])


class InspectionDueResponse(BaseModel):
    """Of one active facility."""

    facility: FacilityAtResponse
    last_inspected_on: date | None = Field(description="null: never; then it counts from its first active day.")
    open_findings: int = Field(description="Findings of the last inspection that are not mended.")
    every_days: int
    due_on: date = Field(description="The last day that is in time.")
    overdue_days: int = Field(description="On the day of the instant; 0 while it is in time.")


class InspectionsDue(PageOf[InspectionDueResponse]):
    """A page, and how many are overdue on all pages."""

    as_of: datetime
    overdue: int


KEYS: dict[str, Key[InspectionDue]] = {
    "due_on": Key(lambda row: row.due_on, date),
    "facility_code": Key(lambda row: row.facility.code),
    "facility_id": Key(lambda row: row.facility.id, UUID),
}
DUE = Listing(
    InspectionDueResponse, keys=KEYS, id_key="facility_id", default_sort="due_on,facility_code", envelope=InspectionsDue
)


@router.get(
    "/inspections-due",
    summary="When each active facility is to be inspected next",
    description="Every 15 days, or as the open obligations of the kind `inspection` say, the shortest of them.",
    response_model=None,
    responses=file_answers(DUE.responses[200]),
)
async def list_inspections_due(
    shared: InContext,
    asked: AsOf,
    filters: Annotated[Filters, Depends()],
    paging: Annotated[PageQuery[InspectionDue, InspectionDueResponse], Depends(DUE)],
    request: Request,
    chosen: Chosen,
    overdue: Annotated[bool | None, Query(description="Only those that are, or are not.")] = None,
    q: Words = None,
) -> Response:
    asked = asked.resumed(paging.as_of)
    if chosen.is_file:
        return await table_of(shared, "inspections_due", asked, chosen, filters, request, own=("overdue", "q"))
    async with snapshot(shared.database) as session:
        scope = (await filters.resolved(session, asked.at)).scope
        found = inspections_due(await situation_of_record(session, asked.at, asked.presumed_alive_ms, scope, NOUNS))
    matches = matcher(q)
    rows = [
        row
        for row in found
        if overdue in {None, row.overdue_days > 0} and matches(row.facility.code, row.facility.name)
    ]
    page = paging.cut(rows, as_of=moment(asked.at))
    count = sum(row.overdue_days > 0 for row in found)
    return paging.answer(page, [_shape(row) for row in page.rows], as_of=shown_at(asked.at), overdue=count)


def _shape(row: InspectionDue) -> InspectionDueResponse:
    return InspectionDueResponse(
        facility=facility_shape(row.facility),
        last_inspected_on=row.last_on,
        open_findings=row.open_findings,
        every_days=row.every_days,
        due_on=row.due_on,
        overdue_days=row.overdue_days,
    )
