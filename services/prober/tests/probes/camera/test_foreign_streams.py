"""Foreign encoders: B-frames, open groups, two slices a picture, and markers on every packet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache

import av
import numpy as np
import pytest

from prober.probes.camera.stream_stats import VideoWatch
from prober.probes.decoding.keyframe import decode_keyframe
from prober.probes.decoding.picture import Picture
from vonggac.media.h26x import VideoCodec
from vonggac.media.rtp import build_rtp, interleave
from vonggac.rtsp import MediaBatch

RATE, FPS, GOP = 90_000, 10, 12
H264 = "keyint=12:min-keyint=12:scenecut=0:repeat-headers=1"
H265 = "keyint=12:min-keyint=12:scenecut=0:repeat-headers=1:log-level=none:pools=1:frame-threads=1"
STREAMS = {
    "h264": (VideoCodec.H264, f"{H264}:bframes=0"),
    "h264-b3": (VideoCodec.H264, f"{H264}:bframes=3:b-adapt=0:open-gop=0"),
    "h264-b3-open": (VideoCodec.H264, f"{H264}:bframes=3:b-adapt=0:open-gop=1"),
    "h264-pyramid": (VideoCodec.H264, f"{H264}:bframes=5:b-adapt=0:b-pyramid=normal:open-gop=1"),
    "h264-slices": (VideoCodec.H264, f"{H264}:bframes=0:slices=2"),
    "h264-b3-slices": (VideoCodec.H264, f"{H264}:bframes=3:b-adapt=0:open-gop=1:slices=2"),
    "h265-b4": (VideoCodec.H265, f"{H265}:bframes=4:b-adapt=0:open-gop=0"),
    "h265-cra": (VideoCodec.H265, f"{H265}:bframes=4:b-adapt=0:open-gop=1"),
    "h265-cra-pyramid": (VideoCodec.H265, f"{H265}:bframes=8:b-adapt=0:b-pyramid=1:open-gop=1"),
    "h265-slices": (VideoCodec.H265, f"{H265}:bframes=0:slices=2"),
}
REORDERED = [name for name in STREAMS if "-b" in name or "cra" in name or "pyramid" in name]


@dataclass(frozen=True)
class Coded:
    """A picture in the order of sending; `shown`: its number in the order of showing."""

    shown: int
    nals: list[bytes]


@cache
def encoded(name: str, pictures: int = 4 * GOP) -> list[Coded]:
    codec, parameters = STREAMS[name]
    library = "libx264" if codec is VideoCodec.H264 else "libx265"
    encoder = av.CodecContext.create(library, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 320, 192, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.thread_count = 1
    key = "x264-params" if codec is VideoCodec.H264 else "x265-params"
    encoder.options = {"preset": "veryfast", "crf": "30", key: parameters}
    noise = np.random.default_rng(1742).integers(0, 256, (288, 320), dtype=np.uint8)
    packets = []
    for number in range(pictures):
        frame = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    units = [
        (packet.pts, [nal for part in bytes(packet).split(b"\0\0\1")[1:] if (nal := part.rstrip(b"\0"))])
        for packet in packets
    ]
    first = min(pts for pts, _ in units if pts is not None)
    return [Coded((pts or 0) - first, nals) for pts, nals in units]


class Session:
    """Sends pictures as a camera does, by a clock of its own."""

    def __init__(self, name: str, *, every_marker: bool = False) -> None:
        self.now_s, self._sequence, self._every = 5.0, 0, every_marker
        self.codec = STREAMS[name][0]
        self.watch = VideoWatch(codec=self.codec, clock_rate=RATE, channel=0, rtcp_channel=1, clock=lambda: self.now_s)

    def send(self, picture: Coded, at_s: float) -> None:
        self.now_s = 5.0 + at_s
        packets = [piece for nal in picture.nals for piece in self._pieces(nal)]
        data = b"".join(
            interleave(
                0,
                build_rtp(
                    payload,
                    payload_type=96,
                    sequence=(self._sequence + at) & 0xFFFF,
                    ssrc=1,
                    timestamp=(2**32 - 30_000 + picture.shown * RATE // FPS) & 0xFFFFFFFF,
                    marker=self._every or at == len(packets) - 1,
                ),
            )
            for at, payload in enumerate(packets)
        )
        self._sequence += len(packets)
        self.watch.feed(MediaBatch.of(data))

    def _pieces(self, nal: bytes, size: int = 1200) -> list[bytes]:
        if len(nal) <= size:
            return [nal]
        head = 1 if self.codec is VideoCodec.H264 else 2
        first, kind = (
            (bytes([nal[0] & 0xE0 | 28]), nal[0] & 0x1F)
            if head == 1
            else (bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 0x3F)
        )
        bodies = [nal[at : at + size] for at in range(head, len(nal), size)]
        flags = [0x80, *[0] * (len(bodies) - 2), 0x40]
        return [first + bytes([flag | kind]) + body for flag, body in zip(flags, bodies, strict=True)]


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("every_marker", [False, True], ids=["marker", "every-marker"])
async def test_the_keyframes_of_a_foreign_encoder_are_whole_and_decode(name: str, every_marker: bool) -> None:
    """The first one, and one of the middle, with which a decoder begins."""
    coded = encoded(name)
    for begin in (0, GOP // 2):
        session = Session(name, every_marker=every_marker)
        for number, picture in enumerate(coded[begin:]):
            session.send(picture, number / FPS)
        unit = session.watch.keyframe.result()
        slices = 2 if "slices" in name else 1
        sent = next(picture for picture in coded[begin:] if unit.nals == picture.nals)
        assert len(sent.nals) >= slices
        decoded = decode_keyframe(session.codec, unit.nals, datetime.now(UTC))
        assert isinstance(decoded, Picture), decoded
        assert (decoded.width, decoded.height) == (320, 192)
        assert session.watch.units_dropped == 0


@pytest.mark.parametrize("name", STREAMS)
async def test_a_foreign_encoder_is_neither_slow_nor_uneven_wherever_it_is_measured(name: str) -> None:
    """Sent evenly in the order of decoding, and measured for 1.6 to 4 seconds, from any picture on.

    Too little after its keyframe says nothing; it never says too little.
    """
    coded = encoded(name)
    for begin in (0, 1, 3, 5, 7, GOP, GOP + 2):
        for length in range(16, len(coded) - begin, 3):
            session = Session(name)
            for number, picture in enumerate(coded[begin : begin + length]):
                session.send(picture, number / FPS)
            watch = session.watch
            fps = watch.fps()
            measurable = name not in REORDERED or begin == 0 or length > 2 * GOP
            assert fps == pytest.approx(FPS, abs=0.05) if measurable or fps is not None else True, (begin, length)
            assert (watch.jitter_ms() or 0.0) < 1.0, (begin, length)
            assert not watch.clock_jumped()


@pytest.mark.parametrize("name", REORDERED)
async def test_a_foreign_encoder_that_sends_a_picture_with_its_b_frames_at_once_is_not_uneven(name: str) -> None:
    session, newest = Session(name), -1
    for picture in encoded(name):
        newest = max(newest, picture.shown)
        session.send(picture, newest / FPS)
    assert (session.watch.jitter_ms() or 0.0) < 1.0
    assert session.watch.fps() == pytest.approx(FPS, abs=0.05)


@pytest.mark.parametrize("name", ["h264", "h264-b3-open", "h265-cra"])
async def test_a_foreign_encoder_that_is_slow_or_uneven_is_said_to_be(name: str) -> None:
    coded = encoded(name)
    uneven = Session(name)
    for number, picture in enumerate(coded):
        uneven.send(picture, number / FPS + (0.4 if number // 8 % 2 else 0.0))
    assert (uneven.watch.jitter_ms() or 0.0) > 100.0
    slow = Session(name)
    for number, picture in enumerate(coded):
        slow.send(Coded(picture.shown * 3, picture.nals), 3 * number / FPS)
    assert slow.watch.fps() == pytest.approx(FPS / 3, abs=0.05)


@pytest.mark.parametrize("name", REORDERED)
async def test_the_bit_rate_of_a_group_is_that_of_what_was_sent_in_it(name: str) -> None:
    coded, session = encoded(name), Session(name)
    for number, picture in enumerate(coded):
        session.send(picture, number / FPS)
    gop_s, kbps = session.watch.gop_s(), session.watch.bitrate_kbps()
    assert gop_s is not None
    assert kbps is not None
    all_kbps = sum(len(nal) for picture in coded for nal in picture.nals) * 8 / 1000 / (len(coded) / FPS)
    assert kbps == pytest.approx(all_kbps, rel=0.35)
