"""The minutes of a survey as a document to print and sign (R19)."""

import asyncio
from collections.abc import Iterable
from datetime import date
from http import HTTPStatus
from uuid import UUID

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.domain.days import day_of
from inventory.domain.mandate.surveying.survey import SurveyFields
from inventory.domain.places.unit import latest
from inventory.minutes.survey_minutes import MinutesOf, survey_minutes
from inventory.nouns.writer import merge
from inventory.storage.queries.sight import HIDDEN, read_thing, sight_of
from inventory.storage.tables import Agency, Facility, Survey
from vonggac.auth import guarded_router
from vonggac.events.inventory import AgencyRole
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

router = guarded_router(prefix="/v1/surveys", tags=["surveys"])


@router.get(
    "/{thing_id}/minutes.docx",
    summary="The minutes of a survey, to print and sign",
    response_class=Response,
    responses={
        200: {"content": {DOCX: {"schema": {"type": "string", "format": "binary"}}}},
        **problems({409: "No agency leads the survey"}),
    },
)
async def get_survey_minutes(thing_id: UUID, context: Context) -> Response:
    """In the form of Decree 30/2020/NĐ-CP, Annex I; number and signatures are left blank."""
    async with context.read_transaction() as session:
        survey = await read_thing(session, Survey, thing_id)
        day = survey.surveyed_on or survey.scheduled_on or day_of(context.services.store.now())
        of = await _minutes_of(session, survey, day)
        code = of.survey.code
    content = await asyncio.to_thread(survey_minutes, of)
    disposition = {"Content-Disposition": f'attachment; filename="{code}.docx"'}
    return Response(content, media_type=DOCX, headers=disposition)


async def _minutes_of(session: AsyncSession, survey: Survey, day: date) -> MinutesOf:
    """Agencies as they stood on the day of the survey: minutes of 2021 are those of the department of then."""
    facility = await session.get_one(Facility, survey.facility_id)
    agencies = {one.id: one for one in await session.scalars(select(Agency).order_by(Agency.code))}
    named = agencies.get(survey.lead_agency_id) if survey.lead_agency_id is not None else None
    issuer = named or find_of_role(agencies.values(), AgencyRole.LEAD, day)
    if issuer is None:
        raise no_lead()
    above = agencies.get(issuer.parent_id) if issuer.parent_id is not None else None
    parent = above or find_of_role(agencies.values(), AgencyRole.PEOPLES_COMMITTEE, day)
    return MinutesOf(
        survey=hide_phone(session, survey),
        facility_name=facility.name,
        facility_address=facility.address,
        issuer=issuer.name,
        issuer_code=issuer.code,
        issuer_parent=parent.name if parent is not None else None,
        agencies={one.id: one.name for one in agencies.values()},
    )


def find_of_role(agencies: Iterable[Agency], role: AgencyRole, day: date) -> Agency | None:
    """Find the first that stood on a day; where none did, the one that stood nearest to it."""
    return latest((one for one in agencies if one.role is role), day)


def hide_phone(session: AsyncSession, survey: Survey) -> SurveyFields:
    """Return a survey as it is printed: without a phone for who may not see one."""
    fields = merge(SurveyFields, survey, {})
    if fields.lead_phone is None or sight_of(session).people:
        return fields
    return fields.model_copy(update={"lead_phone": HIDDEN})


def no_lead() -> ProblemError:
    """Build the 409 of a paper that nobody issues."""
    msg = "no agency leads the survey: give its lead_agency_id"
    return ProblemError(HTTPStatus.CONFLICT, "no_lead", msg)
