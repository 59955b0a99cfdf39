"""Which units a unit lies in, those that it followed included: a scope by a unit outlives the unit.

From 01/7/2025 there are no districts, and communes are merged across what were their borders. Who had a token for a
district keeps what lay in it, and gets nothing that did not:

- a unit that follows one unit, or several, lies in what all of them lay in;
- a unit that was followed lies in those above it that ended too: what moved from one district to another one lies in
  the new one, and what a district left behind when it ended lies in it still.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple
from uuid import UUID

from vonggac.events.inventory import UnitV1

_ZONE = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh, which knows no summer time."""


class UnitLinks(NamedTuple):
    """A unit, as far as access depends on it."""

    parent_id: UUID | None = None
    follows: tuple[UUID, ...] = ()
    ended: bool = False
    """Its last day is over."""

    @property
    def near(self) -> tuple[UUID, ...]:
        """The units that it names."""
        return self.follows if self.parent_id is None else (self.parent_id, *self.follows)


def links_of(unit: UnitV1) -> UnitLinks:
    """Of a unit of the register, as of today."""
    return UnitLinks(unit.parent_id, tuple(each.unit_id for each in unit.succeeds), has_ended(unit.valid_to))


def has_ended(last_day: date | None, on: date | None = None) -> bool:
    """Whether the day is over in the province, by now or `on` a day; None: it has no end."""
    return last_day is not None and last_day < (on or datetime.now(_ZONE).date())


def units_around(unit_id: UUID, units: Mapping[UUID, UnitLinks]) -> frozenset[UUID]:
    """Collect the unit, those above it, and those that it lay in before. Circles end where they began."""
    return _around(unit_id, units, frozenset(), earlier=False)


def units_and_followers(unit_id: UUID, units: Mapping[UUID, UnitLinks]) -> frozenset[UUID]:
    """As `units_around`, and those that followed one of them, with those around these."""
    around = units_around(unit_id, units)
    followers = {each for each, one in units.items() if not around.isdisjoint(one.follows)}
    return around.union(followers, *(units_around(each, units) for each in followers))


def units_within(wanted: Iterable[UUID], units: Mapping[UUID, UnitLinks]) -> frozenset[UUID]:
    """Those of `units` that lie in one of the wanted ones, and these."""
    asked = frozenset(wanted)
    return asked | {unit_id for unit_id in units if not asked.isdisjoint(units_around(unit_id, units))}


def _around(
    unit_id: UUID, units: Mapping[UUID, UnitLinks], passed: frozenset[UUID], *, earlier: bool
) -> frozenset[UUID]:
    links = units.get(unit_id)
    if links is None or unit_id in passed:
        return frozenset({unit_id})
    passed |= {unit_id}
    found = {unit_id}
    above = links.parent_id
    if above is not None and (not earlier or (above in units and units[above].ended)):
        found |= _around(above, units, passed, earlier=earlier)
    if links.follows:
        before = [_around(each, units, passed, earlier=True) for each in links.follows]
        found |= frozenset.intersection(*before)
    return frozenset(found)
