"""The chunk stream: whatever is written is read again, however TCP cuts it; hostile streams end early and small."""

import itertools
import random

import pytest

from forwarder.relay.rtmp import chunks
from forwarder.relay.rtmp.chunks import ChunkReader, Message, write_message
from vonggac.net.errors import MalformedError

MESSAGES = [
    Message(chunks.VIDEO, 1, 0, b"v" * 700),
    Message(chunks.AUDIO, 1, 40, b"a" * 128),
    Message(chunks.COMMAND, 0, 0, b"c"),
    Message(chunks.VIDEO, 1, 0xFFFFFF, b"w" * 300),
    Message(chunks.VIDEO, 1, 0xFFFFFFF0, b"x" * 300),
]


def chunk_size(size: int) -> bytes:
    message = Message(chunks.SET_CHUNK_SIZE, 0, 0, size.to_bytes(4))
    return write_message(message, chunk_stream=2, chunk_bytes=128)


@pytest.mark.parametrize("cut", [1, 7, 128, 5000])
def test_messages_come_out_as_they_went_in(cut: int) -> None:
    data = b"".join(write_message(message, chunk_stream=5, chunk_bytes=128) for message in MESSAGES)
    reader = ChunkReader()
    assert [found for piece in itertools.batched(data, cut) for found in reader.feed(bytes(piece))] == MESSAGES


def test_short_headers_take_the_rest_from_the_message_before() -> None:
    first = write_message(Message(chunks.VIDEO, 1, 1000, b"1234"), chunk_stream=6, chunk_bytes=128)
    data = first + bytes([0x46]) + b"\0\0\x28\0\0\2\x09ab" + bytes([0x86]) + b"\0\0\x29cd" + bytes([0xC6]) + b"ef"
    found = ChunkReader().feed(data)
    assert [(message.timestamp_ms, message.payload, message.stream_id) for message in found] == [
        (1000, b"1234", 1),
        (1040, b"ab", 1),
        (1081, b"cd", 1),
        (1122, b"ef", 1),
    ]


@pytest.mark.parametrize("cut", [1, 100, 5000])
def test_an_extended_timestamp_may_be_left_out_before_the_rest_of_a_message(cut: int) -> None:
    late = Message(chunks.VIDEO, 1, 0x01000000, bytes(range(256)) * 2)
    whole = write_message(late, chunk_stream=5, chunk_bytes=128)
    stamp = (0x01000000).to_bytes(4)
    assert whole.count(b"\xc5" + stamp) == 3
    left_out = whole.replace(b"\xc5" + stamp, b"\xc5")
    reader = ChunkReader()
    found = [one for piece in itertools.batched(left_out + whole, cut) for one in reader.feed(bytes(piece))]
    assert found == [late, late]


def test_an_aborted_message_is_dropped_and_the_next_one_is_whole() -> None:
    video = MESSAGES[0]
    begun = write_message(video, chunk_stream=6, chunk_bytes=128)[: 12 + 128]
    abort = write_message(Message(chunks.ABORT, 0, 0, (6).to_bytes(4)), chunk_stream=2, chunk_bytes=128)
    again = b"".join(b"\xc6" + video.payload[at : at + 128] for at in range(0, len(video.payload), 128))
    assert ChunkReader().feed(begun + abort + again) == [video]


def test_a_chunk_size_holds_from_the_next_chunk_on() -> None:
    video = write_message(MESSAGES[0], chunk_stream=6, chunk_bytes=4096)
    assert ChunkReader().feed(chunk_size(4096) + video) == [MESSAGES[0]]


def test_a_message_that_claims_to_be_huge_is_refused_at_its_header() -> None:
    with pytest.raises(MalformedError, match="longer than"):
        ChunkReader().feed(b"\x06\0\0\0\xff\xff\xff\x09\1\0\0\0")


def test_many_unfinished_messages_cannot_fill_the_memory() -> None:
    reader = ChunkReader()
    reader.feed(chunk_size(7 << 20))
    unfinished = b"\0\0\0" + (8 << 20).to_bytes(3) + b"\x09\1\0\0\0" + bytes(7 << 20)
    reader.feed(bytes([3]) + unfinished)
    with pytest.raises(MalformedError, match="unfinished"):
        reader.feed(bytes([4]) + unfinished)


@pytest.mark.parametrize("size", [0, 1, 15])
def test_chunks_of_a_few_bytes_are_refused(size: int) -> None:
    with pytest.raises(MalformedError, match="chunk size is below 16"):
        ChunkReader().feed(chunk_size(size))


def test_the_smallest_chunks_are_read() -> None:
    video = write_message(MESSAGES[0], chunk_stream=6, chunk_bytes=chunks.MIN_CHUNK_BYTES)
    assert ChunkReader().feed(chunk_size(chunks.MIN_CHUNK_BYTES) + video) == [MESSAGES[0]]


@pytest.mark.parametrize("payload", [b"", b"x", b"xyz"])
def test_messages_that_hold_next_to_nothing_are_refused_when_nothing_else_comes(payload: bytes) -> None:
    first = write_message(Message(chunks.DATA, 1, 0, payload), chunk_stream=4, chunk_bytes=128)
    more = bytes([0xC4]) + payload
    reader = ChunkReader()
    assert len(reader.feed(first + more * (chunks.MAX_TINY_RUN - 1))) == chunks.MAX_TINY_RUN
    with pytest.raises(MalformedError, match="next to nothing"):
        reader.feed(more)


def test_empty_messages_amid_media_are_taken() -> None:
    empty = write_message(Message(chunks.AUDIO, 1, 0, b""), chunk_stream=4, chunk_bytes=128)
    video = write_message(MESSAGES[0], chunk_stream=6, chunk_bytes=128)
    reader = ChunkReader()
    taken = [message for _ in range(10) for message in reader.feed(empty * chunks.MAX_TINY_RUN + video)]
    assert taken.count(MESSAGES[0]) == 10


def test_noise_ends_in_an_error_or_in_nothing() -> None:
    noise = random.Random(7)
    for _ in range(200):
        reader = ChunkReader()
        try:
            for _ in range(20):
                reader.feed(noise.randbytes(500))
        except MalformedError:
            continue
