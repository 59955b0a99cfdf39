"""The last page: how the figures were made and how to check the paper, in words for who signs and who reads it."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from reporting.documents.letter.blocks import Appendix, Block, Heading, Text
from reporting.documents.letter.wording import point_in_time
from reporting.domain.compliance import rule_in_words
from reporting.domain.instants import TIME_ZONE
from reporting.reports.snapshot.report import Report

TITLE = "Thuyết minh số liệu"


def explanation(report: Report, number: str, zone: ZoneInfo) -> Appendix:
    """Period, rule, time zone, digests."""
    return Appendix(number, TITLE, list(_blocks(report, zone)))


def appendix_number(report: Report) -> str:
    """Behind the lists."""
    if report.has_security:
        return "VII"
    return "V" if report.has_register else "IV"


def time_zone(report: Report) -> str:
    """`giờ Việt Nam (UTC+7)`; another zone by its name."""
    name = report.header.period.time_zone
    return "giờ Việt Nam (UTC+7)" if name == TIME_ZONE else f"giờ của múi {name}"


def _blocks(report: Report, zone: ZoneInfo) -> Iterator[Block]:
    header = report.header
    yield Heading("1. Thời gian", 2)
    yield Text(
        f"Mọi thời điểm trong báo cáo là {time_zone(report)}. Kỳ báo cáo tính từ "
        f"{point_in_time(header.period.from_ms, zone)} đến trước {point_in_time(header.period.to_ms, zone)}. Số liệu "
        f"chốt lúc {point_in_time(header.cut_off_ms, zone)}; bằng chứng đến sau thời điểm này chỉ được ghi vào phiên "
        "bản sau của báo cáo."
    )
    yield Heading("2. Cách tính", 2)
    yield Text(f"Quy tắc tính phiên bản {header.rule_version}.")
    if (words := rule_in_words(header.rule_version)) is not None:
        yield Text(words)
    yield Text(
        "Số liệu được làm tròn khi trình bày; tổng và tỷ lệ tính từ số liệu chưa làm tròn, đến mili giây. Dấu “-” là "
        "không áp dụng hoặc không đo được."
    )
    yield Heading("3. Kiểm tra báo cáo", 2)
    yield Text(
        f"Mã kiểm tra của báo cáo (SHA-256): {report.sha256}. Mã này được tính từ toàn bộ số liệu: sửa một con số thì "
        "mã khác đi. Tệp PDF, DOCX, XLSX, CSV và JSON của báo cáo đều mang mã này; gửi tệp tới hệ thống Vọng Gác (chức "
        "năng kiểm tra tệp) hoặc quét mã QR ở chân trang để đối chiếu."
    )
    if header.previous_sha256 is not None:
        yield Text(f"Mã kiểm tra của báo cáo liền trước trong sổ: {header.previous_sha256}.")
