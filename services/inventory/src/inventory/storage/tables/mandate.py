"""What the mandate demands, and what was done about it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Integer, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.mandate.deadline import Deadline
from inventory.domain.mandate.decision_request import RequestFields, RequestStatus
from inventory.domain.mandate.directive import LetterheadFields
from inventory.domain.mandate.information_request import Answer, Question, missing
from inventory.domain.mandate.inspection import Finding
from inventory.storage.tables.base import Base, Coded, Thing
from inventory.storage.tables.structured import Structured
from vonggac.events.inventory import (
    Act,
    BlockedKind,
    InformationRequestStatus,
    ObligationKind,
    ObligationStatus,
    VisitPurpose,
    VisitStatus,
)


class Directive(Thing):
    __tablename__ = "directives"
    noun = "directive"
    searched = ("code", "number", "subject", "signer")

    code: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str]
    issuer_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    issued_on: Mapped[date]
    subject: Mapped[str]
    signer: Mapped[str | None]
    file_name: Mapped[str | None]
    file_sha256: Mapped[str | None]
    link: Mapped[str | None]
    implements_id: Mapped[UUID | None] = mapped_column(ForeignKey("directives.id"), index=True)
    supersedes_id: Mapped[UUID | None] = mapped_column(ForeignKey("directives.id"), index=True)
    source: Mapped[str | None]
    letterhead: Mapped[LetterheadFields | None] = mapped_column(Structured(LetterheadFields))
    search: Mapped[str]


class DirectiveScan(Base):
    """The scan of one directive, as it came. It never changes."""

    __tablename__ = "directive_scans"

    directive_id: Mapped[UUID] = mapped_column(ForeignKey("directives.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    received_by: Mapped[str]


class Obligation(Coded):
    """`due_before` is that of the last of `deadlines`."""

    __tablename__ = "obligations"
    noun = "obligation"

    kind: Mapped[ObligationKind]
    directive_id: Mapped[UUID] = mapped_column(ForeignKey("directives.id"), index=True)
    responsible_agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    due_before: Mapped[datetime | None] = mapped_column(index=True)
    deadlines: Mapped[tuple[Deadline, ...]] = mapped_column(Structured(tuple[Deadline, ...]))
    facility_types: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    managing_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agencies.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    with_cameras: Mapped[bool | None]
    facility_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    every_days: Mapped[int | None]
    due_after_days: Mapped[int | None]
    note: Mapped[str | None]
    status: Mapped[ObligationStatus]
    completed_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_reason: Mapped[str | None]


class InformationRequest(Coded):
    __tablename__ = "information_requests"
    noun = "information_request"

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    due_before: Mapped[datetime | None]
    questions: Mapped[tuple[Question, ...]] = mapped_column(Structured(tuple[Question, ...]))
    answers: Mapped[tuple[Answer, ...]] = mapped_column(Structured(tuple[Answer, ...]))
    status: Mapped[InformationRequestStatus]

    @property
    def question_count(self) -> int:
        return len(self.questions)

    @property
    def answer_count(self) -> int:
        return len(self.answers)

    @property
    def missing(self) -> tuple[str, ...]:
        return missing(
            [Question.model_validate(one) for one in self.questions],
            [Answer.model_validate(one) for one in self.answers],
        )


class Visit(Thing):
    __tablename__ = "visits"
    noun = "visit"
    searched = ("gate_contact", "escort", "briefed_by", "obstruction", "note")

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id"), index=True)
    purpose: Mapped[VisitPurpose]
    remote: Mapped[bool]
    planned_from: Mapped[datetime] = mapped_column(index=True)
    planned_to: Mapped[datetime]
    gate_contact: Mapped[str | None]
    gate_phone: Mapped[str | None]
    escort: Mapped[str | None]
    access_given_by: Mapped[str | None]
    access_from: Mapped[datetime | None]
    access_to: Mapped[datetime | None]
    access_document: Mapped[str | None]
    access_signed_on: Mapped[date | None]
    access_file: Mapped[str | None]
    access_recorded_by: Mapped[str | None]
    entered_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    zones: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    protection: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    health_declared: Mapped[bool]
    briefed_by: Mapped[str | None]
    briefed_at: Mapped[datetime | None]
    briefing_document: Mapped[str | None]
    briefing_signed_on: Mapped[date | None]
    briefing_file: Mapped[str | None]
    briefing_recorded_by: Mapped[str | None]
    rules_acknowledged: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    tools_disinfected: Mapped[bool]
    available_from: Mapped[date | None]
    obstruction: Mapped[str | None]
    note: Mapped[str | None]
    signed_on: Mapped[date | None]
    document_number: Mapped[str | None]
    document_file: Mapped[str | None]
    document_sha256: Mapped[str | None]
    status: Mapped[VisitStatus]
    search: Mapped[str]

    @property
    def briefed(self) -> bool:
        return self.briefed_at is not None


class Inspection(Thing):
    __tablename__ = "inspections"
    noun = "inspection"
    searched = ("note",)

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    inspected_on: Mapped[date] = mapped_column(index=True)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"), index=True)
    inspectors: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    findings: Mapped[tuple[Finding, ...]] = mapped_column(Structured(tuple[Finding, ...]))
    note: Mapped[str | None]
    search: Mapped[str]

    @property
    def found(self) -> int:
        return len(self.findings)

    @property
    def open_findings(self) -> int:
        return sum(Finding.model_validate(one).mended_on is None for one in self.findings)


class MaintenanceWindow(Thing):
    __tablename__ = "maintenance_windows"
    __table_args__ = (
        CheckConstraint("(camera_id is null) <> (facility_id is null)", name="one_subject"),
        CheckConstraint("ends_at >= starts_at", name="ordered"),
        CheckConstraint("not agreed or starts_at > coalesce(confirmed_at, created_at)", name="agreed_before_it_began"),
    )
    noun = "maintenance_window"
    searched = ("purpose",)

    camera_id: Mapped[UUID | None] = mapped_column(ForeignKey("cameras.id"), index=True)
    facility_id: Mapped[UUID | None] = mapped_column(ForeignKey("facilities.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    purpose: Mapped[str]
    agreed: Mapped[bool] = mapped_column(server_default="true")
    agreed_by: Mapped[str]
    """Who agreed, and of one that nobody has agreed to who declared it."""
    declared_by: Mapped[str | None]
    """Who entered it, where that was not who agreed."""
    confirmed_at: Mapped[datetime | None]
    """When it was agreed to, where it was declared before."""
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    search: Mapped[str]

    @property
    def agreed_at(self) -> datetime:
        return self.confirmed_at or self.created_at


class DecisionRequest(Thing):
    """No message is published of it: what is granted is."""

    __tablename__ = "decision_requests"
    noun = "decision_request"
    searched = ("reason", "asked_by")

    act: Mapped[Act]
    facility_id: Mapped[UUID | None] = mapped_column(index=True)
    """Of the thing that it is about; that may be removed meanwhile."""
    window_id: Mapped[UUID | None] = mapped_column(index=True)
    """The declared maintenance that it asks to agree to."""
    asked: Mapped[RequestFields] = mapped_column(Structured(RequestFields))
    reason: Mapped[str]
    asked_by: Mapped[str] = mapped_column(index=True)
    asked_roles: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    asked_agency_id: Mapped[UUID | None]
    status: Mapped[RequestStatus] = mapped_column(index=True)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    search: Mapped[str]


class SelfApproval(Thing):
    """Who wrote approved, as the rule of the province allowed; never changed."""

    __tablename__ = "self_approvals"
    noun = "self_approval"

    about_noun: Mapped[str]
    about_id: Mapped[UUID] = mapped_column(index=True)
    label: Mapped[str]
    """Of what was approved: its code, or that of its facility."""
    facility_id: Mapped[UUID | None] = mapped_column(index=True)
    """None: of the province. It may be removed meanwhile."""
    approved_by: Mapped[str]
    approver_name: Mapped[str | None]
    """As the token said, and the post likewise; None: it said none."""
    approver_post: Mapped[str | None]
    approved_at: Mapped[datetime]
    rule_id: Mapped[UUID]
    why: Mapped[str]


class JournalEntry(Thing):
    __tablename__ = "journal_entries"
    noun = "journal_entry"
    searched = ("text",)

    about_noun: Mapped[str]
    about_id: Mapped[UUID] = mapped_column(index=True)
    text: Mapped[str]
    written_by: Mapped[str]
    search: Mapped[str]


class BlockedReason(Thing):
    __tablename__ = "blocked_reasons"
    noun = "blocked_reason"
    searched = ("text",)

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    kind: Mapped[BlockedKind]
    text: Mapped[str | None]
    valid_from: Mapped[date] = mapped_column(nullable=False)
    search: Mapped[str]
