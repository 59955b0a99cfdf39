"""HTTP GET for live media: every connection goes to a checked address, and under TLS to a trusted peer."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import connect_plain, connect_socket, secure
from vonggac.net.errors import MalformedError, PeerError, StatusError
from vonggac.net.http_auth import Authenticator
from vonggac.net.recognition import recognised, why_hung_up
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials, repeats_password
from vonggac.rtsp.wire.messages import Headers
from vonggac.rtsp.wire.rates import PeerRates

_READ_BYTES = 64 << 10
_MAX_LINE_BYTES = 8192
_PIECES_AT_ONCE = 64
"""Of what has come already: reading them never waits, and each costs forty microseconds."""
_MAX_HEADERS = 100
_MAX_REDIRECTS = 3
_NOT_IN_REQUESTS = re.compile("[ \x80-\U0010ffff]+")
_NOT_ASCII = re.compile("[\x80-\xff]+")
_PROTOCOL = b"HTTP/"
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Web:
    """How to fetch: who may be connected to, who is trusted, and the login of the camera at `url`.

    The login goes to where `url` leads and nowhere else: a redirect or a playlist may name another host, another port
    behind the same address (another camera of the facility), or the same one without TLS.
    """

    allowed: AllowedNetworks
    tls: TlsPolicy
    url: str
    credentials: Credentials | None = None
    filled: Credentials | None = None
    """A login that stands in the path of `url`."""
    on_login: Callable[[bool], None] = lambda _needed: None
    """The server of `url` let us in; whether it asked for the login."""

    @asynccontextmanager
    async def get(self, url: str, *, deadline_s: float) -> AsyncIterator["Body"]:
        """Get the body of a 200; redirects are followed. The deadline is for all that comes before the body.

        Raises PeerError with a cause.
        """
        held: list[ByteStream] = []
        ends_at = asyncio.get_running_loop().time() + deadline_s
        try:
            try:
                body = await self._follow(url, ends_at, held)
            except TimeoutError:
                raise PeerError(Cause.TIMEOUT, f"the server did not answer within {deadline_s:g} s") from None
            yield body
        finally:
            for stream in held:
                stream.abort()

    async def _follow(self, url: str, ends_at: float, held: list["ByteStream"]) -> "Body":
        """Request until an answer redirects no more and asks for no login. `held`: every connection made for it.

        Raises PeerError, TimeoutError when the answer itself is late.
        """
        home = _endpoint(_split(self.url))
        authenticator = Authenticator(self.credentials)
        for _ in range(_MAX_REDIRECTS + 2):
            parts = _split(url)
            mine = _endpoint(parts) == home
            if not mine and repeats_password(_target(parts), _target(_split(self.url)), self.filled):
                raise PeerError(Cause.SECRET_MOVED, "sent elsewhere with the password in the path: not followed")
            try:
                stream = await self._connect(parts, ends_at)
            except PeerError as error:
                error.elsewhere = not mine
                raise
            held.append(stream)
            authorization = authenticator.answer("GET", _target(parts)) if mine else None
            async with asyncio.timeout_at(ends_at):
                try:
                    status, headers = await _send_request(stream, parts, authorization)
                except PeerError as error:
                    if error.cause is not Cause.HUNG_UP or parts.scheme != "http":
                        raise
                    raise await self._why_hung_up(parts, ends_at) from None
            if status == 200:
                if mine:
                    self.on_login(authorization is not None)
                return Body(stream, headers, url)
            location = headers.get("Location")
            if status in _REDIRECTS and location is not None:
                # Field values are read as Latin-1, whatever their letters are.
                url = join(url, _NOT_ASCII.sub(lambda found: quote(found[0].encode("latin-1")), location))
                continue
            challenges = headers.get_all("WWW-Authenticate")
            again = status == 401 and mine
            if not again or not authenticator.challenged(challenges, answered=authorization is not None):
                refusal = StatusError("GET", status, "")
                refusal.login_sent = again and authorization is not None
                raise refusal
        raise MalformedError("the address was redirected too often")

    async def _why_hung_up(self, parts: SplitResult, ends_at: float) -> PeerError:
        within_s = ends_at - asyncio.get_running_loop().time()
        _, host, port = _endpoint(parts)
        address = await resolve(host, port, self.allowed, timeout_s=within_s)
        return await why_hung_up("http", address, port, asked="GET", within_s=within_s)

    async def _connect(self, parts: SplitResult, ends_at: float) -> "ByteStream":
        # Each step has its own deadline, so that the failure names the step.
        time = asyncio.get_running_loop().time
        scheme, host, port = _endpoint(parts)
        address = await resolve(host, port, self.allowed, timeout_s=ends_at - time())
        if scheme == "http":
            return await connect_plain(ByteStream, address, port, timeout_s=ends_at - time())
        connected = await connect_socket(address, port, timeout_s=ends_at - time())
        return await secure(ByteStream, connected, self.tls, host, timeout_s=ends_at - time())


class Body:
    """What the server sends, as it comes. `url`: where it came from in the end."""

    def __init__(self, stream: "ByteStream", headers: Headers, url: str) -> None:
        self.url = url
        self._stream = stream
        self._rates = PeerRates(asyncio.get_running_loop().time)
        self._chunked = "chunked" in (headers.get("Transfer-Encoding") or "").lower()
        length = headers.get("Content-Length") or ""
        self._left = int(length) if re.fullmatch("[0-9]{1,15}", length) and not self._chunked else None

    async def pieces(self, *, silence_s: float) -> AsyncIterator[bytes]:
        """Until its end.

        Raises PeerError: `stalled` when nothing comes for that long, `flood` when it comes in too many pieces,
        or when it is cut off.
        """
        reader, taken = self._stream.reader, 0
        while self._left != 0:
            taken += 1
            if not taken % _PIECES_AT_ONCE:
                await asyncio.sleep(0)
            try:
                async with asyncio.timeout(silence_s):
                    if self._chunked and self._left is None:
                        self._left = await self._chunk_size()
                        if self._left == 0:
                            return
                    size = _READ_BYTES if self._left is None else min(self._left, _READ_BYTES)
                    piece = await reader.read(size)
            except TimeoutError:
                raise PeerError(Cause.STALLED, f"the server sent nothing for {silence_s:g} s") from None
            except OSError:
                raise PeerError(Cause.ENDED, "the connection was lost") from None
            if not piece:
                if self._left is not None:
                    raise PeerError(Cause.ENDED, "the server ended the connection in the middle")
                return
            self._rates.count_frames(1, len(piece))
            if self._left is not None:
                self._left -= len(piece)
                if self._chunked and self._left == 0:
                    await _line(reader)
                    self._left = None
            yield piece

    async def whole(self, *, at_most: int, silence_s: float) -> bytes:
        """All of it. Raises PeerError, MalformedError when it is longer."""
        data = bytearray()
        async for piece in self.pieces(silence_s=silence_s):
            data += piece
            if len(data) > at_most:
                raise MalformedError(f"the server sent more than {at_most} bytes where less is usual")
        return bytes(data)

    async def _chunk_size(self) -> int:
        size = (await _line(self._stream.reader)).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size):
            raise MalformedError("the server's chunks cannot be followed")
        return int(size, 16)


def join(base: str, address: str) -> str:
    """Resolve `address` at `base`; letters that no request can hold are percent-encoded. Raises MalformedError."""
    try:
        parts = urlsplit(urljoin(base, address))
        path, query = (_NOT_IN_REQUESTS.sub(lambda found: quote(found[0]), text) for text in (parts.path, parts.query))
        return parts._replace(path=path, query=query).geturl()
    except ValueError:
        raise MalformedError("an address cannot be read: its host or port is malformed") from None


class ByteStream(asyncio.StreamReaderProtocol):
    """A connection whose bytes are read when there is room for them."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader(limit=_READ_BYTES)
        self.transport: asyncio.Transport | None = None
        super().__init__(self.reader)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has transports of its own.
        self.transport = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def abort(self) -> None:
        """End at once."""
        if self.transport is not None:
            self.transport.abort()


async def _send_request(stream: ByteStream, parts: SplitResult, authorization: str | None) -> tuple[int, Headers]:
    assert stream.transport is not None
    lines = [f"GET {_target(parts)} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Accept: */*"]
    lines += ["User-Agent: VongGac", "Connection: close"]
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    stream.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    status = _STATUS.match(await _status_line(stream.reader))
    if status is None:
        raise MalformedError("the peer does not speak HTTP")
    headers = Headers()
    for _ in range(_MAX_HEADERS):
        line = (await _line(stream.reader)).decode("latin-1")
        if not line:
            return int(status[1]), headers
        name, _, value = line.partition(":")
        headers.add_field(name.strip(), value.strip())
    raise MalformedError("the server's answer has too many header fields")


async def _status_line(reader: asyncio.StreamReader) -> bytes:
    # What speaks another protocol may wait for us without ever ending a line.
    begin = b""
    while len(begin) < len(_PROTOCOL):
        try:
            piece = await reader.read(len(_PROTOCOL) - len(begin))
        except OSError:
            cause = Cause.ENDED if begin else Cause.HUNG_UP
            raise PeerError(cause, "the connection was lost") from None
        if not piece:
            raise PeerError(Cause.HUNG_UP, "the server ended the connection without an answer")
        begin += piece
        if not _PROTOCOL.startswith(begin):
            raise recognised(begin, "http") or MalformedError("the peer does not speak HTTP")
    return begin + await _line(reader)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise PeerError(Cause.ENDED, "the server ended the connection in the middle") from None
    except (asyncio.LimitOverrunError, ValueError):
        raise MalformedError("a line of the server's answer is too long") from None
    except OSError:
        raise PeerError(Cause.ENDED, "the connection was lost") from None
    if len(line) > _MAX_LINE_BYTES:
        raise MalformedError("a line of the server's answer is too long")
    return line.rstrip(b"\r\n")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MalformedError("an address cannot be read: its host or port is malformed") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise MalformedError("an address is not one of http or https")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise MalformedError("an address holds a space or a control character")
    return parts


def _endpoint(parts: SplitResult) -> tuple[str, str, int]:
    """(scheme, host, port) of what `_split` took."""
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
