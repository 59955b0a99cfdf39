"""What becomes of a job of VERIFY_JOBS: the camera's deliveries are read back, addresses that centres pull from are
checked, and the job is put back."""

import random
from collections.abc import Callable
from functools import partial

from prober.domain.self_check import WAITING_AGAIN_S
from prober.metrics import ReadBackMetrics
from prober.probes.job_loop import JobLimits, JobLoop, keep_job
from prober.probes.verification.scheduler import Verifications, to_read_back
from prober.probes.verification.self_check import SelfChecks
from vonggac.bus import Bus, Job
from vonggac.bus.dead_letters import dead_letter
from vonggac.bus.declared import topology
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

FIRST_ROUND_WITHIN_S = 2.0
"""A new camera needs a moment until it is forwarded, and a herd of them is spread a little."""
SAME_CAMERA_AGAIN_S = 1.0
FIRST_ROUNDS = 3
"""Of a changed camera, in which what is no longer read back is withdrawn; NATS may be away at one of them."""


class VerifyWorker:
    """Fetches VERIFY_JOBS until `stop`; then lets running read-backs finish and gives the others back."""

    def __init__(
        self,
        *,
        bus: Bus,
        verifications: Verifications,
        self_checks: SelfChecks,
        metrics: ReadBackMetrics,
        limits: JobLimits,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._bus, self._verifications, self._self_checks, self._chance = bus, verifications, self_checks, chance
        self._loop = JobLoop(
            bus,
            stream=topology.VERIFY_JOBS,
            durable=topology.VERIFIER,
            handle=self._handle,
            limits=limits,
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
        if isinstance(data, CameraV1 | RemovedV1) and self._is_busy(data):
            await job.postpone(SAME_CAMERA_AGAIN_S)
            return "deferred"
        if isinstance(data, CameraV1):
            return await self._verify_when_due(job, data)
        if isinstance(data, RemovedV1):
            await job.complete()
            return "retired"
        reason = f"type: {data.event_type} is no job for a prober"
        await dead_letter(self._bus, job.message, stream=topology.VERIFY_JOBS, durable=topology.VERIFIER, reason=reason)
        return "dead_lettered"

    def _is_busy(self, camera: CameraV1 | RemovedV1) -> bool:
        """Whether all is being read back that the job may ask for."""
        if isinstance(camera, RemovedV1):
            return self._verifications.is_verifying(camera.id)
        wanted = to_read_back(camera)
        return bool(wanted) and all(self._verifications.is_read_back(delivery.id) for delivery in wanted)

    async def _verify_when_due(self, job: Job, camera: CameraV1) -> str:
        wanted = to_read_back(camera)
        if not wanted or job.deliveries <= FIRST_ROUNDS:
            await self._verifications.withdraw([delivery for delivery in camera.deliveries if delivery not in wanted])
        if not wanted and not self._self_checks.wanted(camera):
            # Until the camera changes.
            await job.complete()
            return "retired"
        if job.deliveries == 1:
            await job.postpone(self._chance() * FIRST_ROUND_WITHIN_S)
            return "deferred"
        hold = partial(keep_job, job)
        check_in_s = await self._self_checks.check_due(camera, hold=hold)
        if not wanted:
            await job.postpone(check_in_s or WAITING_AGAIN_S)
            return "checked"
        result = await self._verifications.verify_due(camera, hold=hold)
        await job.postpone(result.next_in_s)
        return "read_back" if result.facts else "early"
