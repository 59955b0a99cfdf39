"""Pictures are weighed from the sizes of their packets, however these are cut into batches."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from forwarder.relay.media.picture_scale import PictureScale
from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp.wire.fast_path import FastPath
from vonggac.rtsp.wire.framing import MediaBatch

VIDEO, AUDIO = 0, 2
HEADERS = struct.calcsize(">BBH") + 12


def frame(octets: int, *, marker: bool = False, channel: int = VIDEO) -> bytes:
    """An interleaved frame of `octets` in all."""
    packet = build_rtp(bytes(octets - HEADERS), payload_type=96, sequence=1, timestamp=1, ssrc=1, marker=marker)
    return interleave(channel, packet)


def test_the_first_picture_is_left_out_and_the_first_heavy_one_is_reported_once() -> None:
    scales: list[int] = []
    scale = PictureScale(VIDEO, 1000, scales.append)
    scale.add(MediaBatch.of(frame(5000, marker=True)))
    scale.add(MediaBatch.of(frame(900, marker=True)))
    assert scales == []
    scale.add(MediaBatch.of(frame(800) + frame(400, channel=AUDIO, marker=True) + frame(300, marker=True) + frame(900)))
    assert scales == [1100]


def test_a_stream_without_marker_bits_is_never_weighed() -> None:
    scales: list[int] = []
    scale = PictureScale(VIDEO, 1, scales.append)
    for _ in range(100):
        scale.add(MediaBatch.of(frame(1400)))
    assert scales == []


@given(pictures=st.lists(st.lists(st.integers(HEADERS, 1500), min_size=1), min_size=2), cut=st.integers(1, 9))
def test_cuts_into_batches_change_no_weight(pictures: list[list[int]], cut: int) -> None:
    frames = [
        frame(octets, marker=number == len(picture) - 1)
        for picture in pictures
        for number, octets in enumerate(picture)
    ]
    scales: list[int] = []
    scale = PictureScale(VIDEO, 0, scales.append)
    for at in range(0, len(frames), cut):
        before = len(scales)
        scale.add(MediaBatch.of(b"".join(frames[at : at + cut])))
        if len(scales) > before:
            break
    assert scales == [sum(pictures[1])]


def test_frames_without_a_packet_end_no_picture_and_are_weighed() -> None:
    scales: list[int] = []
    scale = PictureScale(VIDEO, 0, scales.append)
    scale.add(MediaBatch.of(frame(100, marker=True) + interleave(VIDEO, b"") + interleave(VIDEO, b"\x80")))
    assert scales == []
    scale.add(MediaBatch.of(interleave(AUDIO, b"") + frame(200, marker=True)))
    assert scales == [4 + 5 + 200]


SIZES_AND_CHANNELS = st.tuples(st.integers(HEADERS, 1500), st.booleans(), st.sampled_from((VIDEO, VIDEO, VIDEO, AUDIO)))


@given(pieces=st.lists(st.lists(SIZES_AND_CHANNELS, min_size=1, max_size=8), max_size=12))
def test_the_fast_path_weighs_the_same_as_a_walk_over_every_piece(pieces: list[list[tuple[int, bool, int]]]) -> None:
    walked: list[int] = []
    watched: list[int] = []
    walker, watcher = PictureScale(VIDEO, 0, walked.append), PictureScale(VIDEO, 0, watched.append)
    fast_path = FastPath(channels=frozenset({VIDEO, AUDIO}), video_channel=VIDEO)
    fast_path.writes, fast_path.watch = (), watcher.add_piece
    for piece in pieces:
        data = b"".join(frame(octets, marker=marker, channel=channel) for octets, marker, channel in piece)
        walker.add(MediaBatch.of(data))
        assert fast_path.pass_on(data)
        if walked:
            break
    assert watched == walked
