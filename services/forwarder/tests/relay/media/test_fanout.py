"""The hot path alone: what is written to whom, byte for byte."""

import struct

import pytest

from forwarder.domain.backpressure import Bounds
from forwarder.relay.media.fanout import FanOut, Outlet
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import KeyframeScanner

SPS, IDR, INTER = b"\x67\x42\x00\x1e", b"\x65\x88\x80", b"\x41\x9a\x00"


class Writer:
    """A destination that keeps what it is given."""

    def __init__(self) -> None:
        self.written = b""
        self.write_buffer_bytes = 0

    def write_media(self, data: bytes) -> None:
        self.written += data


def frame(channel: int, payload: bytes, timestamp: int = 0, *, marker: bool = False) -> bytes:
    packet = build_rtp(payload, payload_type=96, sequence=1, timestamp=timestamp, ssrc=7, marker=marker)
    return struct.pack(">BBH", 0x24, channel, len(packet)) + packet


def batch(*frames: bytes) -> MediaBatch:
    spans, at = [], 0
    for item in frames:
        spans.append((item[1], at, at + len(item)))
        at += len(item)
    return MediaBatch(b"".join(frames), spans)


@pytest.fixture
def fanout() -> FanOut:
    return FanOut(channels=frozenset({0, 1, 2, 3}), video_channel=0, scanner=KeyframeScanner(VideoCodec.H264, 0))


SAME = {0: 0, 1: 1, 2: 2, 3: 3}


def outlet(fanout: FanOut, channels: dict[int, int] = SAME) -> tuple[Outlet, Writer]:
    writer = Writer()
    made = Outlet(fanout, writer, channels, Bounds(buffer_bytes=1000, buffer_s=4))
    fanout.add_outlet(made)
    return made, writer


def test_a_session_begins_with_the_first_packet_of_a_keyframe(fanout: FanOut) -> None:
    _, writer = outlet(fanout)
    fanout.on_media(batch(frame(0, INTER, 1), frame(2, b"sound")))
    assert writer.written == b""
    key = [frame(0, SPS, 2), frame(2, b"sound"), frame(0, IDR, 2)]
    fanout.on_media(batch(frame(0, INTER, 1), *key))
    assert writer.written == b"".join(key)


def test_what_follows_is_passed_on_byte_for_byte(fanout: FanOut) -> None:
    made, writer = outlet(fanout)
    frames = [frame(0, IDR, 1), frame(1, b"report"), frame(0, INTER, 2), frame(3, b"report")]
    for item in frames:
        fanout.on_media(batch(item))
    assert writer.written == b"".join(frames)
    assert (made.packets, made.written) == (4, len(writer.written))


def test_channels_are_rewritten_and_other_tracks_left_out(fanout: FanOut) -> None:
    _, writer = outlet(fanout, {0: 4, 1: 5})
    fanout.on_media(batch(frame(0, IDR, 1), frame(2, b"sound"), frame(1, b"report")))
    assert writer.written == frame(4, IDR, 1) + frame(5, b"report")


def test_frames_on_a_channel_that_nobody_agreed_on_are_left_out(fanout: FanOut) -> None:
    _, writer = outlet(fanout)
    fanout.on_media(batch(frame(0, IDR, 1), frame(9, b"stray"), frame(0, INTER, 2)))
    assert writer.written == frame(0, IDR, 1) + frame(0, INTER, 2)


def test_a_parameter_set_in_mid_picture_begins_nothing(fanout: FanOut) -> None:
    _, writer = outlet(fanout)
    fanout.on_media(batch(frame(0, INTER, 1), frame(0, SPS, 1), frame(0, INTER, 2)))
    assert writer.written == b""


def test_an_overflow_leaves_out_the_rest_of_the_group_for_that_outlet_alone(fanout: FanOut) -> None:
    slow, slow_writer = outlet(fanout)
    _, fast_writer = outlet(fanout)
    fanout.on_media(batch(frame(0, IDR, 1)))
    slow.buffer_is_full()
    fanout.on_media(batch(frame(0, INTER, 2)))
    fanout.on_media(batch(frame(0, IDR, 3)))
    slow.judge_lag(lag_s=0)
    fanout.on_media(batch(frame(0, INTER, 4)))
    fanout.on_media(batch(frame(0, INTER, 5), frame(0, IDR, 6)))
    assert slow_writer.written == frame(0, IDR, 1) + frame(0, IDR, 6)
    assert (slow.flow.groups_dropped, slow.packets_dropped) == (2, 4)
    everything = ((IDR, 1), (INTER, 2), (IDR, 3), (INTER, 4), (INTER, 5), (IDR, 6))
    assert fast_writer.written == b"".join(frame(0, payload, stamp) for payload, stamp in everything)


def test_the_lag_is_the_age_of_the_oldest_unconfirmed_byte(fanout: FanOut) -> None:
    made, _ = outlet(fanout)
    made.count(octets=100)
    assert made.lag_s(10.0, 0) == 0
    made.count(octets=100)
    assert made.lag_s(11.0, 50) == 1
    assert made.lag_s(13.0, 50) == 3
    assert made.lag_s(14.0, 150) == 3
    assert made.lag_s(15.0, 200) == 0


def test_only_video_counts_as_a_sign_of_life(fanout: FanOut) -> None:
    fanout.on_media(batch(frame(1, b"report"), frame(2, b"sound")))
    assert fanout.pictures == 0
    fanout.on_media(batch(frame(0, INTER, 1)))
    assert fanout.pictures == 1


def test_a_packet_that_is_no_rtp_neither_begins_a_session_nor_breaks_anything(fanout: FanOut) -> None:
    _, writer = outlet(fanout)
    stray = b"$\x00\x00\x02\xff\xff"
    fanout.on_media(batch(stray, frame(0, IDR, 1)))
    assert writer.written == frame(0, IDR, 1)


def test_a_delimiter_in_a_packet_of_its_own_hides_no_keyframe(fanout: FanOut) -> None:
    _, writer = outlet(fanout)
    inter = [frame(0, payload, timestamp=3000) for payload in (b"\x09\xf0", INTER)]
    keyframe = [frame(0, payload, timestamp=6000) for payload in (b"\x09\xf0", b"\x06\x05", SPS, IDR)]
    fanout.on_media(batch(*inter, *keyframe))
    assert writer.written == b"".join(keyframe)


def piece(*frames: bytes) -> bytes:
    return b"".join(frames)


def pass_on(fanout: FanOut, data: bytes) -> bool:
    """As the camera's connection does; whether it went by the fast path."""
    if fanout.fast_path.pass_on(data):
        return True
    fanout.on_media(MediaBatch.of(data))
    return False


def test_media_goes_by_the_fast_path_once_every_destination_flows_and_is_counted_all_the_same(fanout: FanOut) -> None:
    made, writer = outlet(fanout)
    pieces = [piece(frame(0, INTER, 1)), piece(frame(0, IDR, 2), frame(1, b"report")), piece(frame(0, INTER, 3))]
    assert [pass_on(fanout, data) for data in pieces] == [False, False, True]
    assert writer.written == b"".join(pieces[1:])
    assert (made.packets, made.written, fanout.pictures) == (3, len(writer.written), 3)


def test_frames_are_pictures_handed_on_to_their_last_packet_whichever_way_they_went(fanout: FanOut) -> None:
    verbatim, _ = outlet(fanout)
    silent, _ = outlet(fanout, {0: 2, 1: 3})
    picture = [
        frame(0, INTER, 1, marker=True),
        frame(0, IDR, 2),
        frame(0, IDR, 2, marker=True) + frame(2, b"sound", marker=True),
        frame(0, INTER, 3, marker=True) + frame(0, INTER, 4, marker=True),
    ]
    assert [pass_on(fanout, data) for data in picture] == [False] * 4
    assert (verbatim.frames, silent.frames) == (3, 3)
    fanout.remove_outlet(silent)
    assert pass_on(fanout, picture[-1])
    fanout.tap = lambda _: None
    assert not pass_on(fanout, picture[-1])
    assert (verbatim.frames, silent.frames) == (7, 3)


def test_a_destination_that_joins_closes_the_fast_path_until_it_has_its_keyframe(fanout: FanOut) -> None:
    old, old_writer = outlet(fanout)
    pass_on(fanout, frame(0, IDR, 1))
    new, new_writer = outlet(fanout)
    ways = [pass_on(fanout, data) for data in (frame(0, INTER, 2), frame(0, IDR, 3), frame(0, INTER, 4))]
    assert ways == [False, False, True]
    assert new_writer.written == frame(0, IDR, 3) + frame(0, INTER, 4)
    assert (old.packets, old.written) == (4, len(old_writer.written))
    assert (new.packets, new.written) == (2, len(new_writer.written))


def test_who_reads_the_media_sees_all_of_it_while_he_reads(fanout: FanOut) -> None:
    made, writer = outlet(fanout)
    seen: list[bytes] = []
    pass_on(fanout, frame(0, IDR, 1))
    fanout.tap = lambda batch: seen.append(batch.data)
    assert not pass_on(fanout, frame(0, INTER, 2))
    fanout.tap = None
    assert pass_on(fanout, frame(0, INTER, 3))
    assert seen == [frame(0, INTER, 2)]
    assert (made.packets, made.written) == (3, len(writer.written))


def test_a_destination_that_is_full_in_the_midst_of_a_piece_was_given_it_and_the_other_loses_nothing(
    fanout: FanOut,
) -> None:
    class Full(Writer):
        def write_media(self, data: bytes) -> None:
            super().write_media(data)
            if data == frame(0, INTER, 2):
                slow.buffer_is_full()

    slow_writer = Full()
    slow = Outlet(fanout, slow_writer, SAME, Bounds(buffer_bytes=1000, buffer_s=4))
    fanout.add_outlet(slow)
    fast, fast_writer = outlet(fanout)
    pieces = [frame(0, IDR, 1), frame(0, INTER, 2), frame(0, INTER, 3)]
    assert [pass_on(fanout, data) for data in pieces] == [False, True, False]
    assert (slow.packets, slow.written, slow.packets_dropped) == (2, len(slow_writer.written), 1)
    assert fast_writer.written == b"".join(pieces)
    assert (fast.packets, fast.written) == (3, len(fast_writer.written))


def test_a_destination_that_left_keeps_its_counts(fanout: FanOut) -> None:
    gone, gone_writer = outlet(fanout)
    _, writer = outlet(fanout)
    pass_on(fanout, frame(0, IDR, 1))
    assert pass_on(fanout, frame(0, INTER, 2))
    fanout.remove_outlet(gone)
    assert pass_on(fanout, frame(0, INTER, 3))
    assert (gone.packets, gone.written) == (2, len(gone_writer.written))
    assert writer.written == gone_writer.written + frame(0, INTER, 3)


def test_a_destination_with_channels_of_its_own_is_never_written_to_by_the_fast_path(fanout: FanOut) -> None:
    _, writer = outlet(fanout, {0: 4, 1: 5})
    ways = [pass_on(fanout, data) for data in (frame(0, IDR, 1), frame(0, INTER, 2))]
    assert ways == [False, False]
    assert writer.written == frame(4, IDR, 1) + frame(4, INTER, 2)


def test_the_kept_group_of_pictures_misses_nothing(fanout: FanOut) -> None:
    outlet(fanout)
    pass_on(fanout, frame(0, IDR, 1))
    gop_cache = fanout.keep_gop_cache()
    for data in (frame(0, IDR, 2), frame(0, INTER, 3)):
        assert not pass_on(fanout, data)
    assert b"".join(kept.data for kept, _ in gop_cache) == frame(0, IDR, 2) + frame(0, INTER, 3)
    fanout.gop_cache = None
    assert pass_on(fanout, frame(0, INTER, 4))


def test_keyframe_order_over_batches_gives_each_session_the_whole_keyframe_once(fanout: FanOut) -> None:
    flowing, first = outlet(fanout)
    fanout.on_media(batch(frame(0, SPS, 1), frame(0, IDR, 1, marker=True)))
    _, late = outlet(fanout)
    fanout.on_media(batch(frame(0, b"\x09\xf0", 2)))
    # It stops in the midst of the lead, which it has been given.
    flowing.buffer_is_full()
    fanout.on_media(batch(frame(0, SPS, 2), frame(2, b"sound")))
    flowing.judge_lag(lag_s=0.0)
    before = first.written
    fanout.on_media(batch(frame(0, IDR, 2, marker=True)))
    lead = frame(0, b"\x09\xf0", 2) + frame(0, SPS, 2) + frame(2, b"sound")
    assert late.written == lead + frame(0, IDR, 2, marker=True)
    assert first.written == before
    fanout.on_media(batch(frame(0, IDR, 3, marker=True)))
    assert first.written == before + frame(0, IDR, 3, marker=True)
    assert late.written.endswith(frame(0, IDR, 3, marker=True))
