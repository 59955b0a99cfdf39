"""When a camera may stand otherwise although nothing new came: every instant at which something said of it ends.

Too early costs one account; too late would be a difference. So every instant that its rows name counts, whatever it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reporting.domain.evidence.media import MEMORY, TAKEN
from reporting.domain.instants import Millis
from reporting.domain.scope import FOREVER, Camera
from reporting.reports.accounts import Material
from reporting.storage.lives import Watch

_RUNS, _CHANGES, _MEDIA, _READ_BACKS, _FAILED = (1, 2, 5), (5, 6), (5, 6, 9, 10, 11, 13, 14), (1, 2, 5, 6), (1, 2, 4)
"""Columns of instants, as `storage.history` reads them."""


class Instants:
    """The instants that the rows of a portion name, by the id of the camera or delivery."""

    def __init__(self, material: Material) -> None:
        self._now, self._read = material.question.now, material.question.period
        self._window = self._now - self._read.start
        stored, found = material.stored, dict[str, list[Millis]]()
        for columns, places in (
            (stored.runs, _RUNS),
            (stored.changes, _CHANGES),
            (stored.media, _MEDIA),
            (stored.read_backs.stretches, _READ_BACKS),
            (stored.read_backs.failed, _FAILED),
        ):
            if columns:
                _add(found, columns, places)
        self._found: Mapping[str, Sequence[Millis]] = found
        # Whoever is presumed alive lives until the moment after now, and goes on.
        of_watch = (at for at in _instants_of(material.watch) if at != self._now + 1)
        self._of_watch = next_change(of_watch, self._now, self._window)

    def next_change(self, camera: Camera) -> Millis:
        """Find the first moment at which the camera may stand otherwise by itself."""
        ids = camera.id, *(planned.id for planned in camera.deliveries)
        named = [at for one in ids for at in self._found.get(one, ())]
        # What begins or ends with the period goes on beyond it.
        named += [piece.start for piece in camera.pieces if piece.start > self._read.start]
        named += [piece.end for piece in camera.pieces if piece.end < self._read.end]
        # A plan is read up to now: what ends with now is seen the moment after, and `next_change` leaves that one out.
        named += [at + 2 for span in camera.being_connected for at in span]
        return min(self._of_watch, next_change(named, self._now, self._window))


def _add(found: dict[str, list[Millis]], columns: Sequence[Sequence[Any]], places: Iterable[int]) -> None:
    for place in places:
        for one, at in zip(columns[0], columns[place], strict=True):
            if at is not None:
                found.setdefault(one, []).append(at)


def _instants_of(watch: Watch) -> Iterable[Millis]:
    """When workers began and ceased to watch; one that is presumed alive has no end yet."""
    for lives in (*watch.forwarders.values(), *watch.probers.values(), watch.probing, watch.lost):
        for life in lives:
            yield from life
    for gaps in watch.lost_by_forwarder.values():
        for gap in gaps:
            yield from gap


def next_change(instants: Iterable[Millis], now: Millis, window: Millis) -> Millis:
    """Find the first moment after `now` at which any of these may change an account that reads `window` back.

    What ended leaves the window once; media is read for MEMORY longer, and a taking is in doubt for TAKEN. The moment
    after now is that of what goes on.
    """
    first = FOREVER
    for at in instants:
        for shift in (0, TAKEN, window, window + MEMORY):
            if now + 1 < at + shift < first:
                first = at + shift
    return first
