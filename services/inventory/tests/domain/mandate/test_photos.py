"""Contents of attachments: what is taken, and photos of restricted sites without their place."""

import hashlib
import struct
import zlib
from time import process_time

import pytest

from inventory.domain.mandate.surveying.attachments import (
    MAX_BYTES,
    Attachment,
    MediaType,
    check_content,
    missing_contents,
)
from inventory.domain.mandate.surveying.jpeg import UnreadablePhotoError
from inventory.domain.mandate.surveying.metadata import without_metadata

PLACE = b"16.8163N 107.1003E"
PDF = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"


def segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", 2 + len(payload)) + payload


def exif(orientation: int) -> bytes:
    entries = struct.pack("<HHHIHH", 1, 0x0112, 3, 1, orientation, 0)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + entries + struct.pack("<I", 0) + PLACE


SCAN = segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56"
TABLE = segment(0xC4, b"\0" + b"\xff\xd9" * 8)
"""A Huffman table that holds the bytes of an end of image."""


def jpeg(orientation: int = 6) -> bytes:
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")
        + segment(0xE1, exif(orientation))
        + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + PLACE)
        + segment(0xED, b"Photoshop 3.0\0" + PLACE)
        + segment(0xFE, PLACE)
        + segment(0xDB, b"\0" + bytes(64))
        + SCAN
        + TABLE
        + segment(0xFE, PLACE)
        + SCAN
        + b"\xff\xd9"
        + b"second picture "
        + PLACE
        + b"\xff\xd9"
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 1, height: int = 1) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"eXIf", exif(1)[6:])
        + chunk(b"tEXt", b"Comment\0" + PLACE)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
        + PLACE
    )


def test_a_photo_of_a_restricted_site_has_no_place_any_more_and_the_same_picture() -> None:
    bare = without_metadata(jpeg(), MediaType.JPEG)
    assert PLACE not in bare
    assert b"JFIF" in bare
    assert bare.count(SCAN) == 2
    assert TABLE in bare
    assert bare.endswith(SCAN + b"\xff\xd9")


def test_a_turned_photo_stays_upright() -> None:
    turned = without_metadata(jpeg(6), MediaType.JPEG)
    assert turned[2:4] == b"\xff\xe1"
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in turned
    assert b"Exif" not in without_metadata(jpeg(1), MediaType.JPEG)


def test_the_first_orientation_counts_as_it_does_for_those_who_show_the_photo() -> None:
    twice = b"\xff\xd8" + segment(0xE1, exif(6)) + segment(0xE1, exif(3)) + SCAN + b"\xff\xd9"
    assert struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) in without_metadata(twice, MediaType.JPEG)
    upright = b"\xff\xd8" + segment(0xE1, exif(1)) + segment(0xE1, exif(3)) + SCAN + b"\xff\xd9"
    assert b"Exif" not in without_metadata(upright, MediaType.JPEG)


def test_fill_bytes_may_stand_before_a_marker() -> None:
    filled = b"\xff\xd8" + b"\xff" * 40 + SCAN + b"\xff" * 7 + b"\xff\xd9"
    assert without_metadata(filled, MediaType.JPEG) == b"\xff\xd8" + SCAN + b"\xff\xd9"


EMPTY = segment(0xDB, b"")
BOMBS = {
    "segments": (b"\xff\xd8" + EMPTY * (MAX_BYTES // len(EMPTY) - 2) + SCAN + b"\xff\xd9", MediaType.JPEG),
    "scans": (b"\xff\xd8" + segment(0xDA, b"") * (MAX_BYTES // 4 - 2) + b"\xff\xd9", MediaType.JPEG),
    "chunks": (b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * (MAX_BYTES // 12 - 3) + chunk(b"IEND", b""), MediaType.PNG),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_of_parts_are_refused_at_the_first_part_beyond_the_bound(name: str) -> None:
    content, kind = BOMBS[name]
    began = process_time()
    with pytest.raises(UnreadablePhotoError, match=r"is no photo of a camera or phone: a (JPEG|PNG) has at most"):
        without_metadata(content, kind)
    assert process_time() - began < 0.5


@pytest.mark.parametrize("part", [b"\xff", b"\xff\0", b"\xff\xd0"], ids=["fills", "stuffed", "restarts"])
def test_bombs_of_fill_bytes_take_no_processor(part: bytes) -> None:
    content = b"\xff\xd8" + SCAN + part * (MAX_BYTES // len(part) - 40) + b"\xff\xd9"
    began = process_time()
    without_metadata(content, MediaType.JPEG)
    assert process_time() - began < 0.5


def test_bare_photos_stay_as_they_are() -> None:
    for content, kind in ((jpeg(), MediaType.JPEG), (png(), MediaType.PNG)):
        bare = without_metadata(content, kind)
        assert without_metadata(bare, kind) == bare


def test_a_png_keeps_its_picture_alone() -> None:
    bare = without_metadata(png(), MediaType.PNG)
    assert PLACE not in bare
    assert b"IDAT" in bare
    assert bare.endswith(chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, MediaType.PDF),
        (jpeg()[:40], MediaType.JPEG),
        (b"\xff\xd8\xff", MediaType.JPEG),
        (b"\xff\xd8" + SCAN, MediaType.JPEG),
        (b"\xff\xd8" + segment(0xE1, b"x")[:-1], MediaType.JPEG),
        (b"\xff\xd8\xff\xe1\0\0" + jpeg(), MediaType.JPEG),
        (b"\xff\xd8 no segment", MediaType.JPEG),
        (png()[:30], MediaType.PNG),
        (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT1234", MediaType.PNG),
    ],
)
def test_what_cannot_be_read_to_its_end_is_refused(content: bytes, kind: MediaType) -> None:
    with pytest.raises(UnreadablePhotoError):
        without_metadata(content, kind)


def declared(content: bytes, media_type: MediaType = MediaType.JPEG) -> Attachment:
    return Attachment(
        sha256=hashlib.sha256(content).hexdigest(), name="anh.jpg", media_type=media_type, size_bytes=len(content)
    )


@pytest.mark.parametrize(("content", "kind"), [(jpeg(), MediaType.JPEG), (png(), MediaType.PNG), (PDF, MediaType.PDF)])
def test_a_content_that_is_what_was_declared_is_taken(content: bytes, kind: MediaType) -> None:
    check_content(declared(content, kind), content)


@pytest.mark.parametrize(
    ("one", "content", "says"),
    [
        (declared(jpeg()), jpeg()[:-1], "were declared"),
        (declared(jpeg()), jpeg()[:-1] + b"x", "SHA-256"),
        (declared(png()), png(), "was declared"),
        (declared(b"GIF89a......"), b"GIF89a......", "neither JPEG nor PNG nor PDF"),
        (declared(b"<svg onload=alert(1)>"), b"<svg onload=alert(1)>", "neither"),
        (declared(jpeg()[:60]), jpeg()[:60], "cut off"),
    ],
)
def test_another_content_is_refused(one: Attachment, content: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_content(one, content)


def framed(width: int, height: int) -> bytes:
    """A JPEG that states its size behind a table and a small frame."""
    frames = (segment(0xC2, struct.pack(">BHHB", 8, *size, 3)) for size in ((1, 1), (height, width)))
    return b"\xff\xd8" + TABLE + b"".join(frames) + SCAN + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (png(65_535, 65_535), MediaType.PNG, "65535 by 65535"),
        (png(2**31 - 1, 1), MediaType.PNG, "2147483647 by 1"),
        (framed(65_535, 3_060), MediaType.JPEG, "65535 by 3060"),
    ],
    ids=["png", "wide", "jpeg"],
)
def test_bombs_of_pixels_are_refused_with_the_size_and_the_bound(content: bytes, kind: MediaType, size: str) -> None:
    with pytest.raises(ValueError, match=f"states {size} pixels; at most 200 million: make the picture smaller"):
        check_content(declared(content, kind), content)


@pytest.mark.parametrize(("width", "height"), [(16_320, 12_240), (65_535, 3_051)])
def test_the_largest_photo_of_a_phone_is_taken(width: int, height: int) -> None:
    check_content(declared(framed(width, height)), framed(width, height))
    check_content(declared(png(width, height), MediaType.PNG), png(width, height))


def test_what_is_missing_is_named_in_the_order_of_the_declaration() -> None:
    first, second = declared(jpeg()), declared(png(), MediaType.PNG)
    assert missing_contents((first, second), {second.sha256}) == (first.sha256,)
    assert missing_contents((first, second), ()) == (first.sha256, second.sha256)
