"""Appendix I: every facility with what the register said of it at the cut-off, as officials expect it (domain 3.1)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Align, Grid
from reporting.documents.letter.figures import due_day, is_counted, number, rows_of, word
from reporting.documents.letter.responsible import responsible_of
from reporting.documents.letter.wording import (
    AREAS,
    BLOCKED,
    DUE_STATES,
    DUTIES,
    PLANS,
    SOURCES,
    SURVEYS,
    amount,
    local,
    percent,
)
from reporting.domain.mandate.obligations import PENDING
from reporting.reports.snapshot.canonical import Row, Value
from reporting.reports.snapshot.report import Report
from reporting.reports.totals import TYPE_NAMES
from vonggac.decree.dates import short_day
from vonggac.events.inventory import SurveyStatus
from vonggac.mandate.facility_history import BOUND
from vonggac.sufficiency import REQUIRED_AREAS, SUFFICIENT

TITLE = "Danh sách, tình trạng các cơ sở cách ly tập trung"
SIZE = 8
"""In points: sixteen columns on the long side of the paper."""
_COLUMNS: Sequence[tuple[str, int, Align]] = (
    ("TT", 7, "centre"),
    ("Tên cơ sở", 24, "left"),
    ("Địa chỉ (xã, huyện)", 22, "left"),
    ("Cơ quan quản lý", 17, "left"),
    ("Loại hình", 14, "left"),
    ("Đầu mối", 16, "left"),
    ("Có/chưa có camera", 13, "centre"),
    ("Số camera hiện có / cần bổ sung", 14, "left"),
    ("Ngày khảo sát", 17, "left"),
    ("Phương án kết nối", 24, "left"),
    ("Kết nối Bộ TT&TT", 14, "centre"),
    ("Kết nối IOC", 11, "centre"),
    ("Tỷ lệ hoạt động 24/24h", 14, "right"),
    ("Vướng mắc", 19, "left"),
    ("Thời hạn", 24, "left"),
    ("Ghi chú", 20, "left"),
)
_MOST_AREAS = 4


def facility_list(report: Report, zone: ZoneInfo) -> Grid:
    """List the facilities, a row each: each unit's sums above its own, the sums of all below them."""
    progress = {word(row, "facility_id"): row for row in rows_of(report, "progress")}
    owed = _group_obligations(report)
    rows: list[list[str]] = []
    strong: set[int] = set()
    place = 0
    for (_, name), group in groupby(rows_of(report, "facilities"), key=_unit):
        listed = list(group)
        strong.add(len(rows))
        rows.append(_sums(name or "Chưa rõ địa bàn", listed, progress))
        for row in listed:
            counted, facility_id = is_counted(row), word(row, "facility_id")
            place += counted
            known = progress.get(facility_id, {})
            rows.append(
                [
                    str(place) if counted else "",
                    word(row, "facility_name") + ("" if counted else " (ngoài phạm vi trong cả kỳ)"),
                    word(known, "address"),
                    word(row, "agency_name"),
                    TYPE_NAMES.get(word(row, "facility_type"), word(row, "facility_type")),
                    *_cells(known, owed.get(facility_id, ()), zone, _availability([row])),
                ]
            )
    strong.add(len(rows))
    rows.append(_sums(f"Tổng cộng: {amount(place)} cơ sở", rows_of(report, "facilities"), progress))
    titles, widths, aligns = zip(*_COLUMNS, strict=True)
    return Grid(titles, widths, aligns, rows, frozenset(strong), size=SIZE)


def _unit(row: Row) -> tuple[str, str]:
    return word(row, "unit_code"), word(row, "unit_name")


def _group_obligations(report: Report) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows_of(report, "obligations"):
        found.setdefault(word(row, "facility_id"), []).append(row)
    return found


def _cells(row: Row, owed: Sequence[Row], zone: ZoneInfo, availability: str) -> list[str]:
    """Build the cells from the focal point on."""
    if not row.get("status"):
        return [*["-"] * 7, availability, "", "", word(row, "note")]
    cameras = number(row, "cameras")
    needed, enough = number(row, "cameras_needed"), sufficiency_of(row)
    return [
        _focal_point(row),
        "Có" if cameras else "Chưa",
        f"{amount(cameras)} / {amount(needed)} ({enough})",
        _survey(row),
        _plan(row, zone),
        _truth(row["connected_national"]) if cameras else "-",
        _truth(row["connected_provincial"]) if cameras else "-",
        availability,
        _blocked(row),
        _due(owed, zone, named="unassessed_areas" in row),
        "; ".join(_notes(row)),
    ]


def sufficiency_of(row: Row) -> str:
    """Whether the cameras suffice, in the one word for it; reports of rule 4 and before have two."""
    sufficient = row["sufficient"]
    return SUFFICIENT[sufficient if isinstance(sufficient, bool) else None]


def _focal_point(row: Row) -> str:
    """No name: the report is kept for good, and reporting keeps none (decision 0071)."""
    if not row["focal_point"]:
        return "Chưa có"
    since = word(row, "focal_point_from")
    return f"Có, từ {short_day(date.fromisoformat(since))}" if since else "Có"


def _survey(row: Row) -> str:
    status, on, planned = (word(row, name) for name in ("survey_status", "surveyed_on", "survey_scheduled_on"))
    if not status:
        return "Chưa khảo sát"
    if row["surveyed"]:
        return short_day(date.fromisoformat(on)) if on else "Đã khảo sát"
    day = short_day(date.fromisoformat(on)) if on else ""
    if not day and planned:
        day = f"Hẹn {short_day(date.fromisoformat(planned))}"
    said = SURVEYS.get(status, status)
    return day if day and status == SurveyStatus.SCHEDULED else f"{day} ({said})" if day else said.capitalize()


def _plan(row: Row, zone: ZoneInfo) -> str:
    status = word(row, "plan_status")
    if not status:
        return "Ngoài phương án" if row["plan_excepted"] else "Chưa có"
    parts = [PLANS.get(status, status)]
    if row["plan_agreed_ms"] is not None:
        parts[0] += f" {short_day(local(number(row, 'plan_agreed_ms'), zone))}"
    sources = ", ".join(SOURCES.get(one, one) for one in word(row, "plan_sources").split())
    transports = ", ".join(one.upper() for one in word(row, "plan_transports").split())
    if sources:
        parts.append(f"{amount(number(row, 'plan_cameras'))} luồng từ {sources}, {transports}")
    if destinations := word(row, "plan_destinations").split():
        parts.append(f"tới {', '.join(destinations)}")
    return "; ".join(parts)


def _truth(value: Value) -> str:
    return "Không rõ" if value is None else "Có" if value else "Chưa"


def _blocked(row: Row) -> str:
    kinds = "; ".join(BLOCKED.get(one, one) for one in word(row, "blocked").split()).capitalize()
    why = word(row, "blocked_why")
    return f"{kinds}: {why}" if kinds and why else kinds


def _due(owed: Sequence[Row], zone: ZoneInfo, *, named: bool) -> str:
    """Each deadline, the earliest first, with what is to be done by it, how that stands, and who owes it (`named`)."""
    lines = []
    for due_before in sorted({number(row, "due_before_ms") for row in owed}, key=lambda at: (not at, at)):
        of_it = [row for row in owed if number(row, "due_before_ms") == due_before]
        said = []
        for state, words in DUE_STATES.items():
            words = words if due_before or state != "open" else "chưa xong"
            for name, rows in _by_responsible(of_it, state, named=state in PENDING and named):
                kinds = dict.fromkeys(_duty(row) for row in rows)
                said.append(f"{', '.join(kinds)} ({words}{f', {name}' if name else ''})")
        lines.append(f"{f'Trước {due_day(due_before, zone)}' if due_before else 'Không hạn'}: {', '.join(said)}")
    return "; ".join(lines)


def _by_responsible(owed: Sequence[Row], state: str, *, named: bool) -> Iterator[tuple[str, list[Row]]]:
    """Those in a state, by the agency that owes them where it is named."""
    found: dict[str, list[Row]] = {}
    for row in owed:
        if row["state"] == state:
            found.setdefault(responsible_of(row) if named else "", []).append(row)
    yield from found.items()


def _duty(row: Row) -> str:
    return DUTIES.get(word(row, "obligation_kind"), word(row, "obligation_name"))


def _notes(row: Row) -> Iterator[str]:
    if note := word(row, "note"):
        yield note
    unassessed = word(row, "unassessed_areas").split()
    missing = [one for one in word(row, "missing_areas").split() if one not in unassessed]
    if missing and (number(row, "cameras") or "unassessed_areas" in row):
        yield f"Chưa giám sát: {_areas(missing)}"
    if unassessed:
        every = len(unassessed) == len(REQUIRED_AREAS)
        yield f"Chưa đánh giá: {'mọi khu vực phải giám sát' if every else _areas(unassessed)}"


def _areas(names: Sequence[str]) -> str:
    areas = ", ".join(AREAS.get(one, one) for one in names[:_MOST_AREAS])
    return f"{areas} và {len(names) - _MOST_AREAS} khu vực khác" if len(names) > _MOST_AREAS else areas


def _sums(title: str, listed: Sequence[Row], progress: Mapping[str, Row]) -> list[str]:
    """Build a line of sums: of the facilities approved or active at the cut-off, how many are how far (R12)."""
    known = [progress.get(word(row, "facility_id"), {}) for row in listed]
    bound = [row for row in known if word(row, "status") in BOUND]

    def share(column: str) -> str:
        return f"{amount(sum(row[column] is True for row in bound))}/{amount(len(bound))}"

    cameras, needed = (sum(number(row, name) for row in bound) for name in ("cameras", "cameras_needed"))
    overdue, blocked = sum(number(row, "overdue") > 0 for row in bound), sum(bool(row["blocked"]) for row in bound)
    return [
        "",
        title,
        "",
        "",
        "",
        share("focal_point"),
        f"{amount(sum(number(row, 'cameras') > 0 for row in bound))}/{amount(len(bound))}",
        f"{amount(cameras)} / {amount(needed)}",
        share("surveyed"),
        share("plan_agreed"),
        share("connected_national"),
        share("connected_provincial"),
        _availability(listed),
        f"{amount(blocked)} cơ sở" if blocked else "",
        f"{amount(overdue)} cơ sở quá hạn" if overdue else "",
        "",
    ]


def _availability(listed: Sequence[Row]) -> str:
    up, down = (sum(number(row, f"{name}_ms") for row in listed) for name in ("up", "down"))
    return percent(up, up + down)
