"""Whether what a camera shows stands still or repeats itself, by the keyframes that are compared."""

from datetime import datetime

from forwarder.domain.picture.keyframes import HISTORY, ComparedKeyframe, Still, may_stand_still, still_with
from forwarder.domain.picture.nothing_new import NothingNew, date_nothing_new
from forwarder.domain.picture.repetition import RememberedKeyframes


class Stillness:
    """One per held camera: every keyframe is compared, so that a still picture is dated by its first repetition."""

    def __init__(self) -> None:
        self.still: Still | None = None
        """How long the keyframes have been identical; None while they differ."""
        self.nothing_new = NothingNew()
        """The picture stands still for certain, or repeats itself, since then, or did so until then."""
        self.remembered = RememberedKeyframes()
        self.compared = 0
        """Keyframes that were compared with those before them."""
        self.newest: tuple[ComparedKeyframe, ...] = ()
        """The last of these, oldest first, hashed for others or not."""

    def begin_session(self, at: datetime) -> None:
        """Begin a session: the camera's media flows anew."""
        self.remembered.begin_session(at)

    def compare(self, keyframe: ComparedKeyframe) -> bool:
        """Compare the newest keyframe; return whether `nothing_new` changed."""
        self.compared += 1
        self.newest = (*self.newest, keyframe)[-HISTORY:]
        self.still = still_with(self.still, self.newest)
        self.remembered.add(keyframe, still=self.still is not None)
        before = self.nothing_new
        self.nothing_new = date_nothing_new(before, self.still, self.remembered, self.newest)
        return before != self.nothing_new

    @property
    def may_stand_still(self) -> bool:
        """Whether it does, also for certain, or the next keyframes will show it."""
        # Also while it stands still for certain: whoever reads back compares each of them.
        return self.still is not None or may_stand_still(self.newest)

    @property
    def may_repeat(self) -> bool:
        """Whether the hashes of the next keyframes will show that they are those of a recording."""
        return self.remembered.wants_hashes(self.newest[-1].captured_at)
