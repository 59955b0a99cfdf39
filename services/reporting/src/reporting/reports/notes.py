"""What a reader of the figures has to know of their evidence: what was refused, and why time is unknown."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.instants import VIETNAM, millis, moment, shown
from reporting.domain.segments import Period

_STEPS = text(
    "select stored_at, started_at, ended_at, refused from clock_step where started_at < :to and ended_at > :from "
    "order by started_at"
)
_CORRECTED = text("select count(*) as facts from corrected_fact where taken_at >= :from and taken_at < :to")


async def notes_of(session: AsyncSession, period: Period) -> list[dict[str, Any]]:
    """Notes on a period, by time: kind, span, how many facts, and the sentence in both languages."""
    given = {"from": moment(period.start), "to": moment(period.end)}
    notes = [_step_note(row) for row in await session.execute(_STEPS, given)]
    corrected = (await session.execute(_CORRECTED, given)).scalar_one()
    if corrected:
        notes.append(_corrected_note(period, corrected))
    return notes


def _step_note(row: Any) -> dict[str, Any]:
    by_s = round((row.stored_at - row.started_at).total_seconds())
    start, end = _clock_time(row.started_at), _clock_time(row.ended_at)
    return {
        "kind": "clock_step",
        "from": shown(millis(row.started_at)),
        "to": shown(millis(row.ended_at)),
        "facts": row.refused,
        "text_vi": f"Đồng hồ của máy chủ NATS bị chỉnh lùi {by_s} giây: thời gian từ {start} đến {end} hiện ra hai lần "
        f"nên được tính là không rõ; {row.refused} số liệu của thời gian đó không được dùng làm bằng chứng.",
        "text_en": f"The clock of the NATS server was set back by {by_s} s: it showed the time from {start} to {end} "
        f"twice, which counts as unknown; {row.refused} facts of that time are no evidence.",
    }


def _corrected_note(period: Period, facts: int) -> dict[str, Any]:
    return {
        "kind": "corrected_facts",
        "from": shown(period.start),
        "to": shown(period.end),
        "facts": facts,
        "text_vi": f"{facts} số liệu ghi sai thời điểm (ở tương lai, hoặc sớm hơn lúc có thể): được tính theo lúc máy "
        "chủ NATS lưu.",
        "text_en": f"{facts} facts were dated in the future, or earlier than they can be of: they count from when the "
        "NATS server stored them.",
    }


def _clock_time(at: datetime) -> str:
    return f"{at.astimezone(VIETNAM):%H:%M:%S %d/%m/%Y}"
