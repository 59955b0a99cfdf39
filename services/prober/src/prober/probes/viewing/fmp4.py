"""The boxes of fragmented MP4 with one H.264 track (ISO/IEC 14496-12, -15), as browsers' Media Source takes them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

TIMESCALE = 90_000
"""Ticks a second of every time here."""
_TRACK = 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC, _NOT_SYNC = 0x02000000, 0x01010000
_BASE_IS_MOOF = 0x020000
_OFFSET_DURATION_SIZE_FLAGS_COMPOSITION = 0xF01
_SELF_CONTAINED = 1
_DPI_72 = 0x00480000
_NO_COLOUR_TABLE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Sample:
    """One coded picture: `data` with lengths before its units. Ticks; `shown_after`: from decoding to showing it."""

    data: bytes
    duration: int
    shown_after: int
    keyframe: bool


def codec_name(sps: bytes) -> str:
    """As `codecs=` of a media type names it (RFC 6381); `sps` of four bytes at least."""
    return f"avc1.{sps[1:4].hex()}"


def initialization(sps: Sequence[bytes], pps: Sequence[bytes], width: int, height: int) -> bytes:
    """Build what stands before the first fragment: the file type, and one track with these parameter sets."""
    video = _box(b"vmhd", struct.pack(">I8x", 1))
    where = _full(b"dref", struct.pack(">I", 1) + _full(b"url ", b"", flags=_SELF_CONTAINED))
    tables = b"".join(_full(name, struct.pack(">I", 0)) for name in (b"stts", b"stsc", b"stco"))
    described = _full(b"stsd", struct.pack(">I", 1) + _sample_entry(sps, pps, width, height))
    table = _box(b"stbl", described + tables + _full(b"stsz", struct.pack(">II", 0, 0)))
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIIHH", 0, 0, TIMESCALE, 0, 0x55C4, 0))
        + _full(b"hdlr", struct.pack(">I4s12xB", 0, b"vide", 0))
        + _box(b"minf", video + _box(b"dinf", where) + table),
    )
    head = struct.pack(">IIIII8xHHHH", 0, 0, _TRACK, 0, 0, 0, 0, 0, 0) + _MATRIX
    track = _box(b"trak", _full(b"tkhd", head + struct.pack(">II", width << 16, height << 16), flags=3) + media)
    movie = _full(
        b"mvhd", struct.pack(">IIIIIH10x", 0, 0, TIMESCALE, 0, 0x10000, 0x100) + _MATRIX + bytes(24) + b"\0\0\0\2"
    )
    extends = _box(b"mvex", _full(b"trex", struct.pack(">IIIII", _TRACK, 1, 0, 0, 0)))
    return _box(b"ftyp", b"iso6\0\0\0\1iso6mp41") + _box(b"moov", movie + track + extends)


def fragment(number: int, decoded_at: int, samples: Sequence[Sample]) -> bytes:
    """Pictures in the order of decoding; `number` from 1, `decoded_at`: ticks of the first one."""
    entries = b"".join(
        struct.pack(">IIIi", each.duration, len(each.data), _SYNC if each.keyframe else _NOT_SYNC, each.shown_after)
        for each in samples
    )
    header = _full(b"mfhd", struct.pack(">I", number))
    track = _full(b"tfhd", struct.pack(">I", _TRACK), flags=_BASE_IS_MOOF)
    track += _full(b"tfdt", struct.pack(">Q", decoded_at), version=1)
    # The run says where the data begins: behind this box and the head of the next.
    size = 8 + len(header) + 8 + len(track) + 20 + len(entries)
    run = struct.pack(">Ii", len(samples), size + 8) + entries
    run = _full(b"trun", run, version=1, flags=_OFFSET_DURATION_SIZE_FLAGS_COMPOSITION)
    moof = _box(b"moof", header + _box(b"traf", track + run))
    return moof + _box(b"mdat", b"".join(each.data for each in samples))


def _sample_entry(sps: Sequence[bytes], pps: Sequence[bytes], width: int, height: int) -> bytes:
    profile = sps[0][1:4]
    sets = b"".join(struct.pack(">H", len(each)) + each for each in sps)
    pictures = b"".join(struct.pack(">H", len(each)) + each for each in pps)
    # Four bytes of length before each unit.
    described = b"\1" + profile + b"\xff" + bytes([0xE0 | len(sps)]) + sets + bytes([len(pps)]) + pictures
    shape = struct.pack(">HHIIIH32xHH", width, height, _DPI_72, _DPI_72, 0, 1, 24, _NO_COLOUR_TABLE)
    return _box(b"avc1", struct.pack(">6xH16x", 1) + shape + _box(b"avcC", described))


def _full(name: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags) + body)


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body
