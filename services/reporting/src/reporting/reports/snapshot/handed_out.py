"""The files of frozen reports that were handed out, by their digests.

A later release may write a form otherwise. The file that somebody signed stays the report that it is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.reports.snapshot.chain import frozen_report
from reporting.storage.tables import metadata

report_file = Table(
    "report_file",
    metadata,
    Column("number", BigInteger, ForeignKey("frozen_report.number"), primary_key=True, autoincrement=False),
    Column("sha256", LargeBinary, primary_key=True),
    Column("form", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    CheckConstraint("length(sha256) = 32 and bytes > 0", name="digest"),
    comment="Files of frozen reports that were handed out",
)


class FileDigest(NamedTuple):
    """What identifies a file that was handed out; `sha256` is of its first `size` bytes, which are all of it."""

    form: str
    size: int
    sha256: bytes

    @classmethod
    def of(cls, content: bytes, form: str) -> "FileDigest":
        return cls(form, len(content), hashlib.sha256(content).digest())

    def begins(self, content: bytes) -> bool:
        """Whether `content` is that file, with or without something behind it."""
        return len(content) >= self.size and hashlib.sha256(memoryview(content)[: self.size]).digest() == self.sha256


class HandedOut(NamedTuple):
    """A file as it was handed out, and of which report."""

    form: str
    report_id: UUID
    version: int
    report_sha256: str


def digest_of(pieces: Iterable[bytes | bytearray]) -> bytes:
    """Compute the digest of a file in pieces, for `find_file`."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


async def find_file(session: AsyncSession, sha256: bytes) -> HandedOut | None:
    """Find the file that was handed out with just these bytes, None where there was none."""
    columns = report_file.c.form, frozen_report.c.id, frozen_report.c.version, frozen_report.c.sha256
    statement = select(*columns).join_from(report_file, frozen_report).where(report_file.c.sha256 == sha256)
    row = (await session.execute(statement.order_by(report_file.c.number).limit(1))).one_or_none()
    return None if row is None else HandedOut(*row)


async def keep(session: AsyncSession, number: int, file: FileDigest) -> None:
    """Note that a file of the report with this number is handed out; once for each file."""
    values = {"number": number, "sha256": file.sha256, "form": file.form, "bytes": file.size}
    await session.execute(insert(report_file).values(values).on_conflict_do_nothing())


async def files_of(session: AsyncSession, number: int) -> Sequence[FileDigest]:
    """All files of a report that were handed out."""
    statement = select(report_file.c.form, report_file.c.bytes, report_file.c.sha256)
    rows = await session.execute(statement.where(report_file.c.number == number).order_by(report_file.c.sha256))
    return [FileDigest(*row) for row in rows]
