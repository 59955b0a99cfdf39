"""The lines behind the figures: states of cameras and of deliveries, interval by interval."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import batched

from reporting.domain.evidence.claims import UNKNOWN, resolve
from reporting.domain.maintenance import Window
from reporting.domain.outages import accounted
from reporting.domain.scope import Camera, Reason
from reporting.domain.segments import overlay
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import PORTION, watch_of
from reporting.storage import history, plan
from reporting.storage.history import Stored
from reporting.storage.lives import Watch
from reporting.tables.catalogue.columns import CAMERA, DELIVERY, FACILITY, camera_values, delivery_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table

_WHERE = FACILITY[:2]
_INTERVAL = (
    Column("interval_from", Kind.INSTANT, "Bắt đầu", "Start, included; cut to the period.", required=True),
    Column("interval_to", Kind.INSTANT, "Kết thúc", "End, excluded; cut to the period.", required=True),
    Column("interval_ms", Kind.DURATION, "Độ dài (ms)", "Its length.", required=True),
)
_CAUSE = Column("cause", Kind.TEXT, "Nguyên nhân", "Why, where the state has a cause.")
CAMERA_INTERVALS = Table(
    "camera_intervals",
    "Khoảng trạng thái camera",
    "Intervals of cameras",
    "A row for each interval of each camera, without gap or overlap: those of a camera fill the period.",
    (
        *_WHERE,
        *CAMERA,
        *_INTERVAL,
        Column("state", Kind.TEXT, "Trạng thái", "What it was.", choices=[*CameraState], required=True),
        _CAUSE,
    ),
    ("camera_id", "interval_from"),
)
DELIVERY_INTERVALS = Table(
    "delivery_intervals",
    "Khoảng trạng thái kết nối",
    "Intervals of deliveries",
    "A row for each interval of each delivery, without gap or overlap: those of a delivery fill the period.",
    (
        *_WHERE,
        *CAMERA,
        *DELIVERY,
        *_INTERVAL,
        Column("state", Kind.TEXT, "Trạng thái", "As the forwarders reported it, `unknown` where none did.",
               required=True),
        _CAUSE,
    ),
    ("delivery_id", "interval_from"),
)  # fmt: skip


async def camera_rows(asked: Selection) -> Portions:
    """In the order of the cameras, oldest first."""
    session, question = asked.session, asked.question
    cameras = await _cameras(asked)
    watch = await watch_of(session, question)
    windows = await history.maintenance(session, *question.period)
    for portion in batched(cameras, PORTION):
        stored = await history.stored(session, [one.id for one in portion], (), *question.period, watch)
        yield await asyncio.to_thread(_of_cameras, asked, portion, stored, watch, windows)


def _of_cameras(
    asked: Selection, portion: Sequence[Camera], stored: Stored, watch: Watch, windows: Mapping[str, list[Window]]
) -> list[Row]:
    lines, period = stored.lines(watch), asked.question.period
    return [
        (*_where(one), start, end, end - start, state.value, cause)
        for one in portion
        for start, end, (state, cause, *_) in accounted(
            period, lines.get(one.id, ()), history.maintenance_of(windows, one), one.absences
        )
        if cause != Reason.ELSEWHERE
    ]


async def _cameras(asked: Selection) -> list[Camera]:
    """Those asked for: all, or the one that `only` is, or that has the delivery that it is."""
    found = await plan.cameras(asked.session, await plan.places(asked.session, asked.scope, asked.question.period))
    if asked.only is None:
        return found
    only = str(asked.only)
    return [one for one in found if one.id == only or any(planned.id == only for planned in one.deliveries)]


def _where(camera: Camera) -> Row:
    return str(camera.facility.id), camera.facility.code, *camera_values(camera)


async def delivery_rows(asked: Selection) -> Portions:
    """In the order of the deliveries, oldest first."""
    session, question = asked.session, asked.question
    cameras = await _cameras(asked)
    watch = await watch_of(session, question)
    for portion in batched(cameras, PORTION):
        deliveries = [planned.id for one in portion for planned in one.deliveries]
        stored = await history.stored(session, (), deliveries, *question.period, watch)
        yield await asyncio.to_thread(_of_deliveries, asked, portion, stored, watch)


def _of_deliveries(asked: Selection, portion: Sequence[Camera], stored: Stored, watch: Watch) -> list[Row]:
    claims, rows = stored.claims(), list[Row]()
    for one in portion:
        for planned in one.deliveries:
            if asked.only is not None and planned.id != str(asked.only):
                continue
            named = (*_where(one), *delivery_values(planned))
            line = resolve(claims.get(planned.id, ()), watch.forwarders)
            for start, end, (status,) in overlay(asked.question.period, [line]):
                state, cause = (UNKNOWN, None) if status is None else (status.state, status.cause)
                rows.append((*named, start, end, end - start, state, cause))
    return rows


SOURCES = (Source(CAMERA_INTERVALS, camera_rows), Source(DELIVERY_INTERVALS, delivery_rows))
