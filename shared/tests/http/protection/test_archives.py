"""A ZIP archive is believed only as far as it is what it says of itself."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from vonggac.http.protection.archives import BrokenArchiveError, OversizedArchiveError, open_archive

ZEROS = bytes(64 << 20)


def packed(content: bytes, method: int = zipfile.ZIP_DEFLATED, *, name: str = "a.xml") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def says(body: bytes, size: int) -> bytes:
    """The archive with another unpacked size of its only part, in both places where it stands."""
    changed = bytearray(body)
    struct.pack_into("<I", changed, 22, size)
    struct.pack_into("<I", changed, body.index(b"PK\x01\x02") + 24, size)
    return bytes(changed)


def unpack(body: bytes, *, most_bytes: int = 1 << 20) -> int:
    with open_archive(body, most_parts=10, most_bytes=most_bytes) as parts:
        return sum(len(piece) for part in parts for piece in part.pieces())


def test_what_an_archive_holds_is_what_is_read() -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert unpack(packed(b"x" * 300_000, method)) == 300_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bombs_of_another_method_are_refused_unopened(method: int) -> None:
    with pytest.raises(BrokenArchiveError, match="another method than deflate"):
        unpack(says(packed(ZEROS, method), 10))


@pytest.mark.parametrize("size", [10, 64 << 10, (64 << 20) - 1])
def test_bombs_that_lie_about_their_size_are_refused_without_their_memory(size: int) -> None:
    bomb = says(packed(ZEROS), size)
    tracemalloc.start()
    with pytest.raises(BrokenArchiveError, match=r"not what it says|says that it has"):
        unpack(bomb, most_bytes=1 << 27)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_bombs_that_say_how_large_they_are_are_refused_unopened() -> None:
    with pytest.raises(OversizedArchiveError, match="unpacks to 64 MB, and at most 1 MB are taken"):
        unpack(packed(ZEROS))


def test_bombs_of_parts_that_lie_over_one_another_are_refused() -> None:
    body = packed(b"x" * 500_000)
    at = body.index(b"PK\x01\x02")
    entry, end = body[at : body.index(b"PK\x05\x06")], bytearray(body[body.index(b"PK\x05\x06") :])
    struct.pack_into("<HHI", end, 8, 9, 9, 9 * len(entry))
    bomb = body[:at] + 9 * entry + bytes(end)
    assert len(bomb) < 9 * (at - 35)
    with pytest.raises(BrokenArchiveError, match="together larger than it is"):
        unpack(bomb, most_bytes=1 << 27)


def test_bombs_of_very_many_parts_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(11):
            archive.writestr(f"{number}.xml", b"")
    with pytest.raises(OversizedArchiveError, match="11 parts, and at most 10 parts"):
        unpack(buffer.getvalue())


@pytest.mark.parametrize(
    "body",
    [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(9), packed(b"x" * 999)[:-30]],
    ids=["nothing", "begin", "end", "cut off"],
)
def test_what_is_no_archive_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenArchiveError):
        unpack(body)


def test_a_callers_own_error_stays_what_it_is() -> None:
    with (
        pytest.raises(ValueError, match="mine"),
        open_archive(packed(b"x"), most_parts=10, most_bytes=10),
    ):
        raise ValueError("mine")
