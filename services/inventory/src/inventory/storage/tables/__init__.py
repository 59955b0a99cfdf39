"""The tables. Every thing has a permanent id, a revision (one more for each change) and the time of its last change."""

from inventory.storage.tables.base import Base, Coded, Thing
from inventory.storage.tables.devices import Camera, Delivery, Destination
from inventory.storage.tables.log import Change, OutboxRow, PublishedStream
from inventory.storage.tables.people import Agency, FocalPoint
from inventory.storage.tables.places import Facility, Unit

THINGS: tuple[type[Thing], ...] = (Agency, Unit, Facility, FocalPoint, Destination, Camera, Delivery)

__all__ = [
    "THINGS",
    "Agency",
    "Base",
    "Camera",
    "Change",
    "Coded",
    "Delivery",
    "Destination",
    "Facility",
    "FocalPoint",
    "OutboxRow",
    "PublishedStream",
    "Thing",
    "Unit",
]
