"""The present in memory: a row for each camera, the facilities, and which rows changed with which version."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID, uuid4

from reporting.domain.instants import Millis
from reporting.domain.scope import Facility
from reporting.reports.present.account import Accounted
from reporting.reports.present.rows import Row

KEPT_CHANGES = 2000
"""Versions whose changed rows are kept for those who come again; about half an hour of a busy province."""
MOST_IDS = 100_000
"""Cameras in all of these."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one version changed: cameras by their ids, each with the facility where it stood before, None for a new
    one."""

    number: int
    before: Mapping[str, Facility | None]


class Places(NamedTuple):
    """Facilities of now in the order of the reports, and which of them are counted."""

    facilities: tuple[Facility, ...] = ()
    counted: frozenset[UUID] = frozenset()


class Board:
    """Read it between two awaits: it is changed in one step.

    `as_of` None: nothing was accounted yet. `version` is of this process alone: no other one makes the same.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.by_facility: dict[UUID, dict[str, Row]] = {}
        self.places = Places()
        self.places_number = 0
        """Grows when a facility changed: who sees what may be otherwise."""
        self.as_of: Millis | None = None
        self.number = 0
        self._epoch = uuid4().hex[:12]
        self._changes: deque[Change] = deque()
        self._ids = 0
        self._moved = asyncio.Event()
        self.differences = 0
        """Cameras that a check found otherwise than in memory, since the start."""

    @property
    def version(self) -> str:
        return f"{self._epoch}-{self.number}"

    def number_of(self, version: str) -> int | None:
        """Find the number of a version of this process, None of another one's or of one that never was."""
        epoch, _, number = version.partition("-")
        known = epoch == self._epoch and number.isascii() and number.isdecimal() and len(number) < 16
        return int(number) if known and int(number) <= self.number else None

    def changes_since(self, number: int) -> dict[str, Facility | None] | None:
        """Cameras that changed after that version, each with where it stood then; None: no longer known."""
        if number < self.number and (not self._changes or self._changes[0].number > number + 1):
            return None
        found: dict[str, Facility | None] = {}
        for change in self._changes:
            if change.number > number:
                for camera_id, before in change.before.items():
                    found.setdefault(camera_id, before)
        return found

    def apply(self, accounted: Iterable[Accounted], as_of: Millis, places: Places | None = None) -> bool:
        """Take over what was accounted, as of that moment; returns whether anything is otherwise."""
        before: dict[str, Facility | None] = {}
        for camera_id, row, _ in accounted:
            known = self.rows.get(camera_id)
            if row == known:
                continue
            before[camera_id] = None if known is None else known.facility
            self._put(camera_id, known, row)
        moved = places is not None and places != self.places
        if places is not None and moved:
            self.places = places
            self.places_number += 1
        self.as_of = as_of
        if before or moved:
            self.number += 1
            self._keep(Change(self.number, before))
            self.wake()
        return bool(before) or moved

    def wake(self) -> None:
        """Wake all who wait for a change."""
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def wait(self, number: int, within_s: float) -> None:
        """Wait until there is another version than `number`, until somebody wakes all, or for so long."""
        if self.number == number:
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._moved.wait()

    def _put(self, camera_id: str, known: Row | None, row: Row | None) -> None:
        if known is not None:
            del self.by_facility[known.facility.id][camera_id]
        if row is None:
            del self.rows[camera_id]
            return
        self.rows[camera_id] = row
        self.by_facility.setdefault(row.facility.id, {})[camera_id] = row

    def _keep(self, change: Change) -> None:
        self._changes.append(change)
        self._ids += len(change.before)
        while len(self._changes) > KEPT_CHANGES or (self._ids > MOST_IDS and len(self._changes) > 1):
            self._ids -= len(self._changes.popleft().before)
