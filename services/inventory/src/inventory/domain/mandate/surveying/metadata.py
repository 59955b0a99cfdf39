"""Position and device data out of photos, without touching the picture.

A phone writes the place into each photo. Of a restricted (military) site nobody shall learn it, so its photos are
stored without metadata; only the orientation is kept, which the picture needs to stand upright.
"""

import struct

from inventory.domain.mandate.surveying.attachments import MediaType

_END_OF_IMAGE, _SCAN, _COMMENT = 0xD9, 0xDA, 0xFE
_FILL, _STUFFED = 0xFF, frozenset({0x00, *range(0xD0, 0xD8)})
"""Inside a scan FF is followed by 00 or by a restart marker."""
_EXIF_SEGMENT = 0xE1
_APPLICATION = range(0xE0, 0xF0)
_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""Application segments that a decoder needs for size and colour."""
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_ORIENTATIONS = range(1, 9)
_PNG_SIGNATURE = 8
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs"})
_PNG_FRAME = 12
"""Bytes of a chunk beside its data: length, kind, checksum."""


class UnreadablePhotoError(ValueError):
    """The photo's structure is broken, so that its metadata cannot be found."""


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
    kept, orientation, at = bytearray(), 1, 2
    while True:
        marker, start = _marker(content, at)
        if marker == _END_OF_IMAGE:
            break
        segment = content[start : start + 2 + _length(content, start + 2)]
        at = start + len(segment)
        payload = segment[4:]
        if marker == _EXIF_SEGMENT and payload.startswith(_EXIF):
            orientation = _orientation(payload[len(_EXIF) :])
        if _is_needed(marker, payload):
            kept += segment
        if marker == _SCAN:
            end = _end_of_scan(content, at)
            kept += content[at:end]
            at = end
    upright = _orientation_segment(orientation) if orientation != 1 else b""
    return content[:2] + upright + bytes(kept) + bytes((_FILL, _END_OF_IMAGE))


def _is_needed(marker: int, payload: bytes) -> bool:
    if marker in _APPLICATION:
        return marker in _KEPT and payload.startswith(_KEPT[marker])
    return marker != _COMMENT


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """Read the marker at `at`, and where it begins; several fill bytes may stand before it."""
    while content[at : at + 2] == b"\xff\xff":
        at += 1
    if at + 2 > len(content) or content[at] != _FILL:
        msg = "is a damaged JPEG: a segment does not begin where it should"
        raise UnreadablePhotoError(msg)
    return content[at + 1], at


def _length(content: bytes, at: int) -> int:
    if at + 2 > len(content):
        msg = "is a damaged JPEG: it is cut off"
        raise UnreadablePhotoError(msg)
    length: int = struct.unpack_from(">H", content, at)[0]
    if length < 2 or at + length > len(content):
        msg = "is a damaged JPEG: a segment is longer than the file"
        raise UnreadablePhotoError(msg)
    return length


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the coded data that begin at `at` end: at the next marker that is no restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            msg = "is a damaged JPEG: its end is missing"
            raise UnreadablePhotoError(msg)
        if content[at + 1] not in _STUFFED:
            return at
        at += 2


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
    while at + _PNG_FRAME <= len(content):
        end = at + _PNG_FRAME + int(struct.unpack_from(">I", content, at)[0])
        kind = content[at + 4 : at + 8]
        if end > len(content):
            break
        if kind in _PNG_KEPT:
            kept += content[at:end]
        if kind == b"IEND":
            return bytes(kept)
        at = end
    msg = "is a damaged PNG: it is cut off"
    raise UnreadablePhotoError(msg)
