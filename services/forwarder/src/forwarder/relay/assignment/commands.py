"""Orders of people on deliveries: kept in a bucket, so that they outlive every process; followed by every worker."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from nats.errors import NoRespondersError
from pydantic import BaseModel

from forwarder.domain.commands import RetryOutcome
from vonggac.bus import Bucket, Bus, Outgoing, topology
from vonggac.bus.bucket_cache import BucketCache
from vonggac.events import subjects
from vonggac.events.forwarder import DeliveryOrder

RETRY_WITHIN_S = 2.0


class RetryAnswer(BaseModel):
    """Of the worker that holds the camera, to a request on `forwarder.camera.<camera_id>.retry`."""

    outcome: RetryOutcome


class OrderBook:
    """The orders that stand, by delivery."""

    def __init__(self, bus: Bus, outgoing: Outgoing, changed: Callable[[UUID, DeliveryOrder | None], None]) -> None:
        """`changed` hears of every order as it comes, and of None when it is gone."""
        self._outgoing = outgoing
        self._cache = BucketCache(
            bus,
            topology.DELIVERY_ORDERS,
            parse_key=UUID,
            parse_value=DeliveryOrder.model_validate_json,
            on_change=changed,
        )

    @property
    def orders(self) -> Mapping[UUID, DeliveryOrder]:
        """A live view."""
        return self._cache.values

    async def run(self) -> None:
        """Follow the bucket until cancelled."""
        await self._cache.run()

    async def wait_loaded(self) -> None:
        """Wait until the orders are known: what was stopped must not be begun at a restart."""
        await self._cache.loaded.wait()

    def forget(self, delivery_ids: Iterable[UUID]) -> None:
        """Take the orders off deliveries that are no more."""
        for delivery_id in delivery_ids:
            if delivery_id in self._cache.values:
                self._outgoing.removal(subjects.key_value(topology.DELIVERY_ORDERS, delivery_id))


async def give(bus: Bus, order: DeliveryOrder) -> None:
    """Raises NatsError or TimeoutError when NATS is away."""
    await Bucket(bus, topology.DELIVERY_ORDERS).put(str(order.delivery_id), order.model_dump_json().encode())


async def take_back(bus: Bus, delivery_id: UUID) -> DeliveryOrder | None:
    """The order that stood; None when there was none. Raises NatsError or TimeoutError when NATS is away."""
    bucket = Bucket(bus, topology.DELIVERY_ORDERS)
    stood = await bucket.get(str(delivery_id))
    if not stood:
        return None
    await bucket.delete(str(delivery_id))
    return DeliveryOrder.model_validate_json(stood)


async def ask_to_retry(bus: Bus, camera_id: UUID, delivery_id: UUID) -> RetryOutcome:
    """What the camera's holder made of it; `not_running` when nobody holds it.

    Raises NatsError, TimeoutError or ValueError when there is no usable answer.
    """
    subject = subjects.forwarder_retry(camera_id)
    try:
        answer = await bus.client.request(subject, str(delivery_id).encode(), RETRY_WITHIN_S)
    except NoRespondersError:
        return RetryOutcome.NOT_RUNNING
    return RetryAnswer.model_validate_json(answer.data).outcome
