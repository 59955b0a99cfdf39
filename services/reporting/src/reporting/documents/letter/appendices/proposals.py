"""The appendix of installation proposals: what is to be installed where, its cost, days, funds and decision (R06)."""

from datetime import date

from reporting.documents.letter.blocks import Align, Block, Grid, Text
from reporting.documents.letter.figures import number, rows_of, word
from reporting.documents.letter.wording import AREAS, PROPOSALS, amount
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from vonggac.decree.dates import short_day

TITLE = "Đề xuất lắp đặt camera"
_COLUMNS: tuple[tuple[str, int, Align], ...] = (
    ("TT", 10, "centre"),
    ("Cơ sở (cơ quan quản lý)", 33, "left"),
    ("Đề xuất", 37, "left"),
    ("Khu vực lắp đặt", 33, "left"),
    ("Số camera", 19, "right"),
    ("Kinh phí (đồng)", 23, "right"),
    ("Thời gian (ngày)", 15, "right"),
    ("Nguồn kinh phí", 25, "left"),
    ("Quyết định", 31, "left"),
    ("Tình trạng", 21, "left"),
)


def proposal_list(report: Report) -> Block:
    """List the proposals, a row each, the sums of cameras and cost below them."""
    proposals = rows_of(report, "proposals")
    if not proposals:
        return Text("Không có đề xuất lắp đặt camera tại thời điểm chốt số liệu.")
    rows = [[str(place), *_cells(row)] for place, row in enumerate(proposals, start=1)]
    cameras, cost = (sum(number(row, name) for row in proposals) for name in ("proposed_cameras", "estimated_cost_vnd"))
    unpriced = any(row["estimated_cost_vnd"] is None for row in proposals)
    total = f"{amount(cost)}{' (chưa đủ)' if unpriced else ''}" if cost else "chưa xác định"
    rows.append(["", f"Tổng cộng: {amount(len(proposals))} đề xuất", "", "", amount(cameras), total, *[""] * 4])
    titles, widths, aligns = zip(*_COLUMNS, strict=True)
    return Grid(titles, widths, aligns, rows, frozenset({len(rows) - 1}))


def _cells(row: Row) -> list[str]:
    unknown = "chưa xác định"
    agency, cost, days = word(row, "agency_name"), row["estimated_cost_vnd"], row["lead_time_days"]
    return [
        f"{word(row, 'facility_name')} ({agency})" if agency else word(row, "facility_name"),
        _paper(row, "document_number", "signed_on", word(row, "proposal_code")),
        ", ".join(_areas(word(row, "proposed_areas"))) or unknown,
        amount(number(row, "proposed_cameras")),
        amount(cost) if isinstance(cost, int) else unknown,
        amount(days) if isinstance(days, int) else unknown,
        word(row, "funding_source") or unknown,
        _paper(row, "decision_number", "decision_date", "") or "chưa có",
        _state(row),
    ]


def _areas(listed: str) -> list[str]:
    """`hành lang (2)` of `corridor:2`."""
    found = []
    for one in listed.split():
        area, _, count = one.partition(":")
        found.append(f"{AREAS.get(area, area)} ({count})")
    return found


def _paper(row: Row, named: str, dated: str, code: str) -> str:
    """Name a document by its code, number and day, as far as there is one."""
    number_of, day = word(row, named), word(row, dated)
    parts = [f"số {number_of}" if number_of else "", f"ngày {short_day(date.fromisoformat(day))}" if day else ""]
    return ", ".join(part for part in (code, " ".join(part for part in parts if part)) if part)


def _state(row: Row) -> str:
    said, day = PROPOSALS.get(word(row, "proposal_status"), word(row, "proposal_status")), word(row, "installed_on")
    return f"{said}; lắp đặt xong ngày {short_day(date.fromisoformat(day))}" if day else said
