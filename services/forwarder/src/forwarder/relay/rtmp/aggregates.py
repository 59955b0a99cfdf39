"""Aggregate messages (RTMP 1.0 §7.1.6): several messages in one, each laid out as a tag of an FLV file."""

from collections.abc import Iterator

from forwarder.relay.rtmp.chunks import MAX_TINY_RUN, TINY_BYTES, Message
from vonggac.net.errors import MalformedError

_HEAD_BYTES = 11
_BACK_POINTER_BYTES = 4


def unpack(aggregate: Message) -> Iterator[Message]:
    """Its messages, with the aggregate's stream and in the stream's time. Raises MalformedError when it comes to one
    that is not whole, or to more than MAX_TINY_RUN in a row that hold next to nothing.
    """
    payload, at, offset_ms, tiny_run = aggregate.payload, 0, None, 0
    while at < len(payload):
        body_at = at + _HEAD_BYTES
        end = body_at + int.from_bytes(payload[at + 1 : at + 4])
        # What the back pointer says is of use only to who reads backwards; players do not look at it.
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
