"""Makes TCP connections, plain or under TLS: one attempt each; every failure is a PeerError."""

import asyncio
import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.net.tls import TlsPolicy, tls_error

_ROUTE_ERRORS = frozenset(
    {
        errno.EHOSTUNREACH,
        errno.EHOSTDOWN,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
        errno.EACCES,
        errno.EPERM,
    }
)
"""The last two: a rule of this machine's own firewall, or an address without TCP."""
_OUR_OWN = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

TLS_RECORD_BYTES = 16 * 1024
"""The most that one record carries (RFC 8446 §5.1)."""
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: RST instead of FIN, without waiting for acknowledgements."""


class Opened:
    """A connection that stands and is for whoever takes it first: a plain socket, or one of a protocol."""

    def __init__(self, address: str, port: int, connection: object, close: Callable[[], None]) -> None:
        """`close` ends it when nobody takes it."""
        self._place, self._connection, self._close = (address, port), connection, close
        self._taken = False

    def take_connection[C](self, kind: type[C], address: str, port: int) -> C | None:
        """Take the connection, once, if it leads there and is of this kind."""
        if self._taken or self._place != (address, port) or not isinstance(self._connection, kind):
            return None
        self._taken = True
        return self._connection

    def close(self) -> None:
        """End it; harmless when somebody took it."""
        if not self._taken:
            self._taken = True
            self._close()


_handed_on: ContextVar[Opened | None] = ContextVar("handed_on", default=None)


@contextmanager
def hand_on(opened: Opened | None) -> Iterator[None]:
    """Within the block the first connection to the same address is this one, not a new one; else it is closed.

    A listener that takes one client only must not take a mere check for it.
    """
    token = _handed_on.set(opened)
    try:
        yield
    finally:
        _handed_on.reset(token)
        if opened is not None:
            opened.close()


def take_handed_on[C](kind: type[C], address: str, port: int) -> C | None:
    """Take the connection that was handed on to this attempt, if it leads there."""
    opened = _handed_on.get()
    return opened.take_connection(kind, address, port) if opened is not None else None


def _unless_closed(connected: socket.socket | None) -> socket.socket | None:
    """Return the socket, unless its peer has closed it meanwhile."""
    if connected is None:
        return None
    try:
        stands = bool(connected.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        stands = True
    except OSError:
        stands = False
    if not stands:
        connected.close()
    return connected if stands else None


async def connect_plain[P: asyncio.Protocol](make: Callable[[], P], address: str, port: int, *, timeout_s: float) -> P:
    """Connect `make`'s protocol. Raises PeerError: refused, route or timeout."""
    opened = _unless_closed(take_handed_on(socket.socket, address, port))
    try:
        async with asyncio.timeout(timeout_s):
            loop = asyncio.get_running_loop()
            if opened is not None:
                _, protocol = await loop.create_connection(make, sock=opened)
            else:
                _, protocol = await loop.create_connection(make, address, port)
    except OSError as error:
        raise _connect_error(error) from None
    return protocol


async def connect_socket(address: str, port: int, *, timeout_s: float) -> socket.socket:
    """Connect a socket for `secure`. Raises PeerError as `connect_plain` does."""
    opened = _unless_closed(take_handed_on(socket.socket, address, port))
    if opened is not None:
        return opened
    try:
        connected = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise _connect_error(error) from None
    try:
        connected.setblocking(False)
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().sock_connect(connected, (address, port))
    except OSError as error:
        connected.close()
        raise _connect_error(error) from None
    except BaseException:
        connected.close()
        raise
    return connected


async def secure[P: asyncio.Protocol](
    make: Callable[[], P], connected: socket.socket, policy: TlsPolicy, server_name: str, *, timeout_s: float
) -> P:
    """Shake hands by TLS on `connected`, which belongs to the protocol from now on; closed when this fails.

    Nothing is sent inside before the certificate is checked. Raises PeerError tls.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            context = await loop.run_in_executor(None, lambda: policy.context)
            transport, protocol = await loop.create_connection(
                make, sock=connected, ssl=context, server_hostname=server_name.partition("%")[0]
            )
    except (OSError, ValueError) as error:
        connected.close()
        raise tls_error(error) from None
    except BaseException:
        connected.close()
        raise
    try:
        policy.check(transport.get_extra_info("ssl_object").getpeercert(binary_form=True))
    except PeerError:
        transport.abort()
        raise
    return protocol


def _connect_error(error: OSError) -> PeerError:
    if isinstance(error, TimeoutError):
        return PeerError(Cause.TIMEOUT, "no answer to the connection attempt in time")
    if error.errno in _ROUTE_ERRORS:
        return PeerError(Cause.ROUTE, "there is no route to the address")
    if error.errno in _OUR_OWN:
        # The address was never contacted.
        return PeerError(Cause.INTERNAL_ERROR, f"no connection can be made here: {os.strerror(error.errno)}")
    return PeerError(Cause.REFUSED, "the address refused the connection")


def loss(exc: Exception | None) -> PeerError:
    """Explain a lost connection by the event loop's error."""
    if exc is None:
        return PeerError(Cause.ENDED, "the peer closed the connection")
    if isinstance(exc, OSError):
        return PeerError(Cause.ENDED, "the connection broke")
    # The loop passes on what a callback (on_media) raised, after it has logged it.
    return PeerError(Cause.INTERNAL_ERROR, f"a callback raised {type(exc).__name__}")


def writer_of(transport: asyncio.WriteTransport) -> Callable[[bytes], None]:
    """Choose the function that writes media. Under TLS a record at a time: memory of one encryption stays with the
    connection, so a keyframe of 100 kB would keep more than that until the end."""
    write = transport.write
    if transport.get_extra_info("ssl_object") is None:
        return write

    def write_records(data: bytes) -> None:
        if len(data) <= TLS_RECORD_BYTES:
            write(data)
            return
        view = memoryview(data)
        for at in range(0, len(data), TLS_RECORD_BYTES):
            write(view[at : at + TLS_RECORD_BYTES])

    return write_records


async def find_own_address(host: str, port: int) -> str:
    """Find the address of this machine from which it reaches `host`. Sends nothing. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probing:
        probing.connect(address)
        return str(probing.getsockname()[0])


def set_receive_low_water(transport: asyncio.BaseTransport, low_bytes: int) -> None:
    """Wake only for so many bytes, or for the end (SO_RCVLOWAT); 0 or 1: for every byte.

    Set it back before the next request, whose answer is short. Does nothing on a closed connection.
    """
    peer = None if transport.is_closing() else transport.get_extra_info("socket")
    if peer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, max(1, low_bytes))


def cut(transport: asyncio.Transport) -> None:
    """Close now; queued bytes are lost, also those in the kernel."""
    drop_unsent(transport)
    transport.abort()


def drop_unsent(transport: asyncio.BaseTransport) -> None:
    """Let the kernel drop its buffered bytes when the connection is closed next.

    Otherwise it continues to send to a peer that hangs: a centre that recovers would first receive old pictures, and
    refuse the new session while the old one lasts.
    """
    peer = transport.get_extra_info("socket")
    if peer is None:
        return
    try:
        unsent = struct.unpack("i", fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        if unsent:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    except (OSError, ValueError):
        # The connection is closed already.
        return
