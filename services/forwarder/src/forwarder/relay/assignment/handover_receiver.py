"""Receiving a camera from another worker: pull it beside the present session, be ready, deliver when asked to.

A centre may refuse a second publisher, so the sessions there never overlap. The camera is pulled twice for a moment
where it allows that. Requests come on `forwarder.worker.<worker_id>.handover` (core NATS request-reply).
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Protocol
from uuid import UUID

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from pydantic import BaseModel

from forwarder.domain.assignment.plan import wanted
from forwarder.messaging import read_job, request_handover, serve_handovers
from forwarder.relay.supervision.camera import CameraRelay
from vonggac.bus import Bus, Job
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

PREPARE_WITHIN_S = 12.0
"""At most, for the camera's handshake and its next keyframe: many cameras send one every ten seconds."""
GO_WITHIN_S = 1.5
KEPT_READY_S = 5.0
ANSWER_MARGIN_S = 0.5
DEFAULT_WITHIN_S = 5.0
_STEP, _WITHIN, _UNTIL = "Vonggac-Handover", "Vonggac-Within", "Vonggac-Until"


class HandoverStep(StrEnum):
    """What the present holder requests, in this order."""

    PREPARE = "prepare"
    GO = "go"
    """The sessions at the destinations are over. Works without PREPARE too."""
    DROP = "drop"


class HandoverOutcome(StrEnum):
    """The answer."""

    READY = "ready"
    TAKEN = "taken"
    CAMERA = "camera"
    """The camera cannot be pulled beside the present session; without it perhaps."""
    UNWILLING = "unwilling"
    """Full, stopping, or not there: another worker may be asked."""


class HandoverAnswer(BaseModel):
    """As it goes over the bus. `cause`: why the camera cannot be pulled."""

    outcome: HandoverOutcome
    cause: Cause | None = None


async def request_prepare(bus: Bus, worker_id: str, job: Job, *, within_s: float) -> HandoverAnswer:
    """Ask a worker to be ready for a camera in `within_s` seconds. As `request_step`."""
    return await _request(bus, worker_id, HandoverStep.PREPARE, job, within_s)


async def request_step(bus: Bus, worker_id: str, step: HandoverStep, job: Job) -> HandoverAnswer:
    """Ask a worker for a step. No answer in time is `unwilling`. Never raises for network failures."""
    return await _request(bus, worker_id, step, job, GO_WITHIN_S - ANSWER_MARGIN_S)


async def _request(bus: Bus, worker_id: str, step: HandoverStep, job: Job, within_s: float) -> HandoverAnswer:
    until = bus.clock.now() + timedelta(seconds=within_s + ANSWER_MARGIN_S)
    headers = {_STEP: step.value, _WITHIN: f"{within_s:.1f}", _UNTIL: until.isoformat()}
    try:
        reply = await request_handover(bus, worker_id, job, headers, within_s=within_s + ANSWER_MARGIN_S)
        unwilling = HandoverAnswer(outcome=HandoverOutcome.UNWILLING)
        return unwilling if reply is None else HandoverAnswer.model_validate_json(reply)
    except (TimeoutError, NatsError, OSError, ValueError) as error:
        log.warning("handover_unanswered", worker=worker_id, step=step.value, error=type(error).__name__)
        return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)


class HandoverTarget(Protocol):
    """What the receiver needs of the worker."""

    def has_room(self, camera_id: UUID) -> bool: ...

    def new_relay(self, camera: CameraV1) -> CameraRelay: ...

    async def hold_camera(self, camera: CameraV1, job: Job, relay: CameraRelay | None) -> bool:
        """Hold the camera from now on, with a prepared relay if there is one; whether it worked."""


@dataclass(slots=True, eq=False)
class _Prepared:
    relay: CameraRelay
    expiry: asyncio.TimerHandle | None = None


class HandoverReceiver:
    """From `listen` to `close`, beside the queue of jobs."""

    def __init__(self, bus: Bus, worker_id: str, target: HandoverTarget) -> None:
        self._bus, self._worker_id, self._target = bus, worker_id, target
        self._prepared: dict[UUID, _Prepared] = {}
        self._subscription: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def preparing(self) -> int:
        """Cameras that are being prepared."""
        return len(self._prepared)

    async def listen(self) -> None:
        """Listen. Raises NatsError when the bus is closed."""
        self._subscription = await serve_handovers(self._bus, self._worker_id, self._on_request)

    async def close(self) -> None:
        """Receive nothing more, and drop what was prepared."""
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

    async def _on_request(self, message: Msg) -> None:
        # A camera may need seconds to be ready, and the next request comes meanwhile.
        self._spawn(self._answer(message))

    async def _answer(self, message: Msg) -> None:
        job = read_job(self._bus, message)
        headers = message.headers or {}
        step, within_s = headers.get(_STEP), _seconds(headers.get(_WITHIN))
        if job is None or step not in set(HandoverStep) or within_s is None or not isinstance(job.event.data, CameraV1):
            log.warning("handover_malformed", step=step)
            return
        if self._is_over(headers.get(_UNTIL)):
            # This process slept: who asked waits no more, and has given the camera to another worker.
            log.warning("handover_too_late", camera_id=str(job.event.data.id), step=step)
            return
        answers: dict[str, Callable[[CameraV1, Job], Awaitable[HandoverAnswer]]] = {
            HandoverStep.PREPARE: partial(self._prepare, within_s=within_s),
            HandoverStep.GO: self._go,
            HandoverStep.DROP: self._cancel,
        }
        answer = await answers[step](job.event.data, job)
        try:
            await message.respond(answer.model_dump_json().encode())
        except (NatsError, OSError) as error:
            log.info("answer_not_sent", camera_id=str(job.event.data.id), error=type(error).__name__)

    def _is_over(self, until: str | None) -> bool:
        """Whether nobody waits for the answer any more. An earlier release does not say until when."""
        try:
            return until is not None and self._bus.clock.now() > datetime.fromisoformat(until)
        except (ValueError, TypeError):
            return False

    async def _prepare(self, camera: CameraV1, _job: Job, *, within_s: float) -> HandoverAnswer:
        if camera.id in self._prepared or not wanted(camera) or not self._target.has_room(camera.id):
            return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)
        prepared = self._prepared[camera.id] = _Prepared(self._target.new_relay(camera))
        try:
            async with asyncio.timeout(min(within_s, PREPARE_WITHIN_S)):
                cause = await prepared.relay.prepare()
        except TimeoutError:
            cause = Cause.NO_KEYFRAME
        if self._prepared.get(camera.id) is not prepared:
            return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)
        if cause is not None:
            await self._drop(camera.id)
            return HandoverAnswer(outcome=HandoverOutcome.CAMERA, cause=cause)
        loop = asyncio.get_running_loop()
        prepared.expiry = loop.call_later(KEPT_READY_S, self._expire, camera.id)
        return HandoverAnswer(outcome=HandoverOutcome.READY)

    async def _go(self, camera: CameraV1, job: Job) -> HandoverAnswer:
        prepared = self._prepared.pop(camera.id, None)
        if prepared is not None and prepared.expiry is not None:
            prepared.expiry.cancel()
        if prepared is None and not self._target.has_room(camera.id):
            return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)
        relay = prepared.relay if prepared else None
        if await self._target.hold_camera(camera, job, relay):
            return HandoverAnswer(outcome=HandoverOutcome.TAKEN)
        if relay is not None:
            await relay.release(DeliveryState.RELEASED)
        return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)

    async def _cancel(self, camera: CameraV1, _job: Job) -> HandoverAnswer:
        await self._drop(camera.id)
        return HandoverAnswer(outcome=HandoverOutcome.UNWILLING)

    def _expire(self, camera_id: UUID) -> None:
        log.info("handover_expired", camera_id=str(camera_id))
        self._spawn(self._drop(camera_id))

    async def _drop(self, camera_id: UUID) -> None:
        prepared = self._prepared.pop(camera_id, None)
        if prepared is None:
            return
        if prepared.expiry is not None:
            prepared.expiry.cancel()
        await prepared.relay.release(DeliveryState.RELEASED)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="handover")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _seconds(text: str | None) -> float | None:
    """None for what is no duration."""
    try:
        seconds = DEFAULT_WITHIN_S if text is None else float(text)
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < math.inf else None
