"""The shape of the compliance document, for the API's description and for the test that checks every answer."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from reporting.domain.scope import Reason
from reporting.domain.timeline import CameraState
from vonggac.events.inventory import DestinationRole, FacilityType, PlanBasis, RequiredProof


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class PeriodResponse(_Part):
    """[from, to), Vietnam time."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    seconds: float
    time_zone: str = Field(description="IANA name of the zone that was asked in.")
    current: bool = Field(description="Whether it reaches now: only then states of now are shown.")


class RuleResponse(_Part):
    """The rule the figures follow."""

    version: str
    text_vi: str
    text_en: str


class NoteResponse(_Part):
    """What to know of the evidence: a time that the clock of the NATS server showed twice, facts from the
    future, a stream that was gone; maintenance that nobody agreed to; or a centre that pulls and did not ask."""

    kind: Literal["clock_step", "corrected_facts", "stream_lost", "declared_maintenance", "centre_not_asking"]
    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    facts: int = Field(
        description="Facts that were refused as evidence, counted at another time, or lost; windows or cameras."
    )
    text_vi: str
    text_en: str


class FilterResponse(_Part):
    """What the caller narrowed the report to."""

    unit: str | None
    agency: str | None
    type: str | None
    facility: str | None


class FacilityCounts(_Part):
    total: int
    with_cameras: int
    without_cameras: int


class CameraCountsResponse(_Part):
    """Cameras by how they stand now; all but `total` are null when the period does not reach now. Twice a partition
    of `total`: up, down, maintenance, unknown, out_of_scope; and both, national_only, provincial_only, neither,
    connection_unknown, out_of_scope."""

    total: int = Field(description="Cameras that existed in the period, also those out of scope all the time.")
    up: int | None
    down: int | None
    maintenance: int | None
    unknown: int | None
    out_of_scope: int | None
    national_connected: int | None
    provincial_connected: int | None
    both: int | None
    national_only: int | None
    provincial_only: int | None
    neither: int | None
    connection_unknown: int | None
    compliant: int | None


class SecondsResponse(_Part):
    """Three partitions of `period`: up + down + maintenance + unknown + out_of_scope; compliant + non_compliant +
    compliance_unknown + maintenance + out_of_scope; both + national_only + provincial_only + neither +
    connection_unknown + maintenance + out_of_scope."""

    period: float
    up: float
    down: float
    maintenance: float
    unknown: float
    out_of_scope: float
    compliant: float
    non_compliant: float
    compliance_unknown: float
    both: float
    national_only: float
    provincial_only: float
    neither: float
    connection_unknown: float


class PercentagesResponse(_Part):
    """Unrounded. `measured` leaves unknown out, `strict` counts it as bad, `lenient` as good; `coverage` is how much
    was measured. Maintenance is left out of all. null where there is nothing to divide by."""

    measured_percent: float | None
    strict_percent: float | None
    lenient_percent: float | None
    coverage_percent: float | None


class Figures(_Part):
    facilities: FacilityCounts
    cameras: CameraCountsResponse
    seconds: SecondsResponse
    availability: PercentagesResponse
    compliance: PercentagesResponse


class GroupResponse(Figures):
    """One unit, agency, type (id is null) or facility."""

    id: UUID | None
    code: str | None
    name: str | None


class NamedResponse(_Part):
    """Code and name are null while only the id is known."""

    id: UUID
    code: str | None
    name: str | None


class FacilityResponse(NamedResponse):
    type: FacilityType
    restricted: bool


class DestinationResponse(NamedResponse):
    role: DestinationRole | None


class DeliverySeconds(_Part):
    """Add up to the period."""

    connected: float
    not_connected: float
    maintenance: float
    unknown: float
    out_of_scope: float


class DeliveryResponse(_Part):
    id: UUID
    enabled: bool
    required_proof: RequiredProof
    plan: PlanBasis | None = Field(description="What it runs under (R04); null where an earlier release left it out.")
    plan_exception: str | None = Field(description="Why it runs without an agreed plan.")
    destination: DestinationResponse
    state: str | None = Field(
        description="A delivery state, or `unknown` when no living forwarder claims it; null for a past period."
    )
    cause: str | None
    since: AwareDatetime | None
    connected: bool | None = Field(description="As the destination demands; null while unknown, or for a past period.")
    seconds: DeliverySeconds
    verified_at: AwareDatetime | None = Field(
        description="When the destination last played a picture of this camera back, bit for bit; null for the past."
    )
    delay_s: float | None = Field(description="How long that picture was under way, there and back.")
    not_connected_by_cause: dict[str, float] = Field(description="Seconds; `none` where the state has no cause.")


class AbsenceResponse(_Part):
    """[from, to): the camera was not counted."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    reason: Reason
    by: str | None = Field(description="Who decided it, as far as the register says.")
    why: str | None = Field(description="Why, as far as it was given.")


class StretchResponse(_Part):
    """[from, to)."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")


class CameraResponse(_Part):
    id: UUID
    code: str
    name: str
    facility: FacilityResponse
    unit: NamedResponse
    agency: NamedResponse
    state: CameraState | None = Field(description="What the last probe saw; null for a past period.")
    cause: str | None
    since: AwareDatetime | None
    confirmed_state: CameraState | None = Field(
        description="`down` once a second probe failed, dated back to the first; `up` at once; null for a past period."
    )
    confirmed_since: AwareDatetime | None
    compliant: bool | None
    shared_device_reason: str | None = Field(description="Why another camera on record has the same device.")
    out_of_scope: list[AbsenceResponse]
    register_unknown: list[StretchResponse] = Field(
        description="When nobody knows what was demanded: so many changes followed one another while reporting was "
        "away that some never came. Neither charged nor excused: it is `unknown`.",
    )
    deliveries: list[DeliveryResponse]
    seconds: SecondsResponse
    availability: PercentagesResponse
    compliance: PercentagesResponse


class ComplianceReport(_Part):
    """GET /v1/compliance."""

    schema_version: str
    generated_at: AwareDatetime
    period: PeriodResponse
    rule: RuleResponse
    notes: list[NoteResponse]
    filters: FilterResponse
    totals: Figures
    by_unit: list[GroupResponse]
    by_agency: list[GroupResponse]
    by_type: list[GroupResponse]
    by_facility: list[GroupResponse]
    cameras: list[CameraResponse]
