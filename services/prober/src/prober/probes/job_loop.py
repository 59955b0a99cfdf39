"""The loop around a queue: fetch jobs while there is room, answer for each, stop in order.

The schedule is in the queue: a job put back with a delay comes back then, to whichever worker has room.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nats.errors import Error as NatsError
from prometheus_client import Counter

from vonggac.bus import Bus, Job, JobQueue
from vonggac.telemetry import get_logger

log = get_logger(__name__)

FETCH_WAIT_S = 1.0
AFTER_MISTAKE_S = 30.0
GIVEN_BACK = "given_back"

type Handle = Callable[[Job], Awaitable[str]]
"""Does what a job asks for, answers for it, and returns its outcome in a word. Raises NatsError or TimeoutError
when NATS is away; GIVEN_BACK leaves the answer to the loop."""


@dataclass(frozen=True, slots=True)
class JobLimits:
    """`most` jobs at a time; seconds that running ones are given at a stop."""

    most: int
    stop_within_s: float


class JobLoop:
    """Fetches jobs until `stop`; then lets running ones finish and gives the others back."""

    def __init__(
        self, bus: Bus, *, stream: str, durable: str, handle: Handle, limits: JobLimits, outcomes: Counter
    ) -> None:
        """`outcomes`: a counter with the one label outcome."""
        self._stream, self._handle, self._limits, self._outcomes = stream, handle, limits, outcomes
        self._queue = JobQueue(bus, stream=stream, durable=durable, keep_open=True, on_unreadable=self._count)
        self._jobs: set[asyncio.Task[None]] = set()
        self._aside: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._stopping = False

    def stop(self) -> None:
        """Fetch no more; `run` returns when the jobs in hand are answered for."""
        self._stopping = True
        self._changed.set()

    def set_aside(self) -> None:
        """Set the calling `handle`'s job aside: it has a place of its own elsewhere, and another is fetched for it."""
        task = asyncio.current_task()
        if task in self._jobs:
            self._aside.add(task)
            self._changed.set()

    async def run(self) -> None:
        """Work until `stop`. Cancelling leaves the jobs in hand to the server, which gives them out again."""
        try:
            while not self._stopping:
                room = await self._room()
                for job in await self._queue.fetch(room, wait_s=FETCH_WAIT_S) if room else []:
                    self._start(job)
            await self._queue.close()
            await self._finish()
        finally:
            for task in self._jobs:
                task.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)
            await self._queue.close()

    async def _room(self) -> int:
        """How many more jobs fit, at least one; 0 when stopping."""
        while (room := self._limits.most - len(self._jobs) + len(self._aside)) <= 0 and not self._stopping:
            self._changed.clear()
            await self._changed.wait()
        return 0 if self._stopping else room

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._answer_for(job))
        self._jobs.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._jobs.discard(task)
        self._aside.discard(task)
        self._changed.set()

    async def _finish(self) -> None:
        if not self._jobs:
            return
        _, late = await asyncio.wait(self._jobs, timeout=self._limits.stop_within_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if late:
            log.info("jobs_given_back", stream=self._stream, count=len(late))

    async def _answer_for(self, job: Job) -> None:
        try:
            outcome = GIVEN_BACK if self._stopping else await self._handle(job)
            if outcome == GIVEN_BACK:
                await job.release()
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
        self._count(outcome)

    def _count(self, outcome: str) -> None:
        self._outcomes.labels(outcome).inc()

    async def _put_back(self, job: Job, delay_s: float) -> None:
        try:
            await job.postpone(delay_s)
        except NatsError as error:
            log.info("job_unanswered", subject=job.message.subject, error=type(error).__name__)


async def keep_job(job: Job) -> None:
    """Keep the job while its work goes on."""
    try:
        await job.keep_in_progress()
    except NatsError as error:
        # NATS is away; the work goes on, and what it finds is kept until NATS is back.
        log.info("job_not_held", subject=job.message.subject, error=type(error).__name__)
