"""Parts of a ZIP archive that a caller sent, in pieces, as large as they really are.

What an archive says of itself is checked before it is believed: a part of 720 bytes that says that it has 10 may unpack
to a gigabyte, and of the methods that ZIP knows only `stored` and `deflate` can be unpacked a piece at a time.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

PIECE_BYTES = 64 * 1024
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, KeyError)


class BrokenArchiveError(ValueError):
    """It is no archive, or not what it says of itself: damaged, encrypted, of another method, of another size."""


class OversizedArchiveError(ValueError):
    """It unpacks to more than is taken. `found` and `most` are for people, with their unit."""

    def __init__(self, found: str, most: str) -> None:
        super().__init__(f"it unpacks to {found}, and at most {most} are taken")
        self.found, self.most = found, most


@contextmanager
def open_archive(body: bytes, *, most_parts: int, most_bytes: int) -> Iterator[list["ArchivePart"]]:
    """Yield the parts of an archive, whose statements about themselves agree with one another.

    Raises BrokenArchiveError and OversizedArchiveError; nothing is unpacked before.
    """
    with _open_zip(body) as archive:
        entries = archive.infolist()
        if len(entries) > most_parts:
            raise OversizedArchiveError(f"{len(entries)} parts", f"{most_parts} parts")
        for entry in entries:
            if entry.compress_type not in METHODS:
                msg = f"its part {entry.filename[:60]!r} is packed by another method than deflate"
                raise BrokenArchiveError(msg)
        # Parts that lie over one another: a few bytes would be counted, and unpacked, many times.
        if sum(entry.compress_size for entry in entries) > len(body):
            msg = "its parts are together larger than it is"
            raise BrokenArchiveError(msg)
        if (size := sum(entry.file_size for entry in entries)) > most_bytes:
            raise OversizedArchiveError(_megabytes(size), _megabytes(most_bytes))
        yield [ArchivePart(archive, entry) for entry in entries]


def _open_zip(body: bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except _BROKEN as error:
        msg = f"it cannot be opened: {error}"
        raise BrokenArchiveError(msg) from None


class ArchivePart:
    """One part; `size` and `packed_size` in bytes, as it says."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self.name, self.size, self.packed_size = entry.filename, entry.file_size, entry.compress_size
        self._archive, self._entry = archive, entry

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes, some at a time. Raises BrokenArchiveError when there are more or fewer than it says."""
        unpacked = 0
        try:
            with self._archive.open(self._entry) as stream:
                while piece := stream.read(PIECE_BYTES):
                    unpacked += len(piece)
                    yield piece
        except _BROKEN as error:
            msg = f"its part {self.name[:60]!r} is not what it says of itself: {error}"
            raise BrokenArchiveError(msg) from None
        if unpacked != self.size:
            msg = f"its part {self.name[:60]!r} says that it has {self.size:,} bytes, and has {unpacked:,}"
            raise BrokenArchiveError(msg)


def _megabytes(size: int) -> str:
    return f"{-(-size // 2**20)} MB"
