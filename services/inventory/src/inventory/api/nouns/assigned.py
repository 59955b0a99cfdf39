"""Only the operator that is assigned for the province and the day agrees, surveys and connects (R02)."""

from collections.abc import AsyncIterator, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.days import day_of
from inventory.domain.people.operator_assignment import refuse_other_operator
from inventory.nouns.noun import Noun
from inventory.nouns.writer import Write
from inventory.storage.queries.plans import find_operator
from inventory.storage.tables import Agency, Camera, Team
from vonggac.auth import Role
from vonggac.events.inventory import AgencyRole
from vonggac.http import FieldError, ProblemError

_OPERATORS_OWN = frozenset(
    {"survey", "visit", "connection_plan", "installation_proposal", "camera", "recorder", "delivery"}
)
"""Nouns by which an operator agrees, surveys and connects."""


class _Named(NamedTuple):
    """An agency that a write has act on a day."""

    field: str
    agency_id: UUID
    day: date


async def check_assigned(writing: Write, noun: Noun, before: Any | None, after: Any) -> None:
    """Raise ProblemError 409 that names who is assigned, where the write has another operator act."""
    if noun.name not in _OPERATORS_OWN:
        return
    session, assigned = writing.transaction.session, dict[date, Agency | None]()
    async for named in _find_named(writing, noun, before, after):
        agency = await session.get(Agency, named.agency_id)
        if agency is None or agency.role is not AgencyRole.OPERATOR:
            continue
        if named.day not in assigned:
            assigned[named.day] = await find_operator(session, await _facility_of(session, after), named.day)
        holder = assigned[named.day]
        if holder is not None and holder.id != agency.id:
            raise _refuse(named, holder, agency)


async def _find_named(writing: Write, noun: Noun, before: Any | None, after: Any) -> AsyncIterator[_Named]:
    today = day_of(writing.transaction.now)
    caller = writing.caller
    if caller.agency is not None and Role.OPERATOR in caller.roles:
        yield _Named("agency_id", caller.agency, today)
    match noun.name:
        case "connection_plan":
            earlier = {(one.agency_id, one.given_on) for one in before.consents} if before is not None else set()
            for one in after.consents:
                if (one.agency_id, one.given_on) not in earlier:
                    yield _Named("agency_id", one.agency_id, one.given_on)
        case "survey":
            day = after.surveyed_on or after.scheduled_on or today
            if after.lead_agency_id is not None and _is_new(before, after, "lead_agency_id"):
                yield _Named("lead_agency_id", after.lead_agency_id, day)
            known = {(one.agency_id, one.present_on) for one in before.participants} if before is not None else set()
            for one in after.participants:
                if one.agency_id is not None and (one.agency_id, one.present_on) not in known:
                    yield _Named("participants", one.agency_id, one.present_on or day)
        case "visit" if _is_new(before, after, "team_id") or _is_new(before, after, "planned_from"):
            team = await writing.transaction.session.get_one(Team, after.team_id)
            yield _Named("team_id", team.agency_id, day_of(after.planned_from))


def _is_new(before: Any | None, after: Any, name: str) -> bool:
    return before is None or getattr(before, name) != getattr(after, name)


async def _facility_of(session: AsyncSession, thing: Any) -> UUID:
    if isinstance(facility_id := getattr(thing, "facility_id", None), UUID):
        return facility_id
    camera = await session.get_one(Camera, thing.camera_id)
    return camera.facility_id


def _refuse(named: _Named, holder: Agency, other: Agency) -> ProblemError:
    words: Mapping[str, str] = {each.code: f"{each.name} ({each.code})" for each in (holder, other)}
    detail, vietnamese = refuse_other_operator(words[holder.code], words[other.code], named.day)
    error = FieldError(field=named.field, message=detail, message_vi=vietnamese)
    return ProblemError(HTTPStatus.CONFLICT, "not_assigned", detail, [error], detail_vi=vietnamese)
