"""RTP payloads: H.264 (RFC 6184), H.265 (RFC 7798), AAC (RFC 3640); G.711 (RFC 3551) is its samples."""

import struct
from collections.abc import Iterator, Sequence

from simulator.packets.template import MAX_PAYLOAD_BYTES

_H264_STAP_A = 24
_H264_FU_A = 28
_H265_AP = 48
_H265_FU = 49


def h264_payloads(parameter_sets: Sequence[bytes], nals: Sequence[bytes]) -> list[bytes]:
    """One access unit: STAP-A of the parameter sets (if any), then single NAL unit packets or FU-A."""
    payloads: list[bytes] = []
    if parameter_sets:
        importance = max(nal[0] & 0x60 for nal in parameter_sets)
        payloads.append(bytes([importance | _H264_STAP_A]) + _with_sizes(parameter_sets))
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            payloads.append(nal)
            continue
        indicator, kind = nal[0] & 0xE0 | _H264_FU_A, nal[0] & 0x1F
        payloads.extend(bytes([indicator, flags | kind]) + piece for flags, piece in _pieces(nal[1:], 2))
    return payloads


def h265_payloads(parameter_sets: Sequence[bytes], nals: Sequence[bytes]) -> list[bytes]:
    """One access unit: an AP of the parameter sets (if any), then single NAL unit packets or FU."""
    payloads: list[bytes] = []
    if parameter_sets:
        payloads.append(bytes([_H265_AP << 1, 1]) + _with_sizes(parameter_sets))
    for nal in nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            payloads.append(nal)
            continue
        header, kind = bytes([nal[0] & 0x81 | _H265_FU << 1, nal[1]]), nal[0] >> 1 & 0x3F
        payloads.extend(header + bytes([flags | kind]) + piece for flags, piece in _pieces(nal[2:], 3))
    return payloads


def aac_payload(frame: bytes) -> bytes:
    """One access unit in AAC-hbr: 16 bits of AU header, size in 13 of them, index in 3."""
    return struct.pack(">HH", 16, len(frame) << 3) + frame


def _with_sizes(nals: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(nal)) + nal for nal in nals)


def _pieces(body: bytes, header_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of a fragmented NAL unit with their start (0x80) and end (0x40) flags."""
    room = MAX_PAYLOAD_BYTES - header_bytes
    for offset in range(0, len(body), room):
        flags = (0x80 if offset == 0 else 0) | (0x40 if offset + room >= len(body) else 0)
        yield flags, body[offset : offset + room]
