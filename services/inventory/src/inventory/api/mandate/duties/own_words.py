"""What a facility, or the agency that manages it, confirms with its own token: briefings and access (R16, R21)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import WriteContext
from inventory.api.mandate.action import Action, change_thing
from inventory.api.nouns.models import models_of
from inventory.api.nouns.rules import patch_thing
from inventory.api.nouns.writes import answer_with
from inventory.domain.fields import Fields, Name, Phone
from inventory.domain.mandate.surveying.form import SurveyForm
from inventory.domain.mandate.surveying.survey import BEFORE_THE_FIELD
from inventory.domain.people.own_word import DECLARATION, Access, BriefingDocument
from inventory.nouns.mandate.closable import closed
from inventory.nouns.mandate.surveys import SURVEY, SurveyResponse
from inventory.nouns.mandate.visits import VISIT, VisitResponse
from inventory.nouns.parties import find_recorder
from inventory.nouns.writer import Write
from inventory.storage.tables import Survey, Thing
from vonggac.auth import Caller, guarded_router
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

router = guarded_router()


class Declaration(Fields):
    """What the facility itself says of its site and cameras, in the form of the survey."""

    form: SurveyForm


class GivenBriefing(BriefingDocument):
    """Who of the facility briefed the team, and when."""

    briefed_by: Name
    briefed_at: AwareDatetime


class GivenAccess(Access):
    """When the team may come in, who lets it in and who goes with it."""

    access_given_by: Name
    access_from: AwareDatetime
    access_to: AwareDatetime
    gate_contact: Name | None = None
    gate_phone: Phone | None = None
    escort: Name | None = None


@router.post(
    "/v1/visits/{thing_id}/briefing",
    summary="Confirm the safety briefing of a visit",
    tags=["visits"],
    response_model=VisitResponse,
)
async def confirm_visit_briefing(
    thing_id: UUID, body: GivenBriefing, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's; anybody else gives the document of their word."""
    return await change_thing(context, caller, VISIT, thing_id, if_match, _given(body))


@router.post(
    "/v1/visits/{thing_id}/access",
    summary="Confirm that a team may come in",
    tags=["visits"],
    response_model=VisitResponse,
)
async def confirm_visit_access(
    thing_id: UUID, body: GivenAccess, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's; anybody else gives the document of their word.

    A visit that is planned for another time afterwards is confirmed again.
    """
    return await change_thing(context, caller, VISIT, thing_id, if_match, _given(body))


@router.post(
    "/v1/surveys/{thing_id}/briefing",
    summary="Confirm the safety briefing of a survey",
    tags=["surveys"],
    response_model=SurveyResponse,
)
async def confirm_survey_briefing(
    thing_id: UUID, body: GivenBriefing, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's; anybody else gives the document of their word."""
    return await change_thing(context, caller, SURVEY, thing_id, if_match, _given(body))


@router.post(
    "/v1/surveys/{thing_id}/declaration",
    summary="Declare the site in the form of a survey",
    tags=["surveys"],
    response_model=SurveyResponse,
)
async def declare_site(
    thing_id: UUID, body: Declaration, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's, until the team goes in; it then notes what it finds.

    409 when the survey has begun.
    """

    async def work(writing: Write) -> Thing:
        survey = await writing.transaction.get_thing(Survey, thing_id)
        if_match.check(survey.revision)
        await find_recorder(writing, survey.facility_id, DECLARATION, is_documented=False)
        if survey.status not in BEFORE_THE_FIELD:
            msg = f"the survey is {survey.status}: the facility declares its site before the team goes in"
            raise closed(msg)
        return await patch_thing(writing, SURVEY, survey, {"form": body.form})

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, SURVEY, models_of(SURVEY), thing.id)

    return await context.write(caller, work, answer)


def _given(body: Fields) -> Action:
    """Build an action that writes what was given; what was left out stays."""
    patch = {name: getattr(body, name) for name in body.model_fields_set}

    def write(_writing: Write, _thing: Any) -> Mapping[str, Any]:
        return patch

    return write
