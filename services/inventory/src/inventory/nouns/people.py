"""Agencies, focal points and teams."""

from inventory.domain.people.agency import HEADINGS as AGENCY_HEADINGS
from inventory.domain.people.agency import AgencyFields
from inventory.domain.people.approvals import HEADINGS as APPROVAL_RULE_HEADINGS
from inventory.domain.people.approvals import ApprovalRuleFields
from inventory.domain.people.focal_point import HEADINGS as FOCAL_POINT_HEADINGS
from inventory.domain.people.focal_point import FocalPointFields
from inventory.domain.people.operator_assignment import HEADINGS as OPERATOR_ASSIGNMENT_HEADINGS
from inventory.domain.people.operator_assignment import OperatorAssignmentFields
from inventory.domain.people.team import HEADINGS as TEAM_HEADINGS
from inventory.domain.people.team import MEMBER_HEADINGS, TeamFields, TeamMemberFields
from inventory.nouns.agencies import check_agency, check_approval_rule, check_assignment
from inventory.nouns.focal_points import FocalPointResponse, FocalPointWriter, check_focal_point
from inventory.nouns.noun import Noun
from inventory.storage.tables import Agency, ApprovalRule, FocalPoint, OperatorAssignment, Team, TeamMember
from vonggac.events.inventory import AgencyV1, ApprovalRuleV1, FocalPointV1, OperatorAssignmentV1, TeamMemberV1, TeamV1

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
