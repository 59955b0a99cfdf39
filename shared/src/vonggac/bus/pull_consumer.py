"""A durable pull consumer that survives server restarts.

It writes its pull requests itself. Either one request stays open between fetches (`keep_open`): messages come as they
fall due, without a request and a time-out for each, which costs a tenth. Or each fetch makes a request and ends it, so
that nothing comes between two fetches.

A pull subscription can go silent after a server restart (nats.py #504). So it is made anew after every reconnection,
and when the server misses several idle heartbeats.
"""

import asyncio
import json
import time
from collections import deque
from itertools import count

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo

from vonggac.bus.connection import Bus
from vonggac.events import subjects
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

EXPIRES_S = 30.0
IDLE_HEARTBEAT_S = 2.0
MISSED_HEARTBEATS = 3
LINGER_S = 0.02
"""A request for the rest of a batch stays open this long."""
ANSWER_WITHIN_S = 1.0
"""How long after its end a request's status may come."""
RETRY_AFTER_S = 0.25
DRAIN_WITHIN_S = 2.0
RELEASE_DELAY_S = 0.01
_HEARTBEAT, _EXPIRED = "100", "408"
_NANOSECONDS = 1_000_000_000


class PullConsumer:
    """Fetches messages of one durable consumer. Never raises for what the network or the server does."""

    def __init__(
        self, bus: Bus, *, stream: str, durable: str, keep_open: bool = False, expires_s: float = EXPIRES_S
    ) -> None:
        """`keep_open`: for callers that begin at once what comes, and `close` as soon as they want no more.

        `expires_s`: how long such a request stays open at the server; then the next one is made.
        """
        self._bus, self.stream, self.durable = bus, stream, durable
        self._keep_open, self._expires_s = keep_open, expires_s
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._made_at_connection = 0
        self._numbers = count(1)
        self._request = ""
        self._open = 0
        """Messages that may still come for the request."""
        self._arrived: deque[Msg] = deque()
        self._woken = asyncio.Event()
        self._heard_at = 0.0
        self._silent_after_s = 0.0
        self._refused: str | None = None
        bus.on_reconnect(self._woken.set)

    async def fetch(self, most: int, *, wait_s: float = 5.0) -> list[Msg]:
        """Up to `most` messages; empty when none comes within `wait_s` or the server is away.

        With `keep_open`, `most` is how many the caller can begin now; never more than that are on their way.
        """
        try:
            await self._ensure_subscribed()
            if self._keep_open:
                await self._fetch_open(most, wait_s)
            else:
                await self._fetch_once(most, wait_s)
        except TimeoutError:
            if self._open and time.monotonic() - self._heard_at > self._silent_after_s:
                await self._drop(reason="silent")
        except (NatsError, OSError) as error:
            await self._drop(reason=type(error).__name__)
            await asyncio.sleep(RETRY_AFTER_S)
        if self._refused is not None:
            await self._drop(reason=self._refused)
            await asyncio.sleep(RETRY_AFTER_S)
        return [self._arrived.popleft() for _ in range(min(most, len(self._arrived)))]

    async def info(self) -> ConsumerInfo:
        """Read the counts of the consumer (num_pending, num_ack_pending). Raises NatsError or TimeoutError."""
        info: ConsumerInfo = await self._bus.js.consumer_info(self.stream, self.durable)
        return info

    async def close(self) -> None:
        """Request no more, and release what arrived and was not fetched: others get it at once."""
        subscription, self._subscription, self._open = self._subscription, None, 0
        if subscription is not None:
            try:
                # Waits for the server's answer, so that nothing is sent to us afterwards.
                async with asyncio.timeout(DRAIN_WITHIN_S if self._bus.connected else 0):
                    await subscription.drain()  # type: ignore[no-untyped-call]
            except (NatsError, TimeoutError, OSError, ValueError) as error:
                log.debug("bus_unsubscribe_failed", stream=self.stream, error=type(error).__name__)
        while self._arrived:
            message = self._arrived.popleft()
            try:
                await message.nak(delay=RELEASE_DELAY_S)
            except NatsError as error:
                log.debug("release_failed", subject=message.subject, error=type(error).__name__)

    async def _fetch_open(self, most: int, wait_s: float) -> None:
        if not self._open and (wanted := most - len(self._arrived)) > 0:
            await self._send_request(wanted, expires_s=self._expires_s)
        if not self._arrived:
            await self._wait_for_news(wait_s)

    async def _fetch_once(self, most: int, wait_s: float) -> None:
        """Request the first message, then the rest of a batch; both requests end before the fetch does."""
        connection = self._bus.connections
        if not self._arrived and not self._open:
            await self._send_request(1, expires_s=wait_s)
        async with asyncio.timeout(wait_s + ANSWER_WITHIN_S):
            while self._open and self._bus.connections == connection:
                await self._wait_for_news(None)
        if not self._arrived or len(self._arrived) >= most or self._bus.connections != connection:
            return
        # A second request: one that waits for a whole batch would delay its first message.
        await self._send_request(most - len(self._arrived), expires_s=LINGER_S)
        async with asyncio.timeout(LINGER_S + ANSWER_WITHIN_S):
            while self._open and self._bus.connections == connection:
                await self._wait_for_news(None)

    async def _wait_for_news(self, timeout_s: float | None) -> None:
        """Wait until a message or a status arrives, or the connection is made anew. Raises TimeoutError."""
        self._woken.clear()
        async with asyncio.timeout(timeout_s):
            await self._woken.wait()

    async def _ensure_subscribed(self) -> None:
        if self._subscription is not None and self._made_at_connection != self._bus.connections:
            await self._drop(reason="reconnected")
        if self._subscription is None:
            self._made_at_connection = self._bus.connections
            self._inbox = self._bus.client.new_inbox()
            self._subscription = await self._bus.client.subscribe(f"{self._inbox}.*", cb=self._on_message)

    async def _send_request(self, batch: int, *, expires_s: float) -> None:
        self._request, self._open, self._heard_at = f"{self._inbox}.{next(self._numbers)}", batch, time.monotonic()
        heartbeat_s = min(IDLE_HEARTBEAT_S, expires_s / MISSED_HEARTBEATS)
        self._silent_after_s = MISSED_HEARTBEATS * heartbeat_s
        request = {
            "batch": batch,
            "expires": int(expires_s * _NANOSECONDS),
            "idle_heartbeat": int(heartbeat_s * _NANOSECONDS),
        }
        subject = subjects.next_messages(self.stream, self.durable)
        await self._bus.client.publish(subject, json.dumps(request).encode(), reply=self._request)

    async def _on_message(self, message: Msg) -> None:
        self._heard_at = time.monotonic()
        if message.reply:
            self._open = max(0, self._open - 1)
            self._arrived.append(message)
        elif message.subject != self._request:
            return
        else:
            status = (message.headers or {}).get("Status", "")
            if status == _HEARTBEAT:
                return
            self._open = 0
            if status != _EXPIRED:
                self._refused = (message.headers or {}).get("Description") or f"status {status}"
        self._woken.set()

    async def _drop(self, *, reason: str) -> None:
        """End the subscription; the next fetch makes a new one. Messages that have arrived are kept."""
        subscription, self._subscription, self._open, self._refused = self._subscription, None, 0, None
        if subscription is None:
            return
        log.info("bus_resubscribed", stream=self.stream, durable=self.durable, reason=reason)
        try:
            await subscription.unsubscribe()
        except (NatsError, OSError, ValueError) as error:
            log.debug("bus_unsubscribe_failed", stream=self.stream, error=type(error).__name__)
