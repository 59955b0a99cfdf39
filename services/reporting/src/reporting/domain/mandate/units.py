"""Which administrative unit a facility lies in, moment by moment, when units end.

Districts ended on 30/6/2025, and a facility that the register still has in one of them lies in what followed it.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.scope import FOREVER, Named
from reporting.domain.segments import Segment, value_at


class UnitVersion(NamedTuple):
    """A unit between two of its changes. `ended_at`: the midnight after its last day; None while it has no end."""

    parent_id: UUID | None
    ended_at: Millis | None
    follows: tuple[UUID, ...]


class Succession:
    """Units by what follows them, at each moment as the register had it then."""

    def __init__(self, versions: Mapping[UUID, Sequence[Segment[UnitVersion]]], names: Mapping[UUID, Named]) -> None:
        self._versions, self._names = versions, names
        self._followers: dict[UUID, list[UUID]] = {}
        moments = set[Millis]()
        for unit_id, known in versions.items():
            for start, end, one in known:
                moments.update((start, end))
                if one.ended_at is not None:
                    moments.add(one.ended_at)
                for earlier in one.follows:
                    followers = self._followers.setdefault(earlier, [])
                    if unit_id not in followers:
                        followers.append(unit_id)
        self._moments = sorted(moments - {FOREVER})
        self._lines: dict[UUID, list[Segment[UUID]]] = {}

    def line(self, unit: Named, start: Millis, end: Millis) -> Iterator[Segment[Named]]:
        """Divide [start, end), in which the register has a facility in `unit`, by the units that it lay in."""
        if all(one.ended_at is None for _, _, one in self._versions.get(unit.id, ())):
            yield Segment(start, end, unit)
            return
        if unit.id not in self._lines:
            self._lines[unit.id] = self._line(unit.id)
        for begins, ends, unit_id in self._lines[unit.id]:
            since, until = max(begins, start), min(ends, end)
            if since < until:
                yield Segment(since, until, unit if unit_id == unit.id else self._names[unit_id])

    def _line(self, unit_id: UUID) -> list[Segment[UUID]]:
        """Build a unit's line of all time, without neighbours of one unit."""
        found: list[Segment[UUID]] = []
        for start, end in pairwise([-FOREVER, *self._moments, FOREVER]):
            lies_in = self._unit_at(unit_id, start)
            if found and found[-1].value == lies_in:
                found[-1] = Segment(found[-1].start, end, lies_in)
            else:
                found.append(Segment(start, end, lies_in))
        return found

    def _unit_at(self, unit_id: UUID, at: Millis) -> UUID:
        passed = {unit_id}
        while (heir := self._heir(unit_id, at)) is not None and heir not in passed:
            unit_id = heir
            passed.add(unit_id)
        return unit_id

    def _heir(self, unit_id: UUID, at: Millis) -> UUID | None:
        """Find what followed a unit that had ended: its only follower, else the unit above it. None while it stands."""
        version = value_at(self._versions.get(unit_id, ()), at)
        if version is None or version.value.ended_at is None or at < version.value.ended_at:
            return None
        followers = [one for one in self._followers.get(unit_id, ()) if self._follows(one, unit_id, at)]
        heir = followers[0] if len(followers) == 1 else version.value.parent_id
        return heir if heir in self._versions else None

    def _follows(self, unit_id: UUID, earlier: UUID, at: Millis) -> bool:
        version = value_at(self._versions[unit_id], at)
        return version is not None and earlier in version.value.follows
