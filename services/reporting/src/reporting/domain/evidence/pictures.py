"""A camera that is forwarded: what its picture is between two changes of it, and what probes say of that.

A forwarder decodes no picture, and sees when it becomes another one. What was found of it before such a change does not
hold after it: from then on nobody knows what the camera shows, until a prober has decoded it. What that one found holds
from the change on, and until the next change.
"""

from typing import NamedTuple

from reporting.domain.instants import Millis
from reporting.domain.partition import Seen
from reporting.domain.timeline import CameraState
from vonggac.events.causes import Cause

EMPTY = frozenset(
    cause.value
    for cause in (
        Cause.NO_SIGNAL_CARD,
        Cause.BLACK,
        Cause.COVERED,
        Cause.FROZEN,
        Cause.DECODE_FAILED,
        Cause.NO_KEYFRAME,
    )
)
"""Of a failed probe: video came, and its picture showed nothing."""


class Shown(NamedTuple):
    """What a camera shows since the change at `since`; `judged`: a prober decoded it; `cause`: it shows nothing."""

    since: Millis
    judged: bool
    cause: str | None

    @property
    def is_good(self) -> bool:
        return self.judged and self.cause is None

    def refutes(self, seen: Seen) -> bool:
        """Whether the last probe that found `seen` was made before this picture, which is not as it found it."""
        if seen.last_at >= self.since:
            return False
        if seen.state is CameraState.UP:
            return not self.is_good
        return seen.cause in EMPTY and (not self.judged or self.is_good)

    def revise(self, at: Millis, found: Seen | None, probed: Seen | None) -> Seen | None:
        """Revise what the camera is from `at` on, while it shows it: `found` by probes and media, last probe `probed`.

        A picture that stands still bit for bit is left to whoever found that.
        """
        if self.cause is not None:
            return found if found is not None and found.state is CameraState.DOWN else _down(self.cause, at)
        if not self.judged and found is not None and found.state is CameraState.UP:
            return None
        if found is not None and found == probed and self.refutes(found):
            return Seen(CameraState.UP, None, at) if self.judged else None
        return found


def _down(cause: str, at: Millis) -> Seen:
    return Seen(CameraState.DOWN, cause, at)
