"""Whether a camera shows a recording: a keyframe that a probe gets is, bit for bit, one of probes before.

No live picture comes again. A probe gets one keyframe where a forwarder gets all of them, so that few are known: the
third coming of one of them, or the second of three, each with others between.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

REMEMBERED = 64
"""Keyframes of a camera, about 100 bytes each."""
CAMERAS = 2048
COMINGS = 3
"""Of one keyframe, or second ones of different keyframes."""
NEW_AT_LEAST = 2
"""New keyframes in a row end it: of a long recording most were never seen."""


@dataclass(frozen=True, slots=True)
class _Seen:
    digest: bytes
    at: datetime
    others_after: bool
    """Whether the camera gave another one after it, as far as that probe or the forwarder saw."""


@dataclass(slots=True)
class _Camera:
    seen: deque[_Seen] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    since: datetime | None = None
    """The first coming again, while it repeats."""
    new: int = 0
    new_since: datetime | None = None
    """The first of the new ones that ended it."""


class RecentKeyframes:
    """The keyframes that this process probed of each camera."""

    def __init__(self) -> None:
        self._cameras: OrderedDict[UUID, _Camera] = OrderedDict()

    def add(
        self, camera_id: UUID, digest: bytes, at: datetime, *, others_after: bool, new_at_least: int = NEW_AT_LEAST
    ) -> datetime | None:
        """Since when the camera's keyframes come again, this one included; None while they are new.

        `others_after`: the camera gave another keyframe after this one. `new_at_least`: so many new ones end it.
        """
        camera = self._cameras.setdefault(camera_id, _Camera())
        self._cameras.move_to_end(camera_id)
        if len(self._cameras) > CAMERAS:
            self._cameras.popitem(last=False)
        if camera.seen and camera.seen[-1].at == at:
            # The forwarder gave the same copy to two probes.
            return camera.since
        camera.seen.append(_Seen(digest, at, others_after))
        came_again = _comings_again(camera.seen)
        newest = [one for one in came_again if one.digest == digest]
        camera.new = 0 if newest else camera.new + 1
        if camera.since is not None:
            if camera.new >= new_at_least:
                camera.since, camera.new_since = None, camera.seen[-camera.new].at
        elif newest and (len(newest) >= COMINGS - 1 or len({one.digest for one in came_again}) >= COMINGS):
            camera.since, camera.new_since = came_again[0].at, None
        return camera.since

    def new_since(self, camera_id: UUID) -> datetime | None:
        """When the first new keyframe came after the last repetition; None while it lasts, and where none was seen."""
        camera = self._cameras.get(camera_id)
        return camera.new_since if camera is not None else None


def _comings_again(seen: deque[_Seen]) -> list[_Seen]:
    """Those that came before, with others between, in their order."""
    last: dict[bytes, int] = {}
    result: list[_Seen] = []
    keyframes = list(seen)
    for place, one in enumerate(keyframes):
        before = last.get(one.digest)
        if before is not None and (place - before > 1 or keyframes[before].others_after):
            result.append(one)
        last[one.digest] = place
    return result
