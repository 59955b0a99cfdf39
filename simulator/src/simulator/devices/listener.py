"""A TCP port that is open, closed or dead, and stays reserved."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

from vonggac.rtsp.server.liveness import HANDSHAKE_S

BACKLOG = 1_024
_REBIND_WITHIN_S = 2.0
_REBIND_PAUSE_S = 0.005
_MAX_FILLERS = 16
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class ListenError(OSError):
    """A port that cannot be bound; the text names it."""

    def __str__(self) -> str:
        return str(self.strerror)


class Listener:
    """Bound from `bind` to `close`. Open, closed or dead at a time; closed after `bind`."""

    def __init__(self, host: str, port: int, protocol_factory: Callable[[], asyncio.Protocol]) -> None:
        self._host = host
        self._requested_port = port
        self._protocol_factory = protocol_factory
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self._fillers: list[socket.socket] = []

    @property
    def port(self) -> int:
        """The real port. Needs `bind` first."""
        assert self._socket is not None, "bind first"
        port = self._socket.getsockname()[1]
        assert isinstance(port, int)
        return port

    def bind(self) -> None:
        """Reserve the port: connects are refused. Raises ListenError when it is taken."""
        self._socket = _bound(self._host, self._requested_port)

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections, over TLS if `tls` is given. Call it again with another `tls` for new connections."""
        assert self._socket is not None, "bind first"
        if self._server is not None and tls is self._tls:
            return
        # Connections that come between two servers wait in the socket's queue.
        self._stop_accepting()
        self._tls = tls
        self._drain()
        # The loop closes its socket; ours keeps the port, and the queue of a dead port.
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol_factory,
            sock=self._socket.dup(),
            backlog=BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_S if tls is not None else None,
        )

    async def refuse(self) -> None:
        """Close the port: connects are refused (RST)."""
        assert self._socket is not None, "bind first"
        port = self.port
        self._stop_accepting()
        self._drain()
        self._socket.close()
        self._socket = await _rebound(self._host, port)

    def go_dead(self) -> None:
        """Neither accept nor refuse: the accept queue is shortened and filled, so the kernel drops further SYNs."""
        assert self._socket is not None, "bind first"
        self._stop_accepting()
        self._socket.listen(0)
        address = (_LOOPBACK.get(self._host, self._host), self.port)
        for _ in range(_MAX_FILLERS):
            filler = socket.socket(self._socket.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            filler.connect_ex(address)
            self._fillers.append(filler)
            if filler.connect_ex(address) == errno.EALREADY:
                return

    def close(self) -> None:
        """Release the port."""
        self._stop_accepting()
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _stop_accepting(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _drain(self) -> None:
        """Empty the queue of a dead port; those clients get a reset or an end."""
        assert self._socket is not None
        if not self._fillers:
            return
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._socket.setblocking(False)
        while True:
            try:
                waiting, _ = self._socket.accept()
            except BlockingIOError:
                return
            waiting.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        msg = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise ListenError(error.errno, msg) from None
    return sock


async def _rebound(host: str, port: int) -> socket.socket:
    """Bind again. The event loop may close its copy of the listening socket an iteration later: busy until then."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _REBIND_WITHIN_S
    while True:
        try:
            return _bound(host, port)
        except ListenError as error:
            if error.errno != errno.EADDRINUSE or loop.time() >= deadline:
                raise
        await asyncio.sleep(_REBIND_PAUSE_S)
