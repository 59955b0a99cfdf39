"""What the mandate demands, and what was done about it: directives, obligations, visits, inspections, maintenance."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.envelope import MESSAGE
from vonggac.events.inventory.places import FacilityType
from vonggac.events.inventory.state import State


class RecipientGroup(StrEnum):
    """Who gets a copy of a paper (letter 1742, «Nơi nhận»; R22)."""

    ADDRESSEES = "addressees"
    MINISTRY = "ministry"
    CHAIRMEN = "chairmen"
    STEERING_COMMITTEE = "steering_committee"
    OFFICE = "office"
    OPERATOR = "operator"
    OTHER = "other"
    ARCHIVE = "archive"


class RecipientSight(StrEnum):
    """What a copy has."""

    WHOLE = "whole"
    WITHOUT_APPENDICES = "without_appendices"


class RecipientV1(BaseModel):
    """A line of «Nơi nhận»."""

    model_config = MESSAGE

    group: RecipientGroup
    name: str | None = Field(default=None, description="As printed; None for the addressees.")
    copies: int = 1
    sees: RecipientSight = RecipientSight.WHOLE


class LetterheadV1(BaseModel):
    """Who writes to whom about a directive: for each report and letter that carries it out."""

    model_config = MESSAGE

    addressees: tuple[str, ...] = ()
    recipients: tuple[RecipientV1, ...] = ()
    place: str | None = Field(default=None, description="Where it is signed.")
    drafting_unit: str | None = Field(default=None, description="Behind the agency in the symbol.")
    signer_authority: str | None = None
    signer_title: str | None = Field(default=None, description="Post of the signer.")
    signer_name: str | None = None
    subject: str | None = Field(default=None, description="What a report on it is about.")


class DirectiveV1(State):
    """A document that orders or decides something (R01); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.directive.v1"
    code: str
    number: str = Field(description="As printed, e.g. 1742/UBND-VX.")
    issuer_id: UUID = Field(description="The agency that issued it.")
    issued_on: date
    subject: str
    implements_id: UUID | None = Field(default=None, description="The directive that it carries out.")
    supersedes_id: UUID | None = Field(default=None, description="The directive that it replaces.")
    letterhead: LetterheadV1 | None = Field(default=None, description="Of the papers that carry it out.")


class Act(StrEnum):
    """What somebody decides about a duty."""

    SETTLEMENT = "settlement"
    DEADLINE = "deadline"
    DIRECTIVE = "directive"
    OBLIGATION = "obligation"
    EXCEPTION = "exception"
    MAINTENANCE = "maintenance"
    CLOSING = "closing"
    SWITCHING_OFF = "switching_off"
    APPROVAL = "approval"
    FREEZING = "freezing"
    ASSIGNMENT = "assignment"
    APPROVAL_RULE = "approval_rule"
    PURGE = "purge"
    URGING = "urging"
    TARGET = "target"
    ISSUE = "issue"
    ASSESSMENT = "assessment"
    PROOF = "proof"
    PLACEMENT = "placement"


class ObligationKind(StrEnum):
    """What an obligation demands."""

    SURVEY_AND_PLAN = "survey_and_plan"
    CONNECTION = "connection"
    PROPOSAL = "proposal"
    INSTALLATION = "installation"
    COVERAGE = "coverage"
    FOCAL_POINT = "focal_point"
    INSPECTION = "inspection"
    REPORT = "report"
    OTHER = "other"


class ObligationStatus(StrEnum):
    """How an obligation stands on record. Due soon and overdue follow from the clock and are not stored."""

    OPEN = "open"
    DONE = "done"
    DONE_LATE = "done_late"
    WAIVED = "waived"


class DeadlineV1(BaseModel):
    """One dated entry of an obligation's deadline; the last of them holds."""

    model_config = MESSAGE

    due_before: AwareDatetime | None = Field(
        default=None, description="On time is strictly before this instant; None: no deadline."
    )
    set_at: AwareDatetime
    set_by: str = Field(description="Subject of the token that set it.")
    reason: str | None = None
    directive_id: UUID | None = Field(default=None, description="The directive that sets it.")


class ObligationV1(State):
    """What a directive demands, of whom, for which facilities and until when (R05, R06); its current state.

    With `facility_ids`, it is about exactly these; else about every facility that fits all the others that are given.
    """

    event_type: ClassVar[str] = "vn.vonggac.inventory.obligation.v1"
    code: str
    name: str
    kind: ObligationKind
    directive_id: UUID
    responsible_agency_id: UUID
    facility_types: tuple[FacilityType, ...] = ()
    managing_agency_id: UUID | None = None
    unit_id: UUID | None = None
    with_cameras: bool | None = Field(default=None, description="True: facilities with cameras; False: those without.")
    facility_ids: tuple[UUID, ...] = ()
    every_days: int | None = Field(default=None, description="It is due again so many days after it was done last.")
    due_after_days: int | None = Field(
        default=None,
        description="A facility that comes under it after the directive's day has so many days of its own, from the "
        "day of its cameras, approval or founding; None: no deadline of its own.",
    )
    status: ObligationStatus
    completed_at: AwareDatetime | None = None
    settled_by: str | None = Field(default=None, description="Subject of the token that settled it.")
    settled_reason: str | None = Field(default=None, description="Why it was waived.")
    due_before: AwareDatetime | None = Field(default=None, description="The deadline that holds now.")
    deadlines: tuple[DeadlineV1, ...] = Field(default=(), description="Every deadline it ever had, oldest first.")


class InformationRequestStatus(StrEnum):
    """How far a request for information is (R18)."""

    DRAFT = "draft"
    SENT = "sent"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


class InformationRequestV1(State):
    """A checklist sent to a facility's focal point (R18); its current state. The answers stay in inventory."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.information_request.v1"
    code: str
    name: str
    facility_id: UUID
    status: InformationRequestStatus
    due_before: AwareDatetime | None = None
    question_count: int = Field(ge=0)
    answer_count: int = Field(ge=0)
    missing: tuple[str, ...] = Field(default=(), description="Keys of the required questions without an answer.")


class VisitPurpose(StrEnum):
    """What a team goes to a facility for."""

    SURVEY = "survey"
    CONNECTION = "connection"
    INSTALLATION = "installation"
    REPAIR = "repair"
    INSPECTION = "inspection"


class VisitStatus(StrEnum):
    """How far a visit is (R16)."""

    PLANNED = "planned"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    OBSTRUCTED = "obstructed"
    CANCELLED = "cancelled"


class VisitV1(State):
    """A team at a facility, planned and actual (R14, R16, R21); its current state. Ticks, no medical results."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.visit.v1"
    facility_id: UUID
    team_id: UUID
    purpose: VisitPurpose
    remote: bool
    status: VisitStatus
    planned_from: AwareDatetime
    planned_to: AwareDatetime
    entered_at: AwareDatetime | None = None
    left_at: AwareDatetime | None = None
    briefed: bool = Field(default=False, description="The facility has briefed the team on safety.")
    rules_acknowledged: tuple[str, ...] = Field(
        default=(), description="Versions of the rule sets it has acknowledged."
    )
    health_declared: bool = False
    tools_disinfected: bool = False
    obstruction: str | None = None
    signed_on: date | None = Field(default=None, description="Day on the document of the visit.")
    document_number: str | None = Field(default=None, description="Number of that document, as printed.")


class InspectionV1(State):
    """A steering committee's inspection of a facility (R24); its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.inspection.v1"
    facility_id: UUID
    inspected_on: date
    agency_id: UUID
    found: int = Field(ge=0, description="How many things it found wrong.")
    open_findings: int = Field(ge=0, description="Findings that are not mended.")


class MaintenanceWindowV1(State):
    """Time agreed beforehand in which a camera, or every camera of a facility, may be down (R08); its current state.

    [starts_at, ends_at). A cancelled one keeps its line and is cut: at `starts_at` if it had not begun. One that nobody
    has agreed to (`agreed` false) is declared: it is shown apart and takes nothing out of the percentages.
    """

    event_type: ClassVar[str] = "vn.vonggac.inventory.maintenance_window.v1"
    camera_id: UUID | None = None
    facility_id: UUID | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    purpose: str
    agreed_by: str = Field(description="Subject of the token that agreed to it; while nobody has, that entered it.")
    agreed_at: AwareDatetime = Field(description="When it was agreed to: before it begins; else when it was entered.")
    agreed: bool = Field(default=True, description="False: declared alone.")
    declared_by: str | None = Field(default=None, description="Who entered it, where another one agrees.")
    cancelled_at: AwareDatetime | None = None
    cancelled_by: str | None = None


class JournalEntryV1(State):
    """A note on one thing of the register, never changed (R25)."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.journal_entry.v1"
    about_noun: str = Field(description="Of the thing that the note is about.")
    about_id: UUID
    written_by: str = Field(description="Subject of the token that wrote it.")
    text: str


class BlockedKind(StrEnum):
    """Why a facility cannot be connected as it is (R20): reasons that provinces reported in May 2021."""

    OBSOLETE_EQUIPMENT = "obsolete_equipment"
    SECURITY_LOCK = "security_lock"
    NON_COOPERATION = "non_cooperation"
    NEEDS_NEW_INVESTMENT = "needs_new_investment"
    NEEDS_REPAIR = "needs_repair"
    NEEDS_SUPPLEMENT = "needs_supplement"
    OTHER = "other"


class BlockedReasonV1(State):
    """Why a facility is blocked, and on which days; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.blocked_reason.v1"
    facility_id: UUID
    kind: BlockedKind
    text: str | None = None
    valid_from: date
    valid_to: date | None = Field(default=None, description="The last day that it blocked; None while it does.")
