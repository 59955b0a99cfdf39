"""Handles a job of PROBE_JOBS: probes the camera, and puts the job back until its next probe."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from prober.domain import schedule
from prober.messaging import Announcer
from prober.metrics import Metrics
from prober.probes.camera.observer import Early, Observer
from prober.probes.camera.prober import NotNow
from prober.probes.camera.recent_observations import Handout
from prober.probes.job_loop import JobLimits, JobLoop, keep_job
from vonggac.bus import Bus, Job
from vonggac.bus.dead_letters import dead_letter
from vonggac.bus.declared import topology
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

SAME_CAMERA_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a worker does at a time, and when."""

    max_concurrent_probes: int
    first_probe_spread_s: float
    stop_within_s: float


class Worker:
    """Fetches PROBE_JOBS until `stop`; then lets running probes finish and gives the others back."""

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
        self._announcer, self._limits, self._chance = announcer, limits, chance
        self._loop = JobLoop(
            bus,
            stream=topology.PROBE_JOBS,
            durable=topology.PROBER,
            handle=self._handle,
            limits=JobLimits(limits.max_concurrent_probes, limits.stop_within_s),
            outcomes=metrics.jobs,
        )

    def stop(self) -> None:
        """Fetch no more; `run` returns when the jobs in hand are answered for."""
        self._loop.stop()

    async def run(self) -> None:
        """Work until `stop`. Cancelling leaves the jobs in hand to the server, which gives them out again."""
        await self._loop.run()

    async def _handle(self, job: Job) -> str:
        """Handle a job, and return what became of it. Raises NatsError or TimeoutError when NATS is away."""
        data = job.event.data
        if isinstance(data, CameraV1 | RemovedV1) and self._observer.is_probing(data.id):
            # Changed or removed while it is probed: one session at a time, and nothing of it is published afterwards.
            if isinstance(data, RemovedV1) or not data.in_service:
                self._observer.abandon(data.id)
            await job.postpone(SAME_CAMERA_AGAIN_S)
            return "deferred"
        if isinstance(data, CameraV1) and data.in_service:
            return await self._probe_when_due(job, data)
        if isinstance(data, CameraV1 | RemovedV1):
            await self._observer.lock.announce_removed(data.id)
            removed = isinstance(data, RemovedV1)
            (self._announcer.remove_camera if removed else self._announcer.remove_status)(data.id)
            await job.complete()
            log.info("camera_not_watched", camera_id=str(data.id), removed=removed)
            return "retired"
        reason = f"type: {data.event_type} is no job for a prober"
        await dead_letter(self._bus, job.message, stream=topology.PROBE_JOBS, durable=topology.PROBER, reason=reason)
        return "dead_lettered"

    async def _probe_when_due(self, job: Job, camera: CameraV1) -> str:
        delay_s = schedule.first_probe_delay_s(
            deliveries=job.deliveries,
            waiting=job.message.metadata.num_pending,
            room=self._limits.max_concurrent_probes,
            interval_s=camera.probe_interval_s,
            spread_s=self._limits.first_probe_spread_s,
            chance=self._chance(),
        )
        if delay_s:
            await job.postpone(delay_s)
            return "deferred"
        return await self._probe(job, camera)

    async def _probe(self, job: Job, camera: CameraV1) -> str:
        handout = Handout(job.stream_sequence, job.deliveries)
        outcome = await self._observer.observe(
            camera, hold=partial(keep_job, job), handout=handout, on_silent=self._loop.set_aside
        )
        if isinstance(outcome, Early):
            await job.postpone(outcome.by_s)
            return "cooling_down" if outcome.resting else "early"
        if isinstance(outcome, NotNow):
            await job.postpone(outcome.delay_s * (1 + self._chance()))
            return "deferred"
        await job.postpone(outcome.next_probe_in_s())
        return "probed"
