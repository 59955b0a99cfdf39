"""Video that the platform does not support: Motion JPEG (RFC 2435) and MPEG-4 Visual (RFC 6416)."""

import struct
from collections.abc import Iterator
from fractions import Fraction

from simulator.clips.foreign import ForeignClip
from simulator.packets.template import MAX_PAYLOAD_BYTES, FrameTemplate, make_template
from simulator.packets.tracks import VIDEO_CLOCK_HZ, VIDEO_PAYLOAD_TYPE, PreparedTrack

_JPEG_PAYLOAD_TYPE = 26
_JPEG_420 = 1
_JPEG_OWN_TABLES = 255
_TABLE_BYTES = 64
_DQT, _SOF0, _SOS, _EOI = 0xDB, 0xC0, 0xDA, b"\xff\xd9"
_VOP = b"\x00\x00\x01\xb6"


def prepare_foreign(clip: ForeignClip) -> PreparedTrack:
    """Packets on channel 0; a player can begin with any picture of MJPEG, and with the first of MPEG-4."""
    if clip.codec == "mjpeg":
        payload_type = _JPEG_PAYLOAD_TYPE
        payloads = [list(_jpeg_payloads(picture)) for picture in clip.pictures]
        lines: tuple[str, ...] = (f"a=rtpmap:{payload_type} JPEG/{VIDEO_CLOCK_HZ}",)
    else:
        payload_type = VIDEO_PAYLOAD_TYPE
        payloads = [_pieces(picture) for picture in clip.pictures]
        configuration = clip.pictures[0].partition(_VOP)[0].hex().upper()
        lines = (
            f"a=rtpmap:{payload_type} MP4V-ES/{VIDEO_CLOCK_HZ}",
            f"a=fmtp:{payload_type} profile-level-id=1;config={configuration}",
        )
    keyframes = tuple(range(len(payloads))) if clip.codec == "mjpeg" else (0,)
    frames: tuple[FrameTemplate, ...] = tuple(
        make_template(pieces, payload_type, channel=0, marker=True, keyframe=index in keyframes)
        for index, pieces in enumerate(payloads)
    )
    return PreparedTrack(
        media="video",
        codec=clip.codec,
        payload_type=payload_type,
        clock_rate_hz=VIDEO_CLOCK_HZ,
        frames_per_s=Fraction(clip.fps),
        frames=frames,
        keyframes=keyframes,
        sdp_lines=(*lines, f"a=framerate:{clip.fps}"),
    )


def _pieces(data: bytes) -> list[bytes]:
    return [data[offset : offset + MAX_PAYLOAD_BYTES] for offset in range(0, len(data), MAX_PAYLOAD_BYTES)]


def _jpeg_payloads(picture: bytes) -> Iterator[bytes]:
    """Cut the scan alone, each piece with its offset, the first with the quantization tables (RFC 2435 §3.1)."""
    tables, width, height, scan = _parse_jpeg(picture)
    quantization = struct.pack(">BBH", 0, 0, len(tables)) + tables
    offset = 0
    while offset < len(scan):
        extra = quantization if offset == 0 else b""
        header = struct.pack(">IBBBB", offset, _JPEG_420, _JPEG_OWN_TABLES, width // 8, height // 8)
        piece = scan[offset : offset + MAX_PAYLOAD_BYTES - len(header) - len(extra)]
        yield header + extra + piece
        offset += len(piece)


def _parse_jpeg(picture: bytes) -> tuple[bytes, int, int, bytes]:
    """Luma and chroma table, width, height and the coded scan of a baseline JPEG."""
    tables: list[bytes] = []
    width = height = 0
    offset = 2
    while True:
        kind, size = picture[offset + 1], int.from_bytes(picture[offset + 2 : offset + 4])
        body = picture[offset + 4 : offset + 2 + size]
        offset += 2 + size
        if kind == _DQT:
            step = 1 + _TABLE_BYTES
            tables += (body[start + 1 : start + step] for start in range(0, len(body), step))
        elif kind == _SOF0:
            height, width = struct.unpack(">HH", body[1:5])
        elif kind == _SOS:
            return (tables * 2)[0] + (tables * 2)[1], width, height, picture[offset : picture.rindex(_EOI)]
