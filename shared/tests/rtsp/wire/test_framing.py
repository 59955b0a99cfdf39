from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vonggac.events.causes import Cause
from vonggac.media.rtp import interleave
from vonggac.net.errors import PeerError
from vonggac.rtsp import Deframer, Headers, MediaBatch, Request, Response
from vonggac.rtsp.wire.framing import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_JUNK_BYTES, Item

ANSWER = Response(200, "OK", Headers([("CSeq", "1")]), b"v=0\r\n$\x00")
QUESTION = Request("GET_PARAMETER", "rtsp://h/", Headers([("CSeq", "9")]))

frames = st.builds(interleave, st.integers(0, 255), st.binary(max_size=40))
messages = st.sampled_from([ANSWER.encode() + b"", QUESTION.encode()])
junk = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"\r\n", b"RTSP/", b"GET_PARAMETER ", b"$", b"$\xff\x00", b"ABC", b"PLAY x\r\n"]),
)


def flat(items: list[Item]) -> list[bytes]:
    """Independent of how frames were batched."""
    out: list[bytes] = []
    for item in items:
        if isinstance(item, MediaBatch):
            assert item.frames[0][1] == 0
            assert item.frames[-1][2] == len(item.data)
            for channel, start, end in item.frames:
                assert item.data[start : start + 2] == bytes([0x24, channel])
                out.append(item.data[start:end])
        else:
            out.append(item.encode())
    return out


def run(chunks: list[bytes]) -> tuple[list[bytes], str | None]:
    """(what came out, the error that ended it)."""
    deframer = Deframer()
    out: list[bytes] = []
    try:
        for chunk in chunks:
            out += flat(deframer.feed(chunk))
        if deframer.failure is not None:
            raise deframer.failure
    except PeerError as error:
        return out, str(error)
    return out, None


def run_in_iterations(chunks: list[bytes], most: int) -> tuple[list[bytes], str | None]:
    """The same, `most` things at once."""
    deframer = Deframer(most=most)
    out: list[bytes] = []
    try:
        for chunk in chunks:
            items = deframer.feed(chunk)
            assert len(items) <= most
            out += flat(items)
            while deframer.left_over:
                items = deframer.feed(b"")
                assert len(flat(items)) <= 2 * most
                out += flat(items)
        if deframer.failure is not None:
            raise deframer.failure
    except PeerError as error:
        return out, str(error)
    return out, None


def feed_all(deframer: Deframer, chunks: list[bytes]) -> None:
    for chunk in chunks:
        deframer.feed(chunk)


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    borders = sorted({0, len(stream), *(number % (len(stream) + 1) for number in cuts)})
    return [stream[start:end] for start, end in pairwise(borders)]


@given(st.lists(st.one_of(frames, messages)), st.lists(st.integers(0, 10_000)))
def test_any_cut_of_a_good_stream_gives_every_frame_and_message(parts: list[bytes], cuts: list[int]) -> None:
    assert run(cut(b"".join(parts), cuts)) == (parts, None)


@settings(max_examples=4 * settings().max_examples)
@given(st.lists(st.one_of(frames, messages, junk)), st.lists(st.integers(0, 10_000)))
def test_any_cut_of_a_stream_with_junk_gives_the_same(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    assert run(cut(stream, cuts)) == run([stream])
    assert run([bytes([byte]) for byte in stream]) == run([stream])


@settings(max_examples=4 * settings().max_examples)
@given(st.lists(st.one_of(frames, messages, junk)), st.lists(st.integers(0, 10_000)), st.integers(1, 4))
def test_a_stream_that_is_taken_in_iterations_gives_the_same(parts: list[bytes], cuts: list[int], most: int) -> None:
    stream = b"".join(parts)
    assert run_in_iterations(cut(stream, cuts), most) == run([stream])


@given(st.binary(max_size=2000))
def test_no_bytes_raise_anything_but_rtsp_error(stream: bytes) -> None:
    deframer = Deframer()
    try:
        flat(deframer.feed(stream))
    except PeerError as error:
        assert error.cause is Cause.PROTOCOL_ERROR  # noqa: PT017 - whether it raises depends on the bytes


def test_media_of_one_read_is_handed_over_without_a_copy() -> None:
    data = interleave(0, b"a" * 1400) + interleave(1, b"b" * 20)
    (batch,) = Deframer().feed(data)
    assert isinstance(batch, MediaBatch)
    assert batch.data is data
    assert batch.frames == [(0, 0, 1404), (1, 1404, 1428)]


def test_a_partial_frame_waits_for_its_rest() -> None:
    deframer = Deframer()
    first, second = interleave(0, b"one"), interleave(2, b"second")
    (batch,) = deframer.feed(first + second[:5])
    assert isinstance(batch, MediaBatch)
    assert batch.data == first
    assert deframer.feed(second[5:6]) == []
    (batch,) = deframer.feed(second[6:])
    assert isinstance(batch, MediaBatch)
    assert (batch.data, batch.frames) == (second, [(2, 0, 10)])


def test_a_dollar_inside_a_body_is_no_frame() -> None:
    assert flat(Deframer().feed(ANSWER.encode() + interleave(0, b"x"))) == [
        ANSWER.encode(),
        interleave(0, b"x"),
    ]


def test_empty_lines_between_messages_are_no_junk() -> None:
    deframer = Deframer()
    assert flat(deframer.feed(b"\r\n\r\n" + QUESTION.encode() + b"\r\n")) == [QUESTION.encode()]
    assert deframer.junk_bytes == 0


def test_junk_is_skipped_and_counted() -> None:
    deframer = Deframer()
    junk_bytes = b"\x00\x01garbage$\x99$\x77"
    assert flat(deframer.feed(interleave(0, b"x") + junk_bytes + ANSWER.encode())) == [
        interleave(0, b"x"),
        ANSWER.encode(),
    ]
    assert deframer.junk_bytes == len(junk_bytes)


def test_too_much_junk_ends_the_stream() -> None:
    deframer = Deframer()
    with pytest.raises(PeerError, match="neither RTSP nor media"):
        feed_all(deframer, [b"\x00" * 1000] * (MAX_JUNK_BYTES // 1000 + 2))


def test_what_came_before_the_bad_bytes_is_still_returned() -> None:
    deframer = Deframer()
    assert flat(deframer.feed(interleave(0, b"x") + b"\x00" * (MAX_JUNK_BYTES + 100))) == [interleave(0, b"x")]
    assert deframer.failure is not None
    with pytest.raises(PeerError):
        deframer.feed(b"")


def test_a_head_without_end_is_refused_and_not_kept() -> None:
    deframer = Deframer()
    deframer.feed(b"RTSP/1.0 200 OK\r\n")
    with pytest.raises(PeerError, match="head is longer"):
        feed_all(deframer, [b"X: " + b"y" * 95 + b"\r\n"] * (MAX_HEAD_BYTES // 100 + 1))


def test_an_oversized_body_is_refused_before_it_comes() -> None:
    with pytest.raises(PeerError, match="body is longer"):
        Deframer().feed(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))


def test_a_web_server_is_called_by_its_name() -> None:
    with pytest.raises(PeerError, match="speaks HTTP"):
        Deframer().feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("ends", [b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n"])
@pytest.mark.parametrize("body", [b"\n\n--", b"\r\n\r\n"])
def test_the_first_empty_line_ends_the_head_with_or_without_cr(ends: bytes, body: bytes) -> None:
    data = b"RTSP/1.0 200 OK\r\nCSeq: 5\nContent-Length: 4" + ends + body
    for step in (1, len(data)):
        deframer = Deframer()
        items = [item for at in range(0, len(data), step) for item in deframer.feed(data[at : at + step])]
        (response,) = items
        assert isinstance(response, Response)
        assert (response.cseq, response.body) == (5, body[:4])
