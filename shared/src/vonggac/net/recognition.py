"""What a port speaks that does not answer in the protocol of its address: by its first bytes, or by asking for TLS.

A wrong word sends somebody to a camera's power supply that has nothing but a wrong port in its address.
"""

import asyncio
import socket
import ssl
from contextlib import suppress

from vonggac.events.causes import Cause
from vonggac.net.dial import connect_socket
from vonggac.net.errors import MalformedError, PeerError

FIRST_BYTES = 512
"""So much of what came first is kept, to be recognised."""
ASK_WITHIN_S = 1.0
_RECORDS = frozenset({0x14, 0x15, 0x16, 0x17})
"""Types of TLS records (RFC 8446 §5.1)."""
_SECURE = {"rtsp": "rtsps", "rtmp": "rtmps", "http": "https"}


def recognised(first: bytes, scheme: str) -> PeerError | None:
    """Recognise a peer whose first bytes are no answer in the address's protocol; None when nothing came.

    `scheme`: of the address. The bytes are shown nowhere: they may repeat a login.
    """
    if not first:
        return None
    if is_tls(first) or b"HTTPS" in first:
        return speaks_tls_error(scheme)
    name = scheme.removesuffix("s").upper()
    if first.startswith(b"RTSP/"):
        return MalformedError(f"the peer speaks RTSP, not {name}")
    if first.startswith(b"HTTP/"):
        return MalformedError(f"the peer speaks HTTP, not {name}")
    if first.lstrip()[:1] == b"<":
        return MalformedError(f"the peer sends a web page without a status line (HTTP/0.9), not {name}")
    if first.startswith(b"SSH-"):
        return MalformedError(f"the peer speaks SSH, not {name}")
    return MalformedError(f"bytes came that are not {name}")


def is_tls(first: bytes) -> bool:
    """Whether this begins a TLS record: an alert, as a rule."""
    return len(first) >= 2 and first[0] in _RECORDS and first[1] == 0x03


def speaks_tls_error(scheme: str) -> PeerError:
    """Build the error of a port that speaks TLS, where the address does not say so."""
    return PeerError(Cause.TLS, f"the port speaks TLS: the address must begin with {_SECURE.get(scheme, scheme)}://")


async def why_hung_up(scheme: str, address: str, port: int, *, asked: str, within_s: float) -> PeerError:
    """Of a peer that took the connection and closed it without a byte in answer to `asked`.

    TLS servers do so to whoever speaks in plain: one more connection asks for TLS, and gives nothing away.
    """
    if scheme in _SECURE and await _answers_hello(address, port, min(ASK_WITHIN_S, within_s)):
        return speaks_tls_error(scheme)
    return PeerError(Cause.HUNG_UP, f"the peer took the connection and closed it without an answer to {asked}")


async def _answers_hello(address: str, port: int, within_s: float) -> bool:
    """Whether a TLS ClientHello is answered by TLS, be it by an alert. Never raises."""
    if within_s <= 0:
        return False
    hello = ssl.MemoryBIO()
    # Nothing is ever sent inside, so whom it would be is no matter.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname=None).do_handshake()
    try:
        async with asyncio.timeout(within_s):
            connected = await connect_socket(address, port, timeout_s=within_s)
            with connected:
                return is_tls(await _exchange(connected, hello.read()))
    except (OSError, PeerError):
        return False


async def _exchange(connected: socket.socket, request: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connected, request)
    return await loop.sock_recv(connected, 16)
