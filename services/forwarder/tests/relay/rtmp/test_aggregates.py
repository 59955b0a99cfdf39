"""Aggregates: several messages in one come out as if each had come alone; what is not whole ends the stream."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.rtmp import amf, chunks
from forwarder.relay.rtmp.chunks import Message, unpack_aggregate, write_message
from forwarder.relay.sources.inputs import Address, feed_rtmp
from vonggac.events import Cause
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.tls import TlsPolicy

if TYPE_CHECKING:
    from services.forwarder.tests.relay.rtmp.conftest import Serve

STREAM = 1
MEDIA = [
    Message(chunks.VIDEO, STREAM, 5000, b"\x17\1\0\0\0" + b"v" * 900),
    Message(chunks.AUDIO, STREAM, 5010, b"\xaf\1sound"),
    Message(chunks.VIDEO, STREAM, 5040, b"\x27\1\0\0\0" + b"w" * 70_000),
]


def tag(message: Message, *, back_pointer: int | None = None) -> bytes:
    """As it stands in an aggregate; its own stream number is another one, which does not count."""
    size, stamp = len(message.payload), message.timestamp_ms
    head = bytes([message.kind]) + size.to_bytes(3) + (stamp & 0xFFFFFF).to_bytes(3) + bytes([stamp >> 24, 0, 0, 9])
    return head + message.payload + struct.pack(">I", 11 + size if back_pointer is None else back_pointer)


def aggregate(*messages: Message, at_ms: int = 5000) -> Message:
    return Message(chunks.AGGREGATE, STREAM, at_ms, b"".join(tag(message) for message in messages))


def moved(message: Message, by_ms: int) -> Message:
    return Message(message.kind, message.stream_id, message.timestamp_ms + by_ms, message.payload)


def test_what_was_put_together_comes_out_one_by_one() -> None:
    assert list(unpack_aggregate(aggregate(*MEDIA))) == MEDIA
    assert list(unpack_aggregate(aggregate())) == []


@pytest.mark.parametrize("begins_ms", [0, 7_000_000, 0xFFFFFF00])
def test_times_count_from_that_of_the_aggregate(begins_ms: int) -> None:
    counted = [moved(message, begins_ms - 5000) for message in MEDIA]
    assert list(unpack_aggregate(aggregate(*counted))) == MEDIA


def test_times_go_round_with_the_stream_s() -> None:
    found = list(unpack_aggregate(aggregate(*MEDIA, at_ms=0xFFFFFFF6)))
    assert [message.timestamp_ms for message in found] == [0xFFFFFFF6, 0, 30]


def test_a_wrong_back_pointer_is_not_read() -> None:
    payload = b"".join(tag(message, back_pointer=0) for message in MEDIA)
    assert list(unpack_aggregate(Message(chunks.AGGREGATE, STREAM, 5000, payload))) == MEDIA


def test_one_that_is_cut_off_is_malformed_wherever_it_is_cut() -> None:
    whole = aggregate(MEDIA[1], MEDIA[1]).payload
    between = len(whole) // 2
    for size in set(range(1, len(whole))) - {between}:
        with pytest.raises(MalformedError, match="ends amid"):
            list(unpack_aggregate(Message(chunks.AGGREGATE, STREAM, 0, whole[:size])))


def test_an_aggregate_of_nothing_much_is_given_up_early() -> None:
    empty = Message(chunks.AUDIO, STREAM, 5000, b"")
    parts = unpack_aggregate(aggregate(*[empty] * 100_000))
    assert sum(1 for _ in itertools.islice(parts, chunks.MAX_TINY_RUN)) == chunks.MAX_TINY_RUN
    with pytest.raises(MalformedError, match="next to nothing"):
        next(parts)


class Kept:
    """A sink that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    async def room(self) -> None:
        return

    @property
    def waiting_bytes(self) -> int:
        return 0


async def played(serve: Serve, *messages: Message) -> tuple[bytes, PeerError]:
    """What a camera's feed makes of them, and how it ends."""

    def payload_of(message: Message) -> bytes:
        return write_message(message, chunk_stream=6, chunk_bytes=chunks.FIRST_CHUNK_BYTES)

    def command(*values: amf.AmfValue) -> bytes:
        return payload_of(Message(chunks.COMMAND, 0, 0, amf.encode(*values)))

    answers = [
        command("_result", 1.0, None, None),
        command("_result", 2.0, None, float(STREAM)),
        command("onStatus", 0.0, None, {"level": "status", "code": "NetStream.Play.Start"}),
    ]
    answers[-1] += b"".join(payload_of(message) for message in messages)
    sink = Kept()
    async with serve(b"\3" + bytes(2 * 1536), *answers) as url:
        allowed = AllowedNetworks.parse(["127.0.0.0/8"])
        address = Address(f"rtmp://127.0.0.1:{url.port}/live/gate", None, allowed, TlsPolicy(), 5.0, 5.0)
        with pytest.raises(PeerError) as caught:
            await feed_rtmp(address, sink)
    return sink.written, caught.value


async def test_a_camera_that_sends_aggregates_is_played_as_one_that_does_not(serve: Serve) -> None:
    singly, end = await played(serve, *MEDIA)
    assert end.cause is Cause.ENDED
    command = Message(chunks.COMMAND, STREAM, 5000, amf.encode("onStatus", 0.0, None, {"level": "error"}))
    nested = aggregate(MEDIA[1])
    together, end = await played(serve, aggregate(command, *MEDIA, nested))
    assert end.cause is Cause.ENDED
    assert together == singly
    assert len(singly) > len(MEDIA[2].payload)


async def test_a_camera_whose_aggregates_are_malformed_is_reported_as_such(serve: Serve) -> None:
    _, end = await played(serve, Message(chunks.AGGREGATE, STREAM, 0, tag(MEDIA[0])[:-5]))
    assert isinstance(end, MalformedError)
    assert "aggregate" in end.message
