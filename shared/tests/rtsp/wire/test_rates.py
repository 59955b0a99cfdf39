"""Hostile floods of tiny things are bounded at once, and no camera that anybody builds is hit."""

import struct
from collections.abc import Iterator

import pytest

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.framing import MAX_JUNK_BYTES, Deframer, MediaBatch
from vonggac.rtsp.wire.rates import MESSAGES_AT_ONCE, PeerRates

REPORTS = 1 << 1
"""Channel 1."""
OPTIONS = b"OPTIONS rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"


class Connection:
    """What a connection does with what it receives, by a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.rates = PeerRates(lambda: self.now_s)
        self.rates.report_channels = REPORTS
        self._deframer = Deframer(self.rates.count_message)

    def receive(self, data: bytes) -> None:
        """Raises PeerError."""
        self.rates.count_piece(self._deframer.feed(data), len(data))
        if self._deframer.failure is not None:
            raise self._deframer.failure

    def receive_for(self, seconds: float, pieces: Iterator[bytes], *, per_s: float) -> None:
        """A piece after the other."""
        for _ in range(int(seconds * per_s)):
            self.now_s += 1 / per_s
            self.receive(next(pieces))


def frame(size: int, channel: int = 0) -> bytes:
    """An interleaved frame that carries `size` bytes."""
    return struct.pack(">cBH", b"$", channel, size) + bytes(size)


def pictures(packets: int, size: int) -> Iterator[bytes]:
    """Each picture in one piece."""
    picture = frame(size) * packets
    while True:
        yield picture


@pytest.mark.parametrize(
    ("packets", "size"),
    [
        pytest.param(149, 1_400, id="4K at 60 pictures a second and 100 Mbit/s"),
        pytest.param(695, 300, id="the same in packets of 300 bytes"),
        pytest.param(135, 12 + 20, id="4K with a slice a row of macroblocks, dark and still"),
        pytest.param(8, 12 + 3, id="eight slices of nothing"),
    ],
)
def test_the_most_demanding_camera_is_not_hostile(packets: int, size: int) -> None:
    connection = Connection()
    connection.receive_for(20.0, pictures(packets, size), per_s=60)


def test_what_a_recorder_hands_out_at_once_is_not_hostile() -> None:
    """Ten seconds of 4K in eight slices at 60 pictures a second, most of them still, and their sound."""
    connection = Connection()
    stored = (frame(32) * 8 + frame(180)) * 600
    for at in range(0, len(stored), 65_536):
        connection.receive(stored[at : at + 65_536])


def test_what_waited_while_nobody_read_is_not_hostile() -> None:
    connection = Connection()
    connection.receive_for(1.0, pictures(135, 32), per_s=60)
    connection.now_s += 5.0
    connection.receive(frame(32) * 135 * 60 * 5)


def test_reports_as_often_as_the_standard_lets_them_come_are_not_hostile() -> None:
    connection = Connection()
    connection.receive_for(20.0, iter(lambda: frame(28, channel=1), b""), per_s=278)


def test_a_slow_line_that_brings_single_bytes_is_not_hostile() -> None:
    connection = Connection()
    message = OPTIONS * 100
    connection.receive_for(1.0, (message[at : at + 1] for at in range(len(message))), per_s=1_000)


@pytest.mark.parametrize(
    ("form", "within_s"),
    [
        pytest.param(frame(0), 0.05, id="frames of 4 bytes"),
        pytest.param(frame(12), 0.25, id="RTP without payload"),
        pytest.param(frame(28, channel=1), 0.05, id="RTCP"),
        pytest.param(OPTIONS, 0.05, id="OPTIONS"),
        pytest.param(b"RTSP/1.0 200 OK\r\nCSeq: 999\r\n\r\n", 0.05, id="answers"),
    ],
)
def test_a_hostile_flood_of_20_mbit_is_a_flood_at_once(form: bytes, within_s: float) -> None:
    connection = Connection()
    piece = form * (25_000 // len(form))
    with pytest.raises(PeerError) as flood:
        connection.receive_for(within_s, iter(lambda: piece, b""), per_s=100)
    assert flood.value.cause is Cause.FLOOD


def test_a_hostile_frame_in_single_bytes_is_a_flood() -> None:
    connection = Connection()
    data = frame(60_000)
    with pytest.raises(PeerError) as flood:
        connection.receive_for(1.0, (data[at : at + 1] for at in range(len(data))), per_s=40_000)
    assert flood.value.cause is Cause.FLOOD


def test_hostile_messages_in_one_piece_are_read_up_to_the_bound_only() -> None:
    """A piece of 256 kB has six thousand: each of them costs twenty microseconds."""
    rates = PeerRates(lambda: 0.0)
    deframer = Deframer(rates.count_message)
    assert len(deframer.feed(OPTIONS * 6_000)) == MESSAGES_AT_ONCE
    assert deframer.failure is not None
    assert deframer.failure.cause is Cause.FLOOD


def test_hostile_empty_lines_are_no_message_and_end_like_junk() -> None:
    deframer = Deframer()
    deframer.feed(b"\r\n" * (MAX_JUNK_BYTES // 2))
    deframer.feed(OPTIONS)
    deframer.feed(b"\r\n" * (MAX_JUNK_BYTES // 2))
    with pytest.raises(PeerError) as junk:
        deframer.feed(b"\r\n")
    assert junk.value.cause is Cause.PROTOCOL_ERROR


def test_what_the_fast_path_passed_on_is_counted_later_against_the_whole_time() -> None:
    connection = Connection()
    for _ in range(10):
        connection.now_s += 1.0
        connection.rates.count_frames(8_900, 8_900 * 1_404)
        connection.rates.count_frames(8_100, 8_100 * 36)
    connection.now_s += 1.0
    with pytest.raises(PeerError):
        connection.rates.count_frames(156_250, 156_250 * 16)


def test_reports_are_bounded_only_where_they_are_agreed() -> None:
    """Some cameras put their video onto channel 1."""
    rates = PeerRates(lambda: 0.0)
    batch = MediaBatch.of(frame(1_400, channel=1) * 5_000)
    rates.count_piece([batch], len(batch.data))
    rates.report_channels = REPORTS
    with pytest.raises(PeerError):
        rates.count_piece([batch], len(batch.data))
