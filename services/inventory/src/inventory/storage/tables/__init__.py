"""The tables. Every thing has a permanent id, a revision (one more for each change) and the time of its last change."""

from inventory.storage.tables.base import Base, Coded, Thing
from inventory.storage.tables.devices import Camera, Delivery, Destination
from inventory.storage.tables.history import history_of
from inventory.storage.tables.imports import ImportRow
from inventory.storage.tables.log import Change, IdempotencyKey, OutboxRow, PublishedStream
from inventory.storage.tables.people import Agency, FocalPoint
from inventory.storage.tables.places import District, Facility

THINGS: tuple[type[Thing], ...] = (Agency, District, Facility, FocalPoint, Destination, Camera, Delivery)

HISTORY = {kind: history_of(kind) for kind in THINGS}
"""The table of earlier states of each thing (decision 0042)."""

__all__ = [
    "HISTORY",
    "THINGS",
    "Agency",
    "Base",
    "Camera",
    "Change",
    "Coded",
    "Delivery",
    "Destination",
    "District",
    "Facility",
    "FocalPoint",
    "IdempotencyKey",
    "ImportRow",
    "OutboxRow",
    "PublishedStream",
    "Thing",
]
