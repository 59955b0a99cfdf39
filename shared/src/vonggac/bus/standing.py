"""A pull request that stays open: jobs come as they fall due, without a request and a time-out for each.

For callers that begin what comes at once: what was asked for may come at any time until `close`. The two traps of
`vonggac.bus.pull` are built for in the same way: a new subscription after a reconnection, and when the server is
silent through several idle heartbeats.
"""

import asyncio
import json
import time
from collections import deque
from itertools import count

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from vonggac.bus.connection import Bus
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

EXPIRES_S = 30.0
IDLE_HEARTBEAT_S = 2.0
SILENT_AFTER_S = 3 * IDLE_HEARTBEAT_S
RETRY_AFTER_S = 0.25
DRAIN_WITHIN_S = 2.0
_HEARTBEAT, _EXPIRED = "100", "408"
_NANOSECONDS = 1_000_000_000


class StandingPull:
    """Fetches messages of one durable consumer. Never raises for what the network or the server does."""

    def __init__(self, bus: Bus, *, stream: str, durable: str, expires_s: float = EXPIRES_S) -> None:
        """`expires_s`: how long one request stays open at the server; it is made anew then."""
        self._bus, self.stream, self.durable, self._expires_s = bus, stream, durable, expires_s
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
        self._refused: str | None = None

    async def fetch(self, room: int, *, wait_s: float) -> list[Msg]:
        """What came, at most `room` messages; empty when nothing comes within `wait_s` or the server is away.

        `room`: how many more the caller can begin now; never more than that are on their way.
        """
        try:
            await self._ensure_asked(room)
            if not self._arrived:
                self._woken.clear()
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
        except TimeoutError:
            await self._check()
        except (NatsError, OSError) as error:
            await self._drop(reason=type(error).__name__)
            await asyncio.sleep(RETRY_AFTER_S)
        if self._refused is not None:
            await self._drop(reason=self._refused)
            await asyncio.sleep(RETRY_AFTER_S)
        return [self._arrived.popleft() for _ in range(min(room, len(self._arrived)))]

    async def close(self) -> list[Msg]:
        """Ask no more; returns what came and nobody fetched."""
        subscription, self._subscription, self._open = self._subscription, None, 0
        if subscription is not None:
            try:
                # Waits for the server's word, so that nothing is sent to us afterwards.
                async with asyncio.timeout(DRAIN_WITHIN_S):
                    await subscription.drain()  # type: ignore[no-untyped-call]
            except (NatsError, TimeoutError, OSError, ValueError) as error:
                log.debug("bus_unsubscribe_failed", stream=self.stream, error=type(error).__name__)
        left = list(self._arrived)
        self._arrived.clear()
        return left

    async def _ensure_asked(self, room: int) -> None:
        if self._subscription is not None and self._made_at_connection != self._bus.connections:
            await self._drop(reason="reconnected")
        if self._subscription is None:
            self._made_at_connection = self._bus.connections
            self._inbox = self._bus.client.new_inbox()
            self._subscription = await self._bus.client.subscribe(f"{self._inbox}.*", cb=self._on_message)
        wanted = room - len(self._arrived)
        if self._open or wanted <= 0:
            return
        self._request, self._open, self._heard_at = f"{self._inbox}.{next(self._numbers)}", wanted, time.monotonic()
        request = {
            "batch": wanted,
            "expires": int(self._expires_s * _NANOSECONDS),
            "idle_heartbeat": int(min(IDLE_HEARTBEAT_S, self._expires_s / 3) * _NANOSECONDS),
        }
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self.durable}"
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

    async def _check(self) -> None:
        if self._open and time.monotonic() - self._heard_at > SILENT_AFTER_S:
            await self._drop(reason="silent")

    async def _drop(self, *, reason: str) -> None:
        """Give the subscription up; the next fetch makes a new one. What has come is kept."""
        subscription, self._subscription, self._open, self._refused = self._subscription, None, 0, None
        if subscription is None:
            return
        log.info("bus_subscribe_again", stream=self.stream, durable=self.durable, reason=reason)
        try:
            await subscription.unsubscribe()
        except (NatsError, OSError, ValueError) as error:
            log.debug("bus_unsubscribe_failed", stream=self.stream, error=type(error).__name__)
