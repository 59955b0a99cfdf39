"""Agencies, focal points and teams.

A facility names its own focal point (R17), or the agency that manages it does. The lead keeps the list that the
Ministry asks of it; whoever else records one gives the document that names the officer.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field

from inventory.domain.people.agency import HEADINGS as AGENCY_HEADINGS
from inventory.domain.people.agency import AgencyFields
from inventory.domain.people.approvals import HEADINGS as APPROVAL_RULE_HEADINGS
from inventory.domain.people.approvals import ApprovalRuleFields
from inventory.domain.people.focal_point import HEADINGS as FOCAL_POINT_HEADINGS
from inventory.domain.people.focal_point import FocalPointFields
from inventory.domain.people.operator_assignment import HEADINGS as OPERATOR_ASSIGNMENT_HEADINGS
from inventory.domain.people.operator_assignment import OperatorAssignmentFields
from inventory.domain.people.own_word import APPOINTMENT, RECORDED_BY, find_said, has_document
from inventory.domain.people.team import HEADINGS as TEAM_HEADINGS
from inventory.domain.people.team import MEMBER_HEADINGS, TeamFields, TeamMemberFields
from inventory.nouns.agencies import check_agency, check_approval_rule, check_assignment
from inventory.nouns.facilities import PROVINCE_TIME, count_in_office
from inventory.nouns.mandate.states import check_happened
from inventory.nouns.noun import Noun
from inventory.nouns.parties import find_recorder
from inventory.nouns.shown import Acted, Acts, Shown
from inventory.nouns.writer import Write, Writer, merge
from inventory.storage.conflicts import field_conflict
from inventory.storage.store import WriteTransaction
from inventory.storage.tables import (
    Agency,
    ApprovalRule,
    Facility,
    FocalPoint,
    OperatorAssignment,
    Team,
    TeamMember,
    Thing,
)
from vonggac.auth import Principal, Role
from vonggac.auth.rights import OWES
from vonggac.events.inventory import (
    AgencyV1,
    ApprovalRuleV1,
    FacilityStatus,
    FocalPointV1,
    OperatorAssignmentV1,
    TeamMemberV1,
    TeamV1,
)


class FocalPointResponse(Shown, Acted):
    """One focal point."""

    acts: ClassVar[Acts] = {APPOINTMENT.recorded_by: None}

    facility_id: UUID
    full_name: str
    position: str
    phone: str
    email: str | None
    unit: str | None
    valid_from: date
    appointment_document: str | None
    appointment_signed_on: date | None
    appointment_file: str | None
    recorded_by: str | None = Field(description=RECORDED_BY)


class FocalPointWriter(Writer):
    """A focal point is the word of its facility, or on record by whoever wrote it for the facility."""

    async def make(self, writing: Write, kind: type[Thing], fields: BaseModel) -> Thing:
        """Store a new one. Raises ProblemError 403 for another's word without its document."""
        given = fields.model_dump()
        recorded_by = await _find_recorder(writing, {given["facility_id"]}, given)
        thing = kind(**given, recorded_by=recorded_by)
        await writing.transaction.add_thing(thing)
        return thing

    async def change(self, writing: Write, thing: Any, fields: type[BaseModel], patch: Mapping[str, Any]) -> None:
        """Change one. Raises ProblemError 403 for another's word without its document."""
        before = {name: getattr(thing, name) for name in fields.model_fields}
        after = merge(fields, thing, patch).model_dump()
        if find_said(APPOINTMENT, before, after):
            facilities = {before["facility_id"], after["facility_id"]}
            after["recorded_by"] = await _find_recorder(writing, facilities, after)
        await writing.transaction.change_thing(thing, after)


async def _find_recorder(writing: Write, facility_ids: set[UUID], given: Mapping[str, Any]) -> str | None:
    """Who records the word of the facilities; None: it is their own."""
    is_documented = has_document(APPOINTMENT, given) or _keeps_the_list(writing.caller)
    found = [
        await find_recorder(writing, each, APPOINTMENT, is_documented=is_documented) for each in sorted(facility_ids)
    ]
    return next((one for one in found if one is not None), None)


def _keeps_the_list(caller: Principal) -> bool:
    """Whether the caller is the lead, which keeps the list of focal points and owes it to the Ministry."""
    return Role.PROVINCE_LEAD in caller.roles and not caller.roles & OWES


async def check_focal_point(transaction: WriteTransaction, before: FocalPoint | None, after: FocalPoint | None) -> None:
    """Raise ProblemError 409 when an active facility would lose its last focal point, 422 for a document to come."""
    if after is not None:
        check_happened(transaction.now, before, after, "appointment_signed_on")
    if before is None:
        return
    facility = await transaction.session.get_one(Facility, before.facility_id)
    if facility.status is not FacilityStatus.ACTIVE or await count_in_office(transaction, facility.id):
        return
    today = transaction.now.astimezone(PROVINCE_TIME).date()
    if before.valid_from > today or (before.valid_to is not None and before.valid_to < today):
        return
    field = "valid_to" if after is not None else "facility_id"
    message = f"{facility.code} is active and would have no focal point (R17): add the successor first"
    raise field_conflict(field, message)


AGENCY = Noun(
    name="agency",
    path="agencies",
    vietnamese="cơ quan",
    group="people",
    about="The agencies of the mandate, each with its role.",
    table=Agency,
    fields=AgencyFields,
    payload=AgencyV1,
    headings=AGENCY_HEADINGS,
    references={"parent_id": "agency", "unit_id": "unit", "successor_id": "agency"},
    filters=("code", "role", "parent_id", "unit_id"),
    sorts=("code", "name", "role"),
    check=check_agency,
)

OPERATOR_ASSIGNMENT = Noun(
    name="operator_assignment",
    path="operator-assignments",
    vietnamese="phân công đơn vị vận hành",
    group="people",
    about="The operator of each province and time (R02).",
    table=OperatorAssignment,
    fields=OperatorAssignmentFields,
    payload=OperatorAssignmentV1,
    headings=OPERATOR_ASSIGNMENT_HEADINGS,
    key=("unit_id", "valid_from"),
    label="valid_from",
    references={"unit_id": "unit", "agency_id": "agency"},
    filters=("unit_id", "agency_id"),
    sorts=("valid_from",),
    check=check_assignment,
)

APPROVAL_RULE = Noun(
    name="approval_rule",
    path="approval-rules",
    vietnamese="quy định về duyệt",
    group="people",
    about="Provinces in which who wrote may approve, each with its time and reason.",
    table=ApprovalRule,
    fields=ApprovalRuleFields,
    payload=ApprovalRuleV1,
    headings=APPROVAL_RULE_HEADINGS,
    key=("unit_id", "valid_from"),
    label="valid_from",
    references={"unit_id": "unit"},
    filters=("unit_id", "two_persons"),
    sorts=("valid_from",),
    check=check_approval_rule,
)

PERSON = {
    "full_name": "focal_point_name",
    "position": "focal_point_position",
    "phone": "focal_point_phone",
    "email": "focal_point_email",
}
"""The columns of a facility's row that name its focal point, by field."""
FOCAL_POINT = Noun(
    name="focal_point",
    path="focal-points",
    vietnamese="cán bộ đầu mối",
    group="people",
    about="The officers who answer for facilities (R17); predecessors stay on record.",
    table=FocalPoint,
    fields=FocalPointFields,
    shown=FocalPointResponse,
    payload=FocalPointV1,
    headings=FOCAL_POINT_HEADINGS,
    label="full_name",
    key=("facility_id", "full_name", "valid_from"),
    references={"facility_id": "facility"},
    filters=("facility_id",),
    sorts=("full_name", "valid_from"),
    searched_through=("facility_id",),
    check=check_focal_point,
    writer=FocalPointWriter(),
)

TEAM = Noun(
    name="team",
    path="teams",
    vietnamese="tổ công tác",
    group="people",
    about="The operator's teams that survey and connect (R14).",
    table=Team,
    fields=TeamFields,
    payload=TeamV1,
    headings=TEAM_HEADINGS,
    references={"agency_id": "agency"},
    filters=("code", "agency_id"),
    sorts=("code", "name"),
    searched_through=("agency_id",),
)

TEAM_MEMBER = Noun(
    name="team_member",
    path="team-members",
    vietnamese="thành viên tổ công tác",
    group="people",
    about="The people of each team (R14); those who left stay on record.",
    table=TeamMember,
    fields=TeamMemberFields,
    payload=TeamMemberV1,
    headings=MEMBER_HEADINGS,
    key=("team_id", "full_name"),
    label="full_name",
    references={"team_id": "team"},
    filters=("team_id",),
    sorts=("full_name", "position"),
    searched_through=("team_id",),
)
