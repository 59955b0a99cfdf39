"""All declared tables with their rows. Another table: declare it beside its kin, and name its `SOURCES` here."""

from collections.abc import Mapping
from types import MappingProxyType

from reporting.tables.catalogue import (
    availability,
    cameras,
    cameras_compared,
    days,
    groups,
    intervals,
    mandate,
    outages,
    upkeep,
    urging,
)
from reporting.tables.catalogue.source import Selection, Source

__all__ = ["SOURCES", "Selection", "Source"]

_ROOMS = (groups, availability, cameras, days, outages, intervals, mandate, cameras_compared, upkeep, urging)
SOURCES: Mapping[str, Source] = MappingProxyType(
    {source.table.name: source for room in _ROOMS for source in room.SOURCES}
)
"""By the name of the table."""
