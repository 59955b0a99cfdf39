"""The tables. Every thing has a permanent id, a revision (one more for each change) and the time of its last change."""

from inventory.storage.tables.base import Base, Coded, Thing
from inventory.storage.tables.devices import Camera, Delivery, Destination
from inventory.storage.tables.log import Change, OutboxRow, PublishedStream
from inventory.storage.tables.mandate import (
    BlockedReason,
    Directive,
    InformationRequest,
    Inspection,
    JournalEntry,
    MaintenanceWindow,
    Obligation,
    Visit,
)
from inventory.storage.tables.people import Agency, FocalPoint, Team, TeamMember
from inventory.storage.tables.places import Facility, Unit

THINGS: tuple[type[Thing], ...] = (
    Agency,
    Unit,
    Facility,
    FocalPoint,
    Destination,
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
)

__all__ = [
    "THINGS",
    "Agency",
    "Base",
    "BlockedReason",
    "Camera",
    "Change",
    "Coded",
    "Delivery",
    "Destination",
    "Directive",
    "Facility",
    "FocalPoint",
    "InformationRequest",
    "Inspection",
    "JournalEntry",
    "MaintenanceWindow",
    "Obligation",
    "OutboxRow",
    "PublishedStream",
    "Team",
    "TeamMember",
    "Thing",
    "Unit",
    "Visit",
]
