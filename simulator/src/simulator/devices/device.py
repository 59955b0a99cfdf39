"""What cameras and centres share: a port, its connections, one fault at a time."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from typing import Literal
from urllib.parse import quote

from simulator.config import DeviceConfig
from simulator.devices.listener import Listener
from simulator.rtsp.connection import DeviceConnection
from vonggac.testing.certificates import Authority

type PortState = Literal["open", "refused", "dead"]

CLOSE_WITHIN_S = 1.0
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Device[Connection: DeviceConnection](ABC):
    """A camera or a centre on its own port. Call `bind` first; subclasses open the port when they are ready."""

    def __init__(self, config: DeviceConfig, authority: Authority, *, host: str, advertised_host: str | None) -> None:
        """Create the device; `authority` signs its certificate if it has `tls`."""
        self.id = config.id
        self.device_config = config
        self.connections: set[Connection] = set()
        self.logins_failed = 0
        self._host = advertised_host or _WILDCARDS.get(host, host)
        self.authority = authority
        names = dict.fromkeys((self._host, "127.0.0.1", "::1", "localhost"))
        self._certificate = authority.issue(*names) if config.tls else None
        self._listener = Listener(host, config.port, self.new_connection)
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        self._changing = asyncio.Lock()

    @abstractmethod
    def new_connection(self) -> Connection:
        """Make the protocol of a client that connects now."""

    @property
    def host(self) -> str:
        """The name or address in URLs for clients."""
        return self._host

    @property
    def port(self) -> int:
        """The real port; needs `bind` first."""
        return self._listener.port

    @property
    def certificate_sha256(self) -> str | None:
        """SHA-256 of the certificate that clients get; None without TLS."""
        return self._certificate.fingerprint_sha256 if self._certificate is not None else None

    @property
    def tls_context(self) -> ssl.SSLContext | None:
        """The TLS of new connections; None is plain TCP."""
        return self._certificate.server_context if self._certificate is not None else None

    def bind(self) -> None:
        """Reserve the port; connects are refused. Raises ListenError."""
        self._listener.bind()

    def release(self) -> None:
        """Release the port; connections stay."""
        self._listener.close()

    async def close(self) -> None:
        """Cut all connections and release the port."""
        self.release()
        for connection in tuple(self.connections):
            connection.transport.abort()
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await self._all_gone.wait()

    def add_connection(self, connection: Connection) -> None:
        """Add the connection of a client that has connected."""
        self.connections.add(connection)
        self._all_gone.clear()

    def remove_connection(self, connection: Connection) -> None:
        """Remove a client's connection that has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self._all_gone.set()

    def rtsp_url(self, target: str, *, with_credentials: bool) -> str:
        """`target` is path and query with a leading slash."""
        login = ""
        if with_credentials and self.device_config.auth != "none":
            password = self.device_config.password.get_secret_value()
            login = f"{quote(self.device_config.username, safe='')}:{quote(password, safe='')}@"
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "rtsps" if self.device_config.tls else "rtsp"
        return f"{scheme}://{login}{host}:{self.port}{target}"

    async def set_port(self, state: PortState) -> None:
        """Open, close or kill the port; connections stay as they are."""
        if state == "open":
            await self._listener.open(self.tls_context)
        elif state == "refused":
            await self._listener.refuse()
        else:
            self._listener.go_dead()

    def close_connections(self) -> None:
        """End every connection in order (FIN)."""
        for connection in tuple(self.connections):
            connection.transport.close()

    def reset_connections(self) -> None:
        """Cut every connection (RST)."""
        for connection in tuple(self.connections):
            connection.reset()
