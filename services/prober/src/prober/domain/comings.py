"""When the camera's pictures came, by the notes of its forwarders."""

from collections.abc import Sequence
from datetime import datetime

from vonggac.events.forwarder import KeyframeNote


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
