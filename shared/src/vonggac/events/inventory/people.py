"""Agencies, focal points and teams; where who wrote may approve."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from vonggac.events.inventory.state import State


class AgencyRole(StrEnum):
    """What an agency does in the mandate (letter 1742: Nơi nhận and sections 1 to 3)."""

    LEAD = "lead"
    OPERATOR = "operator"
    MANAGING = "managing"
    PEOPLES_COMMITTEE = "peoples_committee"
    MINISTRY = "ministry"
    STEERING_COMMITTEE = "steering_committee"


class AgencyV1(State):
    """An organisation with a part in the mandate; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.agency.v1"
    code: str
    name: str
    role: AgencyRole
    parent_id: UUID | None = Field(default=None, description="The agency above it.")
    unit_id: UUID | None = Field(default=None, description="The administrative unit it answers for.")
    successor_id: UUID | None = Field(default=None, description="The agency that has its work after it ended.")


class OperatorAssignmentV1(State):
    """The operator of a province in one period (R02); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.operator_assignment.v1"
    unit_id: UUID
    agency_id: UUID
    valid_from: date
    valid_to: date | None = None
    document: str | None = None


class ApprovalRuleV1(State):
    """Whether in a province who wrote may approve, in one period; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.approval_rule.v1"
    unit_id: UUID
    two_persons: bool = Field(description="True: who wrote does not approve, as in a province without a rule.")
    valid_from: date
    valid_to: date | None = None
    why: str


class SelfApprovalV1(State):
    """An approval by who wrote, as the rule of the province allowed it."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.self_approval.v1"
    about_noun: str = Field(description="survey, connection_plan, installation_proposal, plan_exception, …")
    about_id: UUID
    label: str = Field(description="Code of what was approved; of an exception that of its facility.")
    facility_id: UUID | None = Field(default=None, description="None: of the province.")
    approved_by: str
    approver_name: str | None = Field(default=None, description="As the token said at the approval.")
    approver_post: str | None = None
    approved_at: AwareDatetime
    rule_id: UUID
    why: str = Field(description="Why the rule allowed it.")


class FocalPointV1(State):
    """The officer responsible for a facility's cameras (R17); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.focal_point.v1"
    facility_id: UUID
    full_name: str
    position: str
    phone: str
    email: str | None = None
    valid_from: date
    valid_to: date | None = None
    appointment_document: str | None = Field(default=None, description="Number of the document that names the officer.")
    appointment_signed_on: date | None = Field(default=None, description="Day on that document.")


class FacilityLinkV1(State):
    """A facility's link by which it does its own acts; its current state, without its token."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.facility_link.v1"
    facility_id: UUID
    token_sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the token, hexadecimal. The token is 32 random bytes."
    )
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None = Field(default=None, description="Since when it opens nothing; it stays so.")


class TeamV1(State):
    """People of the operator who survey and connect (R14); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.team.v1"
    code: str
    name: str
    agency_id: UUID
    valid_from: date | None = None
    valid_to: date | None = None


class TeamMemberV1(State):
    """One person of a team (R14); the current state, without name and phone."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.team_member.v1"
    team_id: UUID
    position: str
    valid_from: date | None = None
    valid_to: date | None = None
