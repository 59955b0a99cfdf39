"""Surveys and installation proposals: what stands at a facility, and what shall be installed there."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.envelope import MESSAGE
from vonggac.events.inventory.state import State


class SurveyStatus(StrEnum):
    """How far a survey is (R03). A facility counts as surveyed only by an approved one."""

    NOT_STARTED = "not_started"
    ASSIGNED = "assigned"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"


class SurveyVerdict(StrEnum):
    """What the survey says of the camera system that it found (R20)."""

    CONNECTABLE = "connectable"
    NEEDS_CONFIG = "needs_config"
    NEEDS_REPAIR = "needs_repair"
    NEEDS_REPLACEMENT = "needs_replacement"
    NONE = "none"


class SurveyedStream(BaseModel):
    """How a stream was set; None where nobody noted it."""

    model_config = MESSAGE

    codec: str | None = None
    width: int | None = Field(default=None, description="Pixels.")
    height: int | None = Field(default=None, description="Pixels.")
    fps: float | None = Field(default=None, description="Pictures a second.")


class FoundCamera(BaseModel):
    """A camera as the form of the survey has it, without its place and its addresses."""

    model_config = MESSAGE

    code: str
    make: str | None = None
    model: str | None = None
    main: SurveyedStream | None = None
    sub: SurveyedStream | None = None


class SurveyV1(State):
    """A survey of one facility; its current state, without names of people and without attachments."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.survey.v1"
    code: str
    facility_id: UUID
    status: SurveyStatus
    status_since: AwareDatetime
    scheduled_on: date | None = None
    surveyed_on: date | None = Field(default=None, description="Day of the survey at the site.")
    submitted_at: AwareDatetime | None = Field(default=None, description="Last time that it was submitted.")
    approved_at: AwareDatetime | None = None
    verdict: SurveyVerdict | None = None
    verdict_reason: str | None = None
    cameras_found: int | None = None
    cameras: tuple[FoundCamera, ...] = Field(default=(), description="What the form says of each camera (R15).")
    cameras_needed: int | None = Field(default=None, description="Of all areas together.")
    uncovered_areas: tuple[str, ...] = Field(default=(), description="Required areas that no camera watches (R07).")
    estimated_cost_vnd: int | None = None
    signed_on: date | None = Field(default=None, description="Day on the minutes; lateness counts it.")
    document_number: str | None = Field(default=None, description="Number of the minutes, as printed.")


class ProposalStatus(StrEnum):
    """How far an installation proposal is (R06)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    FUNDED = "funded"
    INSTALLED = "installed"
    CONNECTED = "connected"


class ProposedCameras(BaseModel):
    """Cameras for one area."""

    model_config = MESSAGE

    area: str
    cameras: int
    type: str


class InstallationProposalV1(State):
    """What a facility without enough cameras shall get; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.installation_proposal.v1"
    code: str
    facility_id: UUID
    status: ProposalStatus
    status_since: AwareDatetime
    cameras: int = Field(description="Cameras to install, of all areas together.")
    areas: tuple[ProposedCameras, ...] = ()
    estimated_cost_vnd: int | None = Field(default=None, description="In đồng.")
    lead_time_days: int | None = Field(default=None, description="Days from funding to connection.")
    decision_number: str | None = None
    decision_date: date | None = None
    funding_source: str | None = Field(default=None, description="Where the money comes from, in words.")
    installed_on: date | None = None
    signed_on: date | None = Field(default=None, description="Day on the document; lateness counts it.")
    document_number: str | None = Field(default=None, description="Number of the document, as printed.")
