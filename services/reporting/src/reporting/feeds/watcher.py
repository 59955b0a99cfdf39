"""Notices what is new: outages of cameras, faults of sites, overdue obligations, frozen reports that evidence flags.

Every few seconds, in one transaction: read what is known, compare it with what was published, write the difference and
the position. So a notice is written with the state that it follows from, and a watch that was down catches up. Of
several replicas one watches at a time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from reporting import metrics
from reporting.domain.instants import Millis, duration, millis, moment
from reporting.domain.outages import accounted, outages
from reporting.domain.scope import Camera
from reporting.domain.segments import Period
from reporting.domain.timeline import CameraState
from reporting.feeds.changes import Closed, Found, Noticed, Opened, changes
from reporting.reports.accounts import Question, watch_of
from reporting.reports.portions import Portions
from reporting.settings import Settings
from reporting.storage import history, plan
from reporting.storage.availability import after_freezing
from reporting.storage.history import SiteFault
from reporting.storage.sending import notices, watched
from reporting.storage.sending.notices import Notice
from vonggac.database import Database
from vonggac.events.reporting import (
    AfterOutage,
    OutageClosedV1,
    OutageOpenedV1,
    ReportFlaggedV1,
    SiteFaultClosedV1,
    SiteFaultOpenedV1,
)
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WATCH_EVERY_S = 10.0
"""Between two checks for new outages, site faults and overdue obligations."""

MARGIN_MS: Millis = 600_000
"""Evidence that is later than this still changes the figures, and publishes nothing about an outage that is over."""
BACK_MS: Millis = 86_400_000
"""How far back the beginning of an outage is read; one that may have begun earlier says so."""
FEWEST, MOST = 10, 50
"""Cameras whose history is in memory at once: when a centre fails, all of a province may be down."""

type Duties = Callable[[AsyncSession, datetime], Awaitable[Sequence[Notice]]]
"""Notices of the obligations that are overdue at an instant."""


class Watcher:
    """The task that notices. `clock` gives aware UTC; `wake` is called after each transaction that wrote notices."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        duties: Duties,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._settings, self._duties = database, settings, duties
        self._wake, self._clock = wake, clock

    async def run(self, ready: asyncio.Event) -> None:
        """Watch from `ready` on until cancelled; raises only bugs."""
        await ready.wait()
        while True:
            try:
                await self.check()
            except (SQLAlchemyError, OSError) as error:
                log.warning("watch_failed", error=type(error).__name__)
            await asyncio.sleep(WATCH_EVERY_S)

    async def check(self) -> int:
        """Notice once; returns how many notices were written. Raises what PostgreSQL raises."""
        now = self._clock()
        with metrics.WATCH_SECONDS.time():
            async with self._database.transaction() as session:
                if not await watched.try_lock(session):
                    return 0
                until = await watched.watched_until(session)
                # The first time: what is over is no news.
                since = millis(now) if until is None else min(until, millis(now))
                kept = now - timedelta(days=self._settings.notices_kept_days)
                found = [*await self._outages(session, now, since), *await _site_faults(session, now, since)]
                found += await _faults_over_late(session, now, since, kept)
                found += [*await self._duties(session, now), *await _flagged(session, now, since)]
                written = await notices.append(session, found, now)
                await watched.keep_position(session, millis(now))
        if written:
            log.info("notices_written", count=written)
            self._wake()
        return written

    async def _outages(self, session: AsyncSession, now: datetime, since: Millis) -> list[Notice]:
        at = millis(now)
        noticed = await watched.outages(session, since - MARGIN_MS - BACK_MS)
        begun = {key: millis(row.began_at) for key, rows in noticed.items() for row in rows if row.ended_at is None}
        wanted = {*begun, *await history.cameras_down(session, since - MARGIN_MS, at)}
        if not wanted:
            return []
        # From before the oldest one that is open, but not for ever back: then it may have begun earlier.
        start = min(since - MARGIN_MS, max(min(begun.values(), default=at) - 1, at - BACK_MS))
        found = await self._changes(session, Period(start, at), wanted, noticed, since)
        if start > at - BACK_MS and any(_began_before(change) for _, change in found[1]):
            found = await self._changes(session, Period(at - BACK_MS, at), wanted, noticed, since)
        there, changed = found
        result: list[Notice] = []
        for camera, change in changed:
            result += await _written(session, camera, change, now)
        for camera_id in sorted(begun.keys() - there):
            result += [await _gone(session, row, start, now) for row in noticed[camera_id] if row.ended_at is None]
        return result

    async def _changes(
        self, session: AsyncSession, period: Period, wanted: set[str], noticed: Mapping[str, list[Any]], since: Millis
    ) -> tuple[set[str], list[tuple[Camera, Opened | Closed]]]:
        """Ids of the cameras that are still there, and what is new of them."""
        question = Question(period, period.end, duration(self._settings.presumed_alive_s))
        confirmed = await _confirmed(session, question, wanted)
        changed = [
            (camera, change)
            for camera, found in confirmed
            for change in changes([_noticed(row) for row in noticed.get(camera.id, ())], found, since)
        ]
        return {camera.id for camera, _ in confirmed}, changed


def _began_before(change: Opened | Closed) -> bool:
    return isinstance(change, Opened) and change.found.outage.began_before


async def _confirmed(session: AsyncSession, question: Question, wanted: set[str]) -> list[tuple[Camera, list[Found]]]:
    """Find the confirmed outages of these cameras, each with what followed it."""
    start, end = question.period
    places = await plan.places(session, plan.Scope(), question.period)
    here = await watched.facilities_of(session, wanted)
    narrowed = places._replace(facilities=[one for one in places.facilities if one.id in here])
    cameras = [one for one in await plan.cameras(session, narrowed) if one.id in wanted]
    watch = await watch_of(session, question)
    windows = await history.maintenance(session, start, end)

    def compute(some: Sequence[Camera], stored: history.Stored) -> list[tuple[Camera, list[Found]]]:
        lines = stored.lines(watch)
        result = []
        for camera in some:
            line, agreed = lines.get(camera.id, ()), history.maintenance_of(windows, camera)
            known = outages(question.period, line, agreed, question.now, camera.absences)
            states = {one.start: one.value.state for one in accounted(question.period, line, agreed, camera.absences)}
            found = [Found(one, None if one.ongoing else _after(states.get(one.end))) for one in known if one.confirmed]
            result.append((camera, found))
        return result

    confirmed = []
    portions = Portions(cameras, fewest=FEWEST, most=MOST)
    for some in portions:
        stored = await history.stored(session, [one.id for one in some], (), start, end, watch)
        portions.had(stored.rows)
        confirmed += await asyncio.to_thread(compute, some, stored)
    return confirmed


_AFTER = {
    CameraState.UP: AfterOutage.UP,
    CameraState.MAINTENANCE: AfterOutage.MAINTENANCE,
    CameraState.OUT_OF_SCOPE: AfterOutage.OUT_OF_SCOPE,
}


def _after(state: CameraState | None) -> AfterOutage:
    return AfterOutage.UNKNOWN if state is None else _AFTER.get(state, AfterOutage.UNKNOWN)


def _noticed(row: Any) -> Noticed:
    return Noticed(row.id, millis(row.began_at), None if row.ended_at is None else millis(row.ended_at))


async def _written(session: AsyncSession, camera: Camera, change: Opened | Closed, now: datetime) -> list[Notice]:
    """Keep the change, and the notices of it."""
    if isinstance(change, Opened):
        outage_id, found = uuid4(), change.found
        opened = _opened(outage_id, camera, found)
        row = {
            "id": outage_id,
            "camera_id": UUID(camera.id),
            "camera_code": camera.code,
            "facility_id": camera.facility.id,
            "facility_code": camera.facility.code,
            "began_at": opened.began_at,
            "began_before": found.outage.began_before,
            "ended_at": None if found.followed_by is None else moment(found.outage.end),
            "causes": list(found.outage.causes),
            "noticed_at": now,
        }
        await watched.add_outages(session, [row])
        written = [Notice("outage", opened.camera_id, f"{outage_id}:opened", now, opened)]
        if found.followed_by is not None:
            written.append(_closed(outage_id, camera, found.outage.start, found, now))
        return written
    notice = _closed(change.noticed.id, camera, change.start, change.found, now)
    closed = notice.data
    assert isinstance(closed, OutageClosedV1)
    values = {"began_at": closed.began_at, "ended_at": closed.ended_at, "causes": list(closed.causes)}
    await watched.change_outage(session, change.noticed.id, values)
    return [notice]


def _opened(outage_id: UUID, camera: Camera, found: Found) -> OutageOpenedV1:
    causes = found.outage.causes
    return OutageOpenedV1(
        outage_id=outage_id,
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        facility_id=camera.facility.id,
        facility_code=camera.facility.code,
        began_at=moment(found.outage.start),
        began_before=found.outage.began_before,
        cause=causes[0] if causes else None,
    )


def _closed(outage_id: UUID, camera: Camera, start: Millis, found: Found | None, now: datetime) -> Notice:
    end = start if found is None else found.outage.end
    closed = OutageClosedV1(
        outage_id=outage_id,
        camera_id=UUID(camera.id),
        camera_code=camera.code,
        facility_id=camera.facility.id,
        facility_code=camera.facility.code,
        began_at=moment(start),
        ended_at=moment(end),
        duration_ms=end - start,
        causes=() if found is None else found.outage.causes,
        followed_by=AfterOutage.UNKNOWN if found is None else found.followed_by or AfterOutage.UNKNOWN,
        retracted=found is None,
    )
    return Notice("outage", closed.camera_id, f"{outage_id}:closed", now, closed)


async def _gone(session: AsyncSession, row: Any, start: Millis, now: datetime) -> Notice:
    """Record the end of an outage whose camera left the register before `start`, while nobody watched."""
    end = max(millis(row.began_at), start)
    await watched.change_outage(session, row.id, {"ended_at": moment(end)})
    closed = OutageClosedV1(
        outage_id=row.id,
        camera_id=row.camera_id,
        camera_code=row.camera_code,
        facility_id=row.facility_id,
        facility_code=row.facility_code,
        began_at=row.began_at,
        ended_at=moment(end),
        duration_ms=end - millis(row.began_at),
        causes=tuple(row.causes),
        followed_by=AfterOutage.OUT_OF_SCOPE,
    )
    return Notice("outage", row.camera_id, f"{row.id}:closed", now, closed)


async def _site_faults(session: AsyncSession, now: datetime, since: Millis) -> list[Notice]:
    """Faults of sites that go on or ended lately; what was published before is not written again."""
    at = millis(now)
    faults = await history.site_faults(session, since - MARGIN_MS, at + 1)
    codes = await _facility_codes(session, at) if faults else {}
    result: list[Notice] = []
    for fault in reversed(faults):
        result += _fault_notices(fault, codes.get(fault.facility_id), now)
    return result


async def _faults_over_late(session: AsyncSession, now: datetime, since: Millis, kept: datetime) -> list[Notice]:
    """Publish ends that are heard of long after they were, of faults that were published as open."""
    over = await history.site_faults_over(session, millis(kept), since - MARGIN_MS)
    keys = {_fault_key(facility_id, began_at): began_at for facility_id, began_at in over}
    open_ = await notices.unanswered(session, SiteFaultOpenedV1.event_type, SiteFaultClosedV1.event_type, keys)
    if not open_:
        return []
    began = [keys[key] for key in open_]
    codes, result = await _facility_codes(session, millis(now)), list[Notice]()
    for fault in await history.site_faults(session, min(began), max(began) + 1):
        if _fault_key(fault.facility_id, fault.began_at) in open_:
            result += _fault_notices(fault, codes.get(fault.facility_id), now)[1:]
    return result


def _fault_key(facility_id: UUID, began_at: Millis) -> str:
    return f"{facility_id}:{began_at}"


def _fault_notices(fault: SiteFault, facility_code: str | None, now: datetime) -> list[Notice]:
    """Its beginning, and its end if it is over."""
    stated: dict[str, Any] = {
        "facility_id": fault.facility_id,
        "facility_code": facility_code,
        "cause": fault.cause,
        "camera_ids": tuple(UUID(one) for one in sorted(fault.camera_ids)),
        "began_at": moment(fault.began_at),
    }
    key = _fault_key(fault.facility_id, fault.began_at)
    opened = Notice("site", fault.facility_id, key, now, SiteFaultOpenedV1(**stated))
    if fault.ended_at is None:
        return [opened]
    closed = SiteFaultClosedV1(**stated, ended_at=moment(fault.ended_at))
    return [opened, Notice("site", fault.facility_id, key, now, closed)]


async def _facility_codes(session: AsyncSession, at: Millis) -> dict[UUID, str]:
    places = await plan.places(session, plan.Scope(), Period(at - 1, at))
    return {one.id: one.code for one in places.facilities}


async def _flagged(session: AsyncSession, now: datetime, since: Millis) -> list[Notice]:
    """Frozen reports that late evidence flags, once until somebody has checked them."""
    found = await after_freezing.unpublished(session, since - MARGIN_MS)
    if found:
        await after_freezing.published(session, [row.number for row in found])
    result: list[Notice] = []
    for row in found:
        flagged = ReportFlaggedV1(
            report_id=row.id,
            version=row.version,
            since=row.since,
            what=tuple(row.what),
            cameras=row.cameras,
            any_camera=row.whole,
        )
        result.append(Notice("report", row.id, f"{row.id}:{row.version}:{row.seen_mark}", now, flagged))
    return result
