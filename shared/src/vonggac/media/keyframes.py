"""The one keyframe detector: finds access units with which a decoder can begin, and their first packets.

A camera sends delimiter, SEI, parameter sets and slices in one packet or in one packet each. So the kind of an access
unit is in its first slice, and it begins with the packets before that: the lead. Keyframes are IDR and IRAP pictures,
and pictures with a recovery point (open GOP, intra refresh).
"""

from enum import Enum

from vonggac.media.depacketizer import MAX_UNIT_BYTES, AccessUnit, Depacketizer
from vonggac.media.h26x import Part, VideoCodec, holds_several, nal_units, part_of
from vonggac.media.sei import is_sei, recovery_point


class Mark(Enum):
    """What one packet shows of its access unit."""

    LEAD = "lead"
    """It has begun, with this packet or an earlier one; its kind is not known yet."""
    KEYFRAME = "keyframe"
    """It is a keyframe: its first slice is in this packet, and it began with its first lead, if it had one."""
    OTHER = "other"
    """It is no keyframe, or its kind was known before."""


class KeyframeDetector:
    """Marks the packets of one video track. From a `KEYFRAME` or `OTHER` on the rest of its unit may be left out."""

    __slots__ = ("_codec", "_known", "_recovers")

    def __init__(self, codec: VideoCodec) -> None:
        self._codec = codec
        self._known: int | None = None
        self._recovers = False

    def push(self, payload: bytes | memoryview, *, timestamp: int, marker: bool) -> Mark:
        """Mark one RTP payload. An access unit ends with the marker bit, or when the timestamp changes.

        A lead does not end so: parameter sets with their own timestamp or marker belong to the next picture.
        """
        if timestamp == self._known:
            if marker:
                self._known = None
            return Mark.OTHER
        part = part_of(self._codec, payload)
        if part is Part.LEAD or (part is Part.PICTURE and holds_several(self._codec, payload)):
            self._recovers = self._recovers or self._marks_recovery(payload)
        if part is Part.LEAD:
            self._known = None
            return Mark.LEAD
        keyframe = part is Part.KEYFRAME or (part is Part.PICTURE and self._recovers)
        self._recovers = False
        self._known = None if marker else timestamp
        return Mark.KEYFRAME if keyframe else Mark.OTHER

    def reset(self) -> None:
        """Packets of a unit were left out: the next one may be anywhere in its unit."""
        self._known, self._recovers = None, False

    def _marks_recovery(self, payload: bytes | memoryview) -> bool:
        # Only the first fragment of a unit is read: a recovery point has a few bytes.
        return any(
            is_sei(self._codec, kind) and body >= 0 and recovery_point(self._codec, payload[body:end]) is not None
            for kind, body, end in nal_units(self._codec, payload)
        )


class KeyframeCollector:
    """Whole keyframes of one video track; nothing else is kept."""

    __slots__ = ("_codec", "_collecting", "_depacketizer", "_detector", "_fed", "_timestamp")

    def __init__(self, codec: VideoCodec, *, max_unit_bytes: int = MAX_UNIT_BYTES) -> None:
        self._codec = codec
        self._detector = KeyframeDetector(codec)
        self._depacketizer = Depacketizer(codec, max_unit_bytes=max_unit_bytes, believes_markers=False)
        self._collecting = self._fed = False
        self._timestamp = 0

    @property
    def dropped(self) -> int:
        """Keyframes dropped because they were not whole."""
        return self._depacketizer.dropped

    def push(self, payload: bytes | memoryview, *, sequence: int, timestamp: int, marker: bool) -> list[AccessUnit]:
        """Add one RTP payload; returns the keyframes that it completes."""
        mark = self._detector.push(payload, timestamp=timestamp, marker=marker)
        if mark is Mark.OTHER and not self._collecting:
            self._drop_fed()
            return []
        units = self._depacketizer.push(payload, sequence=sequence, timestamp=timestamp, marker=marker)
        self._fed = True
        same = self._collecting and timestamp == self._timestamp
        if mark is Mark.KEYFRAME or (mark is Mark.OTHER and same):
            self._collecting, self._timestamp = self._depacketizer.is_open, timestamp
        else:
            # Another unit has begun and ended the keyframe.
            self._collecting = False
        if mark is Mark.OTHER and not self._collecting:
            self._drop_fed()
        return [unit for unit in units if unit.keyframe]

    @property
    def waits_for_proof(self) -> bool:
        """Whether the open keyframe's last packet had a marker, and the next packet shows whether that ended it."""
        return self._collecting and self._depacketizer.waits_for_proof

    def end_keyframe(self) -> list[AccessUnit]:
        """End the open keyframe: nothing follows it."""
        self._collecting = False
        return [unit for unit in self._depacketizer.end_unit() if unit.keyframe]

    def _drop_fed(self) -> None:
        if self._fed:
            self._depacketizer.reset()
            self._fed = False
