"""What is done with connection plans: versions, consents, differences."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.context import Context, WriteContext
from inventory.api.nouns.clocks import AsOf, ValidOn
from inventory.api.nouns.derived import read_item
from inventory.api.nouns.models import models_of
from inventory.api.nouns.rules import make_thing, patch_thing
from inventory.api.nouns.writes import answer_with
from inventory.domain.mandate.planning.difference import difference
from inventory.domain.mandate.planning.plan import Consent, ConsentKind, GivenConsent, PlanFields
from inventory.nouns.mandate.closable import closed
from inventory.nouns.mandate.plans import PLAN, PlanResponse
from inventory.nouns.writer import Write, merge
from inventory.storage.conflicts import invalid, unknown_reference
from inventory.storage.queries.clocks import read_one_instant
from inventory.storage.tables import Agency, ConnectionPlan, Thing
from vonggac.auth import Caller, Principal, Role, guarded_router
from vonggac.auth.rights import NEED_SCOPE
from vonggac.auth.tokens import AGENCY_CLAIM
from vonggac.events.inventory import AgencyRole, PlanStatus
from vonggac.http import ProblemError
from vonggac.http.conditional import IfMatch
from vonggac.http.idempotency import KeptAnswer

router = guarded_router(tags=["connection plans"])


class ChangedField(BaseModel):
    """One field that differs."""

    model_config = ConfigDict(from_attributes=True)

    camera_code: str | None = Field(description="None: a field of the plan itself.")
    field: str
    before: Any
    after: Any


class DifferenceResponse(BaseModel):
    """What the second version has otherwise than the first."""

    model_config = ConfigDict(from_attributes=True)

    added: tuple[str, ...] = Field(description="Codes of cameras that only the second version has.")
    removed: tuple[str, ...]
    changed: tuple[ChangedField, ...]


@router.post(
    "/v1/connection-plans/{thing_id}/versions",
    status_code=HTTPStatus.CREATED,
    summary="Make a new version of a plan",
    response_model=PlanResponse,
)
async def add_connection_plan_version(thing_id: UUID, context: WriteContext, caller: Caller) -> Response:
    """Add a draft with the same content: what is agreed stays in force until the new version is agreed."""

    async def work(writing: Write) -> Thing:
        plan = await writing.transaction.get_thing(ConnectionPlan, thing_id)
        return await make_thing(writing, PLAN, merge(PlanFields, plan, {}))

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, PLAN, models_of(PLAN), thing.id, created=True)

    return await context.write(caller, work, answer)


@router.post(
    "/v1/connection-plans/{thing_id}/consents",
    summary="Record an agency's word on a proposed plan",
    response_model=PlanResponse,
)
async def add_connection_plan_consent(
    thing_id: UUID, body: GivenConsent, context: WriteContext, caller: Caller, if_match: IfMatch
) -> Response:
    """Each agency gives its own word, with its own token; the province lead alone records the word of the lead.

    The word of another agency is recorded with its document (`document`, `given_on`, `document_file`) and shown with
    `recorded_by`. A later word of an agency replaces its earlier one.
    """

    async def work(writing: Write) -> Thing:
        transaction = writing.transaction
        plan = await transaction.get_thing(ConnectionPlan, thing_id)
        if_match.check(plan.revision)
        if plan.status is not PlanStatus.PROPOSED:
            msg = f"the plan is {plan.status}: agencies give their word on a proposed plan"
            raise closed(msg)
        agency = await transaction.session.get(Agency, body.agency_id)
        if agency is None:
            raise unknown_reference("agency_id", "agency")
        own = _is_own_word(agency, caller)
        _check_consent(body, agency, transaction.actor.roles)
        if not own and None in {body.document, body.document_file}:
            raise _not_your_word(agency)
        consent = Consent(**dict(body), recorded_by=None if own else caller.subject)
        others = [one for one in plan.consents if one.agency_id != body.agency_id]
        return await patch_thing(writing, PLAN, plan, {"consents": (*others, consent)})

    async def answer(session: AsyncSession, thing: Thing) -> KeptAnswer:
        return await answer_with(session, PLAN, models_of(PLAN), thing.id)

    return await context.write(caller, work, answer)


@router.get("/v1/connection-plans/{thing_id}/difference", summary="What differs between two versions of a plan")
async def get_connection_plan_difference(
    thing_id: UUID,
    context: Context,
    to: Annotated[UUID, Query(description="The other version, of the same facility.")],
    as_of: AsOf = None,
    valid_on: ValidOn = None,
) -> DifferenceResponse:
    """From this version to the other one, camera by camera and field by field."""
    recorded = context.recorded(as_of, valid_on)
    async with context.read_transaction() as session:
        await read_one_instant(session)
        rows = [await read_item(session, ConnectionPlan, recorded, each) for each in (thing_id, to)]
    before, after = ({name: row[name] for name in PlanFields.model_fields if name in row} for row in rows)
    if before["facility_id"] != after["facility_id"]:
        raise invalid("to", "is a plan of another facility")
    return DifferenceResponse.model_validate(
        difference(PlanFields.model_validate(before), PlanFields.model_validate(after))
    )


def _is_own_word(agency: Agency, caller: Principal) -> bool:
    """Whether the token speaks for the agency: it names it, its scope does, or it has the agency's role.

    Raises ProblemError 403 for a managing agency or facility that gives the word of somebody else.
    """
    if caller.roles & NEED_SCOPE and not caller.roles & {Role.PROVINCE_LEAD, Role.OPERATOR}:
        own = {caller.agency} | (caller.scope.agencies if caller.scope is not None else set())
        if agency.id not in own:
            raise _not_your_word(agency)
        return True
    if caller.agency is not None:
        return caller.agency == agency.id
    roles = {Role.PROVINCE_LEAD: AgencyRole.LEAD, Role.OPERATOR: AgencyRole.OPERATOR}
    return agency.role in {roles[each] for each in caller.roles if each in roles}


def _not_your_word(agency: Agency) -> ProblemError:
    msg = (
        f"the word of {agency.name} is given by its own token, whose scope or {AGENCY_CLAIM} names that agency; who "
        "writes plans records it with its document: give document (its number), given_on and document_file"
    )
    vietnamese = (
        f"ý kiến của {agency.name} phải do chính cơ quan đó gửi bằng tài khoản của mình; ghi nhận thay thì phải kèm "
        "văn bản: số (document), ngày (given_on) và tệp (document_file)"
    )
    return ProblemError(HTTPStatus.FORBIDDEN, "not_your_word", msg, detail_vi=vietnamese)


def _check_consent(consent: GivenConsent, agency: Agency, roles: frozenset[Role]) -> None:
    if agency.role is AgencyRole.LEAD and Role.PROVINCE_LEAD not in roles:
        msg = "the word of the lead is recorded by the province lead"
        vietnamese = "ý kiến của cơ quan chủ trì do người phụ trách cấp tỉnh ghi"
        raise ProblemError(HTTPStatus.FORBIDDEN, "not_the_lead", msg, detail_vi=vietnamese)
    if agency.role in {AgencyRole.LEAD, AgencyRole.OPERATOR} and consent.kind is ConsentKind.CONSULTED:
        raise invalid("kind", f"the {agency.role} agrees: being consulted is not enough")
