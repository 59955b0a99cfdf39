"""Availability of cameras, deliveries and groups of them, as one figure or as a series: a row for each line and stretch
of time."""

from collections.abc import AsyncGenerator, Sequence
from itertools import batched

from reporting.domain.partition import LEDGER_NAMES
from reporting.domain.segments import series
from reporting.reports.availability.lines import (
    OF_DELIVERIES,
    ONE_BY_ONE,
    Line,
    LineKind,
    accounted,
    group_lines,
    group_series,
    single_lines,
    stretches,
    with_outages,
)
from reporting.tables.catalogue.columns import (
    AVAILABILITY,
    CAMERA_LENGTHS,
    COMPLIANCE,
    CONNECTION,
    DELIVERY_LENGTHS,
    percent_values,
)
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions, in_portions
from reporting.tables.table import Column, Kind, Row, Table

PORTION = 2000
"""Cameras or deliveries accounted at a time."""
OF_CAMERAS = tuple(by for by in LineKind if by not in OF_DELIVERIES)
"""What a row of `availability` can be of; the others are in `availability_of_deliveries`."""


def _line(by: Sequence[LineKind]) -> tuple[Column, ...]:
    """Build the columns of what a row is of, and over which stretch of time."""
    return (
        Column("grouped_by", Kind.TEXT, "Nhóm theo", "What a row is of.", choices=[*by], required=True),
        Column("group_id", Kind.TEXT, "ID nhóm", "Its id; empty for the total and for types."),
        Column("group_code", Kind.TEXT, "Mã nhóm", "Its code; `total` for the total."),
        Column("group_name", Kind.TEXT, "Tên nhóm", "Its name."),
        Column("stretch_from", Kind.INSTANT, "Khoảng từ", "Start of the stretch, included.", required=True),
        Column("stretch_to", Kind.INSTANT, "Khoảng đến", "End of the stretch, excluded.", required=True),
    )


AVAILABILITY_TABLE = Table(
    "availability",
    "Tỷ lệ hoạt động",
    "Availability",
    "A row for each camera or group of them and stretch of time, also for a group without cameras. `by` and `every` of "
    "`/v1/availability` choose both; without them, facilities and days.",
    (
        *_line(OF_CAMERAS),
        Column("cameras", Kind.INTEGER, "Số camera", "Cameras that existed in it.", amount="cameras"),
        Column("facilities_with_cameras", Kind.INTEGER, "Cơ sở có camera", "With cameras.", amount="facilities"),
        Column("facilities_without_cameras", Kind.INTEGER, "Cơ sở chưa có camera", "Without.", amount="facilities"),
        *CAMERA_LENGTHS,
        *AVAILABILITY,
        *COMPLIANCE,
    ),
    ("group_id", "group_code", "stretch_from"),
)


DELIVERIES_TABLE = Table(
    "availability_of_deliveries",
    "Tỷ lệ kết nối",
    "Availability of deliveries",
    "A row for each delivery, or each centre with all its deliveries, and stretch of time. `by` and `every` of "
    "`/v1/availability` choose both; without them, centres and days.",
    (
        *_line(tuple(by for by in LineKind if by in OF_DELIVERIES)),
        Column("camera_code", Kind.TEXT, "Mã camera", "Of a delivery: its camera's."),
        Column("destination_code", Kind.TEXT, "Mã trung tâm", "Of a delivery: its centre's."),
        Column("deliveries", Kind.INTEGER, "Số kết nối", "Deliveries that existed in it.", amount="deliveries"),
        *DELIVERY_LENGTHS,
        *CONNECTION,
    ),
    ("group_id", "stretch_from"),
)


_OF_OUTAGES = (
    Column(
        "outages",
        Kind.INTEGER,
        "Số gián đoạn",
        "Confirmed ones; those of one site fault are one.",
        amount="outages",
        required=True,
    ),
    Column(
        "outages_unconfirmed",
        Kind.INTEGER,
        "Chưa xác nhận",
        "Down time that a single probe saw.",
        amount="outages",
        required=True,
    ),
    Column(
        "site_faults",
        Kind.INTEGER,
        "Sự cố toàn cơ sở",
        "Faults of whole sites among them.",
        amount="site_faults",
        required=True,
    ),
    Column("outages_ms", Kind.DURATION, "Tổng thời gian gián đoạn (ms)", "All of them together.", required=True),
    Column(
        "mttr_ms",
        Kind.NUMBER,
        "MTTR (ms)",
        "Mean length of the counted ones that began and ended in it; empty without one.",
        amount="ms",
    ),
    Column("mtbf_ms", Kind.NUMBER, "MTBF (ms)", "Up time per outage; empty without one.", amount="ms"),
    Column("longest_ms", Kind.DURATION, "Gián đoạn dài nhất (ms)", "The longest confirmed one."),
    Column(
        "down_by_cause",
        Kind.TEXT,
        "Theo nguyên nhân (ms)",
        "Milliseconds by the first cause of the outage: `timeout=2700000 refused=1000`.",
    ),
)
WITH_OUTAGES_TABLE = Table(
    "availability_with_outages",
    "Tỷ lệ hoạt động và gián đoạn",
    "Availability with outages",
    "The rows of `availability` with what their outages come to: number, MTTR, MTBF, longest. `by`, `every` and "
    "`outages=true` of `/v1/availability` choose it; without `by` and `every`, facilities and days.",
    (*AVAILABILITY_TABLE.columns, *_OF_OUTAGES),
    AVAILABILITY_TABLE.key,
)


async def rows(asked: Selection) -> Portions:
    """Stretch by stretch, in the order of the lines."""
    async for lines in _lines(asked, LineKind.FACILITY if asked.by is None else asked.by):
        yield [_row(line, by) for line, by in lines]


async def delivery_rows(asked: Selection) -> Portions:
    """Yield the same of deliveries."""
    async for lines in _lines(asked, LineKind.DESTINATION if asked.by is None else asked.by):
        yield [_delivery_row(line, by) for line, by in lines]


async def rows_with_outages(asked: Selection) -> Portions:
    """Yield the same as `rows`, each stretch at once: an outage is read once for all lines."""
    by = LineKind.FACILITY if asked.by is None else asked.by
    question = asked.question
    periods = [question.period] if asked.every is None else series(question.period, asked.every, question.zone)
    for one in stretches(question, periods):
        make = single_lines if by in ONE_BY_ONE else group_lines
        lines = await make(asked.session, one, asked.scope, by)
        if by in ONE_BY_ONE:
            lines = await accounted(asked.session, one, lines)
        found = await with_outages(asked.session, one, asked.scope, by, lines)
        async for portion in in_portions([(*_row(line, by), *_outages(line)) for line in found]):
            yield portion


def _outages(line: Line) -> Row:
    found = line.outages
    assert found is not None, line.key
    causes = " ".join(f"{cause}={length}" for cause, length in sorted(found.by_cause.items()))
    return (
        found.count,
        found.unconfirmed,
        found.site_faults,
        found.down,
        found.mttr,
        found.mtbf,
        found.longest,
        causes,
    )


async def _lines(asked: Selection, by: LineKind) -> AsyncGenerator[list[tuple[Line, LineKind]]]:
    question = asked.question
    periods = [question.period] if asked.every is None else series(question.period, asked.every, question.zone)
    asks = stretches(question, periods)
    if by not in ONE_BY_ONE:
        async for lines in group_series(asked.session, asks, asked.scope, by):
            yield [(line, by) for line in lines]
        return
    for one in asks:
        for portion in batched(await single_lines(asked.session, one, asked.scope, by), PORTION):
            yield [(line, by) for line in await accounted(asked.session, one, portion)]


def _head(line: Line, by: LineKind) -> Row:
    id_ = None if line.id is None else str(line.id)
    return by.value, id_, line.code, line.name, line.period.start, line.period.end


def _row(line: Line, by: LineKind) -> Row:
    time, (with_cameras, without) = line.durations, line.facilities or (None, None)
    assert time is not None, by
    return (
        *_head(line, by),
        line.cameras,
        with_cameras,
        without,
        *time.lengths,
        *percent_values(time.up, time.down, time.unknown),
        *percent_values(time.compliant, time.non_compliant, time.compliance_unknown),
    )


def _delivery_row(line: Line, by: LineKind) -> Row:
    parts, delivery = line.connection, line.delivery
    assert parts is not None, by
    return (
        *_head(line, by),
        None if line.camera is None else line.camera.code,
        None if delivery is None else delivery.destination.code,
        line.cameras,
        *(getattr(parts, name) for name in LEDGER_NAMES),
        *percent_values(parts.connected, parts.not_connected, parts.unknown),
    )


SOURCES = (
    Source(AVAILABILITY_TABLE, rows),
    Source(WITH_OUTAGES_TABLE, rows_with_outages),
    Source(DELIVERIES_TABLE, delivery_rows),
)
