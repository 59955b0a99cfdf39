"""Connection plans and the exceptions from them: under what a facility's cameras are forwarded (R04)."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from vonggac.events.envelope import MESSAGE
from vonggac.events.inventory.state import State


class PlanStatus(StrEnum):
    """How far a version of a connection plan is. At most one version of a facility is agreed."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    AGREED = "agreed"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class PlanBasis(StrEnum):
    """Under what a delivery runs. Under `none` it does not run; `excepted` is flagged in every report."""

    AGREED = "agreed"
    EXCEPTED = "excepted"
    NONE = "none"


class PlannedConnection(BaseModel):
    """One camera of a plan, without its address."""

    model_config = MESSAGE

    camera_code: str = Field(description="Code that the camera has, or will have, in the register.")
    source: str = Field(description="camera, nvr_channel or vendor_cloud.")
    stream: str = Field(description="main or sub.")
    transport: str
    bandwidth_kbps: int
    destination_codes: tuple[str, ...]
    due_on: date | None = None


class ConnectionPlanV1(State):
    """One version of a facility's connection plan; its current state."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.connection_plan.v1"
    code: str
    facility_id: UUID
    version: int
    status: PlanStatus
    status_since: AwareDatetime
    agreed_at: AwareDatetime | None = None
    connect_by: date | None = Field(default=None, description="Day by which all cameras of the plan are connected.")
    connections: tuple[PlannedConnection, ...] = ()
    agreed_on: date | None = Field(
        default=None, description="Day on paper of the agreement: of its document, else of the last documented word."
    )
    document_number: str | None = Field(default=None, description="Number of the document, as printed.")
    connected_on: date | None = Field(default=None, description="Day on the minutes that accept the connection.")
    acceptance_number: str | None = Field(default=None, description="Number of those minutes.")


class PlanExceptionV1(State):
    """A facility's cameras are forwarded without an agreed plan, for the reason given; flagged in every report."""

    event_type: ClassVar[str] = "vn.vonggac.inventory.plan_exception.v1"
    facility_id: UUID
    why: str
    approved_by: str
    decided_on: date
