"""Frozen reports as rows: a chain that grows at its end, and that a trigger keeps from every other change."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    not_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import millis, moment
from reporting.reports.snapshot.report import Approval, Report, StoredReport
from reporting.storage.sending import regimes
from reporting.storage.tables import metadata
from vonggac.database.keyset import Ordered, keyset_page

frozen_report = Table(
    "frozen_report",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, comment="Place in the chain"),
    Column("id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("frozen_at", DateTime(timezone=True), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("author", Text, nullable=False),
    Column("author_name", Text, comment="Full name as it was then; null: not known"),
    Column("author_post", Text, comment="Post as it was then; null: not known"),
    Column("sha256", Text, nullable=False, unique=True),
    Column("previous_sha256", Text, unique=True, comment="Of the report before in the chain"),
    Column("document", Text, nullable=False, comment="The whole report as JSON, without its approval"),
    CheckConstraint("number >= 1 and version >= 1", name="positive"),
    CheckConstraint("(number = 1) = (previous_sha256 is null)", name="chained"),
    UniqueConstraint("id", "version"),
    comment="Every version of every frozen report",
)
report_approval = Table(
    "report_approval",
    metadata,
    Column("number", BigInteger, ForeignKey("frozen_report.number"), primary_key=True, autoincrement=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", DateTime(timezone=True), nullable=False),
    Column("approver_name", Text, comment="Full name as it was then; null: not known"),
    Column("approver_post", Text, comment="Post as it was then; null: not known"),
    comment="Who approved a frozen report, and when",
)
_SHOWN = (*(one for one in frozen_report.c if one.name != "document"), *report_approval.c[1:])
SORTABLE: dict[str, Any] = {
    "number": frozen_report.c.number,
    "frozen_at": frozen_report.c.frozen_at,
    "from": frozen_report.c.starts_at,
    "to": frozen_report.c.ends_at,
}


class SupersededError(Exception):
    """Meanwhile somebody else froze the further version."""


async def append(
    session: AsyncSession, make: Callable[[int, str | None], Report], *, replaces: Report | None = None
) -> Report:
    """Put a report at the end of the chain: `make` gets its number and the digest of the one before.

    Two at once wait for each other, so that the chain never forks. Raises SupersededError when `replaces` is no longer
    the newest version.
    """
    await session.execute(text("lock table frozen_report in share row exclusive mode"))
    if replaces is not None:
        newest_version = select(func.max(frozen_report.c.version)).where(frozen_report.c.id == replaces.id)
        if await session.scalar(newest_version) != replaces.header.version:
            raise SupersededError
    newest = select(frozen_report.c.number, frozen_report.c.sha256).order_by(frozen_report.c.number.desc()).limit(1)
    row = (await session.execute(newest)).one_or_none()
    report = make(1, None) if row is None else make(row.number + 1, row.sha256)
    header = report.header
    await session.execute(
        frozen_report.insert().values(
            number=header.number,
            id=report.id,
            version=header.version,
            frozen_at=moment(header.frozen_at_ms),
            starts_at=moment(header.period.from_ms),
            ends_at=moment(header.period.to_ms),
            author=header.author,
            author_name=header.author_name,
            author_post=header.author_post,
            sha256=report.sha256,
            previous_sha256=header.previous_sha256,
            document=(await asyncio.to_thread(report.compact)).decode(),
        )
    )
    return report


async def read_stored(session: AsyncSession, report_id: UUID, version: int | None = None) -> StoredReport | None:
    """One version with its approval, by default the newest, unparsed."""
    columns = frozen_report.c.document, frozen_report.c.number
    statement = (
        select(*columns, *report_approval.c[1:]).outerjoin(report_approval).where(frozen_report.c.id == report_id)
    )
    if version is not None:
        statement = statement.where(frozen_report.c.version == version)
    row = (await session.execute(statement.order_by(frozen_report.c.version.desc()).limit(1))).one_or_none()
    if row is None:
        return None
    approval = None
    if row.approved_at is not None:
        approval = {
            "by": row.approved_by,
            "at_ms": millis(row.approved_at),
            "name": row.approver_name,
            "post": row.approver_post,
        }
    return StoredReport(row.document.encode(), approval, row.number)


async def read(session: AsyncSession, report_id: UUID, version: int | None = None) -> Report | None:
    """Read the same, parsed; its digests are checked again."""
    stored = await read_stored(session, report_id, version)
    return None if stored is None else await asyncio.to_thread(stored.report)


async def approve(session: AsyncSession, report: Report, approval: Approval) -> bool:
    """Keep the approval; False when there is one already."""
    await session.execute(text("lock table report_approval in share row exclusive mode"))
    number = report.header.number
    if await session.scalar(select(report_approval.c.number).where(report_approval.c.number == number)) is not None:
        return False
    values = {
        "approved_by": approval.by,
        "approved_at": moment(approval.at_ms),
        "approver_name": approval.name,
        "approver_post": approval.post,
    }
    await session.execute(report_approval.insert().values(number=number, **values))
    return True


def listed() -> Select[Any]:
    """All versions, without their contents."""
    return select(*_SHOWN).outerjoin_from(frozen_report, report_approval)


async def page(
    session: AsyncSession,
    paging: tuple[Sequence[Ordered], Sequence[Any] | None, int],
    *,
    count: bool,
    among: Collection[int] | None = None,
) -> tuple[Sequence[Any], int | None]:
    """Read the rows of one page and one more, and the number of all when it is asked; `among`: of these numbers."""
    wanted = listed()
    if among is not None:
        wanted = wanted.where(frozen_report.c.number.in_(among))
    rows = (await session.execute(keyset_page(wanted, SORTABLE, *paging))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


async def page_of_regimes(
    session: AsyncSession,
    paging: tuple[Sequence[Ordered], Sequence[Any] | None, int],
    *,
    count: bool,
    regime_id: UUID | None = None,
    waiting: bool | None = None,
) -> tuple[Sequence[Any], int | None]:
    """Read reports of regimes with their newest version, as `page`; `waiting`: for their approval, or not."""
    newest = select(frozen_report.c.id, func.max(frozen_report.c.number).label("number")).group_by(frozen_report.c.id)
    last, regime, made = newest.subquery(), regimes.report_regime.c, regimes.regime_report
    wanted = (
        select(
            made,
            regime.name,
            regime.rhythm,
            regime.approver_agency_id,
            regime.recipient_agency_ids,
            frozen_report.c.number,
            frozen_report.c.version,
            frozen_report.c.sha256,
            *report_approval.c[1:],
        )
        .join(regimes.report_regime, regime.id == made.c.regime_id)
        .join(last, last.c.id == made.c.report_id)
        .join(frozen_report, frozen_report.c.number == last.c.number)
        .outerjoin(report_approval)
    )
    if regime_id is not None:
        wanted = wanted.where(made.c.regime_id == regime_id)
    if waiting is not None:
        approved = report_approval.c.number.is_not(None)
        wanted = wanted.where(not_(approved) if waiting else approved)
    sortable = {"number": frozen_report.c.number, "cut_off": made.c.cut_off_at}
    rows = (await session.execute(keyset_page(wanted, sortable, *paging))).all()
    total = await session.scalar(select(func.count()).select_from(wanted.subquery())) if count else None
    return rows, total


async def versions(session: AsyncSession, report_id: UUID) -> list[int]:
    """All versions of a report."""
    statement = select(frozen_report.c.version).where(frozen_report.c.id == report_id)
    return sorted((await session.execute(statement)).scalars())
