"""Cameras and deliveries over the period: a row each, in tables of their own, so that a plain sum is right."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from operator import attrgetter
from typing import cast

from reporting.domain.instants import millis
from reporting.domain.partition import LEDGER_NAMES, DeliveryDurations
from reporting.domain.scope import Delivery, Facility
from reporting.reports.accounts import CameraAccount, StateNow
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.storage import plan
from reporting.tables.catalogue.columns import (
    AVAILABILITY,
    CAMERA,
    CAMERA_LENGTHS,
    COMPLIANCE,
    CONNECTION,
    DELIVERY,
    DELIVERY_LENGTHS,
    PLACE,
    PLAN,
    SHARED_DEVICE,
    camera_values,
    delivery_values,
    nothing,
    percent_values,
    place_values,
    plan_values,
)
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table
from vonggac.telemetry.garbage_collection import rarely_collected

TEXT, INSTANT, BOOLEAN = Kind.TEXT, Kind.INSTANT, Kind.BOOLEAN
_NOW = "At the moment of the file; empty for a past period."

STATE = (
    Column("out_of_scope_reason", TEXT, "Lý do ngoài phạm vi", "Why it was out of scope, the last time in the period."),
    Column("out_of_scope_by", TEXT, "Người quyết định", "Who decided it, as far as the register says."),
    Column("out_of_scope_why", TEXT, "Giải thích", "Why, as far as it was given."),
    Column("state", TEXT, "Trạng thái", f"What the last probe saw. {_NOW}"),
    Column("cause", TEXT, "Nguyên nhân", f"Why. {_NOW}"),
    Column("state_since", INSTANT, "Trạng thái từ", f"Since when. {_NOW}"),
    Column("confirmed_state", TEXT, "Trạng thái đã xác nhận", f"`down` once a second probe failed too. {_NOW}"),
    Column("confirmed_since", INSTANT, "Xác nhận từ", f"Since when. {_NOW}"),
    Column("compliant", BOOLEAN, "Đang đạt yêu cầu", f"Whether it complies; empty while unknown. {_NOW}"),
)
CAMERAS = Table(
    "cameras",
    "Camera",
    "Cameras",
    "A row for each camera that existed in the period, and one for each facility without cameras: where the time went.",
    (*PLACE, *CAMERA, *SHARED_DEVICE, *STATE, *CAMERA_LENGTHS, *AVAILABILITY, *COMPLIANCE),
    ("facility_id", "camera_id"),
)
DELIVERY_STATE = (
    Column("destination_name", TEXT, "Trung tâm", "Name of the monitoring centre."),
    Column("delivery_enabled", BOOLEAN, "Kết nối được bật", "Whether it was switched on last."),
    Column("state", TEXT, "Trạng thái", f"The delivery's state, `unknown` when no living forwarder claims it. {_NOW}"),
    Column("cause", TEXT, "Nguyên nhân", f"Why. {_NOW}"),
    Column("state_since", INSTANT, "Trạng thái từ", f"Since when. {_NOW}"),
    Column("connected", BOOLEAN, "Đang kết nối", f"As the centre demands; empty while unknown. {_NOW}"),
    Column("verified_at", INSTANT, "Đối chiếu lúc", f"When the centre last played a picture back, bit for bit. {_NOW}"),
    Column("delay", Kind.NUMBER, "Độ trễ (giây)", f"How long that picture took, there and back. {_NOW}", amount="s"),
)
DELIVERIES = Table(
    "deliveries",
    "Kết nối",
    "Deliveries",
    "A row for each camera and centre, one for each camera without deliveries and for each facility without cameras.",
    (*PLACE, *CAMERA, *DELIVERY, *PLAN, *DELIVERY_STATE, *DELIVERY_LENGTHS, *CONNECTION),
    ("facility_id", "camera_id", "delivery_id"),
)
_NO_CAMERA = nothing(CAMERAS.columns[len(PLACE) :])
_NO_DELIVERY = nothing(DELIVERIES.columns[len(PLACE) + len(CAMERA) :])
_NO_CAMERA_HERE = nothing(DELIVERIES.columns[len(PLACE) :])
_ledger: Callable[[DeliveryDurations], Row] = attrgetter(*LEDGER_NAMES)


async def camera_rows(asked: Selection) -> Portions:
    """Cameras by unit, facility and code, then facilities without cameras."""
    async for rows in accounted_rows(asked, _camera_rows, lambda one: (*place_values(one), *_NO_CAMERA)):
        yield rows


async def delivery_rows(asked: Selection) -> Portions:
    """Deliveries in the order of their cameras."""
    async for rows in accounted_rows(asked, _delivery_rows, lambda one: (*place_values(one), *_NO_CAMERA_HERE)):
        yield rows


type Make = Callable[[Sequence[CameraAccount]], list[Row]]


async def accounted_rows(asked: Selection, make: Make, without: Callable[[Facility], Row]) -> Portions:
    """Yield what `make` makes of each portion of accounts, then a row for each facility without cameras."""
    places = await plan.places(asked.session, asked.scope, asked.question.period)
    with rarely_collected():
        cameras = await plan.cameras(asked.session, places)
    made = cast("AsyncGenerator[list[Row]]", ledgered_accounts(asked.session, asked.question, cameras, make))
    async with aclosing(made) as portions:
        async for rows in portions:
            yield rows
    with_cameras = {one.facility.id for one in cameras}
    yield [without(one) for one in places.facilities if one.id not in with_cameras]


def _camera_rows(portion: Sequence[CameraAccount]) -> list[Row]:
    places = _Places()
    return [
        (
            *places.of(one.camera.facility),
            *camera_values(one.camera),
            one.camera.shared_device_reason,
            *_camera(one),
        )
        for one in portion
    ]


def _camera(one: CameraAccount) -> Row:
    time, now = one.account.camera, one.now
    seen: Row = (None,) * 6
    if now is not None:
        seen = (*_state(now.camera), now.confirmed.state, now.confirmed.since, now.compliant)
    return (
        *_absence(one),
        *seen,
        *time.lengths,
        *percent_values(time.up, time.down, time.unknown),
        *percent_values(time.compliant, time.non_compliant, time.compliance_unknown),
    )


def _absence(one: CameraAccount) -> Row:
    if not one.account.camera.out_of_scope or not (absences := one.camera.out_of_scope):
        return None, None, None
    reason, by, why = absences[-1].value
    return reason.value, by, why


def _state(now: StateNow) -> Row:
    return now.state, now.cause, now.since


def _delivery_rows(portion: Sequence[CameraAccount]) -> list[Row]:
    places, made = _Places(), list[Row]()
    for one in portion:
        before = (*places.of(one.camera.facility), *camera_values(one.camera))
        if not one.camera.deliveries:
            made.append((*before, *_NO_DELIVERY))
        for number, (planned, time) in enumerate(zip(one.camera.deliveries, one.account.deliveries, strict=True)):
            made.append(
                (*before, *delivery_values(planned), *plan_values(planned), *_delivery(one, number, planned, time))
            )
    return made


def _delivery(one: CameraAccount, number: int, planned: Delivery, time: DeliveryDurations) -> Row:
    now = one.now
    seen: Row = (None,) * 6
    if now is not None:
        verified_at = None if planned.verified_at is None else millis(planned.verified_at)
        seen = (*_state(now.deliveries[number]), now.connected[number], verified_at, planned.delay_s)
    return (
        planned.destination.name,
        planned.enabled,
        *seen,
        *_ledger(time),
        *percent_values(time.connected, time.not_connected, time.unknown),
    )


class _Places:
    """The values of facilities, made once for all their cameras."""

    def __init__(self) -> None:
        # By identity: each version of a facility is one object, and hashing one costs as much as an account.
        self._made: dict[int, Row] = {}

    def of(self, facility: Facility) -> Row:
        found = self._made.get(id(facility))
        if found is None:
            found = self._made[id(facility)] = place_values(facility)
        return found


SOURCES = (Source(CAMERAS, camera_rows), Source(DELIVERIES, delivery_rows))
