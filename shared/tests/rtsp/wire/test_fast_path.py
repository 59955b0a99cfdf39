"""The fast path of media: the same bytes to the same destinations, or not at all."""

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vonggac.net.errors import PeerError
from vonggac.rtsp import RtspConnection
from vonggac.rtsp.wire.fast_path import FastPath
from vonggac.rtsp.wire.framing import Deframer, MediaBatch
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedPeer, reply

VIDEO, AUDIO = 0, 2


def frame(channel: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(payload)) + payload


class Destinations:
    """A path that leads to two destinations, who keep what they are given."""

    def __init__(self) -> None:
        self.first, self.second = bytearray(), bytearray()
        self.path = FastPath(channels=frozenset({0, 1, 2, 3}), video_channel=VIDEO)
        self.path.writes = (self.first.extend, self.second.extend)


@pytest.fixture
def to() -> Destinations:
    return Destinations()


def test_whole_frames_go_to_every_destination_and_are_counted(to: Destinations) -> None:
    data = frame(VIDEO, b"") + frame(VIDEO, b"picture") + frame(1, b"report")
    assert to.path.pass_on(data)
    assert (bytes(to.first), bytes(to.second)) == (data, data)
    assert (to.path.bytes, to.path.packets, to.path.pictures) == (len(data), 3, 1)


def test_what_holds_no_video_is_no_picture(to: Destinations) -> None:
    assert to.path.pass_on(frame(AUDIO, b"sound") + frame(1, b"report"))
    assert (to.path.packets, to.path.pictures) == (2, 0)


def test_pictures_that_end_are_known_by_the_marker_bit_of_video_alone(to: Destinations) -> None:
    middle, end, report = b"\x80\x60rest", b"\x80\xe0rest", b"\x80\xc8\0\6"
    for data in (
        frame(VIDEO, middle) + frame(VIDEO, end) + frame(1, report),
        frame(AUDIO, end) + frame(VIDEO, end) + frame(VIDEO, end) + frame(VIDEO, middle),
        # No packet: behind its single byte begins the next frame.
        frame(VIDEO, b"\x80") + frame(VIDEO, middle),
    ):
        assert to.path.pass_on(data)
    assert to.path.endings == 3


def test_a_piece_with_reports_is_shown_to_who_reads_them_after_it_was_passed_on(to: Destinations) -> None:
    shown: list[tuple[bytes, int]] = []
    to.path.on_reports = lambda data: shown.append((data, len(to.second)))
    sender, receiver, goodbye = (frame(1, bytes((0x80, kind, 0, 1)) + bytes(4)) for kind in (200, 201, 203))
    sound, picture = frame(AUDIO, b"\x80\xe1sound"), frame(VIDEO, b"\x80\xc8picture")
    with_reports = (picture + sender, receiver + sound, goodbye)
    for data in (picture, sound, *with_reports, picture + sound):
        assert to.path.pass_on(data)
    assert [data for data, _ in shown] == list(with_reports)
    assert shown[0][1] == len(picture + sound + with_reports[0])


@pytest.mark.parametrize(
    "data",
    [
        frame(VIDEO, b"picture")[:-1],
        frame(VIDEO, b"picture") + frame(VIDEO, b""),
        frame(VIDEO, b"picture") + b"$\x00\x00",
        frame(VIDEO, b"picture") + frame(9, b"nobody agreed on it"),
        frame(VIDEO, b"picture") + b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n",
        frame(VIDEO, b"picture") + b"\r\n",
        b"$",
    ],
)
def test_anything_else_is_left_untouched_for_who_reads_it(to: Destinations, data: bytes) -> None:
    assert not to.path.pass_on(data)
    assert (bytes(to.first), to.path.bytes, to.path.packets, to.path.pictures) == (b"", 0, 0, 0)


def test_a_closed_fast_path_takes_nothing(to: Destinations) -> None:
    to.path.writes = None
    assert not to.path.pass_on(frame(VIDEO, b"picture"))


def test_a_fast_path_to_nobody_counts_on(to: Destinations) -> None:
    to.path.writes = ()
    assert to.path.pass_on(frame(VIDEO, b"picture"))
    assert (to.path.pictures, bytes(to.first)) == (1, b"")


def test_who_leaves_in_the_midst_of_a_piece_was_given_it(to: Destinations) -> None:
    counted: list[int] = []

    def leave(_: bytes) -> None:
        counted.append(to.path.bytes)
        to.path.writes = None

    data = frame(VIDEO, b"picture")
    to.path.writes = (leave, to.second.extend)
    assert to.path.pass_on(data)
    assert (counted, bytes(to.second)) == ([len(data)], data)


pieces = st.one_of(
    st.builds(frame, st.integers(0, 5), st.binary(max_size=40)),
    st.binary(max_size=12),
    st.just(b"RTSP/1.0 200 OK\r\n\r\n"),
)


@given(st.lists(pieces, max_size=6).map(b"".join))
@example(bytes(4))
def test_it_takes_exactly_what_the_deframer_takes_for_frames_of_the_agreed_channels(data: bytes) -> None:
    to = Destinations()
    try:
        items = Deframer().feed(data)
    except PeerError:
        items = []
    whole = items[0] if len(items) == 1 and isinstance(items[0], MediaBatch) and items[0].data == data else None
    agreed = whole is not None and not whole.channels & ~0b1111 and _ends_in_a_packet(whole)
    assert to.path.pass_on(data) == (agreed or not data)
    assert bytes(to.first) == (data if agreed else b"")


def _ends_in_a_packet(batch: MediaBatch) -> bool:
    _, start, end = batch.frames[-1]
    return end - start >= 6


async def test_a_connection_gives_its_media_to_the_fast_path_and_everything_else_to_who_reads_it() -> None:
    taken, seen = bytearray(), bytearray()
    path = FastPath(channels=frozenset({0, 1}), video_channel=VIDEO)
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await RtspConnection.open("127.0.0.1", peer.port, timeout_s=5)
        connection.on_media = lambda batch: seen.extend(batch.data)
        connection.open_fast_path(path)
        await connection.request("OPTIONS", "rtsp://camera/live", timeout_s=5)
        path.writes = (taken.extend,)
        received = connection.bytes_received
        picture, stray = frame(VIDEO, b"picture"), frame(7, b"stray")
        for data in (picture, stray, picture[:5]):
            peer.writer.write(data)
            received += len(data)
            await eventually(lambda: connection.bytes_received == received)  # noqa: B023 - awaited within the round
        peer.writer.write(picture[5:] + picture)
        await eventually(lambda: seen == stray + picture + picture)
        peer.writer.write(picture)
        await eventually(lambda: taken == picture + picture)
        received = connection.bytes_received
        connection.close()
        assert connection.bytes_received == received
        connection.data_received(picture)
        assert taken == picture + picture
        await connection.wait_closed()


async def test_who_samples_sees_the_media_that_goes_by_meanwhile() -> None:
    taken, samples = bytearray(), bytearray()
    path = FastPath(channels=frozenset({0, 1}), video_channel=VIDEO)
    path.writes = (taken.extend,)
    async with ScriptedPeer(lambda _: reply()) as peer:
        connection = await RtspConnection.open("127.0.0.1", peer.port, timeout_s=5)
        connection.on_media = lambda batch: taken.extend(batch.data)
        connection.open_fast_path(path)
        await connection.request("OPTIONS", "rtsp://camera/live", timeout_s=5)
        connection.on_sample = lambda batch: samples.extend(batch.data)
        peer.writer.write(frame(VIDEO, b"one"))
        await eventually(lambda: samples == frame(VIDEO, b"one"))
        connection.on_sample = None
        peer.writer.write(frame(VIDEO, b"two"))
        await eventually(lambda: taken == frame(VIDEO, b"one") + frame(VIDEO, b"two"))
        assert samples == frame(VIDEO, b"one")
        connection.abort()
        await connection.wait_closed()
