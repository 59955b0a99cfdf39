"""Who owes what: overdue duties below the agency that is responsible for them, one row for all facilities alike."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Block, Grid, Text
from reporting.documents.letter.figures import due_day, number, rows_of, word
from reporting.documents.letter.wording import DUTIES, amount
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report

_COLUMNS = ("TT", "Cơ quan chịu trách nhiệm, nghĩa vụ", "Văn bản", "Trước ngày", "Số cơ sở", "Cơ sở")
_WIDTHS = (6, 33, 22, 14, 9, 36)


def overdue_by_agency(report: Report, zone: ZoneInfo, caption: str) -> Iterator[Block]:
    """Yield the table; a sentence where nothing is overdue."""
    overdue = [row for row in rows_of(report, "obligations") if row["state"] == "overdue"]
    if not overdue:
        yield Text("Không có nghĩa vụ nào quá hạn tại thời điểm chốt số liệu.")
        return
    rows: list[list[str]] = []
    strong: set[int] = set()
    for place, (name, owed) in enumerate(sorted(_by_agency(overdue).items()), start=1):
        strong.add(len(rows))
        facilities = {word(row, "facility_id") for row in owed if row["facility_id"] is not None}
        rows.append([str(place), name, "", "", amount(len(facilities)) if facilities else "-", ""])
        rows += _duties(owed, zone)
    yield Grid(
        _COLUMNS, _WIDTHS, ("centre", "left", "left", "left", "right", "left"), rows, frozenset(strong), caption, 11
    )


def responsible_of(row: Row) -> str:
    """Name the agency that owes it, by the name of the cut-off."""
    return word(row, "responsible_name") or word(row, "responsible_code") or "Chưa rõ cơ quan chịu trách nhiệm"


def _by_agency(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(responsible_of(row), []).append(row)
    return found


def _duties(owed: Sequence[Row], zone: ZoneInfo) -> Iterator[list[str]]:
    groups: dict[tuple[int, str, str, str], list[Row]] = {}
    for row in owed:
        title = word(row, "obligation_name") or DUTIES.get(word(row, "obligation_kind"), "")
        key = number(row, "due_before_ms"), word(row, "obligation_code"), title, word(row, "directive")
        groups.setdefault(key, []).append(row)
    for (due_before, _, title, directive), rows in sorted(groups.items()):
        names = sorted(word(row, "facility_name") for row in rows if row["facility_id"] is not None)
        count = amount(len(names)) if names else "Toàn tỉnh"
        yield ["", title, directive, due_day(due_before, zone) if due_before else "-", count, "; ".join(names)]
