"""Moments and durations as integers: milliseconds since 1970-01-01 UTC.

Integers add up exactly. Milliseconds, because the camera-seconds of a whole province and year still fit the 53 bits
that a JSON number keeps.
"""

from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

type Millis = int

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR: Millis = 3_600_000
MILLISECOND = timedelta(milliseconds=1)
TIME_ZONE = "Asia/Ho_Chi_Minh"
VIETNAM = timezone(timedelta(hours=7), TIME_ZONE)
"""UTC+7 without daylight saving since 1975; every time shown is in it."""


def millis(moment: datetime) -> Millis:
    """Convert an aware moment, cut to the millisecond."""
    return (moment - EPOCH) // MILLISECOND


def moment(instant: Millis) -> datetime:
    """Convert `instant` to its aware UTC moment."""
    return EPOCH + timedelta(milliseconds=instant)


def to_local(instant: Millis) -> datetime:
    """Convert the instant to Vietnam's time, as answers give it."""
    return moment(instant).astimezone(VIETNAM)


def start_of(day: date) -> Millis:
    """Compute the first instant of a day of the province."""
    return millis(datetime.combine(day, time(), VIETNAM))


def cut(at: datetime) -> datetime:
    """Cut the microseconds off a moment, as `millis` reads it: what is compared must be cut alike."""
    return moment(millis(at))


def duration(seconds: float) -> Millis:
    """Seconds as milliseconds, at least one."""
    return max(1, round(seconds * 1000))


def seconds(length: Millis) -> float:
    """Milliseconds as seconds; exact to the millisecond below 2^53 ms."""
    return length / 1000


def format_instant(instant: Millis | None) -> str | None:
    """ISO 8601 with milliseconds and +07:00; None stays None."""
    if instant is None:
        return None
    hour, within = divmod(instant, HOUR)
    minute, within = divmod(within, 60_000)
    second, milli = divmod(within, 1000)
    return f"{_hour_shown(hour)}{minute:02d}:{second:02d}.{milli:03d}+07:00"


# A report shows a hundred thousand moments of a few hundred hours.
@lru_cache(maxsize=4096)
def _hour_shown(hour: int) -> str:
    """Date and hour up to the colon; the offset is of whole hours."""
    return moment(hour * HOUR).astimezone(VIETNAM).isoformat()[: len("2026-11-25T07:")]
