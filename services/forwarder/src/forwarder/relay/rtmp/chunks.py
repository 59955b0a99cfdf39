"""The chunk stream of RTMP (§5.3): messages cut into chunks, and put together again."""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from vonggac.net.errors import MalformedError

SET_CHUNK_SIZE, ABORT, ACKNOWLEDGEMENT, USER_CONTROL, WINDOW_SIZE, PEER_BANDWIDTH = 1, 2, 3, 4, 5, 6
AUDIO, VIDEO, AMF3_DATA, AMF3_COMMAND, DATA, COMMAND, AGGREGATE = 8, 9, 15, 17, 18, 20, 22

FIRST_CHUNK_BYTES = 128
"""Of both sides, until they set another size."""
OUR_CHUNK_BYTES = 60_000
"""Nearly every frame in one chunk; some servers take no more than 65536."""
MAX_MESSAGE_BYTES = 8 << 20
MAX_CHUNK_STREAMS = 32
MAX_TINY_RUN = 256
"""Messages in a row with less than TINY_BYTES of payload: each costs us as much as one with a picture."""
TINY_BYTES = 4
"""Control messages have as much, media more; some servers send an empty message now and then."""
MIN_CHUNK_BYTES = 16
"""RTMP 1.0 §5.4.1 allows 1 byte and recommends 128 at least. Each chunk costs us the same: in chunks of a few bytes one
stream takes a whole core."""
MEDIA = frozenset({AUDIO, VIDEO, DATA})
_EXTENDED = 0xFFFFFF

_TAG_HEAD_BYTES = 11
_BACK_POINTER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message. `timestamp_ms`: absolute, 32 bits."""

    kind: int
    stream_id: int
    timestamp_ms: int
    payload: bytes


def write_message(message: Message, *, chunk_stream: int, chunk_bytes: int) -> bytes:
    """As it goes on the wire; every message begins with a full header, so that none depends on another."""
    stamp = message.timestamp_ms & 0xFFFFFFFF
    payload = message.payload
    extended = struct.pack(">I", stamp) if stamp >= _EXTENDED else b""
    head = (
        bytes([chunk_stream])
        + min(stamp, _EXTENDED).to_bytes(3)
        + len(payload).to_bytes(3)
        + struct.pack("<BI", message.kind, message.stream_id)
        + extended
    )
    if len(payload) <= chunk_bytes:
        return head + payload
    between = bytes([0xC0 | chunk_stream]) + extended
    return head + between.join(payload[at : at + chunk_bytes] for at in range(0, len(payload), chunk_bytes))


@dataclass(slots=True)
class _ChunkStream:
    stamp: int = 0
    delta: int = 0
    length: int = 0
    kind: int = 0
    stream_id: int = 0
    extended: bytes = b""
    """The extended timestamp of the last header, as it came; empty without one."""
    parts: bytearray | None = None


class ChunkReader:
    """Feed it what TCP delivers; the media in an aggregate comes out as if it had come alone.

    Partial messages of all chunk streams together are no longer than one may be.
    """

    def __init__(self, *, most: int = sys.maxsize) -> None:
        """`most`: how many chunks and parts of aggregates `feed` takes at once."""
        self.taken = 0
        """By the latest `feed`."""
        self.left_over = False
        """Whether `feed` may have more without another byte: give it none, in the next iteration of the event loop."""
        self._most = most
        self._aggregate: Iterator[Message] | None = None
        self._buffer = bytearray()
        self._streams: dict[int, _ChunkStream] = {}
        self._chunk_bytes = FIRST_CHUNK_BYTES
        self._partial_bytes = 0
        self._tiny_run = 0

    def feed(self, data: bytes) -> list[Message]:
        """Read what is whole now. Raises MalformedError when the stream cannot be followed any further."""
        self._buffer += data
        messages: list[Message] = []
        at = self.taken = 0
        while self.taken < self._most:
            if self._aggregate is not None:
                self._take_part(self._aggregate, messages)
            elif (end := self._take_chunk(at, messages)) is not None:
                at = end
            else:
                break
            self.taken += 1
        self.left_over = self.taken >= self._most
        del self._buffer[:at]
        return messages

    def _take_part(self, aggregate: Iterator[Message], out: list[Message]) -> None:
        part = next(aggregate, None)
        if part is None:
            self._aggregate = None
        elif part.kind in MEDIA:
            # Commands do not come in aggregates, nor does one aggregate in another.
            out.append(part)

    def _take_chunk(self, at: int, out: list[Message]) -> int | None:
        """Take the chunk at `at`; its end, or None when it is not whole yet."""
        buffer, size = self._buffer, len(self._buffer)
        begin = self._basic_header(at)
        if begin is None:
            return None
        form, number, at = begin
        head = (11, 7, 3, 0)[form]
        known = self._streams.get(number)
        stream = known or _ChunkStream()
        if at + head > size:
            return None
        field = int.from_bytes(buffer[at : at + 3]) if head else 0
        extended = self._extended_stamp(stream, at + head, announced=field == _EXTENDED if head else None)
        if extended is None:
            return None
        payload_at = at + head + len(extended)
        length = int.from_bytes(buffer[at + 3 : at + 6]) if head >= 7 else stream.length
        if length > MAX_MESSAGE_BYTES:
            raise MalformedError(f"an RTMP message is longer than {MAX_MESSAGE_BYTES} bytes")
        had = len(stream.parts) if stream.parts is not None and not head else 0
        end = payload_at + min(self._chunk_bytes, length - had)
        if end > size:
            return None
        if extended:
            field = int.from_bytes(buffer[at + head : payload_at])
        if known is None:
            if len(self._streams) >= MAX_CHUNK_STREAMS or form:
                raise MalformedError("an RTMP chunk continues a stream that never began, or opens one too many")
            self._streams[number] = stream
        if head or stream.parts is None:
            self._partial_bytes -= len(stream.parts or b"")
            self._begin(stream, form, field, extended, length, buffer[at + 6 : at + 11])
        assert stream.parts is not None
        stream.parts += buffer[payload_at:end]
        self._partial_bytes += end - payload_at
        if self._partial_bytes > MAX_MESSAGE_BYTES:
            raise MalformedError(f"unfinished RTMP messages are longer than {MAX_MESSAGE_BYTES} bytes")
        if len(stream.parts) == stream.length:
            self._finish(stream, out)
        return end

    def _basic_header(self, at: int) -> tuple[int, int, int] | None:
        """(form of the header, number of the chunk stream, where the header goes on); None when it is not whole."""
        buffer, size = self._buffer, len(self._buffer)
        if at >= size:
            return None
        form, number = buffer[at] >> 6, buffer[at] & 0x3F
        at += 1
        if number < 2:
            width = number + 1
            if at + width > size:
                return None
            number = 64 + int.from_bytes(buffer[at : at + width], "little")
            at += width
        return form, number, at

    def _extended_stamp(self, stream: _ChunkStream, at: int, *, announced: bool | None) -> bytes | None:
        """Read the extended timestamp at `at`, empty without one; None when it is not whole yet.

        `announced`: by the header; None: there is no header, and it is repeated (§5.3.1.3) or, by some servers, is not.
        """
        if not (stream.extended if announced is None else announced):
            return b""
        found = bytes(self._buffer[at : at + 4])
        if len(found) < 4:
            return None
        return found if announced or found == stream.extended else b""

    @staticmethod
    def _begin(stream: _ChunkStream, form: int, field: int, extended: bytes, length: int, rest: bytearray) -> None:
        stream.parts, stream.length = bytearray(), length
        if form < 3:
            stream.extended = extended
        if form <= 1:
            stream.kind = rest[0]
        if form == 0:
            stream.stream_id = int.from_bytes(rest[1:5], "little")
            stream.stamp, stream.delta = field, 0
        elif form < 3:
            stream.delta = field
            stream.stamp += field
        else:
            stream.stamp += stream.delta
        stream.stamp &= 0xFFFFFFFF

    def _finish(self, stream: _ChunkStream, out: list[Message]) -> None:
        payload, stream.parts = bytes(stream.parts or b""), None
        self._partial_bytes -= len(payload)
        self._tiny_run = self._tiny_run + 1 if len(payload) < TINY_BYTES else 0
        if self._tiny_run > MAX_TINY_RUN:
            raise MalformedError(f"more than {MAX_TINY_RUN} RTMP messages in a row hold next to nothing")
        if stream.kind == ABORT:
            self._abort(int.from_bytes(payload[:4]))
        elif stream.kind == SET_CHUNK_SIZE:
            size = int.from_bytes(payload[:4]) & 0x7FFFFFFF
            if size < MIN_CHUNK_BYTES:
                raise MalformedError(f"an RTMP chunk size is below {MIN_CHUNK_BYTES} bytes")
            self._chunk_bytes = min(size, MAX_MESSAGE_BYTES)
        elif stream.kind == AGGREGATE:
            self._aggregate = unpack_aggregate(Message(stream.kind, stream.stream_id, stream.stamp, payload))
        else:
            out.append(Message(stream.kind, stream.stream_id, stream.stamp, payload))

    def _abort(self, number: int) -> None:
        """Drop what came of the unfinished message of a chunk stream (§5.4.2)."""
        stream = self._streams.get(number)
        if stream is not None and stream.parts is not None:
            self._partial_bytes -= len(stream.parts)
            stream.parts = None


def unpack_aggregate(aggregate: Message) -> Iterator[Message]:
    """Yield the messages of an aggregate (RTMP 1.0 §7.1.6), each laid out there as a tag of an FLV file.

    They have the aggregate's stream, and the stream's time. Raises MalformedError when it comes to one that is not
    whole, or to more than MAX_TINY_RUN in a row that hold next to nothing.
    """
    payload, at, offset_ms, tiny_run = aggregate.payload, 0, None, 0
    while at < len(payload):
        body_at = at + _TAG_HEAD_BYTES
        end = body_at + int.from_bytes(payload[at + 1 : at + 4])
        # The back pointer serves only readers that go backwards; players ignore it.
        if end + _BACK_POINTER_BYTES > len(payload):
            raise MalformedError("an RTMP aggregate ends amid one of its messages")
        stamp_ms = int.from_bytes(payload[at + 4 : at + 7]) | payload[at + 7] << 24
        if offset_ms is None:
            # The first one's time is the aggregate's; servers that send from a file count from the file's beginning.
            offset_ms = aggregate.timestamp_ms - stamp_ms
        tiny_run = tiny_run + 1 if end - body_at < TINY_BYTES else 0
        if tiny_run > MAX_TINY_RUN:
            raise MalformedError(
                f"more than {MAX_TINY_RUN} messages in a row of an RTMP aggregate hold next to nothing"
            )
        yield Message(payload[at], aggregate.stream_id, stamp_ms + offset_ms & 0xFFFFFFFF, payload[body_at:end])
        at = end + _BACK_POINTER_BYTES
