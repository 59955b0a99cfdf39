"""H.264 (RFC 6184) and H.265 (RFC 7798) over RTP, behind one set of names.

NAL units are bytes without start code. A picture's access unit is everything with one RTP timestamp.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum


class VideoCodec(StrEnum):
    """As the codec is called in rtpmap."""

    H264 = "H264"
    H265 = "H265"


def video_codec(name: str) -> VideoCodec | None:
    """The codec of an rtpmap name, or None when it is neither H.264 nor H.265."""
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
_H264_KEYFRAME_START = frozenset({H264_IDR, H264_SPS, H264_PPS})
_H264_LEADING = frozenset({6, H264_SPS, H264_PPS, 9})
_H264_UNDECIDED = frozenset({6, 9})
_H265_UNDECIDED = frozenset({35, 39})
# IRAP: BLA, IDR, CRA (H.265 table 7-1).
_H265_IRAP = frozenset(range(16, 22))
_H265_KEYFRAME_START = _H265_IRAP | {H265_VPS, H265_SPS, H265_PPS}
_H265_LEADING = frozenset({H265_VPS, H265_SPS, H265_PPS, 35, 39})


def nal_type(codec: VideoCodec, nal: bytes | memoryview) -> int:
    """The type in the first byte of a NAL unit (or RTP payload); -1 for an empty one."""
    if not nal:
        return -1
    return nal[0] & 0x1F if codec is VideoCodec.H264 else nal[0] >> 1 & 0x3F


def is_slice(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type carry coded picture data."""
    return kind in _H264_SLICES if codec is VideoCodec.H264 else 0 <= kind <= 31


def is_keyframe_slice(codec: VideoCodec, kind: int) -> bool:
    """Whether NAL units of this type belong to a picture that can be decoded alone (IDR; IRAP)."""
    return kind == H264_IDR if codec is VideoCodec.H264 else kind in _H265_IRAP


def is_parameter_set(codec: VideoCodec, kind: int) -> bool:
    if codec is VideoCodec.H264:
        return kind in (H264_SPS, H264_PPS)
    return kind in (H265_VPS, H265_SPS, H265_PPS)


def starts_keyframe(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether an access unit that begins with this RTP payload can be a keyframe's.

    Looks at a few bytes only. True for parameter sets, for the first slice of an IDR/IRAP picture (whole, or its
    first fragment), and for an aggregation packet that holds one of them. Whether the packet begins its access unit is
    the caller's knowledge (the timestamp changed): an IDR's second slice is told apart, a PPS in mid-picture is not.
    """
    size = len(payload)
    if codec is VideoCodec.H264:
        if size < 2:
            return False
        kind = payload[0] & 0x1F
        if kind == H264_FU_A:
            return bool(payload[1] & 0x80) and payload[1] & 0x1F == H264_IDR and _first_slice(payload, 2)
        if kind == H264_STAP_A:
            return any(_h264_starts(payload, at, end) for at, end in _aggregated(payload, 1))
        return _h264_starts(payload, 0, size)
    if size < 3:
        return False
    kind = payload[0] >> 1 & 0x3F
    if kind == H265_FU:
        return bool(payload[2] & 0x80) and payload[2] & 0x3F in _H265_IRAP and _first_slice(payload, 3)
    if kind == H265_AP:
        return any(_h265_starts(payload, at, end) for at, end in _aggregated(payload, 2))
    return _h265_starts(payload, 0, size)


def leads_any_picture(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether this RTP payload is a delimiter or SEI alone: what stands before a keyframe and before any other picture.

    Some cameras send it as a packet of its own, so only the next one tells what the access unit is.
    """
    kind = nal_type(codec, payload)
    return kind in (_H264_UNDECIDED if codec is VideoCodec.H264 else _H265_UNDECIDED)


def begins_picture(codec: VideoCodec, payload: bytes | memoryview) -> bool:
    """Whether no slice of the same access unit can have come before this RTP payload.

    True for delimiters, parameter sets and SEI, and for a slice that starts at the picture's first block.
    """
    size = len(payload)
    first = 1 if codec is VideoCodec.H264 else 2
    if size <= first:
        return False
    if payload[0] == 0 and bytes(payload[1:4]) in (b"\0\0\1", b"\0\1" + bytes(payload[3:4])):
        return True  # a whole picture as Annex B string, as some cameras put it into their packets
    kind = nal_type(codec, payload)
    if kind == (H264_FU_A if codec is VideoCodec.H264 else H265_FU):
        return bool(payload[first] & 0x80) and _first_slice(payload, first + 1)
    if kind == (H264_STAP_A if codec is VideoCodec.H264 else H265_AP):
        return any(_begins(codec, payload, at, end) for at, end in _aggregated(payload, first))
    return _begins(codec, payload, 0, size)


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


def _h264_starts(payload: bytes | memoryview, at: int, end: int) -> bool:
    kind = payload[at] & 0x1F
    if kind == H264_IDR:
        return at + 1 < end and _first_slice(payload, at + 1)
    return kind in _H264_KEYFRAME_START


def _h265_starts(payload: bytes | memoryview, at: int, end: int) -> bool:
    kind = payload[at] >> 1 & 0x3F
    if kind in _H265_IRAP:
        return at + 2 < end and _first_slice(payload, at + 2)
    return kind in _H265_KEYFRAME_START


def _begins(codec: VideoCodec, payload: bytes | memoryview, at: int, end: int) -> bool:
    if codec is VideoCodec.H264:
        kind = payload[at] & 0x1F
        if kind in _H264_SLICES:
            return at + 1 < end and _first_slice(payload, at + 1)
        return kind in _H264_LEADING
    kind = payload[at] >> 1 & 0x3F
    if kind <= 31:
        return at + 2 < end and _first_slice(payload, at + 2)
    return kind in _H265_LEADING


def _first_slice(payload: bytes | memoryview, at: int) -> bool:
    """first_mb_in_slice is 0 (H.264: ue(v) "1") or first_slice_segment_in_pic_flag is 1: both the top bit."""
    return at < len(payload) and bool(payload[at] & 0x80)


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
