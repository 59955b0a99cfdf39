"""Weighs the next keyframe as `PictureScale` does, and keeps its first piece: there is how its picture begins."""

import zlib
from collections.abc import Callable, Sequence

from forwarder.relay.media.picture_scale import PictureScale
from vonggac.media.h26x import Part, VideoCodec, is_keyframe_slice, nal_type, nal_units, part_of
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import MalformedError
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch

HEAD_BYTES = 256
"""Of a picture: headers and its first blocks. A sensor's noise makes them differ from any before; a fragment of a
packet has as many."""
HEAD_PIECES = 8
"""A camera may send delimiter, parameter sets and SEI in a piece each before the first slice."""


class KeyframeScale(PictureScale):
    """Keeps the pieces in which the weighed picture began, and that with which it ended; maybe the same one."""

    __slots__ = ("_head", "_last")

    def __init__(self, channel: int, least_octets: int, on_heavy: Callable[[int], None]) -> None:
        super().__init__(channel, least_octets, on_heavy)
        self._head: list[bytes] = []
        self._last = b""

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """Whole frames each."""
        return (*self._head, self._last)

    def add_piece(self, data: bytes, ends: bool | None) -> None:
        """As of `PictureScale`."""
        self._last = data
        if not self._octets:
            self._head = [data]
        elif len(self._head) < HEAD_PIECES:
            self._head.append(data)
        super().add_piece(data, ends)
        if ends is None and self._octets:
            # A picture began amid it.
            self._head = [data]

    def add(self, batch: MediaBatch) -> None:
        """As of `PictureScale`."""
        self.add_piece(batch.data, None)


def read_head(codec: VideoCodec, channel: int, pieces: tuple[bytes, ...]) -> bytes | None:
    """How the keyframe begins that begins in one of `pieces`, whole frames each; None where that cannot be read.

    At most HEAD_BYTES of its first slice, after a NAL header.
    """
    for data in dict.fromkeys(pieces):
        head = _slice_head(codec, channel, data)
        if head is not None:
            return head
    return None


def checksum(head: bytes | None) -> int:
    """As of `ComparedKeyframe`."""
    return (zlib.crc32(head) or 1) if head is not None else 0


def head_of(codec: VideoCodec, nals: Sequence[bytes]) -> bytes | None:
    """Read the head, as `read_head` does, of a keyframe that was read."""
    nal = next((nal for nal in nals if is_keyframe_slice(codec, nal_type(codec, nal))), None)
    if nal is None:
        return None
    name = _slice_name(codec, nal_type(codec, nal))
    return name + nal[len(name) : len(name) + HEAD_BYTES]


def _slice_name(codec: VideoCodec, kind: int) -> bytes:
    return bytes([0x60 | kind]) if codec is VideoCodec.H264 else bytes([kind << 1, 1])


def _slice_head(codec: VideoCodec, channel: int, data: bytes) -> bytes | None:
    """Read the beginning of the first slice of the first keyframe in `data`, with its NAL header."""
    at, size = 0, len(data)
    while at + FRAME_HEADER_BYTES < size:
        end = at + FRAME_HEADER_BYTES + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == channel:
            try:
                header = parse_rtp(data, at + FRAME_HEADER_BYTES, end)
            except MalformedError:
                return None
            payload = data[header.payload_start : header.payload_end]
            if part_of(codec, payload) is Part.KEYFRAME:
                return _head_in(codec, payload)
        at = end
    return None


def _head_in(codec: VideoCodec, payload: bytes) -> bytes | None:
    for kind, body, end in nal_units(codec, payload):
        if is_keyframe_slice(codec, kind) and body >= 0:
            # The header of a fragment is not that of its unit (RFC 6184 §5.8, RFC 7798 §4.4.3).
            return _slice_name(codec, kind) + payload[body : min(end, body + HEAD_BYTES)]
    return None
