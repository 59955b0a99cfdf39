"""One media frame as interleaved RTP packets without sequence number, timestamp and SSRC."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES

RTP_HEADER_BYTES = 12
MAX_PAYLOAD_BYTES = 1_360
"""With the RTP header and 32 zero words a UDP packet stays under 1,472 bytes, an Ethernet's MTU."""
MAX_SERIAL = 101
"""A prime: the keyframes of a loop get other serials in each of so many loops. The last packet of a keyframe with a
high one is larger than an Ethernet's MTU."""

_ZERO_WORD = b"\x00\x00\x03"
_OPEN_FIELDS = struct.Struct(">HII")
_OPEN_FIELDS_OFFSET = FRAME_HEADER_BYTES + 2


@dataclass(frozen=True, slots=True)
class FrameTemplate:
    """`data` holds whole interleaved frames back to back, `starts` the offset of each `$`."""

    data: bytes
    starts: tuple[int, ...]
    keyframe: bool

    @property
    def payload_bytes(self) -> int:
        """RTP payload, for the octet count of RTCP sender reports."""
        return len(self.data) - len(self.starts) * (FRAME_HEADER_BYTES + RTP_HEADER_BYTES)


def make_template(
    payloads: Sequence[bytes], payload_type: int, *, channel: int, marker: bool, keyframe: bool
) -> FrameTemplate:
    """Frame the payloads of one media frame; the last packet carries the marker bit if `marker`."""
    parts: list[bytes] = []
    starts: list[int] = []
    offset = 0
    for index, payload in enumerate(payloads):
        marked = marker and index == len(payloads) - 1
        size = RTP_HEADER_BYTES + len(payload)
        header = struct.pack(">cBHBBHII", b"$", channel, size, 0x80, payload_type | (0x80 if marked else 0), 0, 0, 0)
        parts += (header, payload)
        starts.append(offset)
        offset += FRAME_HEADER_BYTES + size
    return FrameTemplate(b"".join(parts), tuple(starts), keyframe)


def render(template: FrameTemplate, sequence: int, timestamp: int, ssrc: int, serial: int = 0) -> bytearray:
    """Render the bytes to send, numbered from `sequence` on.

    `serial` makes keyframes differ from one another and from loop to loop: so many cabac_zero_words (ITU-T H.264
    7.3.2.10, H.265 7.3.2.9) follow the last slice. Decoders skip them: the picture is the same, the coded bytes differ.
    """
    buffer = bytearray(template.data)
    pack = _OPEN_FIELDS.pack_into
    for start in template.starts:
        pack(buffer, start + _OPEN_FIELDS_OFFSET, sequence, timestamp, ssrc)
        sequence = (sequence + 1) & 0xFFFF
    if serial:
        last = template.starts[-1]
        buffer += _ZERO_WORD * serial
        struct.pack_into(">H", buffer, last + 2, len(buffer) - last - FRAME_HEADER_BYTES)
    return buffer
