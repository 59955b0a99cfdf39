"""The words of the report: «I. Kết quả, II. Tồn tại, nguyên nhân, III. Đề xuất, kiến nghị», out of frozen figures."""

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from reporting.documents.letter.appendices.explained import appendix_number, time_zone
from reporting.documents.letter.appendices.listed import OF_PROPOSALS, OF_SECURITY, appendices, of_cameras
from reporting.documents.letter.blocks import Block, Foot, Grid, Heading, Paper, Picture, Text
from reporting.documents.letter.columns import meanings_of
from reporting.documents.letter.compared import compared
from reporting.documents.letter.figures import (
    Figures,
    below_target,
    by_cause,
    chart,
    number,
    rows_of,
    scope_of,
    shown_of,
    step_of,
    without_cameras,
    word,
    zone_of,
)
from reporting.documents.letter.progress import as_of, has_duties, progress, table_number
from reporting.documents.letter.responsible import overdue_by_agency
from reporting.documents.letter.security import camera_security
from reporting.documents.letter.wording import (
    amount,
    hours,
    length,
    percent,
    point_in_time,
    short_time,
)
from reporting.domain.evidence.proven import VERIFIED
from reporting.reports.snapshot.canonical import Row
from reporting.reports.snapshot.report import Report
from vonggac.decree.naming import name_on_paper

_MAX_NAMES = 5


def paper(report: Report) -> Paper:
    """Write the report as blocks."""
    zone = zone_of(report)
    return Paper(
        title=f"Báo cáo {report.header.letterhead.subject[0].lower()}{report.header.letterhead.subject[1:]}",
        status=_status(report, zone),
        body=[
            *_opening(report, zone),
            *_results(report, zone),
            *_shortcomings(report, zone),
            *_proposals(report),
        ],
        appendices=appendices(report, zone),
        foot=_foot(report),
    )


def _status(report: Report, zone: ZoneInfo) -> str:
    if report.approval is None:
        return "Số liệu đã chốt, chưa phê duyệt"
    alone = " (người lập tự duyệt, theo ngoại lệ của tỉnh)" if report.approval.by == report.header.author else ""
    if report.has_assessment:
        by = f"{named} " if (named := name_on_paper(report.approval.name, report.approval.post)) else ""
        return f"Số liệu đã được {by}phê duyệt lúc {point_in_time(report.approval.at_ms, zone)}{alone}"
    return f"Số liệu do {report.approval.in_words} phê duyệt lúc {point_in_time(report.approval.at_ms, zone)}{alone}"


def _opening(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    header = report.header
    yield Text(f"{header.letterhead.basis}, {header.letterhead.issuer} báo cáo kết quả như sau:")
    if report.has_assessment:
        yield Text(
            f"Kỳ báo cáo: từ {point_in_time(header.period.from_ms, zone)} đến trước "
            f"{point_in_time(header.period.to_ms, zone)}; số liệu chốt lúc {point_in_time(header.cut_off_ms, zone)}, "
            f"theo {time_zone(report)}. Cách tính và cách kiểm tra số liệu nêu tại Phụ lục "
            f"{appendix_number(report)}."
        )
    else:
        yield _period_of_earlier(report, zone)
    if narrowed := scope_of(report):
        yield Text(f"Số liệu chỉ gồm các cơ sở trong phạm vi: {narrowed}.")
    if header.reason is not None:
        yield Text(f"Đây là phiên bản {header.version} của báo cáo, thay số liệu do: {_sentence(header.reason)}")
        yield from _changes(report)


def _period_of_earlier(report: Report, zone: ZoneInfo) -> Text:
    """Write the period as rule 4 and before have it: zone, rule and rounding stand in the first paragraph."""
    header = report.header
    return Text(
        f"Kỳ báo cáo: từ {point_in_time(header.period.from_ms, zone)} đến trước "
        f"{point_in_time(header.period.to_ms, zone)}, múi giờ {header.period.time_zone}; số liệu chốt lúc "
        f"{point_in_time(header.cut_off_ms, zone)}, quy tắc tính phiên bản {header.rule_version}. "
        "Số liệu được làm tròn khi trình bày; tổng và tỷ lệ tính từ số liệu chưa làm tròn, đến mili giây."
    )


def _changes(report: Report) -> Iterator[Block]:
    rows = rows_of(report, "changes")
    cameras = {row["row"] for row in rows if row["table"] == "cameras"}
    shown = [row for row in rows if row["table"] == "totals"]
    if not shown:
        return
    yield Grid(
        columns=("Số liệu tổng", "Trước", "Sau"),
        widths=(60, 20, 20),
        aligns=("left", "right", "right"),
        rows=[list(_changed(row, meanings_of(report))) for row in shown],
        caption="Số liệu thay đổi so với phiên bản trước (giờ hoặc số lượng)",
    )
    yield Text(
        f"Số liệu của {amount(len(cameras))} camera thay đổi; {amount(len(rows))} số liệu trước và sau có đủ trong tệp "
        "JSON và XLSX của báo cáo."
    )


def _changed(row: Row, meanings: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    """Yield a changed sum in words, hours for lengths of time."""
    column = word(row, "column")
    yield meanings[column][0].removesuffix(" (mili giây)") if column in meanings else column
    for name in ("before", "after"):
        value = word(row, name)
        yield value if not value.isdecimal() else hours(int(value)) if column.endswith("_ms") else amount(int(value))


def _results(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    sums, header = Figures.of(report), report.header
    yield Heading("I. KẾT QUẢ THỰC HIỆN")
    yield Heading("1. Quy mô", 2)
    yield Text(
        f"Trong kỳ có {amount(sums.facilities)} cơ sở cách ly tập trung thuộc phạm vi theo dõi, trong đó "
        f"{amount(sums.with_cameras)} cơ sở đã có camera, {amount(sums.facilities - sums.with_cameras)} cơ sở chưa có; "
        f"tổng số {amount(sums.cameras)} camera."
    )
    yield Heading("2. Hoạt động liên tục 24h/24h", 2)
    yield Text(_availability(sums, percent(header.target_ppm, 1_000_000)))
    yield _time_table(sums)
    by = step_of(rows_of(report, "days"))
    yield Picture(chart(shown_of(report), "availability"), f"Biểu đồ 1. Tỷ lệ hoạt động của các camera theo {by}")
    yield Heading("3. Kết nối tới hai trung tâm", 2)
    yield Text(_compliance(sums))
    yield from _proofs(report)
    yield _connection_table(sums)
    yield from progress(report, zone)
    yield from compared(report, zone)
    caption = f"Bảng {table_number(report, 'security')}. Số camera theo từng nội dung an toàn"
    yield from camera_security(report, as_of(report), zone, caption, OF_SECURITY)


def _availability(sums: Figures, target: str) -> str:
    up, down, unknown = sums.ms("up"), sums.ms("down"), sums.ms("unknown")
    if not up + down:
        why = "mọi thời gian phải hoạt động đều không rõ" if unknown else "không có thời gian nào camera phải hoạt động"
        return f"Trong kỳ không có tỷ lệ hoạt động (mục tiêu {target}): {why}."
    return (
        f"Tỷ lệ hoạt động đo được là {percent(up, up + down)} (mục tiêu {target}), trên "
        f"{percent(up + down, up + down + unknown)} thời gian có số liệu. Nếu tính thời gian không rõ là không hoạt "
        f"động thì tỷ lệ là {percent(up, up + down + unknown)}; nếu tính là hoạt động thì tỷ lệ là "
        f"{percent(up + unknown, up + down + unknown)}."
    )


def _compliance(sums: Figures) -> str:
    good, bad, unclear = sums.ms("compliant"), sums.ms("non_compliant"), sums.ms("compliance_unknown")
    what = (
        "Thời gian camera đạt yêu cầu, tức là có hình và được cả hệ thống giám sát của Bộ và Trung tâm Giám sát điều "
        "hành thông minh tỉnh xác nhận đã nhận,"
    )
    if not good + bad:
        return f"{what} không đo được trong kỳ."
    return (
        f"{what} là {percent(good, good + bad)} thời gian đo được ({percent(good, good + bad + unclear)} nếu tính "
        "thời gian không rõ là không đạt)."
    )


def _proofs(report: Report) -> Iterator[Block]:
    """Yield a sentence for each of the two proofs that some centre demands."""
    if not report.by_read_backs:
        return
    begin, end = "“”" if report.has_assessment else "''"
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for row in rows_of(report, "deliveries"):
        centre = word(row, "destination_name") or word(row, "destination_code")
        names[word(row, "required_proof") == VERIFIED].add(centre)
    if names[True]:
        yield Text(
            f"Mức xác nhận {begin}đã kiểm chứng{end}: {', '.join(sorted(names[True]))}. Thời gian kết nối là thời "
            "gian giữa hai lần đọc lại từ trung tâm đều khớp hình của camera trong cùng một phiên; sau lần khớp cuối "
            "cùng là không rõ; từ lúc bắt đầu lần đọc lại không được hoặc khác hình là mất kết nối, cho đến hình khớp "
            "đầu tiên sau đó."
        )
    if names[False]:
        yield Text(
            f"Mức xác nhận {begin}đã xác nhận{end}: {', '.join(sorted(names[False]))}. Thời gian kết nối là thời "
            "gian trung tâm xác nhận nhận được dữ liệu, trừ thời gian đọc lại thấy hình khác."
        )


def _time_table(sums: Figures) -> Grid:
    whole = sums.ms("period")
    names = (
        ("Hoạt động", "up"),
        ("Mất", "down"),
        ("Không rõ (không có số liệu)", "unknown"),
        ("Bảo trì đã thống nhất trước", "maintenance"),
        ("Ngoài phạm vi", "out_of_scope"),
    )
    rows = [[label, hours(sums.ms(name)), percent(sums.ms(name), whole)] for label, name in names]
    rows.append(["Tổng cộng", hours(whole), percent(whole, whole)])
    return Grid(
        columns=("Thời gian của các camera", "Giờ", "Tỷ lệ"),
        widths=(60, 20, 20),
        aligns=("left", "right", "right"),
        rows=rows,
        strong=frozenset({len(rows) - 1}),
        caption="Bảng 1. Thời gian của các camera trong kỳ",
    )


def _connection_table(sums: Figures) -> Grid:
    names = (
        ("Cả hai trung tâm", "both"),
        ("Chỉ trung tâm của Bộ", "national_only"),
        ("Chỉ IOC của tỉnh", "provincial_only"),
        ("Không trung tâm nào", "neither"),
        ("Không rõ", "connection_unknown"),
    )
    whole = sum(sums.ms(name) for _, name in names)
    rows = [[label, hours(sums.ms(name)), percent(sums.ms(name), whole)] for label, name in names]
    rows.append(["Tổng cộng (không kể bảo trì, ngoài phạm vi)", hours(whole), percent(whole, whole)])
    return Grid(
        columns=("Trung tâm đã nhận", "Giờ", "Tỷ lệ"),
        widths=(60, 20, 20),
        aligns=("left", "right", "right"),
        rows=rows,
        strong=frozenset({len(rows) - 1}),
        caption="Bảng 2. Thời gian kết nối tới hai trung tâm",
    )


def _shortcomings(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    yield Heading("II. TỒN TẠI, NGUYÊN NHÂN")
    outages, before = rows_of(report, "outages"), has_duties(report)
    if report.has_assessment:
        caption = f"Bảng {table_number(report, 'overdue')}. Nghĩa vụ quá hạn theo cơ quan chịu trách nhiệm"
        yield from overdue_by_agency(report, zone, caption)
    if outages:
        since = point_in_time if report.has_assessment else short_time
        longest = max(outages, key=lambda row: (number(row, "length_ms"), word(row, "camera_code")))
        yield Text(
            f"1. Có {_counted(outages)}, tổng thời gian mất của các camera là "
            f"{length(sum(number(row, 'length_ms') for row in outages))}; lần dài nhất là "
            f"{length(number(longest, 'length_ms'))}, camera {word(longest, 'camera_code')} "
            f"({word(longest, 'camera_name')}), từ {since(number(longest, 'from_ms'), zone)}."
        )
        sums = by_cause(outages)
        yield Grid(
            columns=("Nguyên nhân", "Số lượt camera", "Thời gian mất (giờ)"),
            widths=(55, 20, 25),
            aligns=("left", "right", "right"),
            rows=[
                *([one.name, amount(one.times), hours(one.length)] for one in sums),
                ["Tổng cộng", amount(len(outages)), hours(sum(one.length for one in sums))],
            ],
            strong=frozenset({len(sums)}),
            caption=f"Bảng {table_number(report, 'causes')}. Gián đoạn theo nguyên nhân",
        )
        words = f"Biểu đồ {3 + before}. Thời gian mất theo nguyên nhân"
        yield Picture(chart(shown_of(report), "causes"), words)
    else:
        yield Text("1. Trong kỳ không ghi nhận lần gián đoạn nào.")
    low, empty = below_target(report), without_cameras(report)
    yield Text(
        f"2. Có {amount(len(low))} camera có tỷ lệ hoạt động thấp hơn mục tiêu (Phụ lục {of_cameras(report)}); "
        f"{amount(len(empty))} cơ sở chưa có camera{_names(report, empty)}."
    )
    unknown = Figures.of(report).ms("unknown")
    if unknown:
        yield Text(
            f"3. Có {length(unknown)} không có số liệu đo; thời gian này được ghi là không rõ, không tính là hoạt "
            "động và cũng không tính là mất."
        )
    for place, note in enumerate(rows_of(report, "notes"), start=3 + bool(unknown)):
        yield Text(f"{place}. {word(note, 'text_vi')}")


def _counted(outages: Sequence[Row]) -> str:
    """As `GET /v1/outages` counts them: those of one site fault are one, and what a single probe saw stands apart."""
    sure = [row for row in outages if row.get("confirmed")]
    of_sites = [row for row in sure if row.get("site_fault_ms") is not None]
    sites = {(word(row, "facility_code"), row["site_fault_ms"]) for row in of_sites}
    words = f"{amount(len(sure) - len(of_sites) + len(sites))} lần gián đoạn"
    if sites:
        words += (
            f" (trong đó {amount(len(sites))} sự cố của cả cơ sở, {amount(len(of_sites))} lượt camera, mỗi sự cố tính "
            "là một lần)"
        )
    single = len(outages) - len(sure)
    return f"{words}, ngoài ra có {amount(single)} lượt chỉ một lần kiểm tra thấy" if single else words


def _names(report: Report, rows: list[Row]) -> str:
    if not rows:
        return ""
    names = [word(row, "facility_name") for row in rows[:_MAX_NAMES]]
    # A report of an earlier rule keeps its bytes.
    between = "; " if report.has_register and any("," in name for name in names) else ", "
    return f" ({between.join(names)}{'…' if len(rows) > _MAX_NAMES else ''})"


def _proposals(report: Report) -> Iterator[Block]:
    yield Heading("III. ĐỀ XUẤT, KIẾN NGHỊ")
    given = report.header.proposals or _default_proposals(report)
    for index, text in enumerate(given, start=1):
        yield Text(f"{index}. {_sentence(text)}")
    letterhead = report.header.letterhead
    yield Text(f"{letterhead.issuer} kính báo cáo {_and(letterhead.addressees)}./.")


def _default_proposals(report: Report) -> list[str]:
    """Propose what follows from the figures alone; the author may give other words."""
    found = []
    if below_target(report):
        found.append(
            "Đề nghị các cơ quan quản lý chỉ đạo cơ sở phối hợp với đơn vị viễn thông khắc phục các camera có tỷ lệ "
            f"hoạt động thấp hơn mục tiêu nêu tại Phụ lục {of_cameras(report)}"
        )
    if without_cameras(report):
        listed = f"; các đề xuất lắp đặt nêu tại Phụ lục {OF_PROPOSALS}" if rows_of(report, "proposals") else ""
        found.append(
            "Đề nghị Ủy ban nhân dân tỉnh xem xét phương án lắp đặt camera cho các cơ sở chưa có nêu tại Phụ lục I"
            f"{listed}"
        )
    if rows_of(report, "security_findings"):
        found.append(f"Đề nghị các cơ quan quản lý khắc phục nội dung an toàn camera nêu tại Phụ lục {OF_SECURITY}")
    return found or ["Tiếp tục duy trì, theo dõi hoạt động của hệ thống camera giám sát 24h/24h"]


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} và {names[-1]}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _foot(report: Report) -> Foot:
    header = report.header
    before = header.previous_sha256 or "không có (báo cáo đầu tiên)"
    known = report.has_assessment
    return Foot(
        lines=(
            f"Mã báo cáo {header.id}, phiên bản {header.version}, số thứ tự {header.number}",
            f"{'Mã kiểm tra (SHA-256)' if known else 'SHA-256'} {report.sha256}",
            f"{'Mã kiểm tra của báo cáo liền trước' if known else 'Báo cáo trước'} {before}",
        ),
        code=f"VONGGAC:{header.id.replace('-', '')}:{header.version}:{report.sha256}".upper(),
    )
