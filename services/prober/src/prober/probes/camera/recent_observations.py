"""What this process told last of each camera, so that the bus need not be asked for it before the next look."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from vonggac.events.prober import CameraObservedV1

MOST_TOLD = 2048
"""Kept in memory, about 5 KB each."""


@dataclass(frozen=True, slots=True)
class Handout:
    """Which handing out of which job of PROBE_JOBS: its place in the stream, and the how manieth it is."""

    sequence: int
    number: int


class ToldLooks:
    """A job that comes back with the very next number was with nobody else meanwhile, so nobody else told a look.

    But for those that a person asked another prober for: these are told to all (turns.py), and then `forget` is called.
    """

    def __init__(self, most: int = MOST_TOLD) -> None:
        self._most = most
        self._looks: OrderedDict[UUID, tuple[Handout, CameraObservedV1]] = OrderedDict()

    def keep(self, handout: Handout, fact: CameraObservedV1) -> None:
        """A look was made for this handout, and told."""
        self._looks.pop(fact.camera_id, None)
        self._looks[fact.camera_id] = handout, fact
        if len(self._looks) > self._most:
            self._looks.popitem(last=False)

    def before(self, handout: Handout, camera_id: UUID) -> CameraObservedV1 | None:
        """The look that was told last, whoever looks; None when only the bus knows."""
        told = self._looks.get(camera_id)
        if told is None:
            return None
        last, fact = told
        return fact if handout == Handout(last.sequence, last.number + 1) else None

    def forget(self, camera_id: UUID) -> None:
        self._looks.pop(camera_id, None)
