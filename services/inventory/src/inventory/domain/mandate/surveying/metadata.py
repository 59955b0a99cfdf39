"""Position and device data out of photos, without touching the picture.

A phone writes the place into each photo. Of a restricted (military) site nobody shall learn it, so its photos are
stored without metadata; only the orientation is kept, which the picture needs to stand upright.
"""

import struct

from inventory.domain.mandate.surveying.attachments import MediaType
from inventory.domain.mandate.surveying.jpeg import UnreadablePhotoError, segments

_COMMENT = 0xFE
_END_OF_IMAGE = b"\xff\xd9"
_EXIF_SEGMENT = 0xE1
_APPLICATION = range(0xE0, 0xF0)
_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that a decoder needs for size and colour."""
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_ORIENTATIONS = range(1, 9)
_PNG_SIGNATURE = 8
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs"})
_MOST_CHUNKS = 65_536
"""Writers cut a picture of 10 MB into about 1,300."""
_PNG_FRAME = 12
"""Bytes of a chunk beside its data: length, kind, checksum."""


def without_metadata(content: bytes, media_type: MediaType) -> bytes:
    """`content` without position, device and comment.

    Raises UnreadablePhotoError for a broken photo, and for a PDF, whose parts can hold anything.
    """
    match media_type:
        case MediaType.JPEG:
            return _bare_jpeg(content)
        case MediaType.PNG:
            return _bare_png(content)
        case MediaType.PDF:
            msg = "is a PDF, which may hold the place of the site where nobody finds it: send its pages as photos"
            raise UnreadablePhotoError(msg)


def _bare_jpeg(content: bytes) -> bytes:
    """Remove metadata, also what stands behind the picture's end: phones append another one, with its own metadata."""
    kept, orientation = bytearray(), 0
    for marker, start, data, end in segments(content):
        payload = content[data:end]
        if marker == _EXIF_SEGMENT and payload.startswith(_EXIF) and not orientation:
            orientation = _orientation(payload[len(_EXIF) :])
        if _is_needed(marker, payload):
            kept += content[start:end]
    upright = _orientation_segment(orientation) if orientation > 1 else b""
    return content[:2] + upright + bytes(kept) + _END_OF_IMAGE


def _is_needed(marker: int, payload: bytes) -> bool:
    if marker in _APPLICATION:
        return marker in _KEPT and payload.startswith(_KEPT[marker])
    return marker != _COMMENT


def _orientation(tiff: bytes) -> int:
    """EXIF orientation, 1 to 8; 1 when it is missing or unreadable."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        directory: int = struct.unpack_from(order + "I", tiff, 4)[0]
        entries: int = struct.unpack_from(order + "H", tiff, directory)[0]
        for index in range(entries):
            tag, _kind, _count, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * index)
            if tag == _ORIENTATION and value in _ORIENTATIONS:
                return int(value)
    except struct.error:
        pass
    return 1


def _orientation_segment(orientation: int) -> bytes:
    """Build an APP1 with the orientation and nothing else: TIFF, big endian, one directory with one entry."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF) + len(tiff)) + _EXIF + tiff


def _bare_png(content: bytes) -> bytes:
    kept, at = bytearray(content[:_PNG_SIGNATURE]), _PNG_SIGNATURE
    for _ in range(_MOST_CHUNKS):
        if at + _PNG_FRAME > len(content):
            break
        end = at + _PNG_FRAME + int(struct.unpack_from(">I", content, at)[0])
        kind = content[at + 4 : at + 8]
        if end > len(content):
            break
        if kind in _PNG_KEPT:
            kept += content[at:end]
        if kind == b"IEND":
            return bytes(kept)
        at = end
    else:
        msg = f"is no photo of a camera or phone: a PNG has at most {_MOST_CHUNKS} chunks here"
        raise UnreadablePhotoError(msg)
    msg = "is a damaged PNG: it is cut off"
    raise UnreadablePhotoError(msg)
