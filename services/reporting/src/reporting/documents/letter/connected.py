"""The figures of connection beside one another: the one that the text uses first, the others with their definition."""

from collections.abc import Iterator

from reporting.documents.letter.blocks import Block, Grid
from reporting.documents.letter.figures import Figures, number, rows_of, step_of, word
from reporting.documents.letter.wording import amount, percent
from reporting.reports.snapshot.report import Report
from vonggac.events.inventory import ObligationKind
from vonggac.mandate.facility_history import BOUND

DEFINITION = "mọi camera thuộc khu vực bắt buộc cùng kết nối tới cả hai trung tâm liên tục từ 10 phút trở lên"
"""What the text of a report means by a facility that is connected."""


def connection_figures(report: Report, caption: str) -> Iterator[Block]:
    """Yield the table, nothing where the report has no days."""
    days, rows = rows_of(report, "days"), list(_figures(report))
    if not days:
        return
    yield Grid(
        ("Số liệu", "Cơ sở", "Camera", "Cách tính"),
        (34, 14, 14, 58),
        ("left", "right", "right", "left"),
        rows,
        caption=caption,
        size=11,
    )


def _figures(report: Report) -> Iterator[list[str]]:
    days = rows_of(report, "days")
    if days:
        last = days[-1]
        yield [
            f"Kết nối trong {step_of(days)} cuối của kỳ (số liệu dùng trong báo cáo)",
            _of(number(last, "facilities_connected"), number(last, "facilities")),
            _of(number(last, "cameras_both"), number(last, "cameras")),
            f"Cơ sở: {DEFINITION}. Camera: tới cả hai trung tâm từ 10 phút cộng lại.",
        ]
    bound = [row for row in rows_of(report, "progress") if word(row, "status") in BOUND]
    for name, column in (("trung tâm của Bộ", "national"), ("IOC của tỉnh", "provincial"), ("cả hai", "both")):
        yield [
            f"Kết nối {name} tại thời điểm chốt số liệu",
            _of(sum(row[f"connected_{column}"] is True for row in bound), len(bound)),
            "-",
            "Tại đúng thời điểm đó mọi camera thuộc khu vực bắt buộc có hình và trung tâm đang nhận.",
        ]
    owed = [row for row in rows_of(report, "obligations") if row["obligation_kind"] == ObligationKind.CONNECTION.value]
    if owed:
        done = sum(row["state"] in {"done", "done_late"} for row in owed)
        yield [
            "Nghĩa vụ kết nối đã hoàn thành",
            _of(done, len(owed)),
            "-",
            "Đã có ít nhất một lần kết nối như dòng đầu kể từ khi giao nghĩa vụ, kể cả khi sau đó mất kết nối.",
        ]
    sums = Figures.of(report)
    good, bad = sums.ms("compliant"), sums.ms("non_compliant")
    yield [
        "Thời gian camera đạt yêu cầu trong kỳ",
        "-",
        percent(good, good + bad),
        "Tỷ lệ thời gian đo được mà camera có hình và cả hai trung tâm xác nhận đã nhận.",
    ]


def _of(part: int, whole: int) -> str:
    return f"{amount(part)}/{amount(whole)}"
