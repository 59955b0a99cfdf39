"""Part I, 4 of the letter: progress against the deadline, by the register's obligations of the cut-off (R05, R12)."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Block, Grid, Heading, Picture, Text
from reporting.documents.letter.connected import DEFINITION, connection_figures
from reporting.documents.letter.figures import (
    chart,
    due_day,
    dues,
    is_midnight,
    number,
    rows_of,
    shown_of,
    step_of,
    word,
)
from reporting.documents.letter.responsible import responsible_of
from reporting.documents.letter.wording import DUTIES, amount, point_in_time
from reporting.domain.instants import Millis
from reporting.domain.mandate.obligations import PENDING
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from vonggac.mandate.facility_history import BOUND

_COLUMNS = ("Nghĩa vụ", "Văn bản", "Trước ngày", "Số cơ sở", "Xong", "Xong trễ", "Quá hạn", "Chưa đến hạn", "Miễn")


def progress(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    """Yield the paragraphs about what is done and what is owed, with the charts of both."""
    if report.has_register:
        yield Heading("4. Tiến độ", 2)
        yield Text(_summary(report, zone))
        yield from _obligations(report, zone)
        if rows_of(report, "days"):
            yield Text(f"{_last_step(report)}. {_deadline(report, zone)}")
            if report.has_assessment:
                caption = "Các số liệu về kết nối và cách tính từng số liệu"
                yield from connection_figures(report, f"Bảng {table_number(report, 'connected')}. {caption}")
            yield Picture(chart(shown_of(report), "progress"), "Biểu đồ 2. Số camera đã kết nối so với thời hạn")
        if has_duties(report):
            words = "Biểu đồ 3. Số cơ sở hoàn thành khảo sát, phương án và kết nối so với thời hạn"
            yield Picture(chart(shown_of(report), "obligations"), words)
    elif rows_of(report, "days"):
        deadline = report.header.deadline_ms
        yield Heading("4. Tiến độ", 2)
        due = "" if deadline is None else f", thời hạn hoàn thành trước {_day(deadline, zone)}"
        yield Text(f"{_last_step(report)}{due}.")
        yield Picture(chart(shown_of(report), "progress"), "Biểu đồ 2. Số camera đã kết nối so với thời hạn")


def has_duties(report: Report) -> bool:
    """Whether the table and the chart of obligations stand in the letter; what is below is numbered behind them."""
    return bool(rows_of(report, "obligations"))


def table_number(report: Report, name: str) -> int:
    """Compute the number of a table behind the first two, in the order of the letter."""
    there = {
        "obligations": has_duties(report),
        "connected": report.has_assessment and bool(rows_of(report, "days")),
        "comparison": bool(report.tables.get("comparison")),
        "security": bool(rows_of(report, "security")),
        "overdue": report.has_assessment and any(row["state"] == "overdue" for row in rows_of(report, "obligations")),
        "causes": True,
    }
    return 3 + [one for one, is_there in there.items() if is_there or one == name].index(name)


def as_of(report: Report) -> Millis:
    """Return the instant of the register: the cut-off of the first version."""
    return next((number(row, "as_of_ms") for row in rows_of(report, "progress")), report.header.cut_off_ms)


def _summary(report: Report, zone: ZoneInfo) -> str:
    rows = [row for row in rows_of(report, "progress") if word(row, "status") in BOUND]

    def those(column: str) -> str:
        return amount(sum(row[column] is True for row in rows))

    needed = f"còn phải bổ sung {amount(sum(number(row, 'cameras_needed') for row in rows))} camera"
    if report.has_assessment:
        count = {value: amount(sum(row["sufficient"] is value for row in rows)) for value in (False, None)}
        needed = f"{count[False]} cơ sở thiếu, {needed}; {count[None]} cơ sở chưa đánh giá đủ các khu vực"
    blocked = sum(bool(row["blocked"]) for row in rows)
    overdue = sum(number(row, "overdue") > 0 for row in rows)
    connected = (
        ""
        if report.has_assessment
        else (
            f", {those('connected_national')} cơ sở kết nối trung tâm của Bộ, {those('connected_provincial')} cơ sở "
            f"kết nối IOC của tỉnh, {those('connected_both')} cơ sở kết nối cả hai"
        )
    )
    return (
        f"Theo sổ theo dõi tại thời điểm {point_in_time(as_of(report), zone)}, trong {amount(len(rows))} cơ sở được "
        f"phê duyệt hoặc đang hoạt động có {those('surveyed')} cơ sở đã khảo sát, {those('plan_agreed')} cơ sở đã "
        f"thống nhất phương án kết nối{connected}; {those('sufficient')} cơ sở đủ camera ở các khu vực phải giám sát "
        f"({needed}); {those('focal_point')} cơ sở có cán bộ đầu mối; {amount(blocked)} cơ sở có vướng mắc; "
        f"{amount(overdue)} cơ sở có việc quá hạn."
    )


def _obligations(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    rows: dict[tuple[str, int], list[Row]] = {}
    for row in rows_of(report, "obligations"):
        rows.setdefault((word(row, "obligation_code"), number(row, "due_before_ms")), []).append(row)
    if not rows:
        yield Text("Sổ theo dõi không có nghĩa vụ nào tại thời điểm này.")
        return
    ordered = sorted(rows, key=lambda key: (not key[1], key[1], key[0]))
    lines = [_line(rows[key], zone) for key in ordered]
    named = report.has_assessment
    for line, key in zip(lines, ordered, strict=True):
        line[3:3] = ["; ".join(sorted({responsible_of(row) for row in rows[key]}))] if named else []
    yield Grid(
        columns=(*_COLUMNS[:3], "Cơ quan chịu trách nhiệm", *_COLUMNS[3:]) if named else _COLUMNS,
        widths=(21, 24, 17, 20, 8, 9, 9, 8, 9, 9) if named else (27, 20, 15, 10, 8, 8, 8, 9, 8),
        aligns=("left", "left", "left", *(("left",) if named else ()), *("right",) * 6),
        rows=lines,
        caption="Bảng 3. Nghĩa vụ và thời hạn theo sổ theo dõi",
        size=10 if named else 11,
    )
    if named:
        yield Text(_by_paper(rows_of(report, "obligations")))


def _by_paper(rows: Sequence[Row]) -> str:
    """How many were entered after their deadline and done in time, and how many have a deadline of their own."""
    late, own = (amount(sum(row[name] is True for row in rows)) for name in ("recorded_late", "own_deadline"))
    return (
        "Thời điểm hoàn thành tính theo ngày trên văn bản. Trong các việc hoàn thành đúng hạn có "
        f"{late} việc ghi nhận sau hạn, hoàn thành đúng hạn; {own} việc có hạn riêng vì cơ sở thuộc diện thực hiện sau "
        "ngày ban hành văn bản."
    )


def _line(rows: Sequence[Row], zone: ZoneInfo) -> list[str]:
    first, counts = rows[0], _counts(rows)
    due_before = number(first, "due_before_ms")
    return [
        word(first, "obligation_name") or DUTIES.get(word(first, "obligation_kind"), ""),
        word(first, "directive"),
        due_day(due_before, zone) if due_before else "Không có",
        amount(len(rows)) if first["facility_id"] is not None else "Toàn tỉnh",
        *(amount(counts[state]) for state in ("done", "done_late", "overdue", "pending", "waived")),
    ]


def _counts(rows: Sequence[Row]) -> Mapping[str, int]:
    found = dict.fromkeys(("done", "done_late", "overdue", "pending", "waived"), 0)
    for row in rows:
        state = word(row, "state")
        found["pending" if state in PENDING and state != "overdue" else state] += 1
    return found


def _last_step(report: Report) -> str:
    days = rows_of(report, "days")
    last = days[-1]
    when = f"{step_of(days)} cuối của kỳ báo cáo" if len(days) > 1 else "kỳ báo cáo"
    facilities = f"{amount(number(last, 'facilities_connected'))} trên {amount(number(last, 'facilities'))} cơ sở"
    if report.has_assessment:
        facilities += f" được kết nối ({DEFINITION})"
    elif report.has_register:
        facilities += (
            " được kết nối (mọi camera thuộc khu vực bắt buộc cùng kết nối tới cả hai trung tâm liên tục từ 10 phút "
            "trở lên)"
        )
    else:
        facilities += " có tất cả camera được kết nối như vậy"
    return (
        f"Trong {when} có {amount(number(last, 'cameras_both'))} trên "
        f"{amount(number(last, 'cameras'))} camera được kết nối tới cả hai trung tâm từ 10 phút trở lên; {facilities}"
    )


def _deadline(report: Report, zone: ZoneInfo) -> str:
    """Write the deadline of the register's obligations, or another that the author named, said to be the author's."""
    found = [one.at for one in dues(shown_of(report), ("connection",))]
    if not found:
        return "Sổ theo dõi không có thời hạn kết nối tại thời điểm này."
    days = ", ".join(f"trước {_day(at, zone)}" for at in found)
    if report.header.deadline_ms is not None:
        return f"Thời hạn kết nối do người lập báo cáo nêu, thay thời hạn trong sổ theo dõi: {days}."
    return f"Thời hạn kết nối theo sổ theo dõi: {days}."


def _day(deadline: int, zone: ZoneInfo) -> str:
    """`ngày 10/5/2021`; with its time unless that is midnight."""
    return f"ngày {due_day(deadline, zone)}" if is_midnight(deadline, zone) else point_in_time(deadline, zone)
