"""The tables. Every thing has a permanent id, a revision (one more for each change) and the time of its last change."""

from sqlalchemy import Index, func

from inventory.storage.tables.base import Base, Thing
from inventory.storage.tables.devices import Camera, Delivery, Destination, Recorder
from inventory.storage.tables.history import history_of
from inventory.storage.tables.imports import ImportRow
from inventory.storage.tables.log import (
    ActorName,
    Backup,
    Change,
    IdempotencyKey,
    OutboxRow,
    PublishedStream,
    RepublishWanted,
)
from inventory.storage.tables.mandate import (
    BlockedReason,
    DecisionRequest,
    Directive,
    DirectiveScan,
    InformationRequest,
    Inspection,
    JournalEntry,
    MaintenanceWindow,
    Obligation,
    SelfApproval,
    Visit,
)
from inventory.storage.tables.people import Agency, ApprovalRule, FocalPoint, OperatorAssignment, Team, TeamMember
from inventory.storage.tables.places import Coverage, Facility, FacilityLink, Purge, Unit
from inventory.storage.tables.surveys import (
    ConnectionPlan,
    InstallationProposal,
    PlanException,
    Survey,
    SurveyContent,
    SurveySubmission,
)

THINGS: tuple[type[Thing], ...] = (
    Agency,
    Unit,
    Facility,
    FocalPoint,
    OperatorAssignment,
    Coverage,
    Destination,
    Recorder,
    Camera,
    Delivery,
    Team,
    TeamMember,
    Directive,
    Obligation,
    InformationRequest,
    Visit,
    Inspection,
    MaintenanceWindow,
    JournalEntry,
    BlockedReason,
    Survey,
    ConnectionPlan,
    PlanException,
    InstallationProposal,
    DecisionRequest,
    ApprovalRule,
    SelfApproval,
)

# Of a plan the register makes the code, and a unit's is of its level and time.
for _kind in THINGS:
    if "code" in _kind.__table__.c and _kind not in {ConnectionPlan, Unit}:
        _folded = func.folded_code(_kind.__table__.c.code)
        Index(f"ix_{_kind.__tablename__}_folded_code", _folded, unique=True)

HISTORY = {kind: history_of(kind) for kind in THINGS}
"""The table of earlier states of each thing (decision 0042)."""

__all__ = [
    "HISTORY",
    "THINGS",
    "ActorName",
    "Agency",
    "ApprovalRule",
    "Backup",
    "Base",
    "BlockedReason",
    "Camera",
    "Change",
    "ConnectionPlan",
    "Coverage",
    "DecisionRequest",
    "Delivery",
    "Destination",
    "Directive",
    "DirectiveScan",
    "Facility",
    "FacilityLink",
    "FocalPoint",
    "IdempotencyKey",
    "ImportRow",
    "InformationRequest",
    "Inspection",
    "InstallationProposal",
    "JournalEntry",
    "MaintenanceWindow",
    "Obligation",
    "OperatorAssignment",
    "OutboxRow",
    "PlanException",
    "PublishedStream",
    "Purge",
    "Recorder",
    "RepublishWanted",
    "SelfApproval",
    "Survey",
    "SurveyContent",
    "SurveySubmission",
    "Team",
    "TeamMember",
    "Thing",
    "Unit",
    "Visit",
]
