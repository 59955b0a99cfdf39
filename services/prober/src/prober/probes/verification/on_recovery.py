"""Deliveries that have just come up are read back at once, whenever their schedule would have done it.

The forwarder publishes each change of a delivery; what becomes `acknowledged` has a new session, or lost its proof.
Each change goes to one prober (a NATS queue group). Nothing is kept: what is missed here comes with the schedule.
"""

import asyncio
from datetime import datetime
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from prober.messaging import Cameras, listen_for_delivery_changes
from prober.probes.verification.scheduler import Verifications, to_read_back
from vonggac.bus import Bus
from vonggac.events import MalformedEventError, decode
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MOST_WAITING = 10_000
"""Cameras; more are left to their schedule."""
SETTLE_S = 0.3
"""The other delivery of a camera mostly comes up at the same time: one round for both."""
BUSY_AGAIN_S = 0.5
_ACKNOWLEDGED = DeliveryState.ACKNOWLEDGED.value.encode()


class Recoveries:
    """`run` until cancelled."""

    def __init__(self, bus: Bus, verifications: Verifications, *, most: int) -> None:
        """`most`: cameras at a time."""
        self._bus, self._cameras, self._verifications, self._most = bus, Cameras(bus), verifications, most
        self._waiting: dict[UUID, dict[UUID, datetime]] = {}
        self._queue: asyncio.Queue[UUID] = asyncio.Queue(MOST_WAITING)

    async def run(self) -> None:
        """Listen, and read back. Raises what the bus refuses."""
        subscription = await listen_for_delivery_changes(self._bus, self._on_change)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._most):
                    group.create_task(self._work())
        finally:
            try:
                await subscription.unsubscribe()
            except NatsError as error:
                log.debug("recoveries_not_unsubscribed", error=type(error).__name__)

    async def _on_change(self, message: Msg) -> None:
        # Most changes are of other states: no need to parse them.
        if _ACKNOWLEDGED not in message.data:
            return
        try:
            fact = decode(message.data).data
        except MalformedEventError:
            log.warning("delivery_change_malformed", subject=message.subject)
            return
        if not isinstance(fact, DeliveryObservedV1) or fact.state is not DeliveryState.ACKNOWLEDGED:
            return
        known = self._waiting.get(fact.camera_id)
        if known is None and not self._queue.full():
            known = self._waiting[fact.camera_id] = {}
            self._queue.put_nowait(fact.camera_id)
        if known is not None:
            known[fact.delivery_id] = fact.observed_at

    async def _work(self) -> None:
        while True:
            camera_id = await self._queue.get()
            await asyncio.sleep(SETTLE_S)
            if self._verifications.is_verifying(camera_id):
                await asyncio.sleep(BUSY_AGAIN_S)
                await self._queue.put(camera_id)
                continue
            try:
                await self._read_back(camera_id, self._waiting.pop(camera_id))
            except (NatsError, TimeoutError, OSError) as error:
                log.info("recovery_not_read_back", camera_id=str(camera_id), error=type(error).__name__)

    async def _read_back(self, camera_id: UUID, came_up: dict[UUID, datetime]) -> None:
        """Raises NatsError, TimeoutError or OSError when NATS is away."""
        camera = await self._cameras.get(camera_id)
        if camera is not None:
            deliveries = [delivery for delivery in to_read_back(camera) if delivery.id in came_up]
            await self._verifications.verify_recovered(camera, deliveries, came_up)
