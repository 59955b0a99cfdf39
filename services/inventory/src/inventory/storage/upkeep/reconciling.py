"""Finds jobs that are lost and republishes their cameras (decision 0030). One process owns it, by a lease."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
from nats.errors import Error as NatsError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from inventory.domain.reconciling import Queue, expected_queues, is_unseen, may_republish, missing_queues
from inventory.messaging import JobBoard
from inventory.metrics import Metrics
from inventory.storage.states import camera_plans
from inventory.storage.tables import Camera
from inventory.storage.upkeep.republishing import republish_cameras
from vonggac.bus import Bus
from vonggac.bus.keyvalue import Lease
from vonggac.database import Database, is_away
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

LEASE_NAME = "reconciler"
CHECKED_AT_ONCE = 500
"""Cameras whose statuses are read in a round: a province of 20,000 is gone through in ten minutes."""
REPUBLISHED_AT_ONCE = 200
NAMED_IN_LOG = 5


class _OnRecord(NamedTuple):
    """A camera on record."""

    id: UUID
    revision: int


class Reconciler:
    """`run` until cancelled, in every inventory process; `run_round` is one round of the owner."""

    def __init__(self, database: Database, metrics: Metrics, *, every_s: float) -> None:
        self._database, self._metrics, self._every_s = database, metrics, every_s
        self._holder = f"inventory-{uuid4().hex[:12]}"
        self._missing: dict[UUID, frozenset[Queue]] = {}
        """By camera, as the round before found it."""
        self._settled: dict[UUID, tuple[int, frozenset[Queue]]] = {}
        """Cameras whose jobs are as they should be: at which revision, with which jobs."""
        self._republished_at: dict[UUID, datetime] = {}
        self._owner_since: datetime | None = None
        self._next = 0

    async def run(self, bus: Bus) -> None:
        """Search for lost jobs while the lease is ours. Raises only bugs."""
        lease = Lease(bus, LEASE_NAME, self._holder)
        try:
            while True:
                await self._run_round_if_owner(bus, lease)
                await asyncio.sleep(self._every_s)
        finally:
            if self._owner_since is not None and bus.connected:
                await _release(lease)

    async def _run_round_if_owner(self, bus: Bus, lease: Lease) -> None:
        try:
            if not (bus.connected and await lease.renew()) or (now := await lease.server_time()) is None:
                self._owner_since = None
                self._metrics.reconciler_owner.set(0)
                return
            self._metrics.reconciler_owner.set(1)
            await self.run_round(JobBoard(bus), now)
        except (NatsError, TimeoutError, PoolTimeoutError, OSError) as error:
            log.info("jobs_not_reconciled", error=type(error).__name__)
        except (DBAPIError, psycopg.OperationalError) as error:
            if not is_away(error):
                raise
            cause = error.orig if isinstance(error, DBAPIError) else error
            log.info("jobs_not_reconciled", error=type(cause).__name__)

    async def run_round(self, board: JobBoard, now: datetime) -> int:
        """Republish cameras and count them. `now` by the server's clock. Raises what NATS and PostgreSQL raise."""
        self._owner_since = self._owner_since or now
        async with self._database.transaction() as session:
            cameras = [_OnRecord(*row) for row in await session.execute(select(Camera.id, Camera.revision))]
        jobs = {queue: await board.camera_ids(queue) for queue in Queue}
        lost = await self._find_missing(cameras, jobs)
        for camera_id, queues in (await self._find_unseen(board, cameras, now)).items():
            lost[camera_id] = lost.get(camera_id, frozenset()) | queues
        known = {camera.id for camera in cameras}
        self._republished_at = {key: at for key, at in self._republished_at.items() if key in known}
        due = (each for each in lost if may_republish(self._republished_at.get(each), now=now))
        return await self._republish({each: lost[each] for each in islice(due, REPUBLISHED_AT_ONCE)}, now)

    async def _republish(self, lost: Mapping[UUID, frozenset[Queue]], now: datetime) -> int:
        if not lost:
            return 0
        count = await republish_cameras(self._database, lost)
        self._republished_at.update(dict.fromkeys(lost, now))
        queues = Counter(queue for found in lost.values() for queue in found)
        for queue, number in queues.items():
            self._metrics.jobs_republished.labels(queue.value).inc(number)
        named = [str(camera_id) for camera_id in islice(lost, NAMED_IN_LOG)]
        log.warning("jobs_republished", count=count, queues={key.value: n for key, n in queues.items()}, cameras=named)
        return count

    async def _find_missing(
        self, cameras: Sequence[_OnRecord], jobs: Mapping[Queue, Collection[str]]
    ) -> dict[UUID, frozenset[Queue]]:
        present = {camera: frozenset(queue for queue in Queue if str(camera.id) in jobs[queue]) for camera in cameras}
        doubtful = [
            camera
            for camera, queues in present.items()
            if len(queues) < len(Queue) and self._settled.get(camera.id) != (camera.revision, queues)
        ]
        before, self._missing = self._missing, {}
        known = {camera.id for camera in cameras}
        self._settled = {key: value for key, value in self._settled.items() if key in known}
        by_id = {camera.id: present[camera] for camera in doubtful}
        lost = {}
        # One by one: after an import there are twenty thousand.
        async for plan in self._plans(by_id):
            expected, queues = expected_queues(plan), by_id[plan.id]
            if expected <= queues:
                self._settled[plan.id] = (plan.revision, queues)
                continue
            self._missing[plan.id] = expected - queues
            if found := missing_queues(expected, queues, before.get(plan.id, frozenset())):
                lost[plan.id] = found
        return lost

    async def _find_unseen(
        self, board: JobBoard, cameras: Sequence[_OnRecord], now: datetime
    ) -> dict[UUID, frozenset[Queue]]:
        workers = await board.workers()
        watched = {queue for queue in Queue if await board.watched(queue, workers)}
        if not watched or not cameras:
            return {}
        assert self._owner_since is not None
        unseen = {}
        # Their transaction ends before the bus is asked.
        for plan in [plan async for plan in self._plans(self._next_slice(cameras))]:
            found = set()
            for queue in expected_queues(plan) & watched:
                seen = await board.last_seen(queue, plan, workers, now)
                if is_unseen(plan, queue, seen, watched_since=self._owner_since, now=now):
                    found.add(queue)
            if found:
                unseen[plan.id] = frozenset(found)
        return unseen

    def _next_slice(self, cameras: Sequence[_OnRecord]) -> list[UUID]:
        ids = sorted(camera.id for camera in cameras)
        begin = self._next if self._next < len(ids) else 0
        self._next = begin + CHECKED_AT_ONCE
        return ids[begin : self._next]

    async def _plans(self, camera_ids: Collection[UUID]) -> AsyncIterator[CameraV1]:
        async with self._database.transaction() as session:
            async for plans in camera_plans(session, camera_ids):
                for plan in plans:
                    yield plan.payload


async def _release(lease: Lease) -> None:
    try:
        await lease.release()
    except (NatsError, TimeoutError, OSError) as error:
        log.debug("lease_not_released", error=type(error).__name__)
