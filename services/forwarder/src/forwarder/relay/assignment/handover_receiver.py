"""Taking a camera that another worker hands over: pull it beside the present session, be ready, go when told to.

A centre may refuse a second publisher, so the sessions there never overlap; the camera may be pulled twice for a moment
where it allows that. Asked for on `forwarder.take.<worker_id>` (core NATS request-reply).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from pydantic import BaseModel

from forwarder.domain.plan import wanted
from forwarder.messaging import job_headers, read_job
from forwarder.relay.supervision.camera import CameraRelay
from vonggac.bus import Bus, Job
from vonggac.events import subjects
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

PREPARE_WITHIN_S = 12.0
"""At most, for the camera's handshake and its next keyframe: many cameras give one every ten seconds only."""
GO_WITHIN_S = 1.5
KEPT_READY_S = 5.0
ANSWER_MARGIN_S = 0.5
WITHIN_UNSAID_S = 5.0
_STEP, _WITHIN = "Vonggac-Take", "Vonggac-Within"


class Step(StrEnum):
    """What the present holder asks for, in this order."""

    PREPARE = "prepare"
    GO = "go"
    """The sessions at the destinations are over. Taken as well without having been prepared."""
    DROP = "drop"


class Outcome(StrEnum):
    """The answer."""

    READY = "ready"
    TAKEN = "taken"
    CAMERA = "camera"
    """The camera cannot be had beside the present session; without it perhaps."""
    UNWILLING = "unwilling"
    """Full, stopping, or not there: another worker may be asked."""


class TakeAnswer(BaseModel):
    outcome: Outcome
    cause: Cause | None = None


async def prepare(bus: Bus, worker_id: str, job: Job, *, within_s: float) -> TakeAnswer:
    """Ask a worker to be ready for a camera in so many seconds. As `ask`."""
    return await _ask(bus, worker_id, Step.PREPARE, job, within_s)


async def ask(bus: Bus, worker_id: str, step: Step, job: Job) -> TakeAnswer:
    """Ask a worker; no answer in time is `unwilling`. Never raises for what the network does."""
    return await _ask(bus, worker_id, step, job, GO_WITHIN_S - ANSWER_MARGIN_S)


async def _ask(bus: Bus, worker_id: str, step: Step, job: Job, within_s: float) -> TakeAnswer:
    headers = job_headers(job) | {_STEP: step.value, _WITHIN: f"{within_s:.1f}"}
    patience_s = within_s + ANSWER_MARGIN_S
    try:
        reply = await bus.client.request(take_subject(worker_id), job.message.data, patience_s, headers=headers)
        return TakeAnswer.model_validate_json(reply.data)
    except NoRespondersError:
        return TakeAnswer(outcome=Outcome.UNWILLING)
    except (TimeoutError, NatsError, OSError, ValueError) as error:
        log.warning("take_unanswered", worker=worker_id, step=step.value, error=type(error).__name__)
        return TakeAnswer(outcome=Outcome.UNWILLING)


def take_subject(worker_id: str) -> str:
    return subjects.forwarder_take(worker_id)


class Keeper(Protocol):
    """What taking needs of the worker."""

    def has_room(self, camera_id: UUID) -> bool: ...

    def new_relay(self, camera: CameraV1) -> CameraRelay: ...

    async def hold(self, camera: CameraV1, job: Job, relay: CameraRelay | None) -> bool:
        """Hold the camera from now on, with a prepared relay if there is one; whether it worked."""


@dataclass(slots=True, eq=False)
class _Prepared:
    relay: CameraRelay
    expiry: asyncio.TimerHandle | None = None


class Taking:
    """From `begin` to `end`, beside the queue of jobs."""

    def __init__(self, bus: Bus, worker_id: str, keeper: Keeper) -> None:
        self._bus, self._worker_id, self._keeper = bus, worker_id, keeper
        self._prepared: dict[UUID, _Prepared] = {}
        self._subscription: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def preparing(self) -> int:
        """Cameras that are about to be taken."""
        return len(self._prepared)

    async def begin(self) -> None:
        """Listen. Raises NatsError when the bus is closed."""
        self._subscription = await self._bus.client.subscribe(take_subject(self._worker_id), cb=self._asked)

    async def end(self) -> None:
        """Take nothing more, and let what was prepared go."""
        if self._subscription is not None:
            try:
                await self._subscription.unsubscribe()
            except NatsError as error:
                # The connection went, and its subscriptions with it.
                log.debug("not_unsubscribed", error=type(error).__name__)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for camera_id in list(self._prepared):
            await self._drop(camera_id)

    async def _asked(self, message: Msg) -> None:
        # A camera may take seconds to be ready, and the next one is asked for meanwhile.
        self._spawn(self._answer(message))

    async def _answer(self, message: Msg) -> None:
        job = read_job(self._bus, message)
        headers = message.headers or {}
        step, within_s = headers.get(_STEP), _seconds(headers.get(_WITHIN))
        if job is None or step not in set(Step) or within_s is None or not isinstance(job.event.data, CameraV1):
            log.warning("take_malformed", step=step)
            return
        answers: dict[str, Callable[[CameraV1, Job], Awaitable[TakeAnswer]]] = {
            Step.PREPARE: partial(self._prepare, within_s=within_s),
            Step.GO: self._go,
            Step.DROP: self._forget,
        }
        answer = await answers[step](job.event.data, job)
        try:
            await message.respond(answer.model_dump_json().encode())
        except (NatsError, OSError) as error:
            log.info("answer_not_given", camera_id=str(job.event.data.id), error=type(error).__name__)

    async def _prepare(self, camera: CameraV1, _job: Job, *, within_s: float) -> TakeAnswer:
        if camera.id in self._prepared or not wanted(camera) or not self._keeper.has_room(camera.id):
            return TakeAnswer(outcome=Outcome.UNWILLING)
        prepared = self._prepared[camera.id] = _Prepared(self._keeper.new_relay(camera))
        try:
            async with asyncio.timeout(min(within_s, PREPARE_WITHIN_S)):
                cause = await prepared.relay.prepare()
        except TimeoutError:
            cause = Cause.NO_KEYFRAME
        if self._prepared.get(camera.id) is not prepared:
            return TakeAnswer(outcome=Outcome.UNWILLING)
        if cause is not None:
            await self._drop(camera.id)
            return TakeAnswer(outcome=Outcome.CAMERA, cause=cause)
        loop = asyncio.get_running_loop()
        prepared.expiry = loop.call_later(KEPT_READY_S, self._expire, camera.id)
        return TakeAnswer(outcome=Outcome.READY)

    async def _go(self, camera: CameraV1, job: Job) -> TakeAnswer:
        prepared = self._prepared.pop(camera.id, None)
        if prepared is not None and prepared.expiry is not None:
            prepared.expiry.cancel()
        if prepared is None and not self._keeper.has_room(camera.id):
            return TakeAnswer(outcome=Outcome.UNWILLING)
        relay = prepared.relay if prepared else None
        if await self._keeper.hold(camera, job, relay):
            return TakeAnswer(outcome=Outcome.TAKEN)
        if relay is not None:
            await relay.stop(DeliveryState.RELEASED)
        return TakeAnswer(outcome=Outcome.UNWILLING)

    async def _forget(self, camera: CameraV1, _job: Job) -> TakeAnswer:
        await self._drop(camera.id)
        return TakeAnswer(outcome=Outcome.UNWILLING)

    def _expire(self, camera_id: UUID) -> None:
        log.info("prepared_in_vain", camera_id=str(camera_id))
        self._spawn(self._drop(camera_id))

    async def _drop(self, camera_id: UUID) -> None:
        prepared = self._prepared.pop(camera_id, None)
        if prepared is None:
            return
        if prepared.expiry is not None:
            prepared.expiry.cancel()
        await prepared.relay.stop(DeliveryState.RELEASED)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="take")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _seconds(text: str | None) -> float | None:
    """None for what is no duration. An earlier release does not say how long it waits."""
    try:
        seconds = WITHIN_UNSAID_S if text is None else float(text)
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < math.inf else None
