"""H.264 (RFC 6184) and H.265 (RFC 7798) over RTP, under one set of names.

NAL units are bytes without start code. A picture's access unit is everything with one RTP timestamp.
"""

import hashlib
from collections.abc import Iterable, Iterator
from enum import Enum, StrEnum


class VideoCodec(StrEnum):
    """The codec's name in rtpmap."""

    H264 = "H264"
    H265 = "H265"


def video_codec(name: str) -> VideoCodec | None:
    """Find the codec of an rtpmap name, or None when it is neither H.264 nor H.265."""
    return {"H264": VideoCodec.H264, "H265": VideoCodec.H265, "HEVC": VideoCodec.H265}.get(name.upper())


H264_IDR = 5
H264_SPS = 7
H264_PPS = 8
H264_STAP_A = 24
H264_FU_A = 28
H265_VPS = 32
H265_SPS = 33
H265_PPS = 34
H265_AP = 48
H265_FU = 49

_H264_SLICES = frozenset({1, 2, 3, 4, 5})
# After the first slice of an access unit: ends of sequence and stream, filler (H.264 §7.4.1.2.3).
_H264_BEHIND = frozenset({10, 11, 12})
# STAP-B, MTAP and FU-B (RFC 6184 §5.2) belong to the interleaved mode, which no client requests.
_H264_INTERLEAVED = frozenset({25, 26, 27, 29})
_H265_LAST_SLICE = 31
# End of sequence and bitstream, filler, suffix SEI (H.265 §7.4.2.4.4).
_H265_BEHIND = frozenset({36, 37, 38, 40})
# IRAP: BLA, IDR, CRA (H.265 table 7-1).
_H265_IRAP = frozenset(range(16, 22))
_START_CODE = b"\x00\x00\x01"


class Part(Enum):
    """The place of an RTP payload in its access unit."""

    LEAD = "lead"
    """Before the first slice: delimiter, SEI, parameter sets, and reserved units."""
    KEYFRAME = "keyframe"
    """With the first slice of a picture that can be decoded alone (IDR; IRAP)."""
    PICTURE = "picture"
    """With the first slice of another picture."""
    REST = "rest"
    """With a later slice or fragment, or with units after the slices."""


def nal_type(codec: VideoCodec, nal: bytes | memoryview) -> int:
    """Read the type in the first byte of a NAL unit (or RTP payload); -1 for an empty one."""
    if not nal:
        return -1
    return nal[0] & 0x1F if codec is VideoCodec.H264 else nal[0] >> 1 & 0x3F


def is_slice(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type carry coded picture data."""
    return kind in _H264_SLICES if codec is VideoCodec.H264 else 0 <= kind <= _H265_LAST_SLICE


def is_keyframe_slice(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type belong to a picture that can be decoded alone (IDR; IRAP)."""
    return kind == H264_IDR if codec is VideoCodec.H264 else kind in _H265_IRAP


def is_parameter_set(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type are parameter sets: SPS and PPS, with H.265 VPS too."""
    if codec is VideoCodec.H264:
        return kind in (H264_SPS, H264_PPS)
    return kind in (H265_VPS, H265_SPS, H265_PPS)


def part_of(codec: VideoCodec, payload: bytes | memoryview) -> Part:
    """Find the place of this RTP payload in its access unit, for every packing; reads a few bytes only.

    A slice is the first one when it begins at the picture's first block. Baseline's arbitrary slice order, in which it
    need not, has no decoder in use, and a later slice taken as the first would begin a session with half a picture.
    """
    h264 = codec is VideoCodec.H264
    head = 1 if h264 else 2
    if len(payload) > head + 1:
        # Most packets hold one slice or a part of one.
        kind = payload[0] & 0x1F if h264 else payload[0] >> 1 & 0x3F
        if kind == (H264_FU_A if h264 else H265_FU):
            flags = payload[head]
            kind = flags & (0x1F if h264 else 0x3F)
            if kind in _H264_SLICES if h264 else kind <= _H265_LAST_SLICE:
                if not flags & 0x80:
                    return Part.REST
                return _part_of_slice(codec, kind, payload, head + 1, len(payload))
        elif kind in _H264_SLICES if h264 else (kind <= _H265_LAST_SLICE and payload[1]):
            return _part_of_slice(codec, kind, payload, head, len(payload))
    for kind, body, end in nal_units(codec, payload):
        if is_slice(codec, kind):
            return _part_of_slice(codec, kind, payload, body, end) if body >= 0 else Part.REST
        if kind in (_H264_BEHIND | _H264_INTERLEAVED if h264 else _H265_BEHIND):
            return Part.REST
    return Part.LEAD


def holds_several(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether this RTP payload may hold several NAL units: STAP-A, AP, or an Annex B string."""
    if not payload:
        return False
    first = payload[0]
    if first == 0:
        return len(payload) > 1 and payload[1] == 0
    return first & 0x1F == H264_STAP_A if codec is VideoCodec.H264 else first >> 1 & 0x3F == H265_AP


def begins_picture(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether no slice of the same access unit can have come before this RTP payload."""
    first = 1 if codec is VideoCodec.H264 else 2
    return len(payload) > first and part_of(codec, payload) is not Part.REST


def goes_on(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether the rest of a unit must follow this RTP payload (FU-A, FU), whatever its marker says: some cameras set
    the marker on every packet."""
    fu, head = (H264_FU_A, 1) if codec is VideoCodec.H264 else (H265_FU, 2)
    return len(payload) > head and nal_type(codec, payload) == fu and not payload[head] & 0x40


def nal_units(codec: VideoCodec, payload: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """(type, begin of the body, end) of the NAL units in an RTP payload: single, STAP-A or AP, FU-A or FU.

    A body that begins in an earlier fragment: -1. Units that a camera put into one packet as an Annex B string are
    listed one by one up to the first slice.
    """
    head = 1 if codec is VideoCodec.H264 else 2
    size = len(payload)
    if size <= head:
        return
    kind = nal_type(codec, payload)
    if payload[0] == 0 and _START_CODE in bytes(payload[:4]):
        yield from _annex_b(codec, payload, 0, size)
    elif kind == (H264_FU_A if codec is VideoCodec.H264 else H265_FU):
        flags = payload[head]
        kind = flags & (0x1F if codec is VideoCodec.H264 else 0x3F)
        body = head + 1 if flags & 0x80 else -1
        yield kind, body, size
        if body >= 0 and not is_slice(codec, kind):
            yield from _annex_b(codec, payload, body, size)
    elif kind == (H264_STAP_A if codec is VideoCodec.H264 else H265_AP):
        for at, end in _aggregated(payload, head):
            yield nal_type(codec, payload[at:end]), at + head, end
    else:
        yield kind, head, size
        if not is_slice(codec, kind):
            yield from _annex_b(codec, payload, head, size)


def keyframe_hash(codec: VideoCodec, nals: Iterable[bytes]) -> bytes:
    """SHA-256 over the coded slices of a picture, 32 bytes.

    Parameter sets, SEI and delimiters are left out and trailing zero bytes cut, so that the hash is the same after
    another packetiser, a container or an inserted parameter set; any change of the picture's own bytes changes it.
    """
    digest = hashlib.sha256()
    for nal in nals:
        if is_slice(codec, nal_type(codec, nal)):
            trimmed = nal.rstrip(b"\0")
            digest.update(len(trimmed).to_bytes(4, "big"))
            digest.update(trimmed)
    return digest.digest()


def _part_of_slice(codec: VideoCodec, kind: int, payload: bytes | memoryview, body: int, end: int) -> Part:
    # The top bit: first_mb_in_slice is 0 (H.264: ue(v) "1"), or first_slice_segment_in_pic_flag is 1 (H.265).
    if body >= end or not payload[body] & 0x80:
        return Part.REST
    return Part.KEYFRAME if is_keyframe_slice(codec, kind) else Part.PICTURE


def _annex_b(codec: VideoCodec, payload: bytes | memoryview, begin: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the units after each start code in `payload[begin:]`."""
    data = bytes(payload[begin:size])
    at = data.find(_START_CODE)
    head = 1 if codec is VideoCodec.H264 else 2
    while at >= 0:
        first = at + len(_START_CODE)
        at = data.find(_START_CODE, first)
        if first < len(data):
            yield nal_type(codec, data[first : first + 1]), begin + first + head, size if at < 0 else begin + at


def _aggregated(payload: bytes | memoryview, offset: int) -> Iterable[tuple[int, int]]:
    """(start, end) of each NAL unit in a STAP-A or AP; stops at a length that does not fit."""
    size = len(payload)
    while offset + 2 < size:
        length = payload[offset] << 8 | payload[offset + 1]
        offset += 2
        if length == 0 or offset + length > size:
            return
        yield offset, offset + length
        offset += length
