"""/v1/reports/{report_id}/contacts: whom to call about each facility of a frozen report, for who may see people."""

import asyncio
from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, Field

from reporting.api.parameters import Context, InContext
from reporting.api.people import load_people
from reporting.api.reports.freezing import Version, wanted
from reporting.documents.office.contacts import WITHOUT_PEOPLE, Line, contact_list, lines_of
from reporting.domain.instants import VIETNAM
from reporting.reports.snapshot.report import Report
from vonggac.auth import Caller, Principal, guarded_router
from vonggac.decree.dates import short_day
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/reports", tags=["reports"])

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENGLISH_WITHOUT_PEOPLE = "Without the right `read_people` there are agencies alone, and no names, posts and phones."


class ContactResponse(BaseModel):
    """Who is in office."""

    full_name: str
    position: str
    phone: str


class ContactLine(BaseModel):
    """One facility of the report."""

    place: int | None = Field(description="Its number in appendix I; null for one outside the scope all the time.")
    facility_id: UUID
    facility_code: str
    facility_name: str
    agency_name: str = Field(description="The agency that manages it, by the name of the cut-off.")
    overdue: list[str] = Field(description="Overdue obligations, each with the agency that is responsible.")
    contacts: list[ContactResponse] | None = Field(description="Empty: nobody is in office. null: not to be seen.")


class Contacts(BaseModel):
    """The list, as of the moment it was asked for. Nothing of it is frozen."""

    report_id: UUID
    version: int
    at: datetime
    note: str | None = Field(description="Why there are no people; null where there are.")
    note_vi: str | None
    items: list[ContactLine]


@router.get(
    "/{report_id}/contacts",
    summary="Whom to call about each facility of a report",
    description=(
        "Managing agency, overdue obligations with who is responsible, and the focal points in office now: name, post "
        "and phone, read from the register at this moment and kept nowhere. Without the right `read_people` agencies "
        "alone."
    ),
    responses=problems({404: "No such report", 503: "NATS does not answer"}),
)
async def list_contacts(shared: InContext, report_id: UUID, caller: Caller, version: Version = None) -> Contacts:
    report, lines, now = await _read(shared, report_id, version, caller)
    seen = caller.sight.people
    return Contacts(
        report_id=report.id,
        version=report.header.version,
        at=now.astimezone(VIETNAM),
        note=None if seen else ENGLISH_WITHOUT_PEOPLE,
        note_vi=None if seen else WITHOUT_PEOPLE,
        items=[_to_response(one) for one in lines],
    )


@router.get(
    "/{report_id}/contacts.docx",
    summary="The same list as a document",
    description="To go with a printed report; another day it names who is in office then.",
    response_class=Response,
    responses={
        200: {"content": {DOCX: {"schema": {"type": "string", "format": "binary"}, "example": ""}}},
        **problems({404: "No such report", 503: "NATS does not answer"}),
    },
)
async def download_contacts(shared: InContext, report_id: UUID, caller: Caller, version: Version = None) -> Response:
    report, lines, now = await _read(shared, report_id, version, caller)
    local = now.astimezone(VIETNAM)
    content = await asyncio.to_thread(contact_list, report, lines, f"{local:%H:%M} ngày {short_day(local)}")
    name = {"Content-Disposition": f'attachment; filename="dau-moi-{report.name}.docx"', "Cache-Control": "no-store"}
    return Response(content, media_type=DOCX, headers=name)


async def _read(
    shared: Context, report_id: UUID, version: int | None, caller: Principal
) -> tuple[Report, list[Line], datetime]:
    people = await load_people(shared, caller)
    async with shared.database.transaction() as session:
        report = await wanted(session, report_id, version)
    return report, lines_of(report, people), shared.clock()


def _to_response(one: Line) -> ContactLine:
    people = one.contacts
    return ContactLine(
        place=one.place,
        facility_id=UUID(one.facility_id),
        facility_code=one.facility_code,
        facility_name=one.facility_name,
        agency_name=one.agency_name,
        overdue=list(one.overdue),
        contacts=None
        if people is None
        else [ContactResponse(full_name=each.full_name, position=each.position, phone=each.phone) for each in people],
    )
