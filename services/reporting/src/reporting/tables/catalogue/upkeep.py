"""Maintenance that was agreed beforehand, facts that came late, facts that never came, and streams that were gone."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column as Stored
from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import Millis, millis, moment
from reporting.domain.ledger import CAMERA_SUMS, date_of, days_within
from reporting.domain.partition import LEDGER_NAMES
from reporting.storage.availability import evidence
from reporting.storage.availability.tables import late_evidence
from reporting.storage.mandate import maintenance
from reporting.storage.tables import maintenance_window, publisher_gap
from reporting.storage.upkeep.tables import clock_step, stream_loss
from reporting.tables.catalogue.columns import LENGTHS
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import ROWS_AT_ONCE, Portions
from reporting.tables.table import Column, Kind, Row, Table

TEXT, INSTANT, INTEGER = Kind.TEXT, Kind.INSTANT, Kind.INTEGER

MAINTENANCE = Table(
    "maintenance",
    "Lịch bảo trì",
    "Maintenance windows",
    "A row for each window that touches the period, also a cancelled one.",
    (
        Column("window_id", TEXT, "ID lịch", "Id of the window.", required=True),
        Column("camera_id", TEXT, "ID camera", "The camera, where it is of one."),
        Column("facility_id", TEXT, "ID cơ sở", "The facility, where it is of one."),
        Column("window_from", INSTANT, "Bắt đầu", "Its start.", required=True),
        Column("window_to", INSTANT, "Kết thúc", "Its end, or where it was cut.", required=True),
        Column("reason", TEXT, "Lý do", "What for."),
        Column("approved_by", TEXT, "Người thống nhất", "Subject of the token that agreed to it, before it began."),
        Column(
            "agreed_at", INSTANT, "Thống nhất lúc", "When it was agreed to; else when it was entered.", required=True
        ),
        Column("cancelled_at", INSTANT, "Hủy lúc", "When it was cancelled."),
        Column("cancelled_by", TEXT, "Người hủy", "Who cancelled it."),
        Column("agreed", Kind.BOOLEAN, "Đã thống nhất", "false: declared alone; it counts as none.", required=True),
        Column("declared_by", TEXT, "Người khai báo", "Who entered it, where another one agrees."),
    ),
    ("window_id",),
)
_WHAT = "Kinds of facts that came; `cause`: a probe that saw another cause of downtime."
_CHANGE = (
    Column("change_id", INTEGER, "Số thay đổi", "Number of the change, in the order of writing.", required=True),
    Column("camera_id", TEXT, "ID camera", "Id of the camera.", required=True),
    Column("day", Kind.DATE, "Ngày", "The day, in Vietnam time.", required=True),
    Column("what", TEXT, "Loại số liệu", _WHAT, required=True),
    Column("noticed_at", INSTANT, "Đến lúc", "When the first of them was stored.", required=True),
    Column("written_at", INSTANT, "Ghi lúc", "When the ledger was written anew.", required=True),
)


def _gained(names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(
        Column(
            f"{name}_change_ms",
            Kind.DURATION,
            f"{LENGTHS[name][0]}: thay đổi (ms)",
            f"Gained, or lost where it is below 0: {LENGTHS[name][1]}",
            required=True,
        )
        for name in names
    )


LATE_EVIDENCE = Table(
    "late_evidence",
    "Số liệu đến muộn",
    "Late evidence",
    "A row for each change of a camera's day of the period after the day had been closed: what each part of it gained "
    "or lost; nothing, where its deliveries alone changed.",
    (*_CHANGE, *_gained(CAMERA_SUMS)),
    ("change_id",),
)
LATE_DELIVERIES = Table(
    "late_evidence_of_deliveries",
    "Số liệu kết nối đến muộn",
    "Late evidence of deliveries",
    "A row for each delivery whose day changed by a change of `late_evidence`: what each part of it gained or lost.",
    (
        *_CHANGE,
        Column("delivery_id", TEXT, "ID kết nối", "Id of the delivery.", required=True),
        *_gained(LEDGER_NAMES),
        Column(
            "not_connected_by_cause_change",
            TEXT,
            "Mất kết nối theo nguyên nhân: thay đổi (ms)",
            "Causes and what each gained, or lost where it is below 0: `refused=60000 timeout=-60000`.",
        ),
    ),
    ("change_id", "delivery_id"),
)
LOST_FACTS = Table(
    "lost_facts",
    "Số liệu bị mất",
    "Lost facts",
    "A row for each gap in the numbered facts of a publisher, of all times. What it covers is unknown.",
    (
        Column("publisher", TEXT, "Nguồn", "The process whose facts are missing.", required=True),
        Column("first_missing", INTEGER, "Số đầu", "First missing sequence.", required=True),
        Column("last_missing", INTEGER, "Số cuối", "Last missing sequence.", required=True),
        Column("gap_from", INSTANT, "Từ", "Time of the fact before.", required=True),
        Column("gap_to", INSTANT, "Đến", "Time of the fact after.", required=True),
        Column("lost_at", INSTANT, "Bỏ lúc", "When it was given up; empty: it may still come."),
    ),
    ("publisher", "first_missing"),
    periodic=False,
)

CLOCK_STEPS = Table(
    "clock_steps",
    "Đồng hồ máy chủ bị chỉnh lùi",
    "Clock steps",
    "A row for each time that the NATS server's clock was set back, of all times. What it showed twice is unknown.",
    (
        Column(
            "last_before", INTEGER, "Số cuối trước", "Last message before the step, in OBSERVATIONS.", required=True
        ),
        Column("first_after", INTEGER, "Số đầu sau", "First message seen after it.", required=True),
        Column("stored_at", INSTANT, "Lưu lúc", "When the last one before it was stored.", required=True),
        Column("twice_from", INSTANT, "Từ", "From here on the clock showed a time twice.", required=True),
        Column("twice_to", INSTANT, "Đến", "Until here.", required=True),
        Column("refused_facts", INTEGER, "Số liệu bị loại", "Facts of that time that are no evidence.", required=True),
        Column("noticed_at", INSTANT, "Phát hiện lúc", "When it was noticed.", required=True),
    ),
    ("last_before",),
    periodic=False,
)

STREAM_LOSSES = Table(
    "stream_losses",
    "Luồng trên máy chủ NATS bị mất",
    "Stream losses",
    "A row for each time that a stream, a bucket or a consumer of NATS was gone, emptied or set back, of all times.",
    (
        Column(
            "stream",
            TEXT,
            "Luồng",
            "Name of the stream (`KV_…`: a bucket); `stream/consumer`: of a consumer alone.",
            required=True,
        ),
        Column("kind", TEXT, "Loại", "`gone`, `emptied` or `went_back`.", required=True),
        Column("lost_from", INSTANT, "Từ", "What was stored since may be lost.", required=True),
        Column("lost_to", INSTANT, "Đến", "When it stood again.", required=True),
        Column("messages", INTEGER, "Số bản tin", "So many it held when it was last seen."),
        Column("unread", INTEGER, "Chưa nhận", "So many of them were not in these tables by then."),
        Column("filled_with", TEXT, "Lập lại từ", "What fills it anew, or `nothing`."),
    ),
    ("lost_to", "stream"),
    periodic=False,
)


async def window_rows(asked: Selection) -> Portions:
    """By start."""
    start, end = map(moment, asked.question.period)
    scope = asked.scope
    wanted = maintenance.listed(
        since=start, until=end, camera_id=asked.only, facility_id=scope.facility_id, visible=scope.visible
    )
    async for rows in _read(asked.session, wanted, maintenance_window.c.starts_at, maintenance_window.c.id):
        yield [_window(row) for row in rows]


async def _read(session: AsyncSession, wanted: Select[Any], *keys: Stored[Any]) -> AsyncGenerator[Sequence[Any]]:
    """All rows in the order of `keys`, a page at a time: between two of them nothing is open but the snapshot."""
    page = wanted.order_by(*keys).limit(ROWS_AT_ONCE)
    rows = (await session.execute(page)).all()
    while rows:
        yield rows
        last = [getattr(rows[-1], key.name) for key in keys]
        rows = (await session.execute(page.where(tuple_(*keys) > tuple_(*last)))).all()


def _window(row: Any) -> Row:
    return (
        str(row.id),
        _id(row.camera_id),
        _id(row.facility_id),
        millis(row.starts_at),
        millis(row.ends_at),
        row.reason,
        row.approved_by,
        millis(row.created_at),
        _millis(row.cancelled_at),
        row.cancelled_by,
        row.agreed,
        row.declared_by,
    )


async def late_rows(asked: Selection) -> Portions:
    """In the order of writing."""
    async for rows in _late_evidence(asked):
        yield [_late(row) for row in rows]


def _late_evidence(asked: Selection) -> AsyncGenerator[Sequence[Any]]:
    first, last = days_within(asked.question.period)
    wanted = evidence.listed(date_of(first), date_of(last), asked.only, visible=asked.scope.visible)
    return _read(asked.session, wanted, late_evidence.c.id)


def _change(row: Any) -> Row:
    """Return the values of _CHANGE."""
    return row.id, str(row.camera_id), row.day, row.what, millis(row.noticed_at), millis(row.written_at)


def _late(row: Any) -> Row:
    return *_change(row), *(row.change.get(name, 0) for name in CAMERA_SUMS)


async def late_delivery_rows(asked: Selection) -> Portions:
    """In the order of writing."""
    async for rows in _late_evidence(asked):
        yield [made for row in rows for made in _late_deliveries(row)]


def _late_deliveries(row: Any) -> list[Row]:
    return [
        (
            *_change(row),
            delivery_id,
            *(one["change"].get(name, 0) for name in LEDGER_NAMES),
            " ".join(f"{cause}={length}" for cause, length in sorted(one["by_cause"].items())) or None,
        )
        for delivery_id, one in sorted(row.deliveries.items())
    ]


async def gap_rows(asked: Selection) -> Portions:
    """By publisher and sequence."""
    async for rows in _read(asked.session, select(publisher_gap), publisher_gap.c.publisher_id, publisher_gap.c.first):
        yield [_gap(row) for row in rows]


def _gap(row: Any) -> Row:
    return row.publisher_id, row.first, row.last, millis(row.began_at), millis(row.ended_at), _millis(row.lost_at)


async def step_rows(asked: Selection) -> Portions:
    """By sequence."""
    async for rows in _read(asked.session, select(clock_step), clock_step.c.last_before):
        yield [_step(row) for row in rows]


def _step(row: Any) -> Row:
    times = (millis(row.stored_at), millis(row.started_at), millis(row.ended_at))
    return row.last_before, row.first_after, *times, row.refused, millis(row.noticed_at)


async def loss_rows(asked: Selection) -> Portions:
    """By end, stream and consumer."""
    keys = (stream_loss.c.lost_until, stream_loss.c.stream, stream_loss.c.consumer)
    async for rows in _read(asked.session, select(stream_loss), *keys):
        yield [_loss(row) for row in rows]


def _loss(row: Any) -> Row:
    name = f"{row.stream}/{row.consumer}" if row.consumer else row.stream
    times = (millis(row.lost_from), millis(row.lost_until))
    return name, row.kind, *times, row.messages, row.unread, row.filled_with


def _id(value: object) -> str | None:
    return None if value is None else str(value)


def _millis(value: datetime | None) -> Millis | None:
    return None if value is None else millis(value)


SOURCES = (
    Source(MAINTENANCE, window_rows, narrowed=False),
    Source(LATE_EVIDENCE, late_rows, narrowed=False),
    Source(LATE_DELIVERIES, late_delivery_rows, narrowed=False),
    Source(LOST_FACTS, gap_rows, narrowed=False),
    Source(CLOCK_STEPS, step_rows, narrowed=False),
    Source(STREAM_LOSSES, loss_rows, narrowed=False),
)
