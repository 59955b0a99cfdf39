"""Part I, 5 of the letter of a regime: its main figures beside those of the last report (Decree 09/2019/NĐ-CP)."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Block, Grid, Heading, Text
from reporting.documents.letter.figures import number, rows_of, word
from reporting.documents.letter.progress import table_number
from reporting.documents.letter.wording import amount, local, percent
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from vonggac.decree.dates import short_day

_PPM = "_ppm"
_MILLION = 1_000_000
_NAMES: Mapping[str, str] = {
    "facilities": "Số cơ sở thuộc phạm vi theo dõi",
    "facilities_with_cameras": "Số cơ sở đã có camera",
    "cameras": "Số camera",
    "availability_ppm": "Tỷ lệ hoạt động đo được của các camera",
    "compliant_ppm": "Tỷ lệ thời gian camera đạt yêu cầu",
    "cameras_both": "Số camera kết nối cả hai trung tâm cuối kỳ",
    "facilities_connected": "Số cơ sở được kết nối cuối kỳ",
    "outages": "Số lượt camera gián đoạn",
    "surveyed": "Số cơ sở đã khảo sát",
    "plan_agreed": "Số cơ sở đã thống nhất phương án kết nối",
    "focal_point": "Số cơ sở có cán bộ đầu mối",
    "insufficient": "Số cơ sở thiếu camera",
    "cameras_needed": "Số camera còn phải bổ sung",
    "obligations_overdue": "Số việc quá hạn",
    "obligations_done": "Số việc hoàn thành đúng hạn",
    "obligations_done_late": "Số việc hoàn thành sau hạn",
}


def compared(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    """Yield the table of a report of a regime; of its first report a sentence; of any other report nothing."""
    if "comparison" not in report.tables:
        return
    yield Heading("5. So với kỳ báo cáo trước", 2)
    rows = rows_of(report, "comparison")
    if not rows:
        yield Text("Đây là báo cáo đầu tiên của chế độ báo cáo này nên chưa có kỳ trước để so sánh.")
        return
    first = local(number(rows[0], "last_from_ms"), zone)
    last = local(number(rows[0], "last_to_ms") - 1, zone)
    yield Text(
        f"Kỳ trước từ ngày {short_day(first)} đến ngày {short_day(last)}; số liệu kỳ trước lấy từ báo cáo đã chốt của "
        "kỳ đó. Số liệu cuối kỳ là của ngày cuối; số liệu theo sổ là tại thời điểm chốt của từng kỳ."
    )
    yield Grid(
        columns=("Số liệu", "Kỳ trước", "Kỳ này", "Tăng, giảm"),
        widths=(51, 14, 14, 21),
        aligns=("left", "right", "right", "right"),
        rows=[_line(row) for row in rows],
        caption=f"Bảng {table_number(report, 'comparison')}. Số liệu chính so với kỳ báo cáo trước",
    )


def _line(row: Row) -> list[str]:
    figure = word(row, "figure")
    before, after = row["last"], row["current"]
    whole = (lambda value: percent(value, _MILLION)) if figure.endswith(_PPM) else amount
    cells = [whole(one) if isinstance(one, int) else "-" for one in (before, after)]
    if not isinstance(before, int) or not isinstance(after, int):
        return [_NAMES[figure], *cells, "-"]
    sign = "+" if after > before else "-" if after < before else ""
    unit = " điểm %" if figure.endswith(_PPM) else ""
    return [_NAMES[figure], *cells, f"{sign}{whole(abs(after - before)).removesuffix('%')}{unit}"]
