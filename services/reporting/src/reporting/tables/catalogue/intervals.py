"""The lines behind the figures: states of cameras and of deliveries, interval by interval."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import NamedTuple

from reporting.domain.evidence.claims import UNKNOWN, Status, resolve
from reporting.domain.evidence.parties import add_up, divide
from reporting.domain.instants import Millis
from reporting.domain.maintenance import Window
from reporting.domain.outages import accounted
from reporting.domain.scope import Camera, Reason
from reporting.domain.segments import Period, Segment, Step, overlay, series
from reporting.domain.timeline import CameraState
from reporting.reports.accounts import PORTION, CameraHistory, histories, watch_of
from reporting.storage import history, plan
from reporting.storage.history import Stored
from reporting.storage.lives import Watch
from reporting.storage.upkeep.refusals import load_refusals
from reporting.storage.upkeep.self_checks import load_checks
from reporting.tables.catalogue.columns import CAMERA, DELIVERY, FACILITY, camera_values, delivery_values
from reporting.tables.catalogue.source import Selection, Source
from reporting.tables.stream import Portions
from reporting.tables.table import Column, Kind, Row, Table
from vonggac.events.inventory.serving import SelfCheckOutcome

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
        Column(
            "state", Kind.TEXT, "Trạng thái", "As the forwarders reported it, `unknown` where none did.", required=True
        ),
        _CAUSE,
    ),
    ("delivery_id", "interval_from"),
)


PARTIES = Table(
    "not_connected_by_party",
    "Thời gian không kết nối theo bên",
    "Time not connected, by party",
    "A row for each delivery and day on which its centre did not have the camera as it demands: who can end that. The "
    "five add up to the time that was not connected. The centre is named only on proof that it could have received.",
    (
        Column("day_from", Kind.INSTANT, "Ngày từ", "Start of the day, or of the period.", required=True),
        *_WHERE,
        *CAMERA,
        *DELIVERY,
        Column("not_connected_ms", Kind.DURATION, "Không kết nối (ms)", "All of it.", required=True),
        Column(
            "by_us_ms", Kind.DURATION, "Do hệ thống (ms)", "We stopped it, or cannot open its login.", required=True
        ),
        Column("by_centre_ms", Kind.DURATION, "Do trung tâm (ms)", "It could have received.", required=True),
        Column("by_camera_ms", Kind.DURATION, "Do camera (ms)", "The camera gave no stream.", required=True),
        Column("by_line_ms", Kind.DURATION, "Do đường truyền (ms)", "No route led to the camera.", required=True),
        Column("by_unknown_ms", Kind.DURATION, "Chưa rõ (ms)", "Nobody knows who.", required=True),
    ),
    ("day_from", "delivery_id"),
)


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


class _Reasons(NamedTuple):
    """What decides between us and a centre, by delivery."""

    checks: Mapping[str, Sequence[Segment[SelfCheckOutcome]]]
    refusals: Mapping[str, Sequence[Segment[str]]]


async def party_rows(asked: Selection) -> Portions:
    """In the order of the deliveries, day by day; days on which nothing was lost have no row."""
    session, question = asked.session, asked.question
    cameras = await _cameras(asked)
    watch = await watch_of(session, question)
    for portion in batched(cameras, PORTION):
        found = [one async for some in histories(session, question, portion, list) for one in some]
        deliveries = [planned.id for one in portion for planned in one.deliveries]
        stored = await history.stored(session, (), deliveries, *question.period, watch)
        checks = await load_checks(session, deliveries, *question.period)
        refusals = await load_refusals(session, deliveries, *question.period)
        yield await asyncio.to_thread(_of_parties, asked, found, stored, watch, _Reasons(checks, refusals))


def _of_parties(
    asked: Selection,
    found: Sequence[CameraHistory],
    stored: Stored,
    watch: Watch,
    reasons: _Reasons,
) -> list[Row]:
    question, claims, rows = asked.question, stored.claims(), list[Row]()
    days = series(question.period, Step.DAY, question.zone)
    for one in found:
        for number, planned in enumerate(one.camera.deliveries):
            if asked.only is not None and planned.id != str(asked.only):
                continue
            lost = [
                Segment(start, end, True)
                for start, end, kinds in one.moments
                if kinds.deliveries[number][0] == "not_connected"
            ]
            if not lost:
                continue
            statuses = resolve(claims.get(planned.id, ()), watch.forwarders)
            rows += [
                (day.start, *_where(one.camera), *delivery_values(planned), sum(sums), *sums)
                for day in days
                if any(
                    sums := _sums(
                        day, lost, statuses, reasons.checks.get(planned.id, ()), reasons.refusals.get(planned.id, ())
                    )
                )
            ]
    return rows


def _sums(
    day: Period,
    lost: Sequence[Segment[bool]],
    statuses: Sequence[Segment[Status]],
    checks: Sequence[Segment[SelfCheckOutcome]],
    refusals: Sequence[Segment[str]],
) -> tuple[Millis, ...]:
    """Milliseconds of each party, in the order of the table."""
    parts = divide(day, _within(day, lost), _within(day, statuses), _within(day, checks), _within(day, refusals))
    return tuple(add_up(parts).values())


def _within[T](day: Period, line: Sequence[Segment[T]]) -> list[Segment[T]]:
    return [one for one in line if one.start < day.end and one.end > day.start]


SOURCES = (
    Source(CAMERA_INTERVALS, camera_rows),
    Source(DELIVERY_INTERVALS, delivery_rows),
    Source(PARTIES, party_rows),
)
