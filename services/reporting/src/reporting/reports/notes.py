"""What a reader of the figures has to know of their evidence: what was refused, and why time is unknown."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import VIETNAM, Millis, format_instant, millis, moment
from reporting.domain.segments import Period
from reporting.reports.snapshot.canonical import Row
from vonggac.decree.dates import short_day

_STEPS = text(
    "select stored_at, started_at, ended_at, refused from clock_step where started_at < :to and ended_at > :from "
    "order by started_at"
)
_DECLARED = text(
    "select count(*) as windows, coalesce(sum(extract(epoch from least(ends_at, coalesce(cancelled_at, ends_at), :to) "
    "- greatest(starts_at, :from))), 0) as seconds from maintenance_window where not agreed and starts_at < :to "
    "and least(ends_at, coalesce(cancelled_at, ends_at)) > greatest(starts_at, :from)"
)
_CORRECTED = text("select count(*) as facts from corrected_fact where taken_at >= :from and taken_at < :to")


# Buckets and consumers lose nothing that a report is made of: their values come again, and the inbox knows each fact.
_LOST_STREAMS = text(
    "select stream, kind, lost_from, lost_until, messages, unread, filled_with from stream_loss "
    "where consumer = '' and stream not like 'KV\\_%' and lost_from < :to and lost_until > :from "
    "order by lost_until, stream"
)


MADE_LATE = "made_late"
"""Kind of the note on a report itself: no evidence of its period says it again."""


class Note(NamedTuple):
    """A note on [start, end): how many facts it is of, and the sentence in both languages."""

    kind: str
    start: Millis
    end: Millis
    facts: int
    text_vi: str
    text_en: str

    def to_json(self) -> dict[str, Any]:
        """As answers have it, times as ISO 8601."""
        return {
            "kind": self.kind,
            "from": format_instant(self.start),
            "to": format_instant(self.end),
            "facts": self.facts,
            "text_vi": self.text_vi,
            "text_en": self.text_en,
        }

    def to_row(self) -> Row:
        """As a frozen report has it, times in milliseconds."""
        return {
            "note_kind": self.kind,
            "from_ms": self.start,
            "to_ms": self.end,
            "facts": self.facts,
            "text_vi": self.text_vi,
            "text_en": self.text_en,
        }


async def load_notes(session: AsyncSession, period: Period) -> list[Note]:
    """Load the notes on a period, by time."""
    given = {"from": moment(period.start), "to": moment(period.end)}
    notes = [_step_note(row) for row in await session.execute(_STEPS, given)]
    notes += [_loss_note(row) for row in await session.execute(_LOST_STREAMS, given)]
    corrected = (await session.execute(_CORRECTED, given)).scalar_one()
    if corrected:
        notes.append(note_corrected_facts(period, corrected))
    declared = (await session.execute(_DECLARED, given)).one()
    if declared.windows:
        notes.append(note_declared_maintenance(period, declared.windows, round(declared.seconds * 1000)))
    return notes


def _step_note(row: Any) -> Note:
    by_s = round((row.stored_at - row.started_at).total_seconds())
    when_vi, when_en = _between(row.started_at, row.ended_at)
    return Note(
        "clock_step",
        millis(row.started_at),
        millis(row.ended_at),
        row.refused,
        f"Đồng hồ của máy chủ NATS bị chỉnh lùi {by_s} giây: thời gian {when_vi} hiện ra hai lần "
        f"nên được tính là không rõ; {row.refused} số liệu của thời gian đó không được dùng làm bằng chứng.",
        f"The clock of the NATS server was set back by {by_s} s: it showed the time {when_en} "
        f"twice, which counts as unknown; {row.refused} facts of that time are no evidence.",
    )


_WHAT_STREAMS_HOLD = {
    "INVENTORY": ("các thay đổi của hồ sơ", "changes of the register"),
    "OBSERVATIONS": ("số liệu quan sát", "facts of probers and forwarders"),
    "PROBE_JOBS": ("lịch kiểm tra camera", "jobs to probe cameras"),
    "DELIVERY_JOBS": ("lịch chuyển tiếp camera", "jobs to forward cameras"),
    "VERIFY_JOBS": ("lịch đọc lại từ trung tâm", "jobs to read deliveries back"),
    "NOTICES": ("thông báo", "notices"),
    "DEMANDS": ("nhật ký yêu cầu của người dùng", "the log of what people demanded"),
    "DEAD_LETTERS": ("thư không xử lý được", "dead letters"),
}
_LOSSES = {
    "gone": ("bị mất", "was gone"),
    "emptied": ("bị xóa hết nội dung", "was emptied"),
    "went_back": ("bị đưa về bản cũ", "came back with an older copy"),
}
_REFILLS = {
    "register": ("hồ sơ được phát lại toàn bộ", "the whole register was published anew"),
    "jobs": ("lịch được lập lại từ hồ sơ", "the jobs were made anew from the register"),
    "kept_facts": (
        "số liệu của khoảng ba phút cuối được gửi lại",
        "what was published in about the last three minutes was published again",
    ),
    "nothing": ("không lập lại được", "nothing fills it anew"),
}


def _loss_note(row: Any) -> Note:
    when_vi, when_en = _between(row.lost_from, row.lost_until)
    holds_vi, holds_en = _WHAT_STREAMS_HOLD.get(row.stream, (row.stream, row.stream))
    lost_vi, lost_en = _LOSSES[row.kind]
    filled_vi, filled_en = _REFILLS.get(row.filled_with, _REFILLS["nothing"])
    count_vi, count_en = _how_many(row.messages, row.unread)
    return Note(
        "stream_lost",
        millis(row.lost_from),
        millis(row.lost_until),
        row.messages or 0 if row.unread is None else row.unread,
        f"Luồng {row.stream} ({holds_vi}) trên máy chủ NATS {lost_vi}: nội dung lưu {when_vi} có thể "
        f"thiếu{count_vi}; {filled_vi}. Thời gian không còn số liệu được tính là không rõ.",
        f"The stream {row.stream} ({holds_en}) at NATS {lost_en}: what was stored {when_en} may be "
        f"missing{count_en}; {filled_en}. Time of which no facts are left counts as unknown.",
    )


def _how_many(messages: int | None, unread: int | None) -> tuple[str, str]:
    if messages is None:
        return "", ""
    if unread is None:
        return f", {messages} bản tin khi thấy lần cuối", f", {messages} messages when it was last seen"
    return (
        f", trong {messages} bản tin khi thấy lần cuối có {unread} bản chưa được báo cáo ghi nhận",
        f", of {messages} messages when it was last seen {unread} had not been taken by reporting",
    )


def note_corrected_facts(period: Period, facts: int) -> Note:
    """Note that so many facts of the period were dated by the server instead of their sender."""
    return Note(
        "corrected_facts",
        period.start,
        period.end,
        facts,
        f"Có {facts} số liệu ghi sai thời điểm (ở tương lai, hoặc sớm hơn lúc có thể): được tính theo lúc hệ thống "
        "lưu.",
        f"{facts} facts were dated in the future, or earlier than they can be of: they count from when the "
        "NATS server stored them.",
    )


def note_declared_maintenance(period: Period, windows: int, length: Millis) -> Note:
    """Note that maintenance was declared, without an agreement beforehand: it is in no percentage (decision 0121)."""
    tenths = round(length / 360_000)
    vi, en = f"{tenths // 10},{tenths % 10}", f"{tenths // 10}.{tenths % 10}"
    return Note(
        "declared_maintenance",
        period.start,
        period.end,
        windows,
        f"Có {windows} đợt bảo trì được khai báo mà chưa thống nhất trước, tổng cộng {vi} giờ trong kỳ: thời gian này "
        "không được trừ khỏi tỷ lệ hoạt động.",
        f"Maintenance was declared {windows} times without an agreement beforehand, {en} hours of the period in all: "
        "that time takes nothing out of the percentages.",
    )


def _between(start: datetime, end: datetime) -> tuple[str, str]:
    """From when to when, in Vietnamese and English, as a paper writes times: whole minutes, around all of it."""
    since = start.astimezone(VIETNAM)
    until = (end + timedelta(minutes=1) - timedelta(microseconds=1)).astimezone(VIETNAM)
    return (
        f"từ {since:%H:%M} ngày {short_day(since)} đến {until:%H:%M} ngày {short_day(until)}",
        f"from {since:%H:%M} on {short_day(since)} to {until:%H:%M} on {short_day(until)}",
    )


def note_made_late(period: Period, frozen_at: Millis, *, entered_later: bool) -> Note:
    """Note that a report of a regime was frozen later than it could have been; `entered_later`: its regime was."""
    at = moment(frozen_at).astimezone(VIETNAM)
    why = "chế độ báo cáo được lập sau khi hết kỳ" if entered_later else "hệ thống không hoạt động khi đến hạn"
    why_en = "its regime was entered after the period" if entered_later else "the service was away when it was due"
    return Note(
        MADE_LATE,
        frozen_at,
        frozen_at,
        1,
        f"Báo cáo của kỳ này được chốt muộn, lúc {at:%H:%M} ngày {short_day(at)}, vì {why}; số liệu theo sổ vẫn là tại "
        "thời điểm hết kỳ.",
        f"The report of this period was frozen late, at {at:%H:%M} on {at:%d/%m/%Y}, because {why_en}; what the "
        "register says is of the end of the period.",
    )
