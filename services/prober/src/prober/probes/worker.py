"""The worker's loop: fetch jobs while there is room, look, put the job back for its next turn.

The schedule is in the queue: a job put back with a delay comes back then, to whichever worker has room.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from nats.errors import Error as NatsError

from prober.domain import schedule
from prober.messaging import Announcer
from prober.metrics import Metrics
from prober.probes.look import NotNow
from prober.probes.observer import Early, Observer
from vonggac.bus import Bus, Job, JobQueue, topology
from vonggac.bus.deadletters import bury
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

FETCH_WAIT_S = 1.0
SAME_CAMERA_AGAIN_S = 1.0
AFTER_MISTAKE_S = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a worker does at a time, and when."""

    max_concurrent_probes: int
    first_look_spread_s: float
    stop_within_s: float


class Worker:
    """Fetches PROBE_JOBS until `stop`; then lets running looks finish and gives the others back."""

    def __init__(
        self,
        *,
        bus: Bus,
        observer: Observer,
        announcer: Announcer,
        metrics: Metrics,
        limits: Limits,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._bus, self._observer = bus, observer
        self._announcer, self._metrics, self._limits, self._chance = announcer, metrics, limits, chance
        self._queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
        self._jobs: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Fetch no more; `run` returns when the jobs in hand are answered for."""
        self._stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Work until `stop`. Cancelling leaves the jobs in hand to the server, which gives them out again."""
        try:
            while not self._stopping:
                room = await self._room()
                for job in await self._queue.fetch(room, wait_s=FETCH_WAIT_S) if room else []:
                    self._take(job)
            await self._finish()
        finally:
            for task in self._jobs:
                task.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)
            await self._queue.close()

    async def _room(self) -> int:
        """How many more jobs fit, at least one; 0 when stopping."""
        while len(self._jobs) >= self._limits.max_concurrent_probes and not self._stopping:
            self._changed.clear()
            await self._changed.wait()
        return 0 if self._stopping else self._limits.max_concurrent_probes - len(self._jobs)

    def _take(self, job: Job) -> None:
        task = asyncio.create_task(self._answer_for(job))
        self._jobs.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._changed.set()

    async def _finish(self) -> None:
        if not self._jobs:
            return
        _, late = await asyncio.wait(self._jobs, timeout=self._limits.stop_within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.info("probes_given_back", count=len(late))

    async def _answer_for(self, job: Job) -> None:
        try:
            outcome = "given_back" if self._stopping else await self._handle(job)
            if outcome == "given_back":
                await job.give_back()
        except asyncio.CancelledError:
            await self._put_back(job, 0.0)
            raise
        except (NatsError, TimeoutError) as error:
            # Unanswered, so the server gives the job out again after its ack wait.
            outcome = "unanswered"
            log.info("job_unanswered", subject=job.message.subject, error=type(error).__name__)
        except Exception as error:
            # One job must not stop the others.
            outcome = "failed"
            log.error("job_failed", subject=job.message.subject, exc_info=error)
            await self._put_back(job, AFTER_MISTAKE_S)
        self._metrics.jobs.labels(outcome).inc()

    async def _put_back(self, job: Job, delay_s: float) -> None:
        try:
            await job.again_in(delay_s)
        except NatsError as error:
            log.info("job_unanswered", subject=job.message.subject, error=type(error).__name__)

    async def _handle(self, job: Job) -> str:
        """What became of the job. Raises NatsError or TimeoutError when NATS is away."""
        data = job.event.data
        if isinstance(data, CameraV1 | RemovedV1) and self._observer.is_looking(data.id):
            # Changed or removed while we look: one session at a time, and its verdict comes before the removal.
            await job.again_in(SAME_CAMERA_AGAIN_S)
            return "deferred"
        if isinstance(data, CameraV1) and data.enabled:
            return await self._turn(job, data)
        if isinstance(data, CameraV1 | RemovedV1):
            removed = isinstance(data, RemovedV1)
            (self._announcer.removed if removed else self._announcer.forget)(data.id)
            await job.done()
            log.info("camera_not_watched", camera_id=str(data.id), removed=removed)
            return "retired"
        reason = f"type: {data.event_type} is no job for a prober"
        await bury(self._bus, job.message, stream=topology.PROBE_JOBS, durable=topology.PROBER, reason=reason)
        return "buried"

    async def _turn(self, job: Job, camera: CameraV1) -> str:
        delay_s = schedule.first_look_delay_s(
            deliveries=job.deliveries,
            waiting=job.message.metadata.num_pending,
            room=self._limits.max_concurrent_probes,
            interval_s=camera.probe_interval_s,
            spread_s=self._limits.first_look_spread_s,
            chance=self._chance(),
        )
        if delay_s:
            await job.again_in(delay_s)
            return "deferred"
        return await self._look(job, camera)

    async def _look(self, job: Job, camera: CameraV1) -> str:
        async def hold() -> None:
            try:
                await job.hold()
            except NatsError as error:
                # NATS is away; the look goes on, and its verdict is kept until NATS is back.
                log.info("job_not_held", subject=job.message.subject, error=type(error).__name__)

        outcome = await self._observer.observe(camera, hold=hold)
        if isinstance(outcome, Early):
            await job.again_in(outcome.by_s)
            return "cooling_down" if outcome.resting else "early"
        if isinstance(outcome, NotNow):
            await job.again_in(outcome.delay_s * (1 + self._chance()))
            return "deferred"
        await job.again_in(outcome.next_look_in_s())
        return "looked"
