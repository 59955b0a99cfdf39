"""Since when a camera shows nothing new: its picture stands still, or is that of a recording in a loop."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forwarder.domain.picture.keyframes import STILL_FOR_CERTAIN, ComparedKeyframe, Still, changed_at
from forwarder.domain.picture.repetition import RememberedKeyframes
from vonggac.events.causes import Cause


@dataclass(frozen=True, slots=True)
class NothingNew:
    """Since and until when a camera showed nothing new, and why: `frozen` or `repeats`. Without a cause: never.

    `until`: None while it lasts.
    """

    since: datetime | None = None
    until: datetime | None = None
    cause: Cause | None = None

    @property
    def lasts(self) -> bool:
        return self.since is not None and self.until is None


def date_nothing_new(
    known: NothingNew, still: Still | None, remembered: RememberedKeyframes, seen: Sequence[ComparedKeyframe]
) -> NothingNew:
    """Since and until when a camera shows nothing new, with the newest of `seen` (oldest first).

    A repetition is not called still meanwhile: a recording may stand still for a while.
    """
    repeats = remembered.repetition
    if known.lasts and known.cause is Cause.REPEATS:
        if repeats is None:
            return replace(known, until=remembered.new_since or seen[-1].captured_at)
        return replace(known, since=min(known.since or repeats.since, repeats.since))
    if known.lasts:
        return known if still is not None else replace(known, until=changed_at(seen, len(seen) - 1))
    if repeats is not None:
        return NothingNew(repeats.since, None, Cause.REPEATS)
    if still is not None and still.keyframes >= STILL_FOR_CERTAIN:
        return NothingNew(still.began_at, None, Cause.FROZEN)
    return known
