"""Security of cameras at the cut-off: a line and a table in the letter; the appendix names what is not in order."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Block, Grid, Heading, Text
from reporting.documents.letter.figures import number, rows_of, word
from reporting.documents.letter.wording import amount, local, point_in_time
from reporting.domain.instants import Millis
from reporting.domain.mandate.camera_security import BASES_VI, ITEMS_VI, Basis, SecurityItem
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from vonggac.decree.dates import short_day

TITLE = "An toàn camera: các nội dung không đạt"
_REGULATION = " (QCVN 135:2024/BTTTT)"
_COUNTED = (
    ("Đạt, theo khai báo", "items_in_order", "items_declared"),
    ("Đạt, theo quan sát", "items_in_order", "items_observed"),
    ("Không đạt, theo khai báo", "items_insecure", "items_declared"),
    ("Không đạt, theo quan sát", "items_insecure", "items_observed"),
    ("Ghi nhận", "items_noted", None),
    ("Chưa rõ", "items_unknown", None),
)
_FINDINGS = (
    "TT",
    "Mã camera",
    "Cơ sở (cơ quan quản lý)",
    "Nội dung",
    "Lý do không đạt",
    "Nguồn",
    "Từ, hoặc thấy lần cuối",
)


def camera_security(report: Report, at: Millis, zone: ZoneInfo, caption: str, appendix: str) -> Iterator[Block]:
    """Yield the part of the letter. A report that was frozen without it has none."""
    if not report.has_security:
        return
    yield Heading(f"{6 if 'comparison' in report.tables else 5}. An toàn camera", 2)
    rows = rows_of(report, "security")
    if not rows:
        yield Text("Không có camera thuộc phạm vi tại thời điểm chốt số liệu.")
        return
    insecure, unknown = (sum(row[name] is not None for row in rows) for name in ("items_insecure", "items_unknown"))
    findings = len(rows_of(report, "security_findings"))
    listed = f" ({amount(findings)} nội dung, nêu tại Phụ lục {appendix})" if findings else ""
    yield Text(
        f"Theo khai báo trong sổ và quan sát của hệ thống tại thời điểm {point_in_time(at, zone)}, trong "
        f"{amount(len(rows))} camera có {amount(insecure)} camera có nội dung không đạt{listed}, {amount(unknown)} "
        "camera còn nội dung chưa rõ. Nội dung không ai khai báo và không quan sát được ghi là chưa rõ; hệ thống không "
        "thử mật khẩu của camera."
    )
    counted = _counts(rows)
    yield Grid(
        columns=("Nội dung", *(title for title, _, _ in _COUNTED)),
        widths=(46, 14, 14, 15, 15, 12, 12),
        aligns=("left", "right", "right", "right", "right", "right", "right"),
        rows=[
            [item_name(each), *(amount(counted[each.value, title]) for title, _, _ in _COUNTED)]
            for each in SecurityItem
        ],
        caption=caption,
        size=10,
    )


def security_findings(report: Report, facilities: Mapping[str, str], zone: ZoneInfo) -> Block:
    """List each item of each camera that is not in order, as the appendix. `facilities`: names by code."""
    rows = [
        [
            str(place),
            word(row, "camera_code"),
            facilities.get(word(row, "facility_code"), word(row, "facility_code")),
            item_name(SecurityItem(word(row, "security_item"))),
            word(row, "security_detail"),
            BASES_VI[Basis(word(row, "security_basis"))],
            short_day(local(number(row, "known_at_ms"), zone)),
        ]
        for place, row in enumerate(rows_of(report, "security_findings"), start=1)
    ]
    if not rows:
        return Text("Không có nội dung nào được khai báo hoặc quan sát là không đạt.")
    return Grid(
        _FINDINGS, (5, 15, 34, 32, 34, 12, 17), ("centre", "left", "left", "left", "left", "left", "left"), rows
    )


def item_name(item: SecurityItem) -> str:
    """Name the item in words, without the regulation."""
    return ITEMS_VI[item].removesuffix(_REGULATION)


def _counts(rows: Sequence[Row]) -> Counter[tuple[str, str]]:
    """How many cameras have an item in a column of the table."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for title, verdict, basis in _COUNTED:
            known = None if basis is None else set(word(row, basis).split())
            found.update((one, title) for one in word(row, verdict).split() if known is None or one in known)
    return found
