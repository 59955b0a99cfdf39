"""What a facility, or the agency that manages it, confirms with its own token: briefings and access (R16, R21)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime

from inventory.api.context import WriteContext
from inventory.api.mandate.action import Action, change_thing
from inventory.domain.fields import Fields, Name, Phone
from inventory.domain.mandate.own_word import Access, BriefingDocument
from inventory.nouns.mandate.surveys import SURVEY, SurveyShown
from inventory.nouns.mandate.visits import VISIT, VisitShown
from inventory.nouns.writer import Write
from vonggac.auth import Caller, guarded_router
from vonggac.http.conditional import IfMatch

router = guarded_router()


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
    response_model=VisitShown,
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
    response_model=VisitShown,
)
async def confirm_visit_access(
    thing_id: UUID, body: GivenAccess, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's; anybody else gives the document of their word.

    A visit that is planned for another time afterwards needs another confirmation.
    """
    return await change_thing(context, caller, VISIT, thing_id, if_match, _given(body))


@router.post(
    "/v1/surveys/{thing_id}/briefing",
    summary="Confirm the safety briefing of a survey",
    tags=["surveys"],
    response_model=SurveyShown,
)
async def confirm_survey_briefing(
    thing_id: UUID, body: GivenBriefing, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """By the facility's own token, or its managing agency's; anybody else gives the document of their word."""
    return await change_thing(context, caller, SURVEY, thing_id, if_match, _given(body))


def _given(body: Fields) -> Action:
    """An action that writes what was given; what was left out stays."""
    patch = {name: getattr(body, name) for name in body.model_fields_set}

    def write(_writing: Write, _thing: Any) -> Mapping[str, Any]:
        return patch

    return write
