"""What this process published last of each camera, so that the next probe need not read it from the bus."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from vonggac.events.prober import CameraObservedV1

MOST_KEPT = 2048
"""Kept in memory, about 5 KB each."""


@dataclass(frozen=True, slots=True)
class Handout:
    """One delivery of one job of PROBE_JOBS: the job's place in the stream, and the number of the delivery."""

    sequence: int
    number: int


class RecentObservations:
    """A job that comes back with the very next number was with nobody else, so nobody else probed the camera.

    Except on demand: such a probe is announced to all (probe_lock.py), and then `drop` is called.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._observations: OrderedDict[UUID, tuple[Handout, CameraObservedV1]] = OrderedDict()

    def keep(self, handout: Handout, fact: CameraObservedV1) -> None:
        """Keep what a probe, made for this handout, published."""
        self._observations.pop(fact.camera_id, None)
        self._observations[fact.camera_id] = handout, fact
        if len(self._observations) > self._most:
            self._observations.popitem(last=False)

    def before(self, handout: Handout, camera_id: UUID) -> CameraObservedV1 | None:
        """Find the latest observation, by whichever prober; None when only the bus has it."""
        kept = self._observations.get(camera_id)
        if kept is None:
            return None
        last, fact = kept
        return fact if handout == Handout(last.sequence, last.number + 1) else None

    def drop(self, camera_id: UUID) -> None:
        self._observations.pop(camera_id, None)
