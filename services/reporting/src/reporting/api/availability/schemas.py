"""The shapes of availability."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from reporting.api.compliance_schemas import PercentagesResponse
from reporting.api.parameters import GivenInstant
from reporting.domain.segments import Step
from reporting.reports.availability.lines import LineKind
from vonggac.events.inventory import DestinationRole, PlanBasis
from vonggac.http.lists import PageOf
from vonggac.http.protection.texts import VisibleText

type Metric = Literal["availability", "compliance"]


class CameraLengths(BaseModel):
    """Three partitions of `period`: up + down + maintenance + unknown + out_of_scope; compliant + non_compliant +
    compliance_unknown + maintenance + out_of_scope; both + national_only + provincial_only + neither +
    connection_unknown + maintenance + out_of_scope."""

    period: int
    up: int
    down: int
    maintenance: int
    unknown: int
    out_of_scope: int
    compliant: int
    non_compliant: int
    compliance_unknown: int
    both: int
    national_only: int
    provincial_only: int
    neither: int
    connection_unknown: int


class DeliveryLengths(BaseModel):
    """connected + not_connected + maintenance + unknown + out_of_scope is the period, of each delivery."""

    connected: int
    not_connected: int
    maintenance: int
    unknown: int
    out_of_scope: int


class BudgetResponse(BaseModel):
    """What the target leaves of up + down + unknown; what is unknown is not used."""

    target_percent: Decimal
    allowed_ms: int
    used_ms: int
    remaining_ms: int = Field(description="Below zero when the target is missed.")
    remaining_minutes: float
    met: bool


class OutagesResponse(BaseModel):
    """What the outages of the line's cameras come to."""

    count: int = Field(description="Confirmed ones; those of one site fault are one.")
    unconfirmed: int = Field(description="Stretches of down time that a single probe saw.")
    site_faults: int
    down_ms: int
    mttr_ms: float | None = Field(description="Mean length of the counted ones that began and ended in it.")
    mtbf_ms: float | None = Field(description="Up time per counted outage.")
    longest_ms: int | None
    by_cause_ms: dict[str, int] = Field(description="Down time by the first cause of its outage.")


class LineResponse(BaseModel):
    """One group, camera, delivery or destination over [start, end)."""

    by: LineKind
    id: UUID | None = Field(description="null for the total and for types.")
    code: str | None
    name: str | None
    start: datetime
    end: datetime
    cameras: int = Field(description="Cameras that existed in it; of a destination, deliveries.")
    facilities_with_cameras: int | None = Field(description="Of a group.")
    facilities_without_cameras: int | None
    milliseconds: CameraLengths | None = Field(description="null for deliveries and destinations.")
    availability: PercentagesResponse | None
    compliance: PercentagesResponse | None
    delivery_milliseconds: DeliveryLengths | None
    connection: PercentagesResponse | None = Field(description="Of deliveries and destinations.")
    not_connected_by_cause_ms: dict[str, int] | None
    availability_budget: BudgetResponse | None = Field(description="null while no target is in force at `start`.")
    compliance_budget: BudgetResponse | None
    outages: OutagesResponse | None = Field(description="Only with `outages=true`.")
    facility_code: str | None = Field(description="Of a camera or delivery.")
    shared_device_reason: str | None = Field(description="Why another camera on record has the same device.")
    destination_code: str | None = Field(description="Of a delivery.")
    destination_role: DestinationRole | None
    plan: PlanBasis | None = Field(description="What a delivery runs under (R04).")
    plan_exception: str | None


class Availability(PageOf[LineResponse]):
    """A page of lines, and what they are of."""

    start: datetime
    end: datetime
    time_zone: str
    every: Step | None
    current: bool = Field(description="Whether the period reaches now.")
    rule_version: str
    closed_until: date | None = Field(description="Days before it stand in the ledger; later ones are open.")
    late_days: int = Field(description="Days of cameras in the period that changed after they had been closed.")


class TargetResponse(BaseModel):
    """In force from `valid_from` until the next one of its metric."""

    metric: Metric
    percent: Decimal
    valid_from: datetime
    reason: str
    set_by: str
    set_at: datetime


class NewTarget(BaseModel):
    """A target to be in force."""

    model_config = ConfigDict(extra="forbid")

    percent: Decimal = Field(gt=0, le=100, max_digits=9, decimal_places=6, examples=["99.5"])
    valid_from: GivenInstant | None = Field(default=None, description="Default: now.")
    reason: VisibleText = Field(min_length=3, max_length=500, description="The document that demands it.")


class LateDelivery(BaseModel):
    """A delivery's day whose figures changed."""

    delivery_id: UUID
    change_ms: dict[str, int] = Field(description="What each part of the day gained or lost.")
    not_connected_by_cause_change_ms: dict[str, int]


class LateDay(BaseModel):
    """A camera's day whose figures, or those of its deliveries, changed after it had been closed."""

    id: int
    camera_id: UUID
    day: date
    what: str = Field(description="Kinds of facts that came; `cause`: a probe that saw another cause of downtime.")
    noticed_at: datetime
    written_at: datetime
    change_ms: dict[str, int] = Field(
        description="What each part of the day gained or lost; empty where the deliveries alone did."
    )
    deliveries: list[LateDelivery] = Field(description="Those that changed.")
