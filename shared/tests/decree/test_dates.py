"""Dates of official documents, as letter 1742/UBND-VX pads its own."""

from datetime import date

from vonggac.decree.dates import long_day, short_day


def test_dates_are_padded_as_the_letter_pads_its_own() -> None:
    assert short_day(date(2021, 5, 6)) == "06/5/2021"
    assert short_day(date(2021, 5, 10)) == "10/5/2021"
    assert short_day(date(2021, 5, 5)) == "05/5/2021"
    assert short_day(date(2021, 2, 9)) == "09/02/2021"
    assert short_day(date(2021, 11, 12)) == "12/11/2021"
    assert long_day(date(2021, 5, 7)) == "ngày 07 tháng 5 năm 2021"
    assert long_day(date(2021, 1, 30)) == "ngày 30 tháng 01 năm 2021"
