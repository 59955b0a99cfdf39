"""Regimes of reports: the rules, the report of each cut-off, and what of it is sent through channels.

A cut-off has one report for good, whoever freezes it: the key says so, in the transaction that puts the report into the
chain.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.storage.sending.records import Records
from reporting.storage.tables import metadata

APPROVAL, COPY = "approval", "copy"
"""Why a message goes out: the report waits for who approves it; it is approved, and this is the recipient's copy."""
CLAIMED = 3
"""Messages claimed at a time, as of urging."""

report_regime = Table(
    "report_regime",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("rhythm", Text, nullable=False),
    Column("cut_off_day", SmallInteger, nullable=False),
    Column("every_days", SmallInteger, comment="Of the rhythm days"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("unit", Text, comment="What narrows its reports: codes or ids, as they were given"),
    Column("agency", Text),
    Column("type", Text),
    Column("facility", Text),
    Column("directive_id", Uuid, comment="Whose letterhead its papers have; null: of the main one"),
    Column("letterhead", JSONB, nullable=False, comment="What stands above the directive's"),
    Column("approver_agency_id", Uuid, comment="Before whom its reports are laid"),
    Column("recipient_agency_ids", ARRAY(Uuid), nullable=False, comment="To whom they are sent once approved"),
    Column("enabled", Boolean, nullable=False),
    Column("counts_from", DateTime(timezone=True), nullable=False, comment="Cut-offs after it are frozen"),
    Column("problem", Text, comment="Why its report could not be frozen"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("changed_by", Text, nullable=False),
    CheckConstraint("(rhythm = 'days') = (every_days is not null)", name="every_days"),
    CheckConstraint("cut_off_day between 1 and 28", name="cut_off_day"),
    comment="Which reports are frozen by themselves, when, before whom they are laid and to whom they go",
)
regime_report = Table(
    "regime_report",
    metadata,
    Column("regime_id", Uuid, primary_key=True),
    Column("cut_off_at", DateTime(timezone=True), primary_key=True),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("report_id", Uuid, nullable=False, unique=True),
    Column("compared_with", Uuid, comment="The last report of the regime; null: it is the first"),
    Column("late", Boolean, nullable=False, comment="Frozen later than it could have been"),
    Column("frozen_at", DateTime(timezone=True), nullable=False),
    comment="The report of each cut-off of a regime",
)
regime_sending = Table(
    "regime_sending",
    metadata,
    Column("report_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("channel_id", Uuid, primary_key=True),
    Column("agency_id", Uuid, nullable=False),
    Column("channel_name", Text, nullable=False),
    Column("channel_kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("outcome", Text),
    Column("sent_at", DateTime(timezone=True)),
    CheckConstraint("purpose in ('approval', 'copy')", name="purpose"),
    CheckConstraint("state in ('pending', 'sent', 'failed')", name="state"),
    Index("ix_regime_sending_due", "next_attempt_at", postgresql_where=text("state = 'pending'")),
    comment="What of a regime's report goes out through the channels of agencies",
)
REGIMES = Records(report_regime)
_LOCK = text("select pg_try_advisory_xact_lock(17420522)")
# A claim is a lease, as of urging: who dies with it leaves the message to the next claim after `until`.
_CLAIM = text(
    """
    update regime_sending as sending set attempts = sending.attempts + 1, next_attempt_at = :until
    from urge_channel as channel, regime_report as made, report_regime as regime
    where channel.id = sending.channel_id and made.report_id = sending.report_id and regime.id = made.regime_id
        and (sending.report_id, sending.version, sending.purpose, sending.channel_id) in (
            select due.report_id, due.version, due.purpose, due.channel_id
            from regime_sending as due join urge_channel as used on used.id = due.channel_id
            where due.state = 'pending' and due.next_attempt_at <= :now and used.enabled
            order by due.next_attempt_at, due.report_id limit :most for update of due skip locked
        )
    returning sending.report_id, sending.version, sending.purpose, sending.channel_id, sending.agency_id,
              sending.attempts, channel.kind, channel.address, regime.name, made.late
    """
)


async def try_lock(session: AsyncSession) -> bool:
    """Whether this transaction is the one that freezes; another replica does otherwise."""
    return bool((await session.execute(_LOCK)).scalar_one())


async def made_reports(session: AsyncSession, regime_id: UUID) -> Sequence[Any]:
    """Read the reports of a regime, oldest cut-off first."""
    wanted = select(regime_report).where(regime_report.c.regime_id == regime_id)
    return (await session.execute(wanted.order_by(regime_report.c.cut_off_at))).all()


async def add_report(session: AsyncSession, values: Mapping[str, Any]) -> None:
    """Keep which report is that of a cut-off. Raises IntegrityError where there is one."""
    await session.execute(insert(regime_report).values(dict(values)))


async def regime_of(session: AsyncSession, report_id: UUID) -> Any:
    """Find the regime whose report that is, with what is kept of the report; None: it is of no regime."""
    wanted = select(report_regime, regime_report).join(regime_report, regime_report.c.regime_id == report_regime.c.id)
    return (await session.execute(wanted.where(regime_report.c.report_id == report_id))).one_or_none()


async def keep_problem(session: AsyncSession, regime_id: UUID, problem: str | None) -> None:
    """Why the report that is due could not be frozen; None: it was."""
    await session.execute(update(report_regime).where(report_regime.c.id == regime_id).values(problem=problem))


async def queue(
    session: AsyncSession, report_id: UUID, version: int, purpose: str, channels: Iterable[Any], now: datetime
) -> None:
    """Have a message of that version sent through each channel, once."""
    rows = [
        {
            "report_id": report_id,
            "version": version,
            "purpose": purpose,
            "channel_id": channel.id,
            "agency_id": channel.agency_id,
            "channel_name": channel.name,
            "channel_kind": channel.kind,
            "state": "pending",
            "attempts": 0,
            "next_attempt_at": now,
        }
        for channel in channels
    ]
    if rows:
        await session.execute(insert(regime_sending).on_conflict_do_nothing(), rows)


async def claim(session: AsyncSession, now: datetime, until: datetime) -> Sequence[Any]:
    """Claim what is to be sent, each for this caller alone until `until`."""
    return (await session.execute(_CLAIM, {"now": now, "until": until, "most": CLAIMED})).all()


async def record(session: AsyncSession, row: Any, values: Mapping[str, Any]) -> None:
    """Record what became of an attempt; `row`: as it was claimed."""
    key = ("report_id", "version", "purpose", "channel_id")
    of_it = [regime_sending.c[name] == getattr(row, name) for name in key]
    await session.execute(update(regime_sending).where(*of_it).values(dict(values)))


async def sendings(session: AsyncSession, report_ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Through which channels messages of each report went, and with which outcome."""
    wanted = select(regime_sending).where(regime_sending.c.report_id.in_(report_ids))
    order = regime_sending.c.version, regime_sending.c.purpose, regime_sending.c.channel_name
    found: dict[UUID, list[Any]] = {}
    for row in await session.execute(wanted.order_by(*order)):
        found.setdefault(row.report_id, []).append(row)
    return found
