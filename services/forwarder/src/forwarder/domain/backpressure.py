"""What to leave out when a destination is slower than its camera: whole groups of pictures.

What is already in the transport's buffer stays; from the overflow on everything is left out until there is room
again and a keyframe comes, so that the destination never decodes from the middle of a group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a destination may lag behind: bytes buffered here, and seconds until they are acknowledged."""

    buffer_bytes: int = 4 << 20
    buffer_s: float = 5.0

    @property
    def resume_bytes(self) -> int:
        """Buffered bytes below which media goes on: a quarter."""
        return self.buffer_bytes // 4

    @property
    def resume_s(self) -> float:
        """Lag below which media goes on: a quarter."""
        return self.buffer_s / 4


@dataclass(frozen=True, slots=True)
class Flow:
    """Whether media of one destination flows. Dropped counts are of the session.

    `late`: the overflow is one of seconds, not of bytes; `groups_late`: those of `groups_dropped` that were left out
    for it. `room_bytes`: below so many buffered bytes media goes on, where the process's bound held it back.
    """

    flowing: bool = True
    overflowing: bool = False
    groups_dropped: int = 0
    late: bool = False
    groups_late: int = 0
    room_bytes: int | None = None


def lagged(flow: Flow, bounds: Bounds, *, buffered: int, lag_s: float) -> Flow:
    """Judge the lag: `buffered` bytes here, the oldest unacknowledged byte `lag_s` old."""
    if buffered >= bounds.buffer_bytes or lag_s >= bounds.buffer_s:
        if flow.overflowing:
            return flow
        began = replace(flow, overflowing=True, late=buffered < bounds.buffer_bytes)
        return replace(_left_out(began), flowing=False) if flow.flowing else began
    resume_bytes = bounds.resume_bytes if flow.room_bytes is None else flow.room_bytes
    if flow.overflowing and buffered <= resume_bytes and lag_s <= bounds.resume_s:
        return replace(flow, overflowing=False, room_bytes=None)
    return flow


def paused(flow: Flow, *, room_bytes: int) -> Flow:
    """Leave media out until fewer than `room_bytes` are buffered: the process holds too much in all."""
    if flow.overflowing:
        return replace(flow, room_bytes=room_bytes)
    began = replace(flow, overflowing=True, late=False, room_bytes=room_bytes)
    return replace(_left_out(began), flowing=False) if flow.flowing else began


def fair_share(bound: int, destinations: int) -> int:
    """Bytes that each of so many destinations may always buffer."""
    return bound // max(destinations, 1)


def most_backed_up[Key](buffered: Mapping[Key, int], bound: int) -> list[Key]:
    """Who must leave media out, so that all `buffered` bytes together stay about at `bound`: the largest first.

    Those that hold half of all bytes; none below its fair share, so that a healthy destination pays for no other.
    """
    left = sum(buffered.values())
    if left < bound:
        return []
    least, half, chosen = fair_share(bound, len(buffered)), left / 2, list[Key]()
    for key, size in sorted(buffered.items(), key=lambda item: item[1], reverse=True):
        if left <= half or size <= least:
            break
        chosen.append(key)
        left -= size
    return chosen


def keyframe_came(flow: Flow) -> Flow:
    """Go on with the keyframe that begins if there is room, otherwise leave its group out too."""
    if flow.flowing:
        return flow
    if flow.overflowing:
        return _left_out(flow)
    return replace(flow, flowing=True)


def _left_out(flow: Flow) -> Flow:
    return replace(flow, groups_dropped=flow.groups_dropped + 1, groups_late=flow.groups_late + flow.late)
