"""Where a session may begin in interleaved media, however it is cut into batches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.depacketizer import AccessUnit, Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES, MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import IN_LEAD, MAX_LEAD_BYTES, KeyframeScanner, tail
from vonggac.testing.recordings import KEYFRAMES, RECORDINGS, batches, codec_of, recorded

INTER, IDR, AUD, SPS = b"\x41\x9a\x00", b"\x65\x88\x80", b"\x09\xf0", b"\x67\x42\x00\x1e"


def frame(payload: bytes, timestamp: int, *, marker: bool = False, channel: int = 0) -> bytes:
    packet = build_rtp(payload, payload_type=96, sequence=1, timestamp=timestamp, ssrc=7, marker=marker)
    return interleave(channel, packet)


def batch(*frames: bytes) -> MediaBatch:
    return MediaBatch.of(b"".join(frames))


def begun_with(scanner: KeyframeScanner, stream: list[MediaBatch]) -> list[bytes]:
    """What a session would be given that begins at each keyframe, to the end of that batch."""
    sessions: list[bytes] = []
    for each in stream:
        for index in scanner.scan(each):
            lead = b"".join(piece.data for piece, _ in scanner.lead) if index == IN_LEAD else b""
            sessions.append(lead + (each if index == IN_LEAD else tail(each, index)).data)
    return sessions


def first_unit(codec: VideoCodec, data: bytes, rest: list[MediaBatch]) -> AccessUnit:
    """The first whole picture of a session that begins with `data`."""
    depacketizer = Depacketizer(codec)
    for each in [MediaBatch.of(data), *rest]:
        for _, start, end in each.frames:
            units = depacketizer.push_packet(each.data[start + FRAME_HEADER_BYTES : end])
            if units:
                return units[0]
    raise AssertionError("no picture")


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("packets_each", [1, 2, 7, 1000])
def test_keyframe_order_of_real_packetisers_begins_sessions_with_whole_keyframes(name: str, packets_each: int) -> None:
    codec, stream = codec_of(name), batches(name, packets_each=packets_each)
    scanner = KeyframeScanner(codec, 0)
    depacketizer = Depacketizer(codec)
    keyframes = [unit for packet in recorded(name) for unit in depacketizer.push_packet(packet) if unit.keyframe]
    begun: list[AccessUnit] = []
    for number, each in enumerate(stream):
        for index in scanner.scan(each):
            lead = b"".join(piece.data for piece, _ in scanner.lead) if index == IN_LEAD else b""
            data = lead + (each if index == IN_LEAD else tail(each, index)).data
            begun.append(first_unit(codec, data, stream[number + 1 :]))
    assert begun == keyframes
    assert (len(begun), scanner.first_is_keyframe) == (KEYFRAMES, True)


def test_keyframe_order_may_be_spread_over_batches_with_sound_between() -> None:
    scanner = KeyframeScanner(VideoCodec.H264, 0)
    sound = frame(b"sound", 77, channel=2)
    pieces = [
        batch(frame(INTER, 1, marker=True), frame(AUD, 2)),
        batch(sound),
        batch(frame(SPS, 2), sound),
        batch(frame(IDR, 2, marker=True)),
    ]
    (session,) = begun_with(scanner, pieces)
    assert session == b"".join([frame(AUD, 2), sound, frame(SPS, 2), sound, frame(IDR, 2, marker=True)])
    assert not scanner.open_lead


def test_keyframe_order_that_turns_out_an_inter_picture_begins_nothing() -> None:
    scanner = KeyframeScanner(VideoCodec.H264, 0)
    assert begun_with(scanner, [batch(frame(AUD, 1), frame(SPS, 1)), batch(frame(INTER, 1, marker=True))]) == []
    assert scanner.first_is_keyframe is False
    assert not scanner.open_lead


def test_a_lead_without_an_end_is_not_kept() -> None:
    scanner = KeyframeScanner(VideoCodec.H264, 0)
    large = batch(frame(b"\x06" + b"\x05" * 60_000, 1))
    for _ in range(MAX_LEAD_BYTES // 60_000 + 1):
        assert scanner.scan(large) == []
    assert not scanner.open_lead
    assert scanner.scan(batch(frame(IDR, 1, marker=True))) == [0]


def test_what_was_left_out_is_no_lead() -> None:
    scanner = KeyframeScanner(VideoCodec.H264, 0)
    scanner.scan(batch(frame(SPS, 1)))
    scanner.reset()
    assert scanner.scan(batch(frame(IDR, 9, marker=True))) == [0]
    assert scanner.lead == []


def test_without_a_known_codec_every_access_unit_is_one_to_begin_with() -> None:
    scanner = KeyframeScanner(None, 0)
    assert scanner.scan(batch(*(frame(b"jpeg", stamp) for stamp in (1, 1, 2, 2, 3)))) == [0, 2, 4]
    assert scanner.scan(batch(frame(b"jpeg", 3), frame(b"jpeg", 4))) == [1]


@given(st.lists(st.lists(st.tuples(st.binary(max_size=30), st.integers(0, 3), st.booleans()), max_size=6), max_size=8))
def test_nothing_that_a_camera_sends_breaks_the_scanner(sent: list[list[tuple[bytes, int, bool]]]) -> None:
    scanner = KeyframeScanner(VideoCodec.H264, 0)
    for frames in sent:
        for index in scanner.scan(batch(*(frame(body, stamp, marker=mark) for body, stamp, mark in frames))):
            assert index == IN_LEAD or 0 <= index < len(frames)
            assert index != IN_LEAD or scanner.lead
