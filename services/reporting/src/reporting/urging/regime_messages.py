"""The words of what a regime sends: a report waits for who approves it, or is approved and goes to a recipient.

Vietnamese whole, then English whole; plain text, which every channel carries.
"""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from reporting.documents.letter.wording import point_in_time
from reporting.domain.instants import Millis, moment
from reporting.reports.snapshot.report import Report
from reporting.urging.digest import Message

ENGLISH = "--- English ---"


class MessageOf(NamedTuple):
    """Whom a message is for, and what of the regime it names. `restricted`: the file stays here."""

    agency: str
    regime: str
    late: bool
    restricted: bool = False


def approval_wanted(report: Report, of: MessageOf) -> Message:
    """To who approves: which report waits, of which period, and how it is approved."""
    header, when = report.header, _period(report)
    late, late_en = (" Báo cáo được chốt muộn.", " It was frozen late.") if of.late else ("", "")
    lines = [
        f"Kính gửi: {of.agency}",
        "",
        f"Báo cáo theo chế độ «{of.regime}», {when[0]}, đã được tự động chốt số liệu và chờ phê duyệt.{late}",
        *_how_to_read(report),
        f"Phê duyệt: POST /v1/reports/{header.id}/approve?version={header.version}",
        "",
        ENGLISH,
        "",
        (
            f"To: {of.agency}. The report of the regime «{of.regime}», {when[1]}, was frozen by itself and waits for "
            f"approval.{late_en}"
        ),
        *_how_to_read(report, english=True),
        f"Approve it by POST /v1/reports/{header.id}/approve?version={header.version}",
    ]
    return Message(f"[Vọng Gác] Chờ phê duyệt: {of.regime}, {when[0]}", "\n".join(lines))


def approved_copy(report: Report, of: MessageOf) -> Message:
    """To a recipient: the approved report, with its PDF unless that names what this reader may not see."""
    when = _period(report)
    assert report.approval is not None, "only what is approved goes out"
    at = point_in_time(report.approval.at_ms, ZoneInfo(report.header.period.time_zone))
    file = (
        ("Tệp PDF có cơ sở hạn chế nên không gửi kèm.", "The PDF names restricted facilities and is not attached.")
        if of.restricted
        else ("Tệp PDF gửi kèm.", "The PDF is attached.")
    )
    lines = [
        f"Kính gửi: {of.agency}",
        "",
        f"Gửi quý cơ quan báo cáo theo chế độ «{of.regime}», {when[0]}, đã được phê duyệt lúc {at}. {file[0]}",
        *_how_to_read(report),
        "",
        ENGLISH,
        "",
        f"To: {of.agency}. This is the report of the regime «{of.regime}», {when[1]}. It is approved. {file[1]}",
        *_how_to_read(report, english=True),
    ]
    return Message(f"[Vọng Gác] {of.regime}, {when[0]}", "\n".join(lines))


def _how_to_read(report: Report, *, english: bool = False) -> list[str]:
    header = report.header
    if english:
        return [
            f"Report {header.id}, version {header.version}: GET /v1/reports/{header.id}.pdf?version={header.version}",
            f"SHA-256: {report.sha256}",
        ]
    return [
        (
            f"Mã báo cáo {header.id}, phiên bản {header.version}; "
            f"đọc tại GET /v1/reports/{header.id}.pdf?version={header.version}"
        ),
        f"Mã kiểm tra SHA-256: {report.sha256}",
    ]


def _period(report: Report) -> tuple[str, str]:
    period, zone = report.header.period, ZoneInfo(report.header.period.time_zone)
    first, last = _day(period.from_ms, zone), _day(period.to_ms - 1, zone)
    return f"kỳ từ ngày {first} đến ngày {last}", f"period from {first} to {last}"


def _day(instant: Millis, zone: ZoneInfo) -> str:
    return f"{moment(instant).astimezone(zone):%d/%m/%Y}"
