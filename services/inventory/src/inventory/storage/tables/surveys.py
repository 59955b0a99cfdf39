"""Surveys with their submissions and attachments, connection plans with their exceptions, installation proposals."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.mandate.planning.plan import Connection, Consent, find_agreed_day
from inventory.domain.mandate.planning.proposal import ProposedArea
from inventory.domain.mandate.surveying.attachments import Attachment
from inventory.domain.mandate.surveying.form import SurveyForm
from inventory.domain.mandate.surveying.survey import Participant
from inventory.storage.tables.base import Base, Thing
from inventory.storage.tables.structured import Structured
from vonggac.events.inventory import FoundCamera, PlanStatus, ProposalStatus, SurveyStatus, SurveyVerdict

_COMPARED: Any = {
    "code": True,
    "make": True,
    "model": True,
    **{stream: {"codec", "width", "height", "fps"} for stream in ("main", "sub")},
}
"""Of a surveyed camera, what is held against what it sends (R15)."""


class Survey(Thing):
    __tablename__ = "surveys"
    noun = "survey"
    searched = ("code", "lead_name", "verdict_reason", "note")

    code: Mapped[str] = mapped_column(unique=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    status: Mapped[SurveyStatus]
    status_since: Mapped[datetime]
    mode: Mapped[str]
    lead_name: Mapped[str | None]
    lead_phone: Mapped[str | None]
    lead_agency_id: Mapped[UUID | None] = mapped_column(ForeignKey("agencies.id"), index=True)
    basis: Mapped[str | None]
    scheduled_on: Mapped[date | None]
    surveyed_on: Mapped[date | None]
    place: Mapped[str | None]
    briefed_by: Mapped[str | None]
    briefed_at: Mapped[datetime | None]
    briefing_document: Mapped[str | None]
    briefing_signed_on: Mapped[date | None]
    briefing_file: Mapped[str | None]
    briefing_recorded_by: Mapped[str | None]
    rules_version: Mapped[str | None]
    acknowledged_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    participants: Mapped[tuple[Participant, ...]] = mapped_column(Structured(tuple[Participant, ...]))
    verdict: Mapped[SurveyVerdict | None]
    verdict_reason: Mapped[str | None]
    form: Mapped[SurveyForm | None] = mapped_column(Structured(SurveyForm))
    attachments: Mapped[tuple[Attachment, ...]] = mapped_column(Structured(tuple[Attachment, ...]))
    submission_id: Mapped[UUID | None]
    """The submission from the field that these findings are from; its attachments may still be missing."""
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    note: Mapped[str | None]
    signed_on: Mapped[date | None]
    document_number: Mapped[str | None]
    document_file: Mapped[str | None]
    document_sha256: Mapped[str | None]
    search: Mapped[str]

    @property
    def cameras_found(self) -> int | None:
        return len(self.form.system.cameras) if self.form is not None and self.form.system is not None else None

    @property
    def cameras(self) -> tuple[FoundCamera, ...]:
        """What the form says of each camera, as it is published."""
        found = self.form.system.cameras if self.form is not None and self.form.system is not None else ()
        return tuple(FoundCamera.model_validate(one.model_dump(include=_COMPARED)) for one in found)

    @property
    def cameras_needed(self) -> int | None:
        return self.form.sufficiency().cameras_needed if self.form is not None else None

    @property
    def uncovered_areas(self) -> tuple[str, ...]:
        return self.form.sufficiency().uncovered if self.form is not None else ()

    @property
    def estimated_cost_vnd(self) -> int | None:
        return self.form.estimated_cost_vnd if self.form is not None else None


class SurveySubmission(Base):
    """A submission from the field that was taken. Its id is the sender's, so that it is taken once."""

    __tablename__ = "survey_submissions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    survey_id: Mapped[UUID] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str]
    """SHA-256 of what was sent."""
    received_at: Mapped[datetime]
    received_by: Mapped[str]


class SurveyContent(Base):
    """The content of one attachment of one survey. It never changes: its key is the SHA-256 of what was sent."""

    __tablename__ = "survey_contents"

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True)
    sha256: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(Integer)
    """Of what is stored."""
    bare: Mapped[bool]
    """Whether position and device data were taken out of it."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
    received_by: Mapped[str]


class ConnectionPlan(Thing):
    __tablename__ = "connection_plans"
    __table_args__ = (
        UniqueConstraint("facility_id", "version"),
        Index("uq_connection_plans_agreed", "facility_id", unique=True, postgresql_where=text("status = 'agreed'")),
    )
    noun = "connection_plan"
    searched = ("code", "responsible_lead", "responsible_operator", "note")

    code: Mapped[str] = mapped_column(unique=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"))
    version: Mapped[int] = mapped_column(Integer)
    status: Mapped[PlanStatus]
    status_since: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    connections: Mapped[tuple[Connection, ...]] = mapped_column(Structured(tuple[Connection, ...]))
    connect_by: Mapped[date | None]
    responsible_lead: Mapped[str | None]
    responsible_operator: Mapped[str | None]
    consents: Mapped[tuple[Consent, ...]] = mapped_column(Structured(tuple[Consent, ...]))
    note: Mapped[str | None]
    signed_on: Mapped[date | None]
    document_number: Mapped[str | None]
    document_file: Mapped[str | None]
    document_sha256: Mapped[str | None]
    connected_on: Mapped[date | None]
    acceptance_number: Mapped[str | None]
    acceptance_file: Mapped[str | None]
    acceptance_sha256: Mapped[str | None]
    search: Mapped[str]

    @property
    def agreed_on(self) -> date | None:
        return find_agreed_day(self.signed_on, self.consents)


class PlanException(Thing):
    """Its reason is `why`: `reason` is why a change was made."""

    __tablename__ = "plan_exceptions"
    noun = "plan_exception"

    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), unique=True)
    why: Mapped[str]
    approved_by: Mapped[str]
    decided_on: Mapped[date]


class InstallationProposal(Thing):
    __tablename__ = "installation_proposals"
    noun = "installation_proposal"
    searched = ("code", "decision_number", "funding_source", "note")

    code: Mapped[str] = mapped_column(unique=True)
    facility_id: Mapped[UUID] = mapped_column(ForeignKey("facilities.id"), index=True)
    status: Mapped[ProposalStatus]
    status_since: Mapped[datetime]
    areas: Mapped[tuple[ProposedArea, ...]] = mapped_column(Structured(tuple[ProposedArea, ...]))
    recorder: Mapped[str | None]
    line: Mapped[str | None]
    power: Mapped[str | None]
    estimated_cost_vnd: Mapped[int | None] = mapped_column(BigInteger)
    lead_time_days: Mapped[int | None] = mapped_column(Integer)
    proposed_connection: Mapped[str | None]
    decision_number: Mapped[str | None]
    decision_date: Mapped[date | None]
    funding_source: Mapped[str | None]
    installed_on: Mapped[date | None]
    note: Mapped[str | None]
    signed_on: Mapped[date | None]
    document_number: Mapped[str | None]
    document_file: Mapped[str | None]
    document_sha256: Mapped[str | None]
    search: Mapped[str]

    @property
    def cameras(self) -> int:
        return sum(one.cameras for one in self.areas)
