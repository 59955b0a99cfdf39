"""The parameter sets were made by x264 and x265 with the size and rate that the test expects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.media.h26x import VideoCodec
from vonggac.media.sps import SpsInfo, parse_sps
from vonggac.net.errors import MalformedError

HIGH = bytes.fromhex("67640028acd940780227e584000003000400000300c83c60c658")
HEVC_MAIN = bytes.fromhex("420101016000000300900000030000030078a003c08010e596566924cae68080000003008000000c84")


@pytest.mark.parametrize(
    ("codec", "nal", "expected"),
    [
        (VideoCodec.H264, HIGH.hex(), SpsInfo("High", "4.0", 1920, 1080, 25.0, 1920, 1088)),
        (
            VideoCodec.H264,
            "6742c016d900a02ff9610000030001000003001e0f162e48",
            SpsInfo("Constrained Baseline", "2.2", 640, 360, 15.0, 640, 368),
        ),
        (
            VideoCodec.H264,
            "6764001eacd940b024d08000000300800000190f8a14cb",
            SpsInfo("High", "3.0", 704, 576, 25.0, 704, 576),
        ),
        (
            VideoCodec.H264,
            "67f4001e919b281407b420000003002000000781e2c5b2c0",
            SpsInfo("High 4:4:4 Predictive", "3.0", 640, 480, 30.0, 640, 480),
        ),
        (VideoCodec.H265, HEVC_MAIN.hex(), SpsInfo("Main", "4.0", 1920, 1080, 25.0, 1920, 1080)),
        (
            VideoCodec.H265,
            "42010101600000030090000003000003005da00280802d165ba924cae68080000003008000000604",
            SpsInfo("Main", "3.1", 1280, 720, 12.0, 1280, 720),
        ),
        (
            VideoCodec.H265,
            "42010201600000030090000003000003003f0000a005020169659598acd249cae68080000003008000000f04",
            SpsInfo("Main", "2.1", 640, 360, 30.0, 640, 360),
        ),
    ],
    ids=["high", "baseline", "interlaced", "444", "hevc", "hevc-cropped", "hevc-sub-layers-scaling"],
)
def test_size_profile_and_rate_are_read(codec: VideoCodec, nal: str, expected: SpsInfo) -> None:
    assert parse_sps(codec, bytes.fromhex(nal)) == expected


def test_a_set_cut_off_behind_its_size_still_gives_the_size() -> None:
    info = parse_sps(VideoCodec.H264, HIGH[:12])
    assert (info.width, info.height, info.fps) == (1920, 1080, None)


@pytest.mark.parametrize(
    ("codec", "nal"),
    [
        (VideoCodec.H264, b""),
        (VideoCodec.H264, b"\x68\xce"),
        (VideoCodec.H264, HIGH[:6]),
        (VideoCodec.H264, b"\x67" + bytes(40)),
        (VideoCodec.H265, HIGH),
        (VideoCodec.H265, HEVC_MAIN[:15]),
    ],
)
def test_what_is_no_parameter_set_is_refused(codec: VideoCodec, nal: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_sps(codec, nal)


@given(st.sampled_from([(VideoCodec.H264, HIGH), (VideoCodec.H265, HEVC_MAIN)]), st.data())
def test_any_damage_raises_nothing_but_rtsp_error(good: tuple[VideoCodec, bytes], data: st.DataObject) -> None:
    codec, nal = good
    at = data.draw(st.integers(2, len(nal)))
    damaged = nal[:at] + data.draw(st.binary(max_size=200))
    try:
        info = parse_sps(codec, damaged)
    except MalformedError:
        return
    assert 0 < info.width <= 16384
    assert 0 < info.height <= 16384
