"""A durable pull consumer that survives server restarts.

Two traps are built for: `fetch` on an empty queue times out (normal), and a pull subscription can go silent after a
server restart (nats.py #504). Against the second, the subscription is made anew after every reconnection and whenever
the server stays silent through several idle heartbeats.
"""

import asyncio

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.client import JetStreamContext
from nats.js.errors import FetchTimeoutError

from vonggac.bus.connection import Bus
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

IDLE_HEARTBEAT_S = 1.0
LINGER_S = 0.02
RETRY_AFTER_S = 0.25


class PullConsumer:
    """Fetches messages of one durable consumer. Never raises for what the network or the server does."""

    def __init__(self, bus: Bus, *, stream: str, durable: str) -> None:
        self._bus = bus
        self.stream = stream
        self.durable = durable
        self._subscription: JetStreamContext.PullSubscription | None = None
        self._made_at_connection = 0

    async def fetch(self, most: int, *, wait_s: float = 5.0) -> list[Msg]:
        """Up to `most` messages; empty when there are none within `wait_s`, or when the server is away."""
        try:
            subscription = await self._ensure_subscribed()
            messages = await self._first(subscription, wait_s)
            if messages and most > 1:
                messages += await self._more(subscription, most - 1)
        except FetchTimeoutError as error:
            _let_go(error)
            return []
        except TimeoutError as error:
            _let_go(error)
            await self._drop(reason="silent" if wait_s >= IDLE_HEARTBEAT_S else None)
            return []
        except (NatsError, OSError) as error:
            await self._drop(reason=type(error).__name__)
            await asyncio.sleep(RETRY_AFTER_S)
            return []
        return messages

    async def info(self) -> ConsumerInfo:
        """Counts of the consumer (num_pending, num_ack_pending). Raises NatsError or TimeoutError."""
        info: ConsumerInfo = await self._bus.js.consumer_info(self.stream, self.durable)
        return info

    async def close(self) -> list[Msg]:
        """Returns what came and was not fetched: nothing, since nothing comes between two fetches."""
        await self._drop(reason=None)
        return []

    async def _first(self, subscription: JetStreamContext.PullSubscription, wait_s: float) -> list[Msg]:
        """One message; gives up at once when the connection was made anew, since the request died with the old one."""
        heartbeat_s = min(IDLE_HEARTBEAT_S, wait_s / 3)
        fetching = asyncio.ensure_future(subscription.fetch(1, timeout=wait_s, heartbeat=heartbeat_s))
        reconnected = asyncio.ensure_future(self._bus.reconnection.wait())
        try:
            await asyncio.wait((fetching, reconnected), return_when=asyncio.FIRST_COMPLETED)
            return await fetching if fetching.done() else []
        finally:
            for task in (fetching, reconnected):
                task.cancel()
            await asyncio.gather(fetching, reconnected, return_exceptions=True)

    async def _more(self, subscription: JetStreamContext.PullSubscription, most: int) -> list[Msg]:
        # A separate short fetch: nats-py holds a lingering batch back until it is full or its time is over.
        try:
            return await subscription.fetch(most, timeout=LINGER_S)
        except (TimeoutError, NatsError) as error:
            _let_go(error)
            return []

    async def _ensure_subscribed(self) -> JetStreamContext.PullSubscription:
        if self._subscription is not None and self._made_at_connection != self._bus.connections:
            await self._drop(reason="reconnected")
        if self._subscription is None:
            self._made_at_connection = self._bus.connections
            self._subscription = await self._bus.js.pull_subscribe_bind(consumer=self.durable, stream=self.stream)
        return self._subscription

    async def _drop(self, *, reason: str | None) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return
        if reason is not None:
            log.info("bus_subscribe_again", stream=self.stream, durable=self.durable, reason=reason)
        try:
            await subscription.unsubscribe()
        except (NatsError, OSError, ValueError) as error:
            log.debug("bus_unsubscribe_failed", stream=self.stream, error=type(error).__name__)


def _let_go(error: BaseException) -> None:
    """Forget where an expected error came from.

    nats-py waits in a task of its own. The task keeps its error, the error the frames it passed, a frame the task, with
    the messages that it saw: a handful for every fetch that ends empty, until somebody searches for garbage.
    """
    passed: BaseException | None = error
    while passed is not None:
        passed.__traceback__ = None
        passed = passed.__context__
