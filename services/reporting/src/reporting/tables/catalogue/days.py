"""Facts, day by day: a row for each camera, delivery and day, and in a table of its own one for each camera and day.

A day is one of the calendar in the file's time zone; the first and the last are cut to the period.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from reporting.domain.instants import Millis
from reporting.domain.scope import Facility
from reporting.domain.segments import Period
from reporting.reports.availability.stays import stayed
from reporting.reports.daily import CameraDays, daily, days_of
from reporting.storage import plan
from reporting.tables.catalogue.columns import (
    AGENCY,
    CAMERA,
    CAMERA_LENGTHS,
    DELIVERY,
    DELIVERY_LENGTHS,
    FACILITY,
    UNIT,
    Places,
    delivery_values,
    nothing,
)
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Repeated, Row, Rows, Table, Woven
from vonggac.telemetry.garbage_collection import rarely_collected

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
    "deliveries have a row a day without parts, and so has a facility for each day without cameras. Names are in "
    "`cameras`.",
    (*DAY, *_PLACE, *_CAMERA, *DELIVERY, *DELIVERY_LENGTHS),
    ("day", "facility_id", "camera_id", "delivery_id"),
)
CAMERA_DAYS = Table(
    "camera_days",
    "Camera theo ngày",
    "Cameras by day",
    "A row for each camera and day: where the day's time went, in three divisions of it. A facility has a row without "
    "parts for each day without cameras.",
    (*DAY, *_PLACE, *_CAMERA, *CAMERA_LENGTHS[1:]),
    ("day", "facility_id", "camera_id"),
)
_NO_DELIVERY, _NO_LENGTHS = nothing(DELIVERY), nothing(DELIVERY_LENGTHS)
_NO_FACT = nothing((*_CAMERA, *DELIVERY, *DELIVERY_LENGTHS))
type Days = Sequence[tuple[date, Period]]


async def fact_rows(asked: Selection) -> Portions:
    """In the order of `deliveries`, each day by day."""
    async for rows in _rows(asked, facts_of, _NO_FACT):
        yield rows


async def camera_day_rows(asked: Selection) -> Portions:
    """In the order of `cameras`, each day by day."""
    async for rows in _rows(asked, _camera_days, nothing((*_CAMERA, *CAMERA_LENGTHS[1:]))):
        yield rows


async def _rows(asked: Selection, make: Callable[[Sequence[CameraDays], Days], Rows], rest: Row) -> Portions:
    question, zone = asked.question, ZoneInfo(asked.stamp.time_zone)
    spans = days_of(question.period, zone)
    places = await plan.places(asked.session, asked.scope, question.period)
    with rarely_collected():
        cameras = await plan.cameras(asked.session, places)
    always, there = {one.facility.id for one in cameras if stayed(one)}, set[tuple[UUID, Millis]]()
    async with aclosing(daily(asked.session, question, cameras, zone)) as portions:
        async for portion in portions:
            yield await asyncio.to_thread(make, portion, spans)
            for one in portion:
                if not stayed(one.camera):
                    there |= {(facility.id, start) for start, (facility, _, _) in one.accounts.items()}
    for place in places.facilities:
        empty = [] if place.id in always else [one for one in spans if (place.id, one[1].start) not in there]
        if empty:
            yield _empty(place, empty, rest)


def facts_without_cameras(facility: Facility, spans: Days) -> Rows:
    """Build the rows of FACTS of a facility that has none."""
    return _empty(facility, spans, _NO_FACT)


def _empty(facility: Facility, spans: Days, rest: Row) -> list[Row]:
    return [(day, span.length, *_place(facility), *rest) for day, span in spans]


def _place(facility: Facility) -> Row:
    return facility.unit.code, facility.agency.code, str(facility.id), facility.code, facility.type


def facts_of(portion: Sequence[CameraDays], spans: Days) -> Woven:
    """Build the rows of FACTS of these cameras."""
    places = Places(_place)
    place_of, line_of, lines, lengths = list[int](), list[int](), list[Row](), list[Row]()
    for one in portion:
        accounts = [one.accounts[span.start] for _, span in spans]
        stood = [places.number(facility) for facility, _, _ in accounts]
        named = one.camera.id, one.camera.code
        for number, planned in enumerate(one.camera.deliveries):
            lengths += [deliveries[number] for _, _, deliveries in accounts]
            lines.append(named + delivery_values(planned))
        if not one.camera.deliveries:
            lengths += [_NO_LENGTHS] * len(accounts)
            lines.append(named + _NO_DELIVERY)
        place_of += stood * max(1, len(one.camera.deliveries))
    for number in range(len(lines)):
        line_of += [number] * len(spans)
    heads = Repeated([(day, span.length) for day, span in spans], [*range(len(spans))] * len(lines))
    return Woven((heads, Repeated(places.made, place_of), Repeated(lines, line_of), lengths))


def _camera_days(portion: Sequence[CameraDays], spans: Days) -> list[Row]:
    places = Places(_place)
    return [
        (day, span.length, *places.of(facility), one.camera.id, one.camera.code, *sums)
        for one in portion
        for day, span in spans
        for facility, sums, _ in (one.accounts[span.start],)
    ]


SOURCES = (Source(FACTS, fact_rows), Source(CAMERA_DAYS, camera_day_rows))
