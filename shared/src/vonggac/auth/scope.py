"""What of the province a token is for, and what its holder sees of the facilities.

A scope is named by permanent ids: a code may be given to something else, an id never is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self
from uuid import UUID

KINDS = ("agency", "unit", "facility")
"""A unit is a district, a commune or the province: with all units beneath it."""
MAX_PARTS = 200


class Place(NamedTuple):
    """A facility, as far as access depends on it."""

    facility_id: UUID
    agency_id: UUID | None
    """That manages it."""
    unit_ids: frozenset[UUID]
    """The unit that it lies in, and those above."""
    restricted: bool


@dataclass(frozen=True, slots=True)
class AccessScope:
    """The facilities that a token is for: those of these agencies, in these units, and these themselves."""

    agencies: frozenset[UUID] = frozenset()
    units: frozenset[UUID] = frozenset()
    facilities: frozenset[UUID] = frozenset()

    @classmethod
    def parse(cls, parts: Iterable[str]) -> Self:
        """Of `agency:<id>`, `unit:<id>`, `facility:<id>`. Raises ValueError for anything else, and for nothing."""
        found: dict[str, set[UUID]] = {kind: set() for kind in KINDS}
        for part in parts:
            kind, _, given = part.partition(":")
            if kind not in found:
                msg = f"a part of a scope is one of {', '.join(f'{name}:<id>' for name in KINDS)}"
                raise ValueError(msg)
            found[kind].add(UUID(given))
        if not any(found.values()):
            msg = "an empty scope covers nothing: leave it out for the whole province"
            raise ValueError(msg)
        return cls(frozenset(found["agency"]), frozenset(found["unit"]), frozenset(found["facility"]))

    @property
    def parts(self) -> list[str]:
        """As a token has it."""
        named = zip(KINDS, (self.agencies, self.units, self.facilities), strict=True)
        return sorted(f"{kind}:{one}" for kind, ids in named for one in ids)

    def covers(self, place: Place) -> bool:
        """Whether the token is for this facility."""
        return (
            place.facility_id in self.facilities
            or place.agency_id in self.agencies
            or not self.units.isdisjoint(place.unit_ids)
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller sees of the facilities, and of everything that belongs to them."""

    scope: AccessScope | None = None
    """None: the whole province."""
    restricted: bool = True
    """Restricted facilities too."""
    people: bool = True
    """Phones and e-mail addresses of people too."""

    @property
    def is_everything(self) -> bool:
        """Whether every facility is seen."""
        return self.scope is None and self.restricted

    def shows(self, place: Place | None) -> bool:
        """Whether the caller learns that there is such a facility; None: nobody knows where it is."""
        if place is None:
            return self.is_everything
        return (self.restricted or not place.restricted) and (self.scope is None or self.scope.covers(place))


EVERYTHING = Sight()
"""Of the platform itself, and of callers that nothing is kept from."""
