"""Dates and instants: Vietnamese, ISO, Excel's serial numbers and date cells."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inventory.importing.mistakes.texts import RefusalError, phrase, refuse

PROVINCE_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = "[$-42A]dd/mm/yyyy"
"""How the cells of a workbook show a day. With Vietnamese (42A) stated, a spreadsheet of another language keeps the
order of day and month: saved as CSV, 07/05 would come back as 5 July."""
EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's serial dates (from 1900-03-01 on)."""
SERIALS = range(20_000, 80_000)
"""Serial numbers taken as dates: 1954 to 2119."""
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_SHORT = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_YEAR_FIRST = re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})")
_MIDNIGHT = re.compile(r"[T ]0{1,2}:00(?::00(?:\.0+)?)?$")
_CLOCK = re.compile(r"(?P<day>\S+)[T ]\s*(?P<hour>\d{1,2})[:hg](?P<minute>\d{2})?(?::(?P<second>\d{2})(?:\.\d+)?)?")
_LAST_MONTH = 12
_END_OF_DAY = (24, 0, 0)


def day(cell: object) -> date:
    """Parse a date. Raises RefusalError that shows the right form."""
    if isinstance(cell, datetime):
        if cell.time() != time():
            refuse("has_time")
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool):
        refuse("no_date")
    if isinstance(cell, int | float):
        return _serial(float(cell))
    text = _MIDNIGHT.sub("", str(cell))
    if found := _DAY_FIRST.fullmatch(text):
        return _checked(int(found[3]), int(found[2]), int(found[1]))
    if found := _YEAR_FIRST.fullmatch(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if _SHORT.fullmatch(text):
        refuse("short_year")
    if text.isdecimal():
        return _serial(float(text))
    if _CLOCK.fullmatch(text):
        refuse("has_time")
    raise RefusalError(phrase("no_date"))


def instant(cell: object) -> datetime:
    """Parse an aware instant; one without a zone is in the province's time. Raises RefusalError."""
    if isinstance(cell, datetime):
        return cell if cell.tzinfo is not None else cell.replace(tzinfo=PROVINCE_TIME)
    if isinstance(cell, str):
        if found := _CLOCK.fullmatch(cell):
            try:
                hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
                if (hour, minute, second) == _END_OF_DAY:
                    return datetime.combine(day(found["day"]) + timedelta(days=1), time(), PROVINCE_TIME)
                return datetime.combine(day(found["day"]), time(hour, minute, second), PROVINCE_TIME)
            except (ValueError, OverflowError):
                refuse("no_instant")
        try:
            read = datetime.fromisoformat(cell)
        except ValueError:
            pass
        else:
            if "T" in cell or ":" in cell:
                return read if read.tzinfo is not None else read.replace(tzinfo=PROVINCE_TIME)
    if isinstance(cell, float) and not cell.is_integer() and int(cell) in SERIALS:
        return datetime.combine(EPOCH, time(), PROVINCE_TIME) + timedelta(seconds=round(cell * 86_400))
    try:
        return datetime.combine(day(cell), time(), PROVINCE_TIME)
    except ValueError:
        refuse("no_instant")


def _serial(number: float) -> date:
    if not number.is_integer():
        refuse("has_time")
    if int(number) not in SERIALS:
        refuse("no_date")
    return EPOCH + timedelta(days=int(number))


def _checked(year: int, month: int, number: int) -> date:
    if month > _LAST_MONTH >= number:
        refuse("month_first", month=month, right=f"{month:02d}/{number:02d}/{year}")
    try:
        return date(year, month, number)
    except ValueError:
        refuse("no_date")
