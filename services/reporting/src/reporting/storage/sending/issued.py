"""Papers that were issued: number, day and the signed file come back after a draft was signed, and are kept.

An entry is never changed: who mistyped a number records the paper again, and the newest entry stands.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.tables import metadata

issued_paper = Table(
    "issued_paper",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report_id", Uuid),
    Column("version", Integer),
    Column("urge_id", Uuid),
    Column("number", Text, nullable=False, comment="Number and symbol as issued"),
    Column("issued_on", Date, nullable=False, comment="The day on the paper"),
    Column("signed_by", Text, comment="Name and post of the signer"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("recorded_by", Text, nullable=False),
    CheckConstraint("(report_id is null) = (version is null)", name="version_of_a_report"),
    CheckConstraint("(report_id is null) <> (urge_id is null)", name="one_subject"),
    Index("ix_issued_paper_report_id", "report_id"),
    Index("ix_issued_paper_urge_id", "urge_id"),
    comment="Number and day of what was signed and sent",
)
issued_file = Table(
    "issued_file",
    metadata,
    Column("paper_id", Uuid, ForeignKey("issued_paper.id"), primary_key=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("received_by", Text, nullable=False),
    CheckConstraint("length(sha256) = 32 and bytes = length(content)", name="whole"),
    comment="The signed PDF of an issued paper; nothing of ours ever opens it",
)
_OF_FILE = (issued_file.c.sha256, issued_file.c.bytes, issued_file.c.received_at, issued_file.c.received_by)
_WITH_FILE = select(issued_paper, *_OF_FILE).select_from(
    issued_paper.outerjoin(issued_file, issued_file.c.paper_id == issued_paper.c.id)
)


async def add_paper(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Record a paper that was issued."""
    await session.execute(insert(issued_paper).values(dict(values)))


async def find_paper(session: AsyncSession, paper_id: UUID) -> Any:
    """Find the entry with what is known of its file; None where there is none."""
    return (await session.execute(_WITH_FILE.where(issued_paper.c.id == paper_id))).one_or_none()


async def papers_of(session: AsyncSession, report_id: UUID | None, urge_id: UUID | None) -> Sequence[Any]:
    """All entries of a report, of an urging letter, or of everything."""
    wanted = _WITH_FILE
    if report_id is not None:
        wanted = wanted.where(issued_paper.c.report_id == report_id)
    if urge_id is not None:
        wanted = wanted.where(issued_paper.c.urge_id == urge_id)
    return (await session.execute(wanted)).all()


async def keep_file(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep the signed file; a paper has one."""
    await session.execute(insert(issued_file).values(dict(values)))


async def read_file(session: AsyncSession, paper_id: UUID) -> bytes | None:
    """Read the bytes of the signed file."""
    found: bytes | None = await session.scalar(select(issued_file.c.content).where(issued_file.c.paper_id == paper_id))
    return found
