"""What inventory publishes: the whole current state of one thing per message.

Subjects are `inventory.<noun>.<id>`; the last message of a subject is the truth, so a consumer that starts empty
replays the stream and knows everything. A removal is a message too (`RemovedV1`), on the subject of what was removed.
Secrets are sealed for the workers' key (vonggac.auth.sealing): inventory cannot read them back.
"""

from vonggac.events.inventory.devices import (
    CameraV1,
    DestinationRole,
    DestinationV1,
    ExpectedDevice,
    MediaTransport,
    PlannedDelivery,
    RecorderV1,
    RequiredProof,
    SealedSecret,
    TlsTrust,
)
from vonggac.events.inventory.mandate import (
    BlockedKind,
    BlockedReasonV1,
    DeadlineV1,
    DirectiveV1,
    InformationRequestStatus,
    InformationRequestV1,
    InspectionV1,
    JournalEntryV1,
    MaintenanceWindowV1,
    ObligationKind,
    ObligationStatus,
    ObligationV1,
    VisitPurpose,
    VisitStatus,
    VisitV1,
)
from vonggac.events.inventory.people import (
    AgencyRole,
    AgencyV1,
    FocalPointV1,
    OperatorAssignmentV1,
    TeamMemberV1,
    TeamV1,
)
from vonggac.events.inventory.places import (
    CoverageV1,
    CoverageVerdict,
    FacilityStatus,
    FacilityType,
    FacilityV1,
    UnitLevel,
    UnitV1,
)
from vonggac.events.inventory.state import RemovedV1, State

__all__ = [
    "AgencyRole",
    "AgencyV1",
    "BlockedKind",
    "BlockedReasonV1",
    "CameraV1",
    "CoverageV1",
    "CoverageVerdict",
    "DeadlineV1",
    "DestinationRole",
    "DestinationV1",
    "DirectiveV1",
    "ExpectedDevice",
    "FacilityStatus",
    "FacilityType",
    "FacilityV1",
    "FocalPointV1",
    "InformationRequestStatus",
    "InformationRequestV1",
    "InspectionV1",
    "JournalEntryV1",
    "MaintenanceWindowV1",
    "MediaTransport",
    "ObligationKind",
    "ObligationStatus",
    "ObligationV1",
    "OperatorAssignmentV1",
    "PlannedDelivery",
    "RecorderV1",
    "RemovedV1",
    "RequiredProof",
    "SealedSecret",
    "State",
    "TeamMemberV1",
    "TeamV1",
    "TlsTrust",
    "UnitLevel",
    "UnitV1",
    "VisitPurpose",
    "VisitStatus",
    "VisitV1",
]
