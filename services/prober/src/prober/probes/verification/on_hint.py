"""Deliveries that something hints at are read back at once, whenever their schedule would have done it.

The forwarder publishes each change of a delivery: what becomes `acknowledged` has a new session, or lost its proof. And
it asks for a read-back when a session's line or its neighbours give reason for doubt. Each message goes to one prober
(a NATS queue group). Nothing is kept: what is missed here comes with the schedule. What fails is read back again until
its schedule, which knows of it by then, goes on.
"""

import asyncio
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from prober.domain.schedule import Hint, due_in_s
from prober.messaging import Cameras, listen_for_delivery_changes, listen_for_read_back_hints
from prober.probes.verification.scheduler import Verifications
from vonggac.bus import Bus
from vonggac.events import MalformedEventError, decode_on
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, ReadBackHint
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MOST_WAITING = 10_000
"""Cameras; more are left to their schedule."""
SETTLE_S = 0.3
"""The other delivery of a camera mostly comes up at the same time: one round for both."""
BUSY_AGAIN_S = 0.5
_ACKNOWLEDGED = DeliveryState.ACKNOWLEDGED.value.encode()


class HintedReadBacks:
    """`run` until cancelled."""

    def __init__(self, bus: Bus, verifications: Verifications, *, most: int) -> None:
        """`most`: cameras at a time."""
        self._bus, self._cameras, self._verifications, self._most = bus, Cameras(bus), verifications, most
        self._waiting: dict[UUID, dict[UUID, Hint]] = {}
        """By camera and delivery; every camera in it is in the queue, or in the hands of a worker."""
        self._queue: asyncio.Queue[UUID] = asyncio.Queue(MOST_WAITING)

    async def run(self) -> None:
        """Listen, and read back. Raises what the bus refuses."""
        subscriptions = [
            await listen_for_delivery_changes(self._bus, self._on_change),
            await listen_for_read_back_hints(self._bus, self._on_hint),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._most):
                    group.create_task(self._work())
        finally:
            for subscription in subscriptions:
                try:
                    await subscription.unsubscribe()
                except NatsError as error:
                    log.debug("hints_not_unsubscribed", error=type(error).__name__)

    async def _on_change(self, message: Msg) -> None:
        # Most changes are of other states: no need to parse them.
        if _ACKNOWLEDGED not in message.data:
            return
        try:
            fact = decode_on(message.subject, message.data).data
        except MalformedEventError as error:
            log.warning("delivery_change_malformed", subject=message.subject, error=type(error).__name__)
            return
        if isinstance(fact, DeliveryObservedV1) and fact.state is DeliveryState.ACKNOWLEDGED:
            self._add(fact.camera_id, fact.delivery_id, Hint(fact.observed_at, fact.observed_at))

    async def _on_hint(self, message: Msg) -> None:
        try:
            hint = ReadBackHint.model_validate_json(message.data)
        except ValidationError:
            log.warning("read_back_hint_malformed", subject=message.subject)
            return
        log.debug("read_back_hinted", delivery_id=str(hint.delivery_id), reason=hint.reason)
        self._add(hint.camera_id, hint.delivery_id, Hint(hint.at, hint.at))

    def _add(self, camera_id: UUID, delivery_id: UUID, hint: Hint) -> None:
        hints = self._waiting.get(camera_id)
        if hints is None and not self._queue.full():
            hints = self._waiting[camera_id] = {}
            self._queue.put_nowait(camera_id)
        if hints is not None:
            hints[delivery_id] = max(hint, hints.get(delivery_id, hint), key=lambda each: each.since)

    async def _work(self) -> None:
        while True:
            camera_id = await self._queue.get()
            await asyncio.sleep(SETTLE_S)
            hints = self._waiting.pop(camera_id)
            for delivery_id in [one for one in hints if self._verifications.is_read_back(one)]:
                hint = hints.pop(delivery_id)
                asyncio.get_running_loop().call_later(BUSY_AGAIN_S, self._add, camera_id, delivery_id, hint)
            if not hints:
                continue
            try:
                await self._read_back(camera_id, hints)
            except (NatsError, TimeoutError, OSError) as error:
                log.info("hint_not_read_back", camera_id=str(camera_id), error=type(error).__name__)

    async def _read_back(self, camera_id: UUID, hints: dict[UUID, Hint]) -> None:
        """Read the hinted deliveries back. Raises NatsError, TimeoutError or OSError when NATS is away."""
        camera = await self._cameras.get(camera_id)
        if camera is None:
            return
        for fact in await self._verifications.verify_hinted(camera, hints):
            again = hints[fact.delivery_id].next_after(fact)
            if again is not None:
                again_s = due_in_s(fact, camera_revision=camera.revision, now=fact.observed_at)
                asyncio.get_running_loop().call_later(again_s, self._add, camera_id, fact.delivery_id, again)
