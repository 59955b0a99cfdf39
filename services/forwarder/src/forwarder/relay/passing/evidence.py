"""What the worker in front of a centre says to the holder: the frames of a passage.

The holder's bytes go to the centre as they are. The other way each frame has a kind and a length: what the centre sent,
what its own socket has acknowledged, what it reported of media over UDP, that it has left, or that the worker in front
stops.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, Self

MAX_FRAME_BYTES = 64 << 10
_FRAME = struct.Struct(">BI")
_EVIDENCE = struct.Struct(">QQdd?")
_REPORT = struct.Struct(">BIBI")


class Kind(IntEnum):
    """Of a frame."""

    FROM_CENTRE = 0
    EVIDENCE = 1
    REPORT = 2
    LEFT = 3
    STOPPING = 4


class FrameError(ValueError):
    """No worker sends such a frame."""


class Evidence(NamedTuple):
    """Of the centre's own socket: of all bytes that the holder sent, those that are certainly acknowledged, and those
    that its kernel took; how long its process has read nothing, how long ago its kernel spoke, whether nobody can know.
    """

    acknowledged: int
    taken: int
    unread_for_s: float
    ack_age_s: float
    doubtful: bool

    def encode(self) -> bytes:
        return _EVIDENCE.pack(*self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what `encode` wrote. Raises FrameError."""
        try:
            return cls(*_EVIDENCE.unpack(data))
        except struct.error:
            raise FrameError("evidence of another length") from None


class Report(NamedTuple):
    """A receiver report of the centre over UDP, of one track. `channel`: the one that its media has in the passage."""

    channel: int
    ssrc: int
    fraction_lost: int
    highest_sequence: int

    def encode(self) -> bytes:
        return _REPORT.pack(*self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode what `encode` wrote. Raises FrameError."""
        try:
            return cls(*_REPORT.unpack(data))
        except struct.error:
            raise FrameError("a report of another length") from None


def encode_frame(kind: Kind, body: bytes = b"") -> bytes:
    return _FRAME.pack(kind, len(body)) + body


def read_frames(buffer: bytearray) -> Iterator[tuple[Kind, bytes]]:
    """Take the frames that are whole out of `buffer`. Raises FrameError."""
    while len(buffer) >= _FRAME.size:
        kind, length = _FRAME.unpack_from(buffer)
        if length > MAX_FRAME_BYTES or kind not in tuple(Kind):
            raise FrameError("a frame that no worker sends")
        end = _FRAME.size + length
        if len(buffer) < end:
            return
        body = bytes(buffer[_FRAME.size : end])
        del buffer[:end]
        yield Kind(kind), body
