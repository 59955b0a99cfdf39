"""One connection per process: it reconnects for ever, and says so."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Protocol

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from pydantic import SecretStr

from vonggac.bus import topology
from vonggac.bus.clock import ServerClock
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

RECONNECT_WAIT_S = 0.5
DRAIN_WITHIN_S = 5


class BusSettings(Protocol):
    """What the connection needs of a service's settings."""

    @property
    def nats_url(self) -> str: ...
    @property
    def nats_user(self) -> str | None: ...
    @property
    def nats_password(self) -> SecretStr | None: ...
    @property
    def nats_ca_file(self) -> Any: ...


class Bus:
    """A connection to NATS with its JetStream context.

    `connections` counts the times the connection was made, so that a consumer can see that it must subscribe again;
    `reconnection` is set, and replaced, at each reconnection. `closing` begins with our own `close`. `clock` is
    the server's time once somebody measures it.
    """

    def __init__(self, client: Client, clock: ServerClock | None = None) -> None:
        self.client = client
        self.clock = clock or ServerClock()
        self.js: JetStreamContext = client.jetstream(timeout=5)
        self.connections = 1
        self.closing = False
        self.reconnection = asyncio.Event()
        self._on_reconnect: list[Callable[[], None]] = []

    @classmethod
    async def connect(cls, settings: BusSettings, *, name: str, clock: ServerClock | None = None) -> "Bus":
        """Connect, trying for ever (cancel to give up); logs while the server is not there."""
        client = Client()
        bus = cls.__new__(cls)
        # Before the first connection there is no more of it than this.
        bus.closing = False

        async def disconnected() -> None:
            if not bus.closing:
                log.warning("bus_disconnected", client=name)

        async def reconnected() -> None:
            bus.connections += 1
            passed, bus.reconnection = bus.reconnection, asyncio.Event()
            passed.set()
            log.info("bus_reconnected", client=name)
            for callback in bus._on_reconnect:
                callback()

        async def failed(error: Exception) -> None:
            log.warning("bus_error", client=name, error=f"{type(error).__name__}: {error}")

        password = settings.nats_password.get_secret_value() if settings.nats_password else None
        await client.connect(
            servers=[url.strip() for url in settings.nats_url.split(",")],
            name=name,
            user=settings.nats_user,
            password=password,
            tls=ssl.create_default_context(cafile=str(settings.nats_ca_file)) if settings.nats_ca_file else None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_S,  # type: ignore[arg-type] # seconds; fractions work
            connect_timeout=5,
            ping_interval=5,
            max_outstanding_pings=2,
            drain_timeout=DRAIN_WITHIN_S,
            disconnected_cb=disconnected,
            reconnected_cb=reconnected,
            error_cb=failed,
        )
        bus.__init__(client, clock)  # type: ignore[misc] # the callbacks above must already know the object
        return bus

    @property
    def connected(self) -> bool:
        return bool(self.client.is_connected)

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each reconnection."""
        self._on_reconnect.append(callback)

    async def wait_for_topology(self, *, poll_s: float = 0.25) -> None:
        """Return when every stream is declared; waits for the owner (`python -m vonggac.bus`) as long as it takes."""
        told = False
        while True:
            try:
                absent = await topology.missing(self.js)
            except (TimeoutError, NatsError) as error:
                absent = [type(error).__name__]
            if not absent:
                return
            if not told:
                log.info("bus_waiting_for_topology", missing=absent)
                told = True
            await asyncio.sleep(poll_s)

    async def check(self) -> str | None:
        """Readiness: None when connected, otherwise one line."""
        return None if self.connected else "NATS is not connected"

    async def close(self) -> None:
        """Flush what was published and close; bounded by DRAIN_WITHIN_S."""
        self.closing = True
        try:
            async with asyncio.timeout(DRAIN_WITHIN_S):
                if self.connected:
                    await self.client.flush(timeout=DRAIN_WITHIN_S)
        except (TimeoutError, NatsError) as error:
            log.warning("bus_flush_failed", error=type(error).__name__)
        await self.client.close()


async def connect_once(url: str, *, name: str) -> Client:
    """A plain connection for command-line tools: fails instead of waiting. Raises NatsError or OSError."""
    return await nats.connect(url, name=name, allow_reconnect=False, connect_timeout=2)
