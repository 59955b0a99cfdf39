"""RTP packets made from containers are what the depacketizer takes apart again."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forwarder.relay.demux import packetizer as packing
from vonggac.media.depacketizer import Depacketizer
from vonggac.media.h26x import VideoCodec
from vonggac.rtsp.wire.framing import Deframer, MediaBatch

H264 = [b"\x67\x42\xe0\x1f\x8c", b"\x68\xce\x38\x80", b"\x65\x88" + b"\x5a" * 5000, b"\x65\x01\x77"]
H265 = [b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1", b"\x26\x01\xaf" + b"\x5a" * 5000]


@pytest.mark.parametrize(("codec", "nals"), [(VideoCodec.H264, H264), (VideoCodec.H265, H265)])
def test_a_picture_comes_out_as_it_went_in(codec: VideoCodec, nals: list[bytes]) -> None:
    stream = packing.RtpStream(0, 96)
    units = []
    depacketizer = Depacketizer(codec)
    for number in range(3):
        data = stream.frames(packing.video_payloads(codec, nals), number * 3600)
        (batch,) = Deframer().feed(data)
        assert isinstance(batch, MediaBatch)
        assert all(end - start <= 4 + 12 + packing.MAX_PAYLOAD_BYTES for _, start, end in batch.frames)
        for _, start, end in batch.frames:
            units += depacketizer.push_packet(batch.data[start + 4 : end])
    assert [unit.nals for unit in units] == [nals] * 3
    assert [unit.rtp_timestamp for unit in units] == [0, 3600, 7200]


def test_annex_b_is_split_at_start_codes_of_both_lengths() -> None:
    data = b"\0\0\0\1" + H264[0] + b"\0\0\1" + H264[1] + b"\0\0\0\1" + H264[2]
    assert packing.split_annex_b(data) == H264[:3]


def test_a_length_that_does_not_fit_ends_the_picture() -> None:
    data = b"\0\0\0\2ab" + b"\0\0\0\xffcd"
    assert packing.split_lengths(data, 4) == [b"ab"]


@example(VideoCodec.H264, b"\1" * 6)
@example(VideoCodec.H265, b"\1" * 23)
@given(st.sampled_from(VideoCodec), st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"\1" + rest))
def test_a_broken_configuration_is_no_crash(codec: VideoCodec, record: bytes) -> None:
    width, nals = packing.configured_nals(codec, record)
    assert 0 <= width <= 4
    assert all(nals)
