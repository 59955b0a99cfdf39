"""The tap behind the fan-out: whole keyframes while it is open, and nothing at all while it is not."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.picture.keyframes import MAX_KEYFRAME_BYTES, KeyframeRoom
from forwarder.relay.media.fanout import FanOut
from forwarder.relay.media.keyframe_tap import KeyframeTap
from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import KeyframeScanner
from vonggac.testing.recordings import RECORDINGS, batches, codec_of, recorded

SPS, IDR, INTER = b"\x67\x42\x00\x1e", b"\x65\x88\x80", b"\x41\x9a\x00"


class Rig:
    """A fan-out without destinations, with a tap on it."""

    def __init__(self, room: KeyframeRoom | None = None) -> None:
        self.fanout = FanOut(
            channels=frozenset({0, 1, 2, 3}), video_channel=0, scanner=KeyframeScanner(VideoCodec.H264, 0)
        )
        self.units: list[AccessUnit] = []
        self.tap = KeyframeTap(
            self.fanout,
            VideoCodec.H264,
            channel=0,
            clock_rate=90_000,
            on_keyframe=lambda unit, _: self.units.append(unit),
            room=room,
        )
        self._sequence, self._ssrc = 65_530, 7

    def frame(self, payload: bytes, timestamp: int, *, marker: bool = False, channel: int = 0) -> bytes:
        packet = build_rtp(
            payload, payload_type=96, sequence=self._sequence, timestamp=timestamp, ssrc=self._ssrc, marker=marker
        )
        if channel == 0:
            self._sequence += 1
        return struct.pack(">BBH", 0x24, channel, len(packet)) + packet

    def begin_anew(self, *, ssrc: int, sequence: int) -> None:
        self._ssrc, self._sequence = ssrc, sequence

    def lose_one(self) -> None:
        self._sequence += 1

    def come(self, *frames: bytes) -> None:
        spans, at = [], 0
        for item in frames:
            spans.append((item[1], at, at + len(item)))
            at += len(item)
        self.fanout.on_media(MediaBatch(b"".join(frames), spans))

    def idle(self) -> bool:
        """Whether the hot path calls nobody."""
        return self.fanout.tap is None

    def nals(self) -> list[list[bytes]]:
        return [unit.nals for unit in self.units]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def fragments(nal: bytes, size: int) -> list[bytes]:
    """FU-A packets' payloads of a NAL unit."""
    pieces = [nal[1:][at : at + size] for at in range(0, len(nal) - 1, size)]
    last = len(pieces) - 1
    return [
        bytes([nal[0] & 0xE0 | 28, (0x80 if at == 0 else 0) | (0x40 if at == last else 0) | nal[0] & 0x1F]) + piece
        for at, piece in enumerate(pieces)
    ]


def test_a_closed_tap_is_not_called(rig: Rig) -> None:
    assert rig.idle()
    rig.tap.open()
    assert not rig.idle()
    rig.tap.close()
    assert rig.idle()
    rig.come(rig.frame(INTER, 1), rig.frame(SPS, 2), rig.frame(IDR, 2, marker=True))
    assert rig.units == []


def test_each_whole_keyframe_is_reported_while_the_tap_is_open(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True), rig.frame(SPS, 2), rig.frame(IDR, 2, marker=True))
    rig.come(rig.frame(INTER, 3, marker=True))
    rig.come(rig.frame(SPS, 4))
    rig.come(rig.frame(b"sound", 9, channel=2), rig.frame(IDR + b"\x01", 4, marker=True))
    assert rig.nals() == [[SPS, IDR], [SPS, IDR + b"\x01"]]


def test_a_keyframe_in_fragments_over_many_batches_is_put_together(rig: Rig) -> None:
    rig.tap.open()
    nal = IDR + bytes(range(1, 200)) * 20
    rig.come(rig.frame(INTER, 1, marker=True))
    pieces = fragments(nal, 700)
    for number, piece in enumerate(pieces):
        rig.come(rig.frame(piece, 2, marker=number == len(pieces) - 1))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[nal]]


def test_the_picture_under_way_when_the_tap_opens_is_left_alone(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(SPS, 1), rig.frame(IDR, 1, marker=True))
    assert rig.units == []
    rig.tap.close()
    rig.come(rig.frame(INTER, 2, marker=True))
    rig.tap.open()
    rig.come(rig.frame(SPS, 3), rig.frame(IDR, 3, marker=True))
    assert rig.units == []
    rig.come(rig.frame(SPS, 4), rig.frame(IDR, 4, marker=True))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[SPS, IDR]]


def test_a_damaged_keyframe_is_thrown_away_and_the_next_one_taken(rig: Rig) -> None:
    rig.tap.open()
    first, second = fragments(IDR + b"\x11" * 1000, 600), fragments(IDR + b"\x22" * 1000, 600)
    rig.come(rig.frame(INTER, 1, marker=True), rig.frame(first[0], 2))
    rig.lose_one()
    rig.come(rig.frame(INTER, 3, marker=True))
    rig.come(rig.frame(second[0], 4), rig.frame(second[1], 4, marker=True))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[IDR + b"\x22" * 1000]]


def test_parameter_sets_before_a_picture_that_is_none_are_no_keyframe(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True), rig.frame(SPS, 2), rig.frame(INTER, 2, marker=True))
    rig.come(rig.frame(IDR, 3, marker=True))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[IDR]]


def test_a_keyframe_that_never_ends_is_given_up(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True))
    piece = b"\x11" * 60_000
    rig.come(rig.frame(bytes([0x7C, 0x85, 0x88]) + piece, 2))
    for _ in range(MAX_KEYFRAME_BYTES // len(piece) + 2):
        rig.come(rig.frame(bytes([0x7C, 0x05]) + piece, 2))
    rig.come(rig.frame(bytes([0x7C, 0x45]) + piece, 2, marker=True))
    assert rig.units == []
    rig.come(rig.frame(IDR, 3, marker=True))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[IDR]]


@pytest.mark.parametrize("size", [2_500_000, 6_000_000])
def test_a_foreign_keyframe_of_megabytes_is_taken_whole(rig: Rig, size: int) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True))
    nal = IDR + b"\x33" * size
    pieces = fragments(nal, 60_000)
    for number, piece in enumerate(pieces, start=1):
        rig.come(rig.frame(piece, 2, marker=number == len(pieces)))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[nal]]
    assert (rig.tap.keyframes_given_up, rig.tap.keyframes_too_large) == (0, 0)


def test_a_foreign_keyframe_in_eight_slices_is_one_picture(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True))
    slices = [IDR + bytes([number]) * 200_000 for number in range(8)]
    for number, nal in enumerate(slices):
        pieces = fragments(nal, 1_400)
        for at, piece in enumerate(pieces, start=1):
            rig.come(rig.frame(piece, 2, marker=number == 7 and at == len(pieces)))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [slices]


def test_foreign_keyframes_that_are_too_large_are_counted_apart_and_leave_room_for_others(rig: Rig) -> None:
    room = KeyframeRoom(max_bytes=1_000_000)
    small = Rig(room)
    for each in (rig, small):
        each.tap.open()
        each.come(each.frame(INTER, 1, marker=True))
    pieces = fragments(IDR + b"\x44" * 1_500_000, 60_000)
    for number, piece in enumerate(pieces, start=1):
        small.come(small.frame(piece, 2, marker=number == len(pieces)))
    assert (small.units, small.tap.keyframes_too_large, room.taken_bytes) == ([], 1, 0)
    small.come(small.frame(IDR, 3, marker=True), small.frame(INTER, 4, marker=True))
    assert (small.nals(), room.taken_bytes) == ([[IDR]], 0)
    assert rig.tap.keyframes_too_large == 0


def test_pictures_are_counted_while_the_tap_is_open(rig: Rig) -> None:
    rig.tap.open()
    for number in range(26):
        if number == 5:
            rig.lose_one()
        rig.come(rig.frame(INTER, number * 3600), rig.frame(INTER, number * 3600, marker=True))
    figures = rig.tap.meter.figures
    assert figures is not None
    assert (figures.fps, figures.packets_received, figures.packets_lost) == (25.0, 50, 1)


def test_a_new_source_of_the_stream_has_lost_nothing(rig: Rig) -> None:
    rig.tap.open()
    for number in range(10):
        rig.come(rig.frame(INTER, number * 3600, marker=True))
    # Encoders that are set anew (day and night) begin with another SSRC and any number (RFC 3550 §8).
    rig.begin_anew(ssrc=8, sequence=20_000)
    for number in range(10, 40):
        rig.come(rig.frame(INTER, number * 3600, marker=True))
    figures = rig.tap.meter.figures
    assert figures is not None
    assert (figures.fps, figures.packets_received, figures.packets_lost) == (25.0, 25, 0)


@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=40))
def test_nothing_that_a_camera_sends_breaks_the_tap(packets: list[tuple[bytes, int, int, bool]]) -> None:
    rig = Rig()
    rig.tap.open()
    for payload, timestamp, channel, whole in packets:
        frame = rig.frame(payload, timestamp, marker=timestamp == 3, channel=channel)
        stray = struct.pack(">BBH", 0x24, channel, len(payload)) + payload
        rig.come(frame if whole else stray)
    assert all(unit.keyframe for unit in rig.units)


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("packets_each", [1, 3, 1000])
def test_keyframe_order_of_real_packetisers_is_understood_by_the_tap(name: str, packets_each: int) -> None:
    codec = codec_of(name)
    depacketizer = Depacketizer(codec)
    keyframes = [unit for packet in recorded(name) for unit in depacketizer.push_packet(packet) if unit.keyframe]
    fanout = FanOut(channels=frozenset({0, 1}), video_channel=0, scanner=KeyframeScanner(codec, 0))
    units: list[AccessUnit] = []
    tap = KeyframeTap(
        fanout,
        codec,
        channel=0,
        clock_rate=90_000,
        on_keyframe=lambda unit, _: units.append(unit),
    )
    tap.open()
    for batch in batches(name, packets_each=packets_each):
        fanout.on_media(batch)
    # The first one is under way when the tap opens.
    assert units == keyframes[1:]
    assert tap.keyframes_given_up == 0


def test_keyframe_order_without_markers_is_understood_by_the_tap(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1))
    for timestamp in (2, 3, 4):
        rig.come(*(rig.frame(payload, timestamp) for payload in (b"\x09\xf0", SPS, IDR + bytes([timestamp]))))
    rig.come(rig.frame(INTER, 5))
    assert rig.nals() == [[b"\x09\xf0", SPS, IDR + bytes([timestamp])] for timestamp in (2, 3, 4)]


def test_keyframe_order_with_the_marker_on_every_packet_is_understood_by_the_tap(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True))
    for timestamp in (2, 3):
        pieces = (SPS, b"\x7c\x85\x88\x80", b"\x7c\x05\xab", b"\x7c\x45" + bytes([timestamp]))
        for payload in pieces:
            rig.come(rig.frame(payload, timestamp, marker=True))
    rig.come(rig.frame(INTER, 9, marker=True))
    assert rig.nals() == [[SPS, IDR + b"\xab" + bytes([timestamp])] for timestamp in (2, 3)]
    assert rig.tap.keyframes_given_up == 0


def test_hostile_beginnings_of_pictures_take_no_more_than_the_room_of_all_cameras() -> None:
    room = KeyframeRoom(max_bytes=100_000)
    rigs = [Rig(room) for _ in range(4)]
    for rig in rigs:
        rig.tap.open()
        rig.come(rig.frame(INTER, 1, marker=True))
        for timestamp in range(2, 202):
            rig.come(rig.frame(b"\x06\x05" + bytes(1200), timestamp))
    assert room.taken_bytes < 110_000
    for rig in rigs:
        rig.tap.close()
    assert room.taken_bytes == 0


@pytest.mark.parametrize("every", [True, False], ids=["every packet", "every slice"])
def test_foreign_markers_cut_no_keyframe_of_two_slices_in_half(rig: Rig, every: bool) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True))
    keyframes = [[SPS, IDR + bytes([at]) * 900, b"\x65\x08" + bytes([at]) * 900] for at in (2, 4)]
    for stamp, nals in zip((2, 4), keyframes, strict=True):
        for nal in nals:
            pieces = fragments(nal, 400) if len(nal) > 400 else [nal]
            for piece in pieces:
                rig.come(rig.frame(piece, stamp, marker=every or (nal is not SPS and piece is pieces[-1])))
        rig.come(rig.frame(INTER, stamp + 1, marker=True))
    assert rig.nals() == keyframes
    assert rig.tap.keyframes_given_up == 0


def test_a_marker_that_was_right_once_ends_the_next_keyframe_at_once(rig: Rig) -> None:
    rig.tap.open()
    rig.come(rig.frame(INTER, 1, marker=True), rig.frame(IDR, 2, marker=True))
    assert rig.nals() == []
    rig.come(rig.frame(INTER, 3, marker=True), rig.frame(IDR + b"\x01", 4, marker=True))
    assert rig.nals() == [[IDR], [IDR + b"\x01"]]
