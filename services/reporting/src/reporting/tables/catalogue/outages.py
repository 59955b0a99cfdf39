"""Outages of cameras, and faults of whole sites."""

from contextlib import aclosing
from dataclasses import replace

from reporting.domain.outages import Outage
from reporting.domain.scope import Camera
from reporting.reports.outages import fault_of, found_outages
from reporting.storage import history, plan
from reporting.storage.history import SiteFault
from reporting.tables.catalogue.columns import AGENCY, CAMERA, FACILITY, PLACE, UNIT, camera_values, place_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions, in_portions
from reporting.tables.table import Column, Kind, Row, Table

TEXT, INSTANT, BOOLEAN = Kind.TEXT, Kind.INSTANT, Kind.BOOLEAN

OUTAGES = Table(
    "outages",
    "Gián đoạn",
    "Outages",
    "A row for each unbroken stretch of down time of a camera within the period. Those of one site fault name it.",
    (
        *UNIT,
        *AGENCY,
        replace(FACILITY[0], description="Id of the facility where the camera stood when it began."),
        *FACILITY[1:],
        *CAMERA,
        Column("outage_from", INSTANT, "Bắt đầu", "Its start, or the period's if it began before.", required=True),
        Column("outage_to", INSTANT, "Kết thúc", "Its end; empty while it goes on."),
        Column("outage_ms", Kind.DURATION, "Thời gian mất (ms)", "Its length within the period.", required=True),
        Column("cause", TEXT, "Nguyên nhân", "The first cause."),
        Column("causes", TEXT, "Các nguyên nhân", "All causes in order of appearance, with spaces between them."),
        Column("began_before", BOOLEAN, "Bắt đầu trước kỳ", "Whether the period cuts its start.", required=True),
        Column("confirmed", BOOLEAN, "Đã xác nhận", "Whether a second probe failed too.", required=True),
        Column("site_fault_at", INSTANT, "Thuộc sự cố toàn cơ sở lúc", "Start of the fault of its whole site."),
    ),
    ("camera_id", "outage_from"),
)
SITE_FAULTS = Table(
    "site_faults",
    "Sự cố toàn cơ sở",
    "Site faults",
    "A row for each time all cameras of a facility failed alike.",
    (
        *PLACE,
        Column("fault_from", INSTANT, "Bắt đầu", "When the last of its cameras failed.", required=True),
        Column("fault_to", INSTANT, "Kết thúc", "When the first of them was back; empty while it goes on."),
        Column("cause", TEXT, "Nguyên nhân", "What most of them failed of.", required=True),
        Column("cameras", Kind.INTEGER, "Số camera", "How many cameras failed.", amount="cameras", required=True),
    ),
    ("facility_id", "fault_from"),
)


async def outage_rows(asked: Selection) -> Portions:
    """In the order of the cameras, oldest first."""
    only = None if asked.only is None else str(asked.only)
    async with aclosing(found_outages(asked.session, asked.question, asked.scope, only)) as portions:
        async for found, faults in portions:
            yield [_outage(camera, outage, fault_of(camera, outage, faults)) for camera, outage in found]


def _outage(camera: Camera, outage: Outage, fault: SiteFault | None) -> Row:
    return (
        *place_values(camera.facility),
        *camera_values(camera),
        outage.start,
        None if outage.ongoing else outage.end,
        outage.end - outage.start,
        outage.causes[0] if outage.causes else None,
        " ".join(outage.causes),
        outage.began_before,
        outage.confirmed,
        None if fault is None else fault.began_at,
    )


async def site_fault_rows(asked: Selection) -> Portions:
    """Newest first."""
    start, end = asked.question.period
    places = await plan.places(asked.session, asked.scope, asked.question.period)
    known = {one.id: one for one in places.facilities}
    found = await history.site_faults(asked.session, start, end)
    rows: list[Row] = [
        (*place_values(known[one.facility_id]), one.began_at, one.ended_at, one.cause, len(one.camera_ids))
        for one in found
        if one.facility_id in known
    ]
    async for portion in in_portions(rows):
        yield portion


SOURCES = (Source(OUTAGES, outage_rows), Source(SITE_FAULTS, site_fault_rows))
