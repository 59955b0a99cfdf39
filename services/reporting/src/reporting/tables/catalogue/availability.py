"""Availability of groups of cameras, as one figure or as a series: a row for each group and stretch of time."""

from reporting.domain.segments import series
from reporting.reports.availability.lines import By, Line, group_lines, stretches
from reporting.tables.catalogue.columns import AVAILABILITY, CAMERA_LENGTHS, COMPLIANCE, percent_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table

GROUPS = (By.TOTAL, By.UNIT, By.AGENCY, By.TYPE, By.FACILITY)
"""What a row can be of."""

AVAILABILITY_TABLE = Table(
    "availability",
    "Tỷ lệ hoạt động",
    "Availability",
    "A row for each group of cameras and stretch of time, also one without cameras. `by` and `every` of "
    "`/v1/availability` choose both; without them, facilities and days.",
    (
        Column("grouped_by", Kind.TEXT, "Nhóm theo", "What a row is of.", choices=[*GROUPS], required=True),
        Column("group_id", Kind.TEXT, "ID nhóm", "Its id; empty for the total and for types."),
        Column("group_code", Kind.TEXT, "Mã nhóm", "Its code; `total` for the total."),
        Column("group_name", Kind.TEXT, "Tên nhóm", "Its name."),
        Column("stretch_from", Kind.INSTANT, "Khoảng từ", "Start of the stretch, included.", required=True),
        Column("stretch_to", Kind.INSTANT, "Khoảng đến", "End of the stretch, excluded.", required=True),
        Column("cameras", Kind.INTEGER, "Số camera", "Cameras that existed in it.", amount="cameras"),
        Column("facilities_with_cameras", Kind.INTEGER, "Cơ sở có camera", "With cameras.", amount="facilities"),
        Column("facilities_without_cameras", Kind.INTEGER, "Cơ sở chưa có camera", "Without.", amount="facilities"),
        *CAMERA_LENGTHS,
        *AVAILABILITY,
        *COMPLIANCE,
    ),
    ("group_id", "group_code", "stretch_from"),
)


async def rows(asked: Selection) -> Portions:
    """Stretch by stretch, in the order of the groups."""
    question = asked.question
    periods = [question.period] if asked.every is None else series(question.period, asked.every, question.zone)
    for one in stretches(question, periods):
        lines = await group_lines(asked.session, one, asked.scope, asked.by)
        yield [_row(asked.by, line) for line in lines]


def _row(by: By, line: Line) -> Row:
    time, (with_cameras, without) = line.durations, line.facilities or (None, None)
    assert time is not None, by
    return (
        by.value, None if line.id is None else str(line.id), line.code, line.name, line.period.start, line.period.end,
        line.cameras, with_cameras, without, *time.lengths,
        *percent_values(time.up, time.down, time.unknown),
        *percent_values(time.compliant, time.non_compliant, time.compliance_unknown),
    )  # fmt: skip


SOURCES = (Source(AVAILABILITY_TABLE, rows),)
