"""Charts of tables: the clock of a strip is that of its zone, and a picture of nothing says of when."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from reporting.documents.letter.figures import Shown, chart
from reporting.domain.instants import millis

if TYPE_CHECKING:
    from reporting.reports.snapshot.canonical import Row


def strip(start: datetime, end: datetime, zone: str, *, camera: bool = True) -> str:
    row: Row = {"camera_id": "1", "camera_code": "C1", "from_ms": millis(start), "to_ms": millis(end), "state": "up"}
    tables = {"strips": [row] if camera else [], "days": [row]}
    return chart(Shown(tables, ZoneInfo(zone), None, 990_000), "strips")


def hours(svg: str) -> list[str]:
    return re.findall(r">(\d\d)</text>", svg)


@pytest.mark.parametrize(
    ("zone", "day", "shown"),
    [
        ("Asia/Ho_Chi_Minh", (2021, 5, 3), ["00", "03", "06", "09", "12", "15", "18", "21", "24"]),
        ("Europe/Berlin", (2021, 10, 31), ["00", "03", "06", "09", "12", "15", "18", "21", "24"]),
        ("Asia/Kathmandu", (2021, 5, 3), ["00", "03", "06", "09", "12", "15", "18", "21", "24"]),
    ],
)
def test_the_hours_of_a_whole_day_are_those_of_its_clock(
    zone: str, day: tuple[int, int, int], shown: list[str]
) -> None:
    start = datetime(*day, tzinfo=ZoneInfo(zone))
    svg = strip(start, start + timedelta(days=1), zone)
    assert hours(svg) == shown
    assert f"từng camera, ngày {day[2]:02d}/{day[1]}/2021" in svg


def test_24_hours_that_end_within_a_day_name_their_beginning_and_their_end() -> None:
    start = datetime(2021, 5, 3, 2, 30, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    svg = strip(start, start + timedelta(days=1), "Asia/Ho_Chi_Minh")
    assert hours(svg) == ["03", "06", "09", "12", "15", "18", "21", "00"]
    assert "từ 02:30 03/5/2021 đến 02:30 04/5/2021" in svg


def test_a_picture_of_no_camera_is_of_the_day_that_was_asked_for() -> None:
    start = datetime(2021, 5, 3, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    svg = strip(start, start + timedelta(days=1), "Asia/Ho_Chi_Minh", camera=False)
    assert "ngày 03/5/2021" in svg
    assert "Không có số liệu" in svg
