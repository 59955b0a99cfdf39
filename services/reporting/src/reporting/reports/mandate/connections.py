"""Since when each facility was first connected to both centres for good: ten unbroken minutes, by the accounts' rules.

The past is read in stretches that double, from the first day on that anybody watched; a facility that is found drops
out, and days on which the ledger bars it are passed over. So a province that connected in its first weeks, and
facilities that never did, cost the same after years.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from reporting.domain.evidence.claims import resolve
from reporting.domain.evidence.lives import presumption
from reporting.domain.instants import Millis
from reporting.domain.ledger import day_of, midnight
from reporting.domain.maintenance import Window
from reporting.domain.mandate.connection import SUSTAINED, compliant_line, needed, sustained_since
from reporting.domain.partition import DeliveryLine
from reporting.domain.scope import Camera, Reason
from reporting.domain.segments import Period, Segment
from reporting.reports.accounts import demanding
from reporting.reports.mandate.barred_days import NOTHING_BARRED, BarredDays, barred_days
from reporting.reports.portions import Portions
from reporting.storage import history, lives, plan
from reporting.storage.history import Stored
from reporting.storage.lives import Watch
from reporting.storage.mandate import lifecycle
from vonggac.events.inventory import DestinationRole

FIRST_STRETCH: Millis = 86_400_000
FEWEST, MOST = 10, 500
"""Cameras whose history is in memory at once."""
_ROLES: Mapping[str | None, DestinationRole] = {role.value: role for role in DestinationRole}


class Scoped(NamedTuple):
    """Of one camera at one facility: when it was in scope, and when it was up and at both centres."""

    counted: list[Segment[bool]]
    connected: list[Segment[bool]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was read of one stretch of time for some cameras."""

    period: Period
    stored: Stored
    watch: Watch
    windows: Mapping[str, list[Window]]


async def first_connected(
    session: AsyncSession,
    facility_ids: Sequence[UUID],
    until: Millis,
    grace: Millis,
    areas: Mapping[str, str | None],
    *,
    since: Millis | None = None,
) -> dict[UUID, Millis]:
    """Find the instant of each facility; one that was not connected by `until` is not in it.

    `grace`: as `presumed_alive_ms` of a Question. `areas`: what each camera watches, by its id. `since`: what was
    before does not count.
    """
    missing, found = set(facility_ids), dict[UUID, Millis]()
    begin = await lifecycle.first_watched(session, list(missing), until)
    if begin is not None and since is not None:
        begin = max(begin, since)
    barred, length = NOTHING_BARRED, FIRST_STRETCH
    while begin is not None and missing and (begin := _passed_over(barred, missing, begin)) < until:
        period = _next_stretch(barred, begin, length, until)
        first, last = day_of(period.start), day_of(period.end - 1)
        wanted = {one for one in missing if barred.open_from(one, first) <= last}
        alive_ms = presumption(grace, period.end, until)
        for facility_id, instant in (await _stretch(session, period, wanted, alive_ms, areas)).items():
            found[facility_id] = instant
            missing.discard(facility_id)
        if period.end >= until:
            break
        if barred is NOTHING_BARRED:
            # Most are found at once: the ledger is asked for the others only.
            barred = await barred_days(session, missing, areas)
        # A stretch of connection that began shortly before the end is seen whole in the next one.
        begin, length = period.end - SUSTAINED, length * 2
    return found


def _passed_over(barred: BarredDays, missing: Iterable[UUID], begin: Millis) -> Millis:
    """Where to read on: what holds for SUSTAINED may begin so long before a day that is not barred."""
    day = day_of(begin)
    opened = min(barred.open_from(one, day) for one in missing)
    return begin if opened == day else max(begin, midnight(opened) - SUSTAINED)


def _next_stretch(barred: BarredDays, begin: Millis, length: Millis, until: Millis) -> Period:
    """Cut the next stretch: what the ledger does not have yet, where nothing is barred, is a stretch of its own."""
    end = min(begin + length, until)
    closed_at = None if barred.closed is None else midnight(barred.closed)
    return Period(begin, end if closed_at is None or begin >= closed_at - SUSTAINED else min(end, closed_at))


async def _stretch(
    session: AsyncSession, period: Period, missing: set[UUID], grace: Millis, areas: Mapping[str, str | None]
) -> dict[UUID, Millis]:
    # A scope of these facilities: a camera that stood at one of them and then moved away is among its cameras.
    places = await plan.places(session, plan.Scope(visible=frozenset(missing)), period)
    cameras = await plan.cameras(session, places)
    watch = await lives.watch(session, period.start, period.end, grace)
    windows = await history.maintenance(session, period.start, period.end)
    rule_since = await history.rule_holds_from(session)
    by_facility: dict[UUID, list[tuple[str | None, Scoped]]] = {}
    portions = Portions(cameras, fewest=FEWEST, most=MOST)
    for portion in portions:
        ids = [one.id for one in portion]
        deliveries = [planned.id for one in portion for planned in one.deliveries]
        stored = await history.stored(session, ids, deliveries, period.start, period.end, watch)
        read_backs = await history.load_read_backs(
            session, deliveries, demanding(portion), period.start, period.end, rule_since
        )
        stored = stored._replace(read_backs=read_backs)
        portions.had(stored.rows)
        material = Found(period, stored, watch, windows)
        for facility_id, camera_id, line in await asyncio.to_thread(_lines, material, portion):
            by_facility.setdefault(facility_id, []).append((areas.get(camera_id), line))
    result: dict[UUID, Millis] = {}
    for facility_id, lines in by_facility.items():
        instant = sustained_since(period, [(line.counted, line.connected) for line in needed(lines)])
        if instant is not None and facility_id in missing:
            result[facility_id] = instant
    return result


def _lines(found: Found, portion: Sequence[Camera]) -> list[tuple[UUID, str, Scoped]]:
    """Facility, camera and line, for each facility that a camera stood at."""
    seen, claims, proven = found.stored.lines(found.watch), found.stored.claims(), found.stored.proven(found.watch)
    unproven = found.stored.unproven
    result: list[tuple[UUID, str, Scoped]] = []
    for camera in portion:
        stationed: dict[UUID, Scoped] = {}
        for start, end, piece in camera.pieces:
            if piece.absence is not None:
                if piece.absence.reason is Reason.BEING_CONNECTED:
                    # It is one of those that have to be connected, and is not yet.
                    stationed.setdefault(piece.facility.id, Scoped([], [])).counted.append(Segment(start, end, True))
                continue
            lines = [
                DeliveryLine(
                    _ROLES.get(one.role),
                    one.required_proof,
                    one.enabled,
                    resolve(claims.get(one.id, ()), found.watch.forwarders),
                    proven.get(one.id, unproven),
                )
                for one in piece.deliveries
            ]
            agreed = history.maintenance_line(found.windows, camera.id, piece.facility.id)
            line = compliant_line(Period(start, end), seen.get(camera.id, ()), lines, agreed)
            there = stationed.setdefault(piece.facility.id, Scoped([], []))
            there.counted.append(Segment(start, end, True))
            there.connected.extend(line)
        result += [(facility_id, camera.id, scoped) for facility_id, scoped in stationed.items()]
    return result
