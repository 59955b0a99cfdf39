"""Dates as official documents write them: a day below 10 is padded with 0, of the months only 1 and 2."""

from datetime import date

_PADDED_MONTHS = 2


def long_day(day: date) -> str:
    """`ngày 07 tháng 5 năm 2021`."""
    return f"ngày {day.day:02d} tháng {_month(day)} năm {day.year}"


def short_day(day: date) -> str:
    """`06/5/2021`, `10/5/2021`: as letter 1742/UBND-VX writes them."""
    return f"{day.day:02d}/{_month(day)}/{day.year}"


def _month(day: date) -> str:
    return f"{day.month:02d}" if day.month <= _PADDED_MONTHS else str(day.month)
