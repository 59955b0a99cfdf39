"""Days of the province as instants: a day begins at 00:00 in Asia/Ho_Chi_Minh, UTC+7 without daylight saving."""

from datetime import UTC, date, datetime, time, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


def start_of(day: date) -> datetime:
    """Return the first instant of `day` in the province, aware UTC."""
    return datetime.combine(day, time(), VIETNAM).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the first instant that no longer belongs to `day`: 24:00 of it."""
    return start_of(day + timedelta(days=1))


def day_of(instant: datetime) -> date:
    """Return the day of the province in which an aware instant lies."""
    return instant.astimezone(VIETNAM).date()
