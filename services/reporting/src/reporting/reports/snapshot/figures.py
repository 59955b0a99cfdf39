"""The tables of a frozen report out of the accounts: every figure of every form is one of these integers or their sum.

Lengths are milliseconds. A row of a camera and the rows of its deliveries are separate tables, so that each column can
be summed. A facility without cameras stands in `facilities` with zeros.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from reporting.domain.instants import Millis
from reporting.domain.outages import Outage
from reporting.domain.partition import LEDGER_NAMES, Durations, Seen
from reporting.domain.scope import Camera, Facility
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import CameraAccount
from reporting.reports.snapshot.canonical import Row, Value
from reporting.reports.snapshot.report import LENGTHS
from reporting.reports.totals import Group, Totals

CONNECTED_FOR: Millis = 600_000
"""A camera counts as connected on a day when both centres had it for ten minutes in all; a facility only when its
cameras were for ten unbroken minutes together (`domain.mandate.connection`)."""
STRIPS = 12
"""So many cameras have a strip: those that were down longest."""


class FoundOutage(NamedTuple):
    """An outage of a camera, and when the fault of the whole site that it is part of began."""

    camera: Camera
    outage: Outage
    site_fault: Millis | None = None


def groups(totals: Totals) -> dict[str, list[Row]]:
    """Build the tables of sums."""
    facilities = {one.id: one for one in totals.facilities}
    return {
        "totals": [_group(totals.total)],
        "units": [_group(one) for one in totals.by_unit],
        "agencies": [_group(one) for one in totals.by_agency],
        "types": [_group(one) for one in totals.by_type],
        "facilities": sorted(
            (
                {
                    **_place(facilities[one.id]),
                    "counted": bool(one.facilities),
                    "cameras": one.cameras.total,
                    **_lengths(one.durations),
                }
                for one in totals.by_facility
                if one.id in facilities
            ),
            key=lambda row: (str(row["unit_code"]), str(row["facility_code"])),
        ),
    }


def cameras(accounts: Iterable[CameraAccount]) -> tuple[list[Row], list[Row]]:
    """Build the rows of the cameras, and those of their deliveries."""
    rows: list[Row] = []
    deliveries: list[Row] = []
    for one in accounts:
        place = {**_place(one.camera.facility), **_camera(one.camera)}
        rows.append({**place, **_lengths(one.account.camera)})
        deliveries += [
            {
                **place,
                "delivery_id": planned.id,
                "destination_code": planned.destination.code,
                "destination_name": planned.destination.name,
                "destination_role": planned.role,
                "required_proof": planned.required_proof,
                **{f"{name}_ms": getattr(ledger, name) for name in LEDGER_NAMES},
            }
            for planned, ledger in zip(one.camera.deliveries, one.account.deliveries, strict=True)
        ]
    return rows, deliveries


def connected_in_sum(accounts: Iterable[CameraAccount]) -> set[UUID]:
    """Facilities that were connected by rule 2: each camera for ten minutes in all, whatever it watches."""
    all_of: dict[UUID, bool] = {}
    for one in accounts:
        time = one.account.camera
        if time.out_of_scope < time.period:
            place = one.camera.facility.id
            all_of[place] = all_of.get(place, True) and time.both >= CONNECTED_FOR
    return {place for place, connected in all_of.items() if connected}


def day(
    period: Period, totals: Totals, accounts: Iterable[CameraAccount], connected_facilities: Collection[UUID]
) -> Row:
    """Sum up one local day, and how many were connected in it."""
    whole = totals.total
    connected = {"cameras": 0, "cameras_national": 0, "cameras_provincial": 0, "cameras_both": 0}
    for one in accounts:
        time = one.account.camera
        if time.out_of_scope == time.period:
            continue
        connected["cameras"] += 1
        connected["cameras_national"] += time.both + time.national_only >= CONNECTED_FOR
        connected["cameras_provincial"] += time.both + time.provincial_only >= CONNECTED_FOR
        connected["cameras_both"] += time.both >= CONNECTED_FOR
    return {
        "from_ms": period.start,
        "to_ms": period.end,
        "facilities": whole.facilities,
        "facilities_connected": len(connected_facilities),
        **connected,
        **_lengths(whole.durations),
    }


def outages(found: Sequence[FoundOutage]) -> list[Row]:
    """One row an outage, by camera and time."""
    return [
        {
            "facility_code": one.camera.facility.code,
            **_camera(one.camera),
            "from_ms": one.outage.start,
            "to_ms": one.outage.end,
            "length_ms": one.outage.end - one.outage.start,
            "ongoing": one.outage.ongoing,
            "began_before": one.outage.began_before,
            "confirmed": one.outage.confirmed,
            "cause": one.outage.causes[0] if one.outage.causes else None,
            "causes": " ".join(one.outage.causes),
            "site_fault_ms": one.site_fault,
        }
        for one in sorted(found, key=lambda one: (one.camera.facility.code, one.camera.code, one.outage.start))
    ]


def worst(accounts: Sequence[CameraAccount]) -> list[Camera]:
    """Pick the cameras that get a strip: those longest down, in the order of their codes."""
    down = sorted(accounts, key=lambda one: (-one.account.camera.down, one.camera.code, one.camera.id))[:STRIPS]
    return sorted((one.camera for one in down), key=lambda one: (one.code, one.id))


def strip(camera: Camera, line: Sequence[Segment[Seen]]) -> list[Row]:
    """List what a camera was over its last day, without gaps."""
    facility = {"facility_code": camera.facility.code, **_camera(camera)}
    return [{**facility, "from_ms": start, "to_ms": end, "state": seen.state.value} for start, end, seen in line]


def _group(one: Group) -> Row:
    return {
        "code": one.code,
        "name": one.name,
        "facilities": one.facilities,
        "facilities_with_cameras": one.facilities_with_cameras,
        "cameras": one.cameras.total,
        **_lengths(one.durations),
    }


def _lengths(durations: Durations) -> dict[str, Value]:
    return dict(zip(LENGTHS, durations.lengths, strict=True))


def _place(facility: Facility) -> dict[str, Value]:
    return {
        "unit_code": facility.unit.code,
        "unit_name": facility.unit.name,
        "agency_code": facility.agency.code,
        "agency_name": facility.agency.name,
        "facility_id": str(facility.id),
        "facility_code": facility.code,
        "facility_name": facility.name,
        "facility_type": facility.type,
    }


def _camera(camera: Camera) -> dict[str, Value]:
    return {"camera_id": camera.id, "camera_code": camera.code, "camera_name": camera.name}
