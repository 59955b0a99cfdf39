"""Walk a JPEG segment by segment (ITU-T T.81 Annex B), within bounds: what is read was sent by somebody else."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

SCAN = 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""SOF0 to SOF15, without DHT, JPG and DAC (ITU-T T.81 table B.1)."""
_END_OF_IMAGE = 0xD9
_FILL, _FILLS = 0xFF, re.compile(rb"\xff+")
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]", re.DOTALL)
"""Inside a scan FF is followed by 00 or by a restart marker."""
_MOST_SEGMENTS = 4096
"""A photo has some dozens. Millions of empty ones would take a processor for seconds."""


class UnreadablePhotoError(ValueError):
    """The photo's structure is broken, so that its parts cannot be found."""


class Segment(NamedTuple):
    """Of the bytes from `start`, its marker, to `end`; to a scan belong the coded data behind its header."""

    marker: int
    start: int
    data: int
    """Where its payload begins, behind marker and length."""
    end: int


def segments(content: bytes) -> Iterator[Segment]:
    """Yield the segments up to the end of the image. Raises UnreadablePhotoError where a JPEG is damaged."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        marker, start = _marker(content, at)
        if marker == _END_OF_IMAGE:
            return
        at = start + 2 + _length(content, start + 2)
        if marker == SCAN:
            at = _end_of_scan(content, at)
        yield Segment(marker, start, start + 4, at)
    msg = f"is no photo of a camera or phone: a JPEG has at most {_MOST_SEGMENTS} segments here"
    raise UnreadablePhotoError(msg)


def jpeg_pixels(content: bytes) -> tuple[int, int]:
    """Width and height of the largest frame; (0, 0) where none can be read: no decoder opens that."""
    frames = [(0, 0)]
    try:
        for marker, _start, data, end in segments(content):
            if marker in _FRAMES and end - data >= 5:
                height, width = struct.unpack_from(">HH", content, data + 1)
                frames.append((width, height))
    except UnreadablePhotoError:
        pass  # What stands before the damage is what a decoder reads.
    return max(frames, key=lambda frame: frame[0] * frame[1])


def _marker(content: bytes, at: int) -> tuple[int, int]:
    """Read the marker at `at`, and where it begins; several fill bytes may stand before it."""
    if fills := _FILLS.match(content, at):
        at = fills.end() - 1
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
    end = _AFTER_SCAN.search(content, at)
    if end is None:
        msg = "is a damaged JPEG: its end is missing"
        raise UnreadablePhotoError(msg)
    return end.start()
