"""A valid H.264 keyframe of any size in one byte per macroblock: a megabyte that a decoder makes two gigabytes of.

Every macroblock is Intra_16x16 with DC prediction and no residual: mb_type 3 as ue(v) is 00100, and three fields of one
bit follow (chroma prediction, QP delta, no coefficients): ITU-T H.264 §7.3.5.
"""

import struct
from collections.abc import Iterator

_MACROBLOCK = 0b00100111
_PACKET_BYTES = 1_400
_SPS, _PPS, _IDR = 0x67, 0x68, 0x65
_FU_A = 0x7C


class _Bits:
    """Written most significant first."""

    def __init__(self) -> None:
        self._value, self._length = 0, 0

    def put(self, value: int, bits: int) -> None:
        self._value = self._value << bits | value
        self._length += bits

    def ue(self, *values: int) -> None:
        """Exp-Golomb codes (§9.1)."""
        for value in values:
            self.put(value + 1, 2 * (value + 1).bit_length() - 1)

    def ended(self) -> bytes:
        """With the stop bit, and zeros up to a whole byte."""
        self.put(1, 1)
        self.put(0, -self._length % 8)
        return self._value.to_bytes(self._length // 8)

    @property
    def rest(self) -> tuple[bytes, int, int]:
        """The whole bytes, and the bits that are left with their number."""
        bits = self._length % 8
        return (self._value >> bits).to_bytes(self._length // 8), self._value & ((1 << bits) - 1), bits


def giant_keyframe(width: int, height: int) -> list[bytes]:
    """SPS, PPS and the one slice; sizes in pixels, multiples of 16."""
    columns, rows = width // 16, height // 16
    sps = _Bits()
    sps.put(66 << 16 | 62, 24)  # Baseline, level 6.2
    sps.ue(0, 0, 2, 1)  # id, frame_num of 4 bits, order of output is that of decoding, one reference
    sps.put(0, 1)
    sps.ue(columns - 1, rows - 1)
    sps.put(0b1100, 4)  # frames only, direct 8x8; neither cropped nor with VUI
    pps = _Bits()
    pps.ue(0, 0)
    pps.put(0, 2)  # CAVLC
    pps.ue(0, 0, 0)
    pps.put(0, 3)
    pps.ue(0, 0, 0)
    pps.put(0, 3)
    head = _Bits()
    head.ue(0, 7, 0)  # the first macroblock, an I slice, the PPS
    head.put(0, 4)
    head.ue(0)
    head.put(0, 2)
    head.ue(0)
    whole, left, bits = head.rest
    # The same byte again and again, shifted by the bits that the header has left over.
    first = left << (8 - bits) | _MACROBLOCK >> bits
    repeated = (_MACROBLOCK << (8 - bits) | _MACROBLOCK >> bits) & 0xFF
    last = (_MACROBLOCK << 1 | 1) << (7 - bits) & 0xFF if bits < 8 else 0
    slices = whole + bytes([first]) + bytes([repeated]) * (columns * rows - 1) + bytes([last])
    return [bytes([_SPS]) + sps.ended(), bytes([_PPS]) + pps.ended(), bytes([_IDR]) + slices]


def interleaved(nals: list[bytes], *, channel: int, payload_type: int, ssrc: bytes, begin: int, stamp: int) -> bytes:
    """Build the picture as interleaved RTP from sequence number `begin` on: single units, and FU-A for the slice."""
    payloads = [*nals[:-1], *_fragments(nals[-1])]
    parts = []
    for number, payload in enumerate(payloads):
        marker = 0x80 if number == len(payloads) - 1 else 0
        sequence = (begin + number) & 0xFFFF
        head = struct.pack(">cBHBBHI", b"$", channel, 12 + len(payload), 0x80, payload_type | marker, sequence, stamp)
        parts.append(head + ssrc + payload)
    return b"".join(parts)


def packets_of(nals: list[bytes]) -> int:
    """How many packets `interleaved` makes."""
    return len(nals) - 1 + -(-(len(nals[-1]) - 1) // _PACKET_BYTES)


def _fragments(nal: bytes) -> Iterator[bytes]:
    kind, size = nal[0] & 0x1F, len(nal)
    for at in range(1, size, _PACKET_BYTES):
        flags = 0x80 * (at == 1) | 0x40 * (at + _PACKET_BYTES >= size)
        yield bytes([_FU_A, flags | kind]) + nal[at : at + _PACKET_BYTES]
