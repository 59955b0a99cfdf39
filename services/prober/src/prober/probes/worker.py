"""The worker's loop: fetch jobs while there is room, look, publish, put the job back for its next turn.

The schedule is in the queue: a job put back with a delay comes back then, to whichever worker has room.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from nats.errors import Error as NatsError

from prober.domain import cooldown, schedule
from prober.domain.result import ProbeResult
from prober.domain.verdict import down
from prober.messaging import Announcer, CameraStatuses, StatusUnreadableError
from prober.metrics import Metrics
from prober.probes.look import Looker
from vonggac.bus import Bus, Job, JobQueue, topology
from vonggac.bus.deadletters import bury
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.events.prober import CameraObservedV1
from vonggac.telemetry import get_logger, redact

log = get_logger(__name__)

FETCH_WAIT_S = 1.0
HOLD_EVERY_S = topology.PROBE_ACK_WAIT_S / 3
GRACE_S = 3.0
"""After its deadline a probe may still decode what came and say good-bye to the camera; then it is abandoned."""
SAME_CAMERA_AGAIN_S = 1.0
AFTER_MISTAKE_S = 30.0
MAX_DETAIL = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a worker does at a time, and when."""

    max_concurrent_probes: int
    auth_cooldown_s: float
    first_look_spread_s: float
    stop_within_s: float


class Worker:
    """Fetches PROBE_JOBS until `stop`; then lets running looks finish and gives the others back."""

    def __init__(
        self,
        *,
        bus: Bus,
        worker_id: str,
        looker: Looker,
        announcer: Announcer,
        metrics: Metrics,
        limits: Limits,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._bus, self._worker_id, self._looker = bus, worker_id, looker
        self._announcer, self._metrics, self._limits, self._chance = announcer, metrics, limits, chance
        self._statuses = CameraStatuses(bus)
        self._queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
        self._jobs: set[asyncio.Task[None]] = set()
        self._looking: dict[UUID, asyncio.Task[ProbeResult]] = {}
        self._abandoned: set[asyncio.Task[ProbeResult]] = set()
        self._changed = asyncio.Event()
        self._stopping = False

    @property
    def probes_running(self) -> int:
        return len(self._looking)

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
            for task in (*self._jobs, *self._abandoned):
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
        if isinstance(data, CameraV1 | RemovedV1) and data.id in self._looking:
            # Changed or removed while we look: one session at a time, and its verdict comes before the removal.
            await job.again_in(SAME_CAMERA_AGAIN_S)
            return "deferred"
        if isinstance(data, CameraV1) and data.enabled:
            return await self._turn(job, data)
        if isinstance(data, CameraV1 | RemovedV1):
            self._announcer.forget(data.id)
            await job.done()
            log.info("camera_not_watched", camera_id=str(data.id), removed=isinstance(data, RemovedV1))
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
        previous, known = await self._previous(camera)
        started_at = datetime.now(UTC)
        left_s = cooldown.cooling_left_s(
            previous, camera_revision=camera.revision, interval_s=camera.probe_interval_s, now=started_at
        )
        if left_s is not None:
            await job.again_in(left_s)
            return "cooling_down"
        late_s = schedule.lateness_s(previous, camera_revision=camera.revision, started_at=started_at)
        if late_s is not None:
            self._metrics.lateness.observe(late_s)
        result = await self._watched(job, camera)
        interval_s = cooldown.interval_after_s(
            result.judgement.cause,
            previous=previous,
            previous_known=known,
            camera_revision=camera.revision,
            interval_s=camera.probe_interval_s,
            cooldown_s=self._limits.auth_cooldown_s,
        )
        self._report(camera, result, started_at=started_at, interval_s=interval_s)
        elapsed_s = (datetime.now(UTC) - started_at).total_seconds()
        await job.again_in(schedule.next_look_delay_s(interval_s=interval_s, elapsed_s=elapsed_s))
        return "looked"

    async def _previous(self, camera: CameraV1) -> tuple[schedule.PreviousLook | None, bool]:
        try:
            return await self._statuses.previous(camera.id), True
        except StatusUnreadableError:
            return None, False

    async def _watched(self, job: Job, camera: CameraV1) -> ProbeResult:
        """The look, its job held meanwhile; abandoned when it outlives its deadline."""
        look = asyncio.create_task(self._looker.look(camera))
        self._looking[camera.id] = look
        self._metrics.running.set(len(self._looking))
        try:
            return await self._until_deadline(job, camera, look)
        finally:
            look.cancel()
            self._looking.pop(camera.id, None)
            self._metrics.running.set(len(self._looking))

    async def _until_deadline(self, job: Job, camera: CameraV1, look: asyncio.Task[ProbeResult]) -> ProbeResult:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + camera.probe_timeout_s + GRACE_S
        while (left_s := ends_at - clock()) > 0:
            done, _ = await asyncio.wait({look}, timeout=min(HOLD_EVERY_S, left_s))
            if done:
                return look.result()
            await self._hold(job)
        self._abandoned.add(look)
        look.add_done_callback(self._abandoned.discard)
        log.error("probe_abandoned", camera_id=str(camera.id), timeout_s=camera.probe_timeout_s)
        judgement = down(Cause.TIMEOUT, f"the look was not over {GRACE_S:g} s after its deadline and was abandoned")
        return ProbeResult(judgement, camera.probe_timeout_s + GRACE_S)

    async def _hold(self, job: Job) -> None:
        try:
            await job.hold()
        except NatsError as error:
            # NATS is away; the look goes on, and its verdict is kept until NATS is back.
            log.info("job_not_held", subject=job.message.subject, error=type(error).__name__)

    def _report(self, camera: CameraV1, result: ProbeResult, *, started_at: datetime, interval_s: float) -> None:
        judgement = result.judgement
        detail = redact(judgement.detail)[:MAX_DETAIL] if judgement.detail else None
        fact = CameraObservedV1(
            camera_id=camera.id,
            camera_revision=camera.revision,
            worker_id=self._worker_id,
            observed_at=datetime.fromtimestamp(started_at.timestamp() + result.duration_s, UTC),
            verdict=judgement.verdict,
            cause=judgement.cause,
            detail=detail,
            interval_s=interval_s,
            duration_ms=round(result.duration_s * 1000, 1),
            steps=result.steps,
            media=result.media,
        )
        self._announcer.observed(fact)
        self._metrics.looked(str(camera.id), result, interval_s=interval_s)
        log.debug("camera_observed", camera_id=str(camera.id), verdict=judgement.verdict, cause=judgement.cause)
