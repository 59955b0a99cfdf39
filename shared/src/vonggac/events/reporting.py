"""What reporting publishes: facts that follow from observations, the register and the clock.

Each event is what the bus and the webhooks carry, byte for byte, with the same id. An id is made from the type and the
thing, so that the same fact has the same id whoever finds it again. Events of one thing (`subject`) come in order.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from vonggac.events.envelope import Payload


class AfterOutage(StrEnum):
    """What a camera is after an outage. `unknown`: nobody probed any more, which is no recovery."""

    UP = "up"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    OUT_OF_SCOPE = "out_of_scope"


class OutageOpenedV1(Payload):
    """An outage of a camera is confirmed: a second probe failed, or its media stopped."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.outage_opened.v1"
    outage_id: UUID = Field(description="The same in the event that closes it.")
    camera_id: UUID
    camera_code: str
    facility_id: UUID
    facility_code: str
    began_at: AwareDatetime = Field(description="Dated back to the last media or the first failed probe.")
    began_before: bool = Field(default=False, description="It may have begun earlier: nothing older was read.")
    cause: str | None = Field(default=None, description="The first cause, of the list of causes.")


class OutageClosedV1(Payload):
    """An outage of a camera is over, or late evidence says that there was none."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.outage_closed.v1"
    outage_id: UUID
    camera_id: UUID
    camera_code: str
    facility_id: UUID
    facility_code: str
    began_at: AwareDatetime = Field(description="As it is known now; late evidence may have moved it.")
    ended_at: AwareDatetime
    duration_ms: int = Field(ge=0)
    causes: tuple[str, ...] = Field(default=(), description="In order of appearance.")
    followed_by: AfterOutage
    retracted: bool = Field(default=False, description="Late evidence: there was no outage. Then duration_ms is 0.")


class SiteFaultOpenedV1(Payload):
    """All cameras of a facility failed alike: one fault with its cameras."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.site_fault_opened.v1"
    facility_id: UUID
    facility_code: str | None = None
    cause: str
    camera_ids: tuple[UUID, ...]
    began_at: AwareDatetime = Field(description="When the last of them failed.")


class SiteFaultClosedV1(Payload):
    """The first camera of a facility that had failed as a whole is back."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.site_fault_closed.v1"
    facility_id: UUID
    facility_code: str | None = None
    cause: str
    camera_ids: tuple[UUID, ...]
    began_at: AwareDatetime
    ended_at: AwareDatetime


class ObligationOverdueV1(Payload):
    """A facility has not met an obligation at its deadline: on time is strictly before it (R05)."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.obligation_overdue.v1"
    obligation_id: UUID
    obligation_code: str
    kind: str
    facility_id: UUID | None = Field(default=None, description="None: an obligation that is about no facility.")
    facility_code: str | None = None
    responsible_agency_id: UUID
    due_before: AwareDatetime


class ReportFrozenV1(Payload):
    """A report was frozen: its figures never change; a correction makes the next version."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.report_frozen.v1"
    report_id: UUID
    version: int = Field(ge=1)
    cut_off_at: AwareDatetime
    sha256: str = Field(description="The digest at the foot of its pages, 64 hexadecimal digits.")
    frozen_by: str = Field(description="Subject of the token that froze it, or the regime that it is of.")


class ReportLaidBeforeV1(Payload):
    """The report of a regime was frozen at its cut-off and waits for whoever approves it."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.report_laid_before.v1"
    report_id: UUID
    version: int = Field(ge=1)
    regime_id: UUID
    regime_name: str
    from_at: AwareDatetime = Field(description="Start of its period, included.")
    cut_off_at: AwareDatetime = Field(description="End of its period, excluded.")
    sha256: str = Field(description="The digest at the foot of its pages, 64 hexadecimal digits.")
    compared_with: UUID | None = Field(
        default=None, description="The last report of the regime; None: it is the first."
    )
    late: bool = Field(default=False, description="Frozen later than it could have been: reporting was away then.")
    approver_agency_id: UUID | None = Field(default=None, description="Before whom it is laid; None: whoever decides.")


class ReportApprovedV1(Payload):
    """Somebody who decides approved a version of a frozen report; of a regime, its recipients get it now."""

    event_type: ClassVar[str] = "vn.vonggac.reporting.report_approved.v1"
    report_id: UUID
    version: int = Field(ge=1)
    sha256: str = Field(description="The digest at the foot of its pages, 64 hexadecimal digits.")
    approved_by: str = Field(description="Subject of the token that approved it.")
    approved_at: AwareDatetime
    regime_id: UUID | None = Field(default=None, description="None: it is of no regime.")
    recipient_agency_ids: tuple[UUID, ...] = Field(default=(), description="To whom the regime sends it.")


class ReportFlaggedV1(Payload):
    """Evidence came for the time of a frozen report, whose figures may differ; a person makes the further version.

    Once for a version until somebody has checked it. What came, so far: more may follow without another event.
    """

    event_type: ClassVar[str] = "vn.vonggac.reporting.report_flagged.v1"
    report_id: UUID
    version: int = Field(ge=1)
    since: AwareDatetime = Field(description="The first moment that it touches.")
    what: tuple[str, ...] = Field(description="Kinds of facts, such as probe, claim or maintenance.")
    cameras: int = Field(ge=0, description="So many cameras it touches by name.")
    any_camera: bool = Field(description="It may touch any camera, such as a worker's life.")
