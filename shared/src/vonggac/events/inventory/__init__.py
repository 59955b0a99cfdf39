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
    RequiredProof,
    SealedSecret,
    TlsTrust,
)
from vonggac.events.inventory.people import AgencyRole, AgencyV1, FocalPointV1
from vonggac.events.inventory.places import DistrictV1, FacilityStatus, FacilityType, FacilityV1
from vonggac.events.inventory.plans import ConnectionPlanV1, PlanBasis, PlanExceptionV1, PlannedConnection, PlanStatus
from vonggac.events.inventory.state import RemovedV1, State
from vonggac.events.inventory.surveys import (
    InstallationProposalV1,
    ProposalStatus,
    ProposedCameras,
    SurveyStatus,
    SurveyV1,
    SurveyVerdict,
)

__all__ = [
    "AgencyRole",
    "AgencyV1",
    "CameraV1",
    "ConnectionPlanV1",
    "DestinationRole",
    "DestinationV1",
    "DistrictV1",
    "ExpectedDevice",
    "FacilityStatus",
    "FacilityType",
    "FacilityV1",
    "FocalPointV1",
    "InstallationProposalV1",
    "MediaTransport",
    "PlanBasis",
    "PlanExceptionV1",
    "PlanStatus",
    "PlannedConnection",
    "PlannedDelivery",
    "ProposalStatus",
    "ProposedCameras",
    "RemovedV1",
    "RequiredProof",
    "SealedSecret",
    "State",
    "SurveyStatus",
    "SurveyV1",
    "SurveyVerdict",
    "TlsTrust",
]
