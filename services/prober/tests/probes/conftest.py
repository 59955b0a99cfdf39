"""Pictures for the tests, encoded once."""

import av
import numpy as np
import pytest

START_CODE = b"\x00\x00\x01"


@pytest.fixture(scope="session")
def frames() -> list[list[bytes]]:
    """NAL units of a few H.264 pictures, 320x180: a keyframe with its parameter sets, others, a second keyframe."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "4", "slice-max-size": "1400"}
    return _encoded("libx264", options, pictures=6)


@pytest.fixture(scope="session")
def h265_keyframe() -> list[bytes]:
    """NAL units of an H.265 keyframe, 320x180, with its parameter sets."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:repeat-headers=1"}
    return _encoded("libx265", options, pictures=1)[0]


def _encoded(encoder_name: str, options: dict[str, str], *, pictures: int) -> list[list[bytes]]:
    encoder = av.CodecContext.create(encoder_name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.framerate = encoder.rate = 25
    encoder.options = options
    noise = np.random.default_rng(1742).integers(0, 256, (270, 320), dtype=np.uint8)
    packets = []
    for number in range(pictures):
        frame = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [_nals(bytes(packet)) for packet in packets]


def _nals(annex_b: bytes) -> list[bytes]:
    return [nal for part in annex_b.split(START_CODE) if (nal := part.rstrip(b"\0"))]
