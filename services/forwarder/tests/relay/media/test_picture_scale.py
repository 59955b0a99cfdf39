"""Pictures are weighed from the sizes of their packets, however these are cut into batches."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from forwarder.relay.media.picture_scale import PictureScale
from vonggac.media.rtp import build_rtp, interleave

VIDEO, AUDIO = 0, 2
HEADERS = struct.calcsize(">BBH") + 12


def frame(octets: int, *, marker: bool = False, channel: int = VIDEO) -> bytes:
    """An interleaved frame of `octets` in all."""
    packet = build_rtp(bytes(octets - HEADERS), payload_type=96, sequence=1, timestamp=1, ssrc=1, marker=marker)
    return interleave(channel, packet)


def test_the_first_picture_is_left_out_and_the_first_heavy_one_is_told_once() -> None:
    told: list[int] = []
    scale = PictureScale(VIDEO, 1000, told.append)
    scale.add_data(frame(5000, marker=True))
    scale.add_data(frame(900, marker=True))
    assert told == []
    scale.add_data(frame(800) + frame(400, channel=AUDIO, marker=True) + frame(300, marker=True) + frame(900))
    assert told == [1100]


def test_a_stream_without_marker_bits_is_never_weighed() -> None:
    told: list[int] = []
    scale = PictureScale(VIDEO, 1, told.append)
    for _ in range(100):
        scale.add_data(frame(1400))
    assert told == []


@given(pictures=st.lists(st.lists(st.integers(HEADERS, 1500), min_size=1), min_size=2), cut=st.integers(1, 9))
def test_cuts_into_batches_change_no_weight(pictures: list[list[int]], cut: int) -> None:
    frames = [
        frame(octets, marker=number == len(picture) - 1)
        for picture in pictures
        for number, octets in enumerate(picture)
    ]
    told: list[int] = []
    scale = PictureScale(VIDEO, 0, told.append)
    for at in range(0, len(frames), cut):
        before = len(told)
        scale.add_data(b"".join(frames[at : at + cut]))
        if len(told) > before:
            break
    assert told == [sum(pictures[1])]


def test_frames_without_a_packet_end_no_picture_and_are_weighed() -> None:
    told: list[int] = []
    scale = PictureScale(VIDEO, 0, told.append)
    scale.add_data(frame(100, marker=True) + interleave(VIDEO, b"") + interleave(VIDEO, b"\x80"))
    assert told == []
    scale.add_data(interleave(AUDIO, b"") + frame(200, marker=True))
    assert told == [4 + 5 + 200]
