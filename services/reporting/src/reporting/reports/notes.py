"""What a reader of the figures has to know of their evidence: what was refused, and why time is unknown."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import VIETNAM, Millis, millis, moment, shown
from reporting.domain.segments import Period
from reporting.reports.snapshot.canonical import Row

_STEPS = text(
    "select stored_at, started_at, ended_at, refused from clock_step where started_at < :to and ended_at > :from "
    "order by started_at"
)
_CORRECTED = text("select count(*) as facts from corrected_fact where taken_at >= :from and taken_at < :to")


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
            "from": shown(self.start),
            "to": shown(self.end),
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
    corrected = (await session.execute(_CORRECTED, given)).scalar_one()
    if corrected:
        notes.append(note_corrected_facts(period, corrected))
    return notes


def _step_note(row: Any) -> Note:
    by_s = round((row.stored_at - row.started_at).total_seconds())
    start, end = _clock_time(row.started_at), _clock_time(row.ended_at)
    return Note(
        "clock_step",
        millis(row.started_at),
        millis(row.ended_at),
        row.refused,
        f"Đồng hồ của máy chủ NATS bị chỉnh lùi {by_s} giây: thời gian từ {start} đến {end} hiện ra hai lần "
        f"nên được tính là không rõ; {row.refused} số liệu của thời gian đó không được dùng làm bằng chứng.",
        f"The clock of the NATS server was set back by {by_s} s: it showed the time from {start} to {end} "
        f"twice, which counts as unknown; {row.refused} facts of that time are no evidence.",
    )


def note_corrected_facts(period: Period, facts: int) -> Note:
    """Note that so many facts of the period were dated by the server instead of their sender."""
    return Note(
        "corrected_facts",
        period.start,
        period.end,
        facts,
        f"{facts} số liệu ghi sai thời điểm (ở tương lai, hoặc sớm hơn lúc có thể): được tính theo lúc máy "
        "chủ NATS lưu.",
        f"{facts} facts were dated in the future, or earlier than they can be of: they count from when the "
        "NATS server stored them.",
    )


def _clock_time(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%H:%M:%S %d/%m/%Y}"
