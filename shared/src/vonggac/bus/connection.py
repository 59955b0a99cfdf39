"""One connection per process. It reconnects for ever, and logs that it does."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nats.aio.client import DEFAULT_INBOX_PREFIX, Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError
from nats.js import JetStreamContext
from pydantic import SecretStr

from vonggac.bus.clock import ServerClock
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER, USERS, User, inbox_of, room_of
from vonggac.events import subjects
from vonggac.net.dial import find_own_address
from vonggac.settings.passwords import read_password
from vonggac.telemetry.certificates import NATS, NATS_CA, note_certificate, note_trusted
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

RECONNECT_WAIT_S = 0.5
DRAIN_WITHIN_S = 5
STORED_WITHIN_S = 2.0
ANSWERED_WITHIN_S = 1.5
ROOM = bytes(2 * 4096)
"""More than may be left of a page that is begun: a full disk takes small messages for another minute, and no facts."""
CLOSE_WITHIN_S = 2.0
ANONYMOUS = "anonymous"
DEFAULT_PORT = 4222
_BLANKS = " \t\n\v\f\r"


class QuickClient(Client):
    """Reads the header of a message in a third of the time: nats-py makes two calls for each letter of a field's name.

    Where a release of nats-py names that differently, its own way is used.
    """

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        fields: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            # What has no name, or one with a space in it, is no field.
            if colon and name.isascii() and len(words := name.split()) == 1:
                fields[words[0]] = value.strip(_BLANKS)
        return fields


class BusSettings(Protocol):
    """What the connection needs of a service's settings."""

    @property
    def nats_url(self) -> str: ...
    @property
    def nats_user(self) -> str | None: ...
    @property
    def nats_password(self) -> SecretStr | None: ...
    @property
    def nats_password_file(self) -> Path | None: ...
    @property
    def nats_store_bytes(self) -> int | None: ...
    @property
    def nats_ca_file(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes on the server's disk: those that all streams take, and how many they may take (None: not stated)."""

    used: int
    most: int | None

    @property
    def ratio(self) -> float | None:
        """0 when empty, 1 when nothing more is stored."""
        return self.used / self.most if self.most else None


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why this process cannot publish. `outage`: NATS is away or silent; otherwise it said so itself."""

    reason: str
    outage: bool


class Bus:
    """A connection to NATS with its JetStream context.

    `connections` counts the times the connection was made, so that a consumer can see that it must subscribe again;
    `reconnection` is set, and replaced, at each reconnection. `closing` begins with our own `close`. `clock` is
    the server's time once somebody measures it.
    """

    def __init__(
        self, client: Client, *, user: str = ANONYMOUS, store_bytes: int | None = None, clock: ServerClock | None = None
    ) -> None:
        self.client, self.user, self._store_bytes = client, user, store_bytes
        self.clock = clock or ServerClock()
        self.js: JetStreamContext = client.jetstream(timeout=5)
        self.needs = next((service for service in USERS if service.name == user and service != OWNER), None)
        """The service whose streams have to stand; None: of no one's."""
        self._asking: asyncio.Future[_Fault | None] | None = None
        self.connections = 1
        self.closing = False
        self.reconnection = asyncio.Event()
        self._on_reconnect: list[Callable[[], None]] = []

    @classmethod
    async def connect(cls, settings: BusSettings, *, name: str, clock: ServerClock | None = None) -> "Bus":
        """Connect, however long that takes; cancel to give up.

        Raises OSError or ValueError when the password file cannot be read.
        """
        client = QuickClient()
        bus = cls.__new__(cls)
        # Until the first connection the object has this attribute only.
        bus.closing = False

        async def disconnected() -> None:
            if not bus.closing:
                log.warning("bus_disconnected", client=name)

        async def reconnected() -> None:
            bus.connections += 1
            passed, bus.reconnection = bus.reconnection, asyncio.Event()
            passed.set()
            bus._note_certificate()
            log.info("bus_reconnected", client=name)
            for callback in bus._on_reconnect:
                callback()

        async def failed(error: Exception) -> None:
            log.warning("bus_error", client=name, error=f"{type(error).__name__}: {error}")

        password = await asyncio.to_thread(password_of, settings)
        try:
            await client.connect(
                servers=[url.strip() for url in settings.nats_url.split(",")],
                name=name,
                user=settings.nats_user,
                password=password,
                inbox_prefix=inbox_of(settings.nats_user) if settings.nats_user else DEFAULT_INBOX_PREFIX,
                tls=trusting(settings.nats_ca_file),
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
        except BaseException:
            await _give_up(client)
            raise
        user = settings.nats_user or ANONYMOUS
        bus.__init__(client, user=user, store_bytes=settings.nats_store_bytes, clock=clock)  # type: ignore[misc] # the callbacks above need the object
        bus._note_certificate()
        return bus

    def _note_certificate(self) -> None:
        # nats-py shows the certificate of its server nowhere.
        writer = getattr(getattr(self.client, "_transport", None), "_io_writer", None)
        if isinstance(writer, asyncio.StreamWriter):
            note_certificate(NATS, writer.get_extra_info("ssl_object"))

    @property
    def connected(self) -> bool:
        return bool(self.client.is_connected)

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each reconnection."""
        self._on_reconnect.append(callback)

    async def wait_for_topology(self, service: User, *, poll_s: float = 0.25) -> None:
        """Return when every stream and consumer is declared that the service needs.

        Waits for the owner (`python -m vonggac.bus`) as long as it takes. From then on `check` asks for them, too.
        """
        self.needs = service
        logged = False
        while True:
            try:
                absent = await topology.missing(self.js, service.streams, service.consumers)
            except (TimeoutError, NatsError) as error:
                absent = [type(error).__name__]
            if not absent:
                return
            if not logged:
                log.info("bus_waiting_for_topology", missing=absent)
                logged = True
            await asyncio.sleep(poll_s)

    async def check(self) -> str | None:
        """Readiness: None when JetStream stores what this process publishes and all stands that it needs."""
        fault = await self._find_fault()
        return None if fault is None else fault.reason

    async def check_streams(self) -> str | None:
        """Readiness of who can wait for NATS: as `check`, and None in an outage of it."""
        fault = await self._find_fault()
        return None if fault is None or fault.outage else fault.reason

    async def check_outage(self) -> str | None:
        """Degradation: one line while NATS is away or does not answer."""
        fault = await self._find_fault()
        return fault.reason if fault is not None and fault.outage else None

    async def _find_fault(self) -> _Fault | None:
        """Whoever asks while another asks gets the same answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask_for_fault())
        return await asyncio.shield(self._asking)

    async def _ask_for_fault(self) -> _Fault | None:
        """Ask NATS: a stream that met a full disk stores nothing until the server is started again, and answers all the
        same; one that is gone is named by the server alone. A connection alone says little."""
        if not self.connected:
            return _Fault("NATS is not connected", outage=True)
        stored: str | None = None
        try:
            async with asyncio.timeout(STORED_WITHIN_S):
                await self.js.publish(subjects.key_value(topology.READINESS, room_of(self.user)), ROOM)
        except (TimeoutError, NatsError, OSError) as error:
            stored = f"JetStream stores nothing ({type(error).__name__})"
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                absent = await self._missing()
        except (TimeoutError, NatsError, OSError) as error:
            return _Fault(stored or f"JetStream does not answer ({type(error).__name__})", outage=True)
        if absent:
            return _Fault(f"missing at NATS: {', '.join(absent)}", outage=False)
        return None if stored is None else _Fault(stored, outage=False)

    async def _missing(self) -> list[str]:
        if self.needs is None:
            return []
        return await topology.missing(self.js, self.needs.streams, self.needs.consumers)

    async def storage(self) -> Storage:
        """Measure what the streams take of what they may. Raises NatsError or TimeoutError."""
        info = await self.js.account_info()
        return Storage(info.storage, self._store_bytes)

    async def find_own_address(self) -> str:
        """Find the address of this machine from which it reaches NATS. Raises OSError."""
        server = self.client.connected_url or self.client.servers[0]
        return await find_own_address(str(server.hostname), server.port or DEFAULT_PORT)

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


def password_of(settings: BusSettings) -> str | None:
    """Read the password, from its file if one is named. Raises OSError or ValueError."""
    if settings.nats_password_file is not None:
        return read_password(settings.nats_password_file)
    return settings.nats_password.get_secret_value() if settings.nats_password else None


def trusting(ca_file: Path | None) -> ssl.SSLContext | None:
    """TLS with servers whose certificate this CA (PEM) has signed; None without one. Raises OSError."""
    if not ca_file:
        return None
    context = ssl.create_default_context(cafile=str(ca_file))
    note_trusted(NATS_CA, context)
    return context


async def connect_once(
    url: str,
    *,
    name: str,
    user: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
) -> Client:
    """Connect for command-line tools: fail instead of waiting. Raises NatsError or OSError.

    `url`: one server, or several, comma separated.
    """
    client = QuickClient()
    causes: list[Exception] = []

    async def failed(error: Exception) -> None:
        if client.is_connected:
            log.debug("bus_error", error=f"{type(error).__name__}: {error}")
        else:
            causes.append(error)

    try:
        await client.connect(
            [server.strip() for server in url.split(",")],
            name=name,
            user=user,
            password=password,
            inbox_prefix=inbox_of(user) if user else DEFAULT_INBOX_PREFIX,
            allow_reconnect=False,
            # Without these the client library tries a server that does not listen for two minutes.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            tls=trusting(ca_file),
            connect_timeout=2,
            error_cb=failed,
        )
    except NoServersError as error:
        await _give_up(client)
        raise (causes[-1] if causes else error) from None
    except BaseException:
        await _give_up(client)
        raise
    return client


async def _give_up(client: Client) -> None:
    """nats-py leaves its socket open when connecting is cancelled or its login refused.

    After a refused certificate it waits for ever for it to close.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await client.close()
