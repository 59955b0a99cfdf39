"""Sums and lists that several parts of a report show, out of its frozen rows."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from reporting.documents.charts.availability import Parts, availability
from reporting.documents.charts.burn_up import Due, Point, burn_up
from reporting.documents.charts.causes import CauseSum, outages_by_cause
from reporting.documents.charts.duties import DutyLine, Steps, duties
from reporting.documents.charts.strips import Piece, Strip, Tick, strips
from reporting.documents.letter.wording import cause_name, local, short_time
from reporting.domain.instants import Millis, millis
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from reporting.reports.totals import TYPE_NAMES
from vonggac.decree.dates import short_day

_MONTHLY: Millis = 25 * 86_400_000
_QUARTER: Millis = 15 * 60_000
"""Every zone's full hours lie on one."""


def number(row: Row, column: str) -> int:
    """Read an integer of a row; a column that is not there counts as nothing."""
    value = row.get(column)
    return value if isinstance(value, int) else 0


def word(row: Row, column: str) -> str:
    """Read a text of a row; null is empty."""
    value = row.get(column)
    return "" if value is None else str(value)


def zone_of(report: Report) -> ZoneInfo:
    """Return the time zone of a report."""
    return ZoneInfo(report.header.period.time_zone)


def rows_of(report: Report, table: str) -> Sequence[Row]:
    """Return the rows of a table; none where the report has not got it."""
    return report.tables.get(table, ())


def scope_of(report: Report) -> str:
    """Describe the scope of the report in words; empty where it is of the whole province."""
    filters, parts = report.header.filters, []
    for words, given, noun in (
        ("đơn vị hành chính", filters.unit, "unit"),
        ("cơ quan quản lý", filters.agency, "agency"),
        ("cơ sở", filters.facility, "facility"),
    ):
        if given is not None:
            parts.append(f"{words} {_describe_filter(report, noun, given)}")
    if filters.type is not None:
        parts.append(f"loại hình {TYPE_NAMES.get(filters.type, filters.type).lower()}")
    return ", ".join(parts)


def _describe_filter(report: Report, noun: str, given: str) -> str:
    """`466 (Huyện Gio Linh)`, where a facility of the report has the name."""
    for row in rows_of(report, "facilities"):
        if given in {word(row, f"{noun}_code"), word(row, f"{noun}_id")}:
            return f"{word(row, f'{noun}_code')} ({word(row, f'{noun}_name')})"
    return given


class Figures(NamedTuple):
    """The sums of all cameras."""

    facilities: int
    with_cameras: int
    cameras: int
    row: Row

    @staticmethod
    def of(report: Report) -> "Figures":
        (row,) = rows_of(report, "totals") or ({},)
        return Figures(number(row, "facilities"), number(row, "facilities_with_cameras"), number(row, "cameras"), row)

    def ms(self, name: str) -> int:
        """One of the lengths."""
        return number(self.row, f"{name}_ms")


def by_cause(outages: Sequence[Row]) -> list[CauseSum]:
    """Sum up the outages by their first cause, the longest first."""
    sums: dict[str, tuple[int, int]] = {}
    for row in outages:
        name = cause_name(word(row, "cause") or None)
        count, length = sums.get(name, (0, 0))
        sums[name] = count + 1, length + number(row, "length_ms")
    return sorted((CauseSum(name, *one) for name, one in sums.items()), key=lambda one: (-one.length, one.name))


def below_target(report: Report) -> list[Row]:
    """Cameras whose measured availability is below the target, the worst first."""
    target = report.header.target_ppm
    found = [
        row
        for row in rows_of(report, "cameras")
        if number(row, "up_ms") * 1_000_000 < target * (number(row, "up_ms") + number(row, "down_ms"))
    ]
    return sorted(found, key=lambda row: (-number(row, "down_ms"), word(row, "camera_code")))


def is_counted(facility: Row) -> bool:
    """Whether a facility is in scope; where a report does not say, it is."""
    return facility.get("counted") is not False


def without_cameras(report: Report) -> list[Row]:
    """Facilities in scope that have none."""
    return [row for row in rows_of(report, "facilities") if is_counted(row) and not number(row, "cameras")]


class Shown(NamedTuple):
    """The material of charts: the tables, frozen or not, and what they are measured by."""

    tables: Mapping[str, Sequence[Row]]
    zone: ZoneInfo
    deadline: Millis | None
    """The author's, which stands above those of the register."""
    target_ppm: int


def shown_of(report: Report) -> Shown:
    """Collect the material of a report's charts."""
    return Shown(report.tables, zone_of(report), report.header.deadline_ms, report.header.target_ppm)


CHARTS = ("availability", "causes", "obligations", "progress", "strips")
SHOWN_DUTIES: Mapping[str, str] = {"survey_and_plan": "Khảo sát, thống nhất phương án", "connection": "Kết nối"}
"""The two dated demands of letter 1742 (R05), which the chart of obligations is of."""


def charts(shown: Shown) -> Mapping[str, str]:
    """Every chart as SVG, by its name."""
    return {name: chart(shown, name) for name in CHARTS}


def chart(shown: Shown, name: str) -> str:
    """One of CHARTS as SVG."""
    match name:
        case "availability":
            return _availability(shown)
        case "causes":
            return outages_by_cause(by_cause(shown.tables.get("outages", ())))
        case "obligations":
            return _obligations(shown)
        case "progress":
            return _progress(shown)
        case _:
            return _strips(shown)


def step_of(days: Sequence[Row]) -> str:
    """Name what the sums of a period are by: a long one has `tháng`, each other one `ngày`."""
    return "tháng" if any(number(row, "to_ms") - number(row, "from_ms") > _MONTHLY for row in days) else "ngày"


def _availability(shown: Shown) -> str:
    parts = [
        Parts(_label(row, shown.zone), *(number(row, f"{name}_ms") for name in Parts._fields[1:]))
        for row in shown.tables.get("days", ())
    ]
    return availability(parts, target_ppm=shown.target_ppm, step=step_of(shown.tables.get("days", ())))


def _progress(shown: Shown) -> str:
    zone = shown.zone
    points = [
        Point(
            _label(row, zone),
            number(row, "to_ms"),
            number(row, "cameras"),
            number(row, "cameras_national"),
            number(row, "cameras_provincial"),
            number(row, "cameras_both"),
        )
        for row in shown.tables.get("days", ())
    ]
    return burn_up(points, dues(shown, ("connection",)))


def _obligations(shown: Shown) -> str:
    days = shown.tables.get("days", ())
    steps = Steps([_label(row, shown.zone) for row in days], [number(row, "to_ms") for row in days])
    return duties(steps, duty_lines(shown, steps.ends), dues(shown, tuple(SHOWN_DUTIES)))


def duty_lines(shown: Shown, ends: Sequence[int]) -> list[DutyLine]:
    """Count each kind that facilities owe: one that was waived is owed no longer, one owed twice is done with both."""
    found = []
    for kind, words in SHOWN_DUTIES.items():
        done_at: dict[str, int | None] = {}
        for row in shown.tables.get("obligations", ()):
            if row["obligation_kind"] == kind and row["state"] != "waived" and (of := word(row, "facility_id")):
                at, before = row["done_at_ms"], done_at.get(of, 0)
                done_at[of] = None if at is None or before is None else max(int(at), before)
        if done_at:
            done = [sum(at is not None and at < end for at in done_at.values()) for end in ends]
            found.append(DutyLine(words, len(done_at), done))
    return found


def dues(shown: Shown, kinds: Sequence[str]) -> list[Due]:
    """Deadlines of these kinds of obligations, each once, the earliest first; the author's instead where given."""
    zone = shown.zone
    if shown.deadline is not None:
        if "obligations" not in shown.tables:
            # As reports of rule 2 and before have it.
            return [Due(shown.deadline, f"Thời hạn: trước {short_day(local(shown.deadline, zone))}")]
        return [Due(shown.deadline, f"Thời hạn người lập nêu: trước {due_day(shown.deadline, zone)}")]
    found = {
        number(row, "due_before_ms")
        for row in shown.tables.get("obligations", ())
        if row["obligation_kind"] in kinds and row["due_before_ms"] is not None and row["state"] != "waived"
    }
    return [Due(at, f"Thời hạn: trước {due_day(at, zone)}") for at in sorted(found)]


def due_day(deadline: Millis, zone: ZoneInfo) -> str:
    """`10/5/2021`; with its time, `10/5/2021 17:00`, unless that is midnight."""
    return short_day(local(deadline, zone)) if is_midnight(deadline, zone) else short_time(deadline, zone)


def is_midnight(instant: Millis, zone: ZoneInfo) -> bool:
    """Whether `before` the instant is before a day."""
    at = local(instant, zone)
    return (at.hour, at.minute) == (0, 0)


def _label(row: Row, zone: ZoneInfo) -> str:
    """`07/5` of a day, `5/2021` of a month."""
    start, end = number(row, "from_ms"), number(row, "to_ms")
    at = local(start, zone)
    return f"{at.month}/{at.year}" if end - start > _MONTHLY else short_day(at).rpartition("/")[0]


def _strips(shown: Shown) -> str:
    rows, zone = shown.tables.get("strips", ()), shown.zone
    found: dict[str, Strip] = {}
    for row in rows:
        key = word(row, "camera_id")
        strip = found.get(key) or Strip(word(row, "camera_code"), [])
        piece = Piece(number(row, "from_ms"), number(row, "to_ms"), word(row, "state"))
        found[key] = Strip(strip.label, [*strip.pieces, piece])
    # Without cameras there are the steps of the period all the same.
    times = rows or shown.tables.get("days", ())[-1:]
    start = min((number(row, "from_ms") for row in times), default=0)
    end = max((number(row, "to_ms") for row in times), default=0)
    return strips(
        list(found.values()), start=start, end=end, ticks=_clock(start, end, zone), day=_day(start, end, zone)
    )


def _day(start: Millis, end: Millis, zone: ZoneInfo) -> str:
    """`ngày 25/10/2026` of a whole day, otherwise its beginning and end."""
    day = local(start, zone).date()
    if (start, end) == (_midnight(day, zone), _midnight(day + timedelta(days=1), zone)):
        return f"ngày {short_day(day)}"
    since, until = (f"{at:%H:%M} {short_day(at)}" for at in (local(start, zone), local(end, zone)))
    return f"từ {since} đến {until}"


def _clock(start: Millis, end: Millis, zone: ZoneInfo) -> list[Tick]:
    """Every third hour of the clock in [start, end]; the midnight that ends it is `24`."""
    ticks = []
    for at in range(-(-start // _QUARTER) * _QUARTER, end + 1, _QUARTER):
        shown = local(at, zone)
        if shown.hour % 3 == 0 and shown.minute == 0:
            ticks.append(Tick(at, "24" if at == end and shown.hour == 0 else f"{shown.hour:02d}"))
    return ticks


def _midnight(day: date, zone: ZoneInfo) -> Millis:
    return millis(datetime.combine(day, time(), zone))
