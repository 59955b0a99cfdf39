"""One RTMP connection of a client: the handshake, commands matched to answers, media handed over as it comes."""

import asyncio
import re
import secrets
import struct
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from forwarder.relay.rtmp.url import RtmpUrl
from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import connect_plain, connect_socket, cut, secure, writer_of
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.iterations import AT_ONCE, go_on_later
from vonggac.net.recognition import recognised
from vonggac.net.tls import TlsPolicy
from vonggac.rtsp.wire.rates import PeerRates

_VERSION = b"\x03"
_HELLO_BYTES = 1536
_CONTROL_STREAM, _COMMAND_STREAM = 2, 3
_PING, _PONG, _BUFFER_LENGTH = 6, 7, 3
_ACK_WINDOW_BYTES = 128 << 10
"""A server that acknowledges does so at least that often: about twice a second of a stream of 2 Mbit/s."""
_LINGER_S = 1.0
_OVER = frozenset(
    {"NetStream.Play.UnpublishNotify", "NetStream.Unpublish.Success", "NetConnection.Connect.Closed",
     "NetConnection.Connect.AppShutdown"}
)  # fmt: skip
"""What a server says, without calling it an error, of a stream that it no longer takes or gives."""
_ABOUT_LOGIN = re.compile(r"(?<![a-z])(?:un)?auth(?:mod|enticat\w*|ori[sz](?:ed|ation))?(?![\w-])|denied|forbidden")
"""Of a description, which may name the stream: `author-hall` is none."""
_CODE = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]+)*")

type OnLost = Callable[[PeerError | None], None]
type Answer = list[amf.AmfValue]


class CommandError(PeerError):
    """The server refused a command. `code` is its word, `description` its text: not for showing (it may hold a key)."""

    def __init__(self, command: str, code: str, description: str) -> None:
        shown = code if _CODE.fullmatch(code) and len(code) <= 60 else "an error"
        super().__init__(_cause(code, description), f"{command} was answered {shown}")
        self.args = (command, code, description)
        self.code, self.description = code, description

    def __repr__(self) -> str:
        return f"CommandError({self.message!r})"


def _cause(code: str, description: str) -> Cause:
    text = description.lower()
    if "StreamNotFound" in code or "InvalidApp" in code:
        return Cause.NOT_FOUND
    if "Denied" in code or "Unauthorized" in code or _ABOUT_LOGIN.search(text) is not None:
        return Cause.AUTH_FAILED
    if code == "NetStream.Publish.BadName" or any(word in text for word in ("already publish", "stream busy")):
        return Cause.ALREADY_PUBLISHING
    return Cause.REQUEST_REFUSED


class RtmpConnection(asyncio.Protocol):
    """Made by `open`. Callbacks run in the event loop and must not block; `on_lost` is called once, None after our own
    close. `control_bytes` counts what was written beside media since the handshake began."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.on_message: Callable[[Message], None] | None = None
        self.on_control: Callable[[Message], None] | None = None
        self.on_lost: OnLost | None = None
        self.on_pause_writing: Callable[[], None] | None = None
        self.control_bytes = 0
        self.bytes_received = 0
        self.peer_address = ""
        self.closed = False
        self.error: PeerError | None = None
        self._reader = ChunkReader(most=AT_ONCE)
        self._rates = PeerRates(asyncio.get_running_loop().time)
        self._hello: bytearray | None = bytearray()
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers: dict[float, asyncio.Future[Answer]] = {}
        self._asked = "the handshake"
        self._good = ""
        self._status: asyncio.Future[Mapping[str, amf.AmfValue]] | None = None
        self._transaction = 0.0
        self._window = 0
        self._acknowledged = 0
        self._write_paused = False

    @classmethod
    async def open(cls, url: RtmpUrl, *, timeout_s: float, allowed: AllowedNetworks, tls: TlsPolicy) -> Self:
        """Resolve, connect, TLS when the address says so. Raises PeerError as vonggac.rtsp's connections do."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        address = await resolve(url.host, url.port, allowed, timeout_s=timeout_s)
        if not url.secure:
            made = await connect_plain(cls, address, url.port, timeout_s=ends_at - loop.time())
        else:
            connected = await connect_socket(address, url.port, timeout_s=ends_at - loop.time())
            made = await secure(cls, connected, tls, url.host, timeout_s=ends_at - loop.time())
        made.peer_address = address
        return made

    @property
    def write_buffer_bytes(self) -> int:
        return 0 if self.closed else self.transport.get_write_buffer_size()

    async def greet(self) -> None:
        """Shake hands (§5.2), in the simple form. Raises PeerError when the connection is lost."""
        self._write(_VERSION + bytes(8) + secrets.token_bytes(_HELLO_BYTES - 8))
        await self._greeted
        self._asked = ""
        self.send_control(chunks.SET_CHUNK_SIZE, struct.pack(">I", chunks.OUR_CHUNK_BYTES))

    async def call(self, command: str, *values: amf.AmfValue, stream_id: int = 0) -> Answer:
        """Send a command and wait for its `_result`: what follows the transaction number. Raises PeerError."""
        self._transaction += 1
        waiting: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[self._transaction] = waiting
        transaction, self._asked = self._transaction, command
        try:
            self.send_command(command, transaction, *values, stream_id=stream_id)
            name, *answer = await waiting
        finally:
            del self._answers[transaction]
        self._asked = ""
        if name == "_error":
            information = next((value for value in answer if isinstance(value, Mapping)), {})
            raise CommandError(command, _text(information, "code"), _text(information, "description"))
        return answer

    async def call_for_status(self, command: str, *values: amf.AmfValue, stream_id: int, good: str) -> None:
        """Send a command that is answered by onStatus, and wait for the status `good`. Raises PeerError."""
        self._status, self._asked, self._good = asyncio.get_running_loop().create_future(), command, good
        self.send_command(command, 0.0, None, *values, stream_id=stream_id)
        try:
            status = await self._status
        finally:
            self._status = None
        if _text(status, "code") != good:
            raise CommandError(command, _text(status, "code"), _text(status, "description"))
        self._asked = ""

    def send_command(self, command: str, transaction: float, *values: amf.AmfValue, stream_id: int = 0) -> None:
        """Send a command without waiting."""
        payload = amf.encode(command, transaction, *values)
        message = Message(chunks.COMMAND, stream_id, 0, payload)
        self._write(write_message(message, chunk_stream=_COMMAND_STREAM, chunk_bytes=chunks.OUR_CHUNK_BYTES))

    def set_buffer_length(self, stream_id: int, length_ms: int) -> None:
        self.send_control(chunks.USER_CONTROL, struct.pack(">HII", _BUFFER_LENGTH, stream_id, length_ms))

    def write_media(self, data: bytes) -> None:
        """Chunks of `write_message`; never blocks, never raises."""
        if not self.closed:
            self._write_pieces(data)

    async def close(self) -> None:
        """Close it; what is written goes out first, bounded to about a second."""
        if not self.closed:
            self._end(None)
            self.transport.close()
        try:
            async with asyncio.timeout(_LINGER_S):
                await asyncio.shield(self._gone)
        except TimeoutError:
            cut(self.transport)
            await self._gone

    def abort(self) -> None:
        """End at once."""
        if not self.closed:
            self._end(None)
        cut(self.transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has transports of its own.
        self.transport = cast("asyncio.Transport", transport)
        self._write_pieces = writer_of(self.transport)

    def data_received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        if self.closed:
            return
        if self._handle(data):
            go_on_later(self.transport, self._handle)
        # Acknowledgements name all that came: what is left out for a peer that does not read is in the next.
        due = self._window and self.bytes_received - self._acknowledged >= self._window // 2
        if due and not self._write_paused:
            self._acknowledged = self.bytes_received
            self.send_control(chunks.ACKNOWLEDGEMENT, struct.pack(">I", self._acknowledged & 0xFFFFFFFF))

    def _handle(self, data: bytes) -> bool:
        """Handle what is whole, up to a bound; True if something is left for the next iteration."""
        try:
            size = len(data)
            if self._hello is not None:
                data = self._take_hello(self._hello, data)
            messages = self._reader.feed(data)
            self._rates.count_chunks(self._reader.taken or 1, size)
            for message in messages:
                self._receive_message(message)
                if self.closed:
                    return False
        except PeerError as error:
            self._end(error)
            cut(self.transport)
            return False
        return self._reader.left_over

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed:
            # Some servers refuse in this way, without a reason.
            instead = f" instead of answering {self._asked}" if self._asked else ""
            cause = Cause.HUNG_UP if self._asked else Cause.ENDED
            self._end(PeerError(cause, f"the peer ended the connection{instead}"))
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._write_paused = True
        if self.on_pause_writing is not None:
            self.on_pause_writing()

    def resume_writing(self) -> None:
        self._write_paused = False

    def _take_hello(self, hello: bytearray, data: bytes) -> bytes:
        hello += data
        if hello[:1] != _VERSION:
            raise recognised(bytes(hello), "rtmp") or MalformedError("the peer does not speak RTMP")
        whole = 1 + 2 * _HELLO_BYTES
        if len(hello) < whole:
            return b""
        self._hello = None
        self._write(bytes(hello[1 : 1 + _HELLO_BYTES]))
        if not self._greeted.done():
            self._greeted.set_result(None)
        return bytes(hello[whole:])

    def _receive_message(self, message: Message) -> None:
        if message.kind in chunks.MEDIA:
            if self.on_message is not None:
                self.on_message(message)
            return
        self._rates.count_reports(1, "RTMP control messages")
        if message.kind in (chunks.COMMAND, chunks.AMF3_COMMAND):
            self._take_command(message.payload[message.kind == chunks.AMF3_COMMAND :])
        elif message.kind == chunks.WINDOW_SIZE and len(message.payload) >= 4:
            self._window = int.from_bytes(message.payload[:4])
        elif message.kind == chunks.PEER_BANDWIDTH and len(message.payload) >= 4:
            window = min(int.from_bytes(message.payload[:4]), _ACK_WINDOW_BYTES)
            self._answer(chunks.WINDOW_SIZE, struct.pack(">I", window))
        elif message.kind == chunks.USER_CONTROL and message.payload[:2] == struct.pack(">H", _PING):
            self._answer(chunks.USER_CONTROL, struct.pack(">H", _PONG) + message.payload[2:6])
        elif self.on_control is not None:
            self.on_control(message)

    def _take_command(self, payload: bytes) -> None:
        name, *values = amf.decode(payload) or [None]
        if name in ("_result", "_error") and values:
            waiting = self._answers.get(values[0]) if isinstance(values[0], float) else None
            if waiting is not None and not waiting.done():
                waiting.set_result([name, *values[1:]])
        elif name == "onStatus":
            status = next((value for value in values if isinstance(value, Mapping)), {})
            if self._status is not None and not self._status.done():
                # Others come before it, at once or later: NetStream.Play.Reset.
                if _text(status, "code") == self._good or _text(status, "level") == "error":
                    self._status.set_result(status)
            elif _text(status, "level") == "error":
                self._end_by_peer(CommandError("the stream", _text(status, "code"), _text(status, "description")))
            elif _text(status, "code") in _OVER:
                self._end_by_peer(PeerError(Cause.ENDED, f"the server ended the stream ({_text(status, 'code')})"))
        elif name in ("onFCUnpublish", "close"):
            self._end_by_peer(PeerError(Cause.ENDED, f"the server ended the stream ({name})"))

    def _end_by_peer(self, error: PeerError) -> None:
        self._end(error)
        cut(self.transport)

    def _answer(self, kind: int, payload: bytes) -> None:
        # A peer that asks and does not read must not fill our memory with what it asked for.
        if not self._write_paused:
            self.send_control(kind, payload)

    def send_control(self, kind: int, payload: bytes) -> None:
        """Send a protocol control message, without waiting."""
        message = Message(kind, 0, 0, payload)
        self._write(write_message(message, chunk_stream=_CONTROL_STREAM, chunk_bytes=chunks.OUR_CHUNK_BYTES))

    def _write(self, data: bytes) -> None:
        if not self.closed:
            self.control_bytes += len(data)
            self.transport.write(data)

    def _end(self, error: PeerError | None) -> None:
        self.closed, self.error = True, error
        shown = error or PeerError(Cause.ENDED, "the connection was closed")
        waiting: list[asyncio.Future[Any]] = [
            self._greeted,
            *self._answers.values(),
            *([self._status] if self._status else []),
        ]
        for future in waiting:
            if not future.done():
                future.set_exception(shown)
                # Not every one is awaited by now; `on_lost` gets the error too.
                future.exception()
        on_lost, self.on_lost = self.on_lost, None
        # The callbacks refer to this connection: while each refers to the other, only the garbage collector can free
        # them, and hundreds of ended sessions wait for it.
        self.on_message = self.on_control = self.on_pause_writing = None
        if on_lost is not None:
            on_lost(error)


def _text(information: Mapping[str, amf.AmfValue], key: str) -> str:
    value = information.get(key)
    return value if isinstance(value, str) else ""
