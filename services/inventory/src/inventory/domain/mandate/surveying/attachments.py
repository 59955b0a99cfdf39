"""Photos, sketches and scans of a survey: what may be declared, and what content is taken."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from inventory.domain.fields import Fields, Line
from inventory.domain.mandate.surveying.jpeg import jpeg_pixels
from inventory.domain.text import clean

MAX_BYTES = 10 * 2**20
"""Of one attachment: a phone's photo at full size is 3 to 8 MB."""
MAX_SURVEY_BYTES = 200 * 2**20
"""Of all attachments of one survey."""
MAX_ATTACHMENTS = 200
MAX_PIXELS = 200_000_000
"""What the largest sensors of phones give. A few bytes can state 65,535 × 65,535: whoever opens it loses 12 GB."""
MAX_SCAN_BYTES = 20 * 2**20
"""Of the scan of a directive: forty pages at 200 dpi in colour."""

type Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class MediaType(StrEnum):
    """What an attachment may be."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"


class AttachmentKind(StrEnum):
    """What an attachment shows."""

    PHOTO = "photo"
    SKETCH = "sketch"
    MINUTES = "minutes"
    OTHER = "other"


_MAGIC = {MediaType.JPEG: b"\xff\xd8\xff", MediaType.PNG: b"\x89PNG\r\n\x1a\n", MediaType.PDF: b"%PDF-"}
_ENDS = {MediaType.JPEG: b"\xff\xd9", MediaType.PNG: b"IEND\xaeB`\x82", MediaType.PDF: b"%%EOF"}
_PNG_HEADER = 24
"""Bytes up to the height: signature, length, `IHDR`, width, height."""
_TAIL = 1024
"""Writers put some bytes behind the end: PDF allows 1,024."""


class Attachment(Fields):
    """A declared attachment: its content is known by its SHA-256 and uploaded apart."""

    sha256: Sha256
    name: Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=200)]
    kind: AttachmentKind = AttachmentKind.PHOTO
    media_type: MediaType
    size_bytes: Annotated[int, Field(ge=1, le=MAX_BYTES)]
    caption: Line | None = None


def check_attachments(declared: Sequence[Attachment]) -> None:
    """Raise ValueError when there are too many, too large together, or one twice."""
    if len(declared) > MAX_ATTACHMENTS:
        msg = f"attachments: {len(declared)} are too many for one survey; at most {MAX_ATTACHMENTS}"
        raise ValueError(msg)
    if (total := sum(one.size_bytes for one in declared)) > MAX_SURVEY_BYTES:
        msg = (
            f"attachments: {total} bytes together; one survey takes at most {MAX_SURVEY_BYTES}: make the photos smaller"
        )
        raise ValueError(msg)
    hashes = [one.sha256 for one in declared]
    if len(set(hashes)) < len(hashes):
        twice = next(value for value in hashes if hashes.count(value) > 1)
        msg = f"attachments: {twice} is there twice: one content is one attachment"
        raise ValueError(msg)


def missing_contents(declared: Iterable[Attachment], stored: Iterable[str]) -> tuple[str, ...]:
    """SHA-256 of what is declared and not stored, in the order of the declaration."""
    there = set(stored)
    return tuple(one.sha256 for one in declared if one.sha256 not in there)


def check_content(declared: Attachment, content: bytes) -> None:
    """Raise ValueError when `content` is not what was declared, or no whole JPEG, PNG or PDF."""
    if len(content) != declared.size_bytes:
        msg = f"has {len(content)} bytes, but {declared.size_bytes} were declared: send the whole file"
        raise ValueError(msg)
    if hashlib.sha256(content).hexdigest() != declared.sha256:
        msg = "does not have the declared SHA-256: it was changed or damaged on its way; send it again"
        raise ValueError(msg)
    found = detect_media_type(content)
    if found is not None and found is not declared.media_type:
        msg = f"is {found}, but {declared.media_type} was declared"
        raise ValueError(msg)
    check_whole(content)


def check_whole(content: bytes) -> MediaType:
    """Return what it is, by its first and last bytes. Raises ValueError when it is no whole JPEG, PNG or PDF."""
    found = detect_media_type(content)
    if found is None:
        msg = f"is neither JPEG nor PNG nor PDF; allowed: {', '.join(MediaType)}"
        raise ValueError(msg)
    if _ENDS[found] not in content[-_TAIL:]:
        msg = f"is cut off: the end of {found} is missing"
        raise ValueError(msg)
    width, height = _pixels(content, found)
    if width * height > MAX_PIXELS:
        msg = f"states {width} by {height} pixels; at most {MAX_PIXELS // 10**6} million: make the picture smaller"
        raise ValueError(msg)
    return found


def _pixels(content: bytes, media_type: MediaType) -> tuple[int, int]:
    """How large a picture states to be: a decoder takes memory for that before it reads the first pixel."""
    if media_type is MediaType.JPEG:
        return jpeg_pixels(content)
    if media_type is MediaType.PNG and len(content) >= _PNG_HEADER:
        width, height = struct.unpack_from(">II", content, 16)
        return width, height
    return 0, 0


def detect_media_type(content: bytes) -> MediaType | None:
    """By the first bytes; None for anything else."""
    return next((kind for kind, magic in _MAGIC.items() if content.startswith(magic)), None)
