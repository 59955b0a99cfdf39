"""Times, durations and amounts as Vietnamese officials write them: 30/11/2026, «1 ngày 14 giờ», 1.234,5."""

from datetime import datetime, timedelta
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from console.words.catalogue import ENGLISH, mark

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

_SECONDS, _MINUTES = mark("{n} s"), mark("{n} min")
_HOURS, _HOURS_MINUTES = mark("{n} h"), mark("{n} h {m:02d}")
_DAYS, _DAYS_HOURS = mark("{n} d"), mark("{n} d {m} h")


def parse_time(text: str | None) -> datetime | None:
    """Parse an instant of an API, in local time."""
    return None if text is None else datetime.fromisoformat(text).astimezone(LOCAL)


def write_duration(length: timedelta, words: NullTranslations) -> str:
    """Its two largest parts; nothing shorter than a second, nothing negative."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < _MINUTE_S:
        return words.gettext(_SECONDS).format(n=seconds)
    if seconds < _HOUR_S:
        return words.gettext(_MINUTES).format(n=seconds // _MINUTE_S)
    if seconds < _DAY_S:
        hours, rest = divmod(seconds, _HOUR_S)
        minutes = rest // _MINUTE_S
        return words.gettext(_HOURS_MINUTES if minutes else _HOURS).format(n=hours, m=minutes)
    days, rest = divmod(seconds, _DAY_S)
    hours = rest // _HOUR_S
    return words.gettext(_DAYS_HOURS if hours else _DAYS).format(n=days, m=hours)


def write_day(moment: datetime) -> str:
    """30/11/2026."""
    return f"{moment.astimezone(LOCAL):%d/%m/%Y}"


def write_time(moment: datetime) -> str:
    """30/11/2026 09:41:05, local time."""
    return f"{moment.astimezone(LOCAL):%d/%m/%Y %H:%M:%S}"


def write_amount(amount: float, language: str, digits: int = 0) -> str:
    """With a decimal comma and dots between thousands; in English the other way round."""
    text = f"{amount:,.{digits}f}"
    return text if language == ENGLISH else text.translate(str.maketrans(",.", ".,"))
