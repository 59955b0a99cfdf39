"""Facts, day by day: a row for each camera, delivery and day, and in a table of its own one for each camera and day.

A day is one of the calendar in the file's time zone; the first and the last are cut to the period.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from reporting.domain.instants import millis
from reporting.domain.partition import LEDGER_NAMES, DeliveryDurations
from reporting.domain.scope import Facility
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount
from reporting.tables.catalogue.cameras import Make, accounted_rows
from reporting.tables.catalogue.columns import (
    AGENCY,
    CAMERA,
    CAMERA_LENGTHS,
    DELIVERY,
    DELIVERY_LENGTHS,
    FACILITY,
    UNIT,
    delivery_values,
    nothing,
)
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table

DAY = (
    Column("day", Kind.DATE, "Ngày", "The day, in the time zone of the file.", required=True),
    Column("day_ms", Kind.DURATION, "Phần của ngày trong kỳ (ms)", "How much of it lies in the period.", required=True),
)
_PLACE = (UNIT[1], AGENCY[1], FACILITY[0], FACILITY[1], FACILITY[3])
_CAMERA = CAMERA[:2]
FACTS = Table(
    "facts",
    "Số liệu theo ngày",
    "Facts by day",
    "A row for each camera, centre and day: the five parts of the day's time, which add up to it. Cameras without "
    "deliveries and facilities without cameras have a row a day without parts. Names are in `cameras`.",
    (*DAY, *_PLACE, *_CAMERA, *DELIVERY, *DELIVERY_LENGTHS),
    ("day", "facility_id", "camera_id", "delivery_id"),
)
CAMERA_DAYS = Table(
    "camera_days",
    "Camera theo ngày",
    "Cameras by day",
    "A row for each camera and day: where the day's time went, in three divisions of it. Facilities without cameras "
    "have a row a day without parts.",
    (*DAY, *_PLACE, *_CAMERA, *CAMERA_LENGTHS[1:]),
    ("day", "facility_id", "camera_id"),
)
_NO_DELIVERY = nothing((*DELIVERY, *DELIVERY_LENGTHS))
_ledger: Callable[[DeliveryDurations], Row] = attrgetter(*LEDGER_NAMES)


def days(period: Period, zone: ZoneInfo) -> Iterator[tuple[date, Period]]:
    """The days of a period, cut to it."""
    start = period.start
    while start < period.end:
        day = datetime.fromtimestamp(start / 1000, zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        end = min(millis(midnight), period.end)
        yield day, Period(start, end)
        start = end


async def fact_rows(asked: Selection) -> Portions:
    """Day by day, in the order of `deliveries`."""
    async for rows in _by_day(asked, _facts, nothing((*_CAMERA, *DELIVERY, *DELIVERY_LENGTHS))):
        yield rows


async def camera_day_rows(asked: Selection) -> Portions:
    """Day by day, in the order of `cameras`."""
    async for rows in _by_day(asked, _camera_days, nothing((*_CAMERA, *CAMERA_LENGTHS[1:]))):
        yield rows


async def _by_day(asked: Selection, make: Callable[[Row], Make], rest: Row) -> Portions:
    for day, period in days(asked.question.period, ZoneInfo(asked.stamp.time_zone)):
        within = replace(asked, question=replace(asked.question, period=period))
        before: Row = (day, period.length)
        rows = accounted_rows(within, make(before), _without(before, rest))
        async with aclosing(rows) as portions:
            async for portion in portions:
                yield portion


def _without(before: Row, rest: Row) -> Callable[[Facility], Row]:
    return lambda one: (*before, *_place(one), *rest)


def _place(facility: Facility) -> Row:
    return facility.unit.code, facility.agency.code, str(facility.id), facility.code, facility.type


def _facts(before: Row) -> Make:
    def made(portion: Sequence[CameraAccount]) -> list[Row]:
        rows: list[Row] = []
        for one in portion:
            named = (*before, *_place(one.camera.facility), one.camera.id, one.camera.code)
            rows += [
                (*named, *delivery_values(planned), *_ledger(parts))
                for planned, parts in zip(one.camera.deliveries, one.account.deliveries, strict=True)
            ] or [(*named, *_NO_DELIVERY)]
        return rows

    return made


def _camera_days(before: Row) -> Make:
    def made(portion: Sequence[CameraAccount]) -> list[Row]:
        return [
            (*before, *_place(one.camera.facility), one.camera.id, one.camera.code, *one.account.camera.lengths[1:])
            for one in portion
        ]

    return made


SOURCES = (Source(FACTS, fact_rows), Source(CAMERA_DAYS, camera_day_rows))
