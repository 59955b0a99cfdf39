"""Where media in a container comes from: one attempt each, to its end. Nothing is unpacked here.

A feed writes what comes to a sink, and waits when the sink is full; it ends with a PeerError, never in silence.
"""

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, cast
from urllib.parse import urlsplit

from forwarder.relay.rtmp import chunks
from forwarder.relay.rtmp.chunks import Message
from forwarder.relay.rtmp.client import open_playing
from forwarder.relay.rtmp.url import RtmpUrl
from forwarder.relay.sources.http import ByteStream, Web
from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import connect_plain
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.tls import TlsPolicy
from vonggac.net.url import Credentials
from vonggac.rtsp.wire.rates import PeerRates

_FLV_HEAD = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"
_TAG_HEAD_BYTES = 11
_MAX_WAITING_BYTES = 1 << 20


class Sink(Protocol):
    """Where a feed writes. `room` waits until there is some; `waiting_bytes` waits to be unpacked."""

    def write(self, data: bytes) -> None: ...

    async def room(self) -> None: ...

    @property
    def waiting_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Address:
    """What to play and how. `url` with placeholders filled in: for the wire only."""

    url: str
    credentials: Credentials | None
    allowed: AllowedNetworks
    tls: TlsPolicy
    deadline_s: float
    silence_s: float
    audio: bool = False
    filled: Credentials | None = None
    """The login that was filled in, where placeholders stood."""
    on_login: Callable[[bool], None] = lambda _needed: None
    """As of `PlayLimits`."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def port(self) -> int:
        """Raises MalformedError when there is none."""
        port = urlsplit(self.url).port
        if not port or not self.host:
            raise MalformedError("the address must look like tcp://host:port or udp://host:port")
        return port

    @property
    def web(self) -> Web:
        return Web(self.allowed, self.tls, self.url, self.credentials, self.filled, self.on_login)


type Feed = Callable[[Address, Sink], Awaitable[None]]


async def feed_tcp(address: Address, sink: Sink) -> None:
    """MPEG-TS that a device sends to whoever connects. Raises PeerError when it ends."""
    host = await resolve(address.host, address.port, address.allowed, timeout_s=address.deadline_s)
    reader = await connect_plain(ByteStream, host, address.port, timeout_s=address.deadline_s)
    rates = PeerRates(asyncio.get_running_loop().time)
    try:
        while piece := await _in_time(reader.reader.read(64 << 10), address.silence_s):
            rates.count_frames(1, len(piece))
            sink.write(piece)
            await sink.room()
    except OSError:
        raise PeerError(Cause.ENDED, "the connection was lost") from None
    finally:
        reader.abort()
    raise PeerError(Cause.ENDED, "the device ended the connection")


async def feed_udp(address: Address, sink: Sink) -> None:
    """MPEG-TS in datagrams to our port: of the device that the address names, or of a multicast group.

    What does not come from the device, or for a group from an allowed network, is dropped. Raises PeerError.
    """
    device = ipaddress.ip_address(await resolve(address.host, address.port, None, timeout_s=address.deadline_s))
    # As senders are written, whatever spelling of it the address has.
    host, group = str(device), device.is_multicast
    if not group:
        await resolve(host, address.port, address.allowed, timeout_s=address.deadline_s)

    def welcome(sender: str) -> bool:
        return address.allowed.allow(sender) if group else sender == host

    receiving = await _listen(host, address.port, group, welcome, sink)
    try:
        while True:
            await _in_time(receiving.heard.wait(), address.silence_s)
            receiving.heard.clear()
            if receiving.flood is not None:
                raise receiving.flood
    finally:
        receiving.transport.close()


async def feed_http(address: Address, sink: Sink) -> None:
    """MPEG-TS as one endless answer. Raises PeerError when it ends."""
    async with address.web.get(address.url, deadline_s=address.deadline_s) as body:
        async for piece in body.pieces(silence_s=address.silence_s):
            sink.write(piece)
            await sink.room()
    raise PeerError(Cause.ENDED, "the server ended the stream")


async def feed_rtmp(address: Address, sink: Sink) -> None:
    """Feed a live stream of an RTMP server to `sink`, as FLV. Raises PeerError when it ends."""
    heard, overrun, media = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def on_message(message: Message) -> None:
        heard.set()
        if message.kind in (chunks.AUDIO, chunks.VIDEO):
            media.set()
            if sink.waiting_bytes > chunks.MAX_MESSAGE_BYTES:
                overrun.set()
            else:
                sink.write(_flv_tag(message))

    sink.write(_FLV_HEAD)
    url = RtmpUrl.parse(address.url)
    connection = await open_playing(
        url,
        address.credentials,
        on_message,
        deadline_s=address.deadline_s,
        allowed=address.allowed,
        tls=address.tls,
        on_login=address.on_login,
    )
    connection.on_lost = lambda _: heard.set()
    try:
        while not connection.closed:
            heard.clear()
            await _in_time(heard.wait(), address.silence_s)
            if overrun.is_set():
                raise PeerError(Cause.STALLED, "the media comes faster than it can be unpacked")
    finally:
        connection.abort()
    error = connection.error or PeerError(Cause.ENDED, "the server ended the stream")
    if error.cause is Cause.ENDED and not media.is_set():
        # So do servers that admit nobody to the stream.
        raise PeerError(Cause.HUNG_UP, "the server took play and ended the connection before any media")
    raise error


def _flv_tag(message: Message) -> bytes:
    size, stamp = len(message.payload), message.timestamp_ms
    head = (
        bytes([message.kind]) + size.to_bytes(3) + (stamp & 0xFFFFFF).to_bytes(3) + bytes([stamp >> 24 & 0xFF, 0, 0, 0])
    )
    return head + message.payload + struct.pack(">I", size + _TAG_HEAD_BYTES)


async def _in_time[T](work: Awaitable[T], silence_s: float) -> T:
    try:
        async with asyncio.timeout(silence_s):
            return await work
    except TimeoutError:
        raise PeerError(Cause.STALLED, f"no media for {silence_s:g} s") from None


class _Datagrams(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def __init__(self, welcome: Callable[[str], bool], sink: Sink) -> None:
        self.heard = asyncio.Event()
        self.flood: PeerError | None = None
        self._welcome, self._sink = welcome, sink
        self._rates = PeerRates(asyncio.get_running_loop().time)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has transports of its own.
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        # A stranger's datagrams are no flood of the device.
        if not self._welcome(addr[0]):
            return
        try:
            self._rates.count_frames(1, len(data))
        except PeerError as error:
            self.flood = error
            self.heard.set()
            self.transport.abort()
            return
        # What cannot be unpacked in time is lost, as on the network.
        if self._sink.waiting_bytes < _MAX_WAITING_BYTES:
            self.heard.set()
            self._sink.write(data)


def _address_towards(host: str, port: int, family: int) -> str:
    """Return the address of this machine that a device sees as ours. Raises OSError when no way leads there."""
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        # Sends nothing: the kernel chooses the way.
        asked.connect((host, port))
        address: str = asked.getsockname()[0]
        return address


async def _listen(host: str, port: int, group: bool, welcome: Callable[[str], bool], sink: Sink) -> _Datagrams:
    version6 = ":" in host
    sock = socket.socket(socket.AF_INET6 if version6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if group:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # No other address of this machine takes in what a stranger sends.
        sock.bind((host if group else _address_towards(host, port, sock.family), port))
        if group:
            packed = socket.inet_pton(sock.family, host)
            if version6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed + bytes(4))
            else:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed + bytes(4))
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: _Datagrams(welcome, sink), sock=sock)
    except OSError as error:
        sock.close()
        msg = f"port {port} cannot be listened on for datagrams: {error.strerror}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg) from None
    return protocol
