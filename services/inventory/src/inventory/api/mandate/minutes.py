"""The minutes of a survey as a document to print and sign (R19)."""

import asyncio
from http import HTTPStatus
from uuid import UUID

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context
from inventory.domain.mandate.surveying.survey import SurveyFields
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
        of = await _minutes_of(session, await read_thing(session, Survey, thing_id))
        code = of.survey.code
    content = await asyncio.to_thread(survey_minutes, of)
    disposition = {"Content-Disposition": f'attachment; filename="{code}.docx"'}
    return Response(content, media_type=DOCX, headers=disposition)


async def _minutes_of(session: AsyncSession, survey: Survey) -> MinutesOf:
    facility = await session.get_one(Facility, survey.facility_id)
    agencies = {one.id: one for one in await session.scalars(select(Agency).order_by(Agency.code))}
    by_role = {role: [one for one in agencies.values() if one.role is role] for role in AgencyRole}
    if survey.lead_agency_id is None and not by_role[AgencyRole.LEAD]:
        msg = "no agency leads the survey: give its lead_agency_id"
        raise ProblemError(HTTPStatus.CONFLICT, "no_lead", msg)
    issuer = agencies[survey.lead_agency_id] if survey.lead_agency_id is not None else by_role[AgencyRole.LEAD][0]
    parents = by_role[AgencyRole.PEOPLES_COMMITTEE]
    return MinutesOf(
        survey=_shown(session, survey),
        facility_name=facility.name,
        facility_address=facility.address,
        issuer=issuer.name,
        issuer_code=issuer.code,
        issuer_parent=parents[0].name if parents else None,
        agencies={one.id: one.name for one in agencies.values()},
    )


def _shown(session: AsyncSession, survey: Survey) -> SurveyFields:
    fields = merge(SurveyFields, survey, {})
    if fields.lead_phone is None or sight_of(session).people:
        return fields
    return fields.model_copy(update={"lead_phone": HIDDEN})
