"""When pictures came from the camera, and what of them a destination left out while it gave none, or old ones again.

`came` are keyframes read back, as hash and arrival, in order; `given` those that the camera gave, as hash and capture.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prober.domain.delay import LEAST_PAUSED, PAUSE_S
from vonggac.events.forwarder import KeyframeNote

type Timed = tuple[str, datetime]

BURST_S = 1.0
"""What comes within this time after the first keyframe may be what the destination keeps for new viewers. And so long a
destination that catches up after an interruption plays what waited for it, until the present comes."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing new came back from `since` on; `missed`: when the pictures were captured that did not.

    `played_again`: pictures that had come before came again and again, for as long as makes a pause.
    """

    since: datetime
    missed: Sequence[datetime]
    played_again: bool

    @property
    def length_s(self) -> float:
        """From the first picture that did not come back to the last one; 0.0 where too few did not."""
        return (self.missed[-1] - self.missed[0]).total_seconds() if len(self.missed) >= LEAST_PAUSED else 0.0

    @property
    def is_repetition(self) -> bool:
        """Whether the destination repeats itself, and the camera does not: no destination that is late does that."""
        return self.played_again and self.length_s >= PAUSE_S


def silence_at_end(came: Sequence[Timed], given: Iterable[Timed], *, asked_at: datetime) -> Silence:
    """Find the silence in which a read-back that began at `asked_at` ends."""
    since = _last_new(came, asked_at)
    known = {name for name, _ in came}
    missed = sorted(captured_at for name, captured_at in given if captured_at >= since and name not in known)
    again = [arrived_at for _, arrived_at in came if arrived_at > since]
    played_again = len(again) > LEAST_PAUSED and (again[-1] - again[0]).total_seconds() >= PAUSE_S
    return Silence(since, missed, played_again)


def _last_new(came: Sequence[Timed], asked_at: datetime) -> datetime:
    """When the destination last gave a picture that it had not given before. What it keeps for new viewers comes at
    once, and may be all that it has."""
    if not came:
        return asked_at
    kept_until_s = BURST_S + (came[0][1] - asked_at).total_seconds()
    known: set[str] = set()
    last = asked_at
    for name, arrived_at in came:
        after_s = (arrived_at - asked_at).total_seconds()
        if name not in known and after_s >= kept_until_s:
            last = arrived_at
        known.add(name)
    return last


def find_comings(notes: Sequence[KeyframeNote]) -> dict[str, tuple[KeyframeNote, KeyframeNote]]:
    """Return by hash the first and the last time that a picture is known to have come."""
    comings: dict[str, tuple[KeyframeNote, KeyframeNote]] = {}
    for note in sorted(notes, key=lambda note: note.captured_at):
        first, _ = comings.get(note.hash, (note, note))
        comings[note.hash] = first, note
    return comings


def is_over(note: KeyframeNote, notes: Sequence[KeyframeNote], by: datetime) -> bool:
    """Whether the camera gave another picture after this one, by that moment: until then it may have stood still."""
    return any(note.captured_at < other.captured_at <= by and other.hash != note.hash for other in notes)


def is_noted_until(at: datetime, notes: Sequence[KeyframeNote]) -> bool:
    """Whether the notes go on to when a picture came back: until then its last coming from the camera may not be among
    them, for a camera may repeat itself (a recording played in a loop)."""
    return any(note.captured_at >= at for note in notes)
