"""Clips in codecs that the platform does not support. Blocking: encode them in a thread."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import av

from simulator.clips.painter import Painter
from simulator.clips.spec import VideoSpec

type ForeignCodec = Literal["mjpeg", "mpeg4"]

_OPTIONS: dict[str, dict[str, str]] = {"mjpeg": {"huffman": "default"}, "mpeg4": {}}
_MAX_PICTURES = 60


@dataclass(frozen=True, slots=True)
class ForeignClip:
    """One GOP of coded pictures."""

    codec: ForeignCodec
    fps: int
    pictures: tuple[bytes, ...]


def encode_foreign(codec: ForeignCodec, spec: VideoSpec) -> ForeignClip:
    """Encode the first GOP of `spec` in another codec, its size cut to multiples of 8 (RFC 2435 counts in blocks)."""
    spec = replace(spec, width=spec.width // 16 * 16, height=spec.height // 16 * 16)
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = spec.width, spec.height
    context.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    context.time_base = Fraction(1, spec.fps)
    context.bit_rate = spec.bitrate_kbps * 1000
    context.gop_size = spec.gop_frames
    context.thread_count = 1
    context.options = _OPTIONS[codec]
    painter = Painter(spec)
    pictures: list[bytes] = []
    for index in range(min(spec.gop_frames, _MAX_PICTURES)):
        frame = av.VideoFrame.from_ndarray(painter.picture(index), format="yuv420p")
        frame = frame.reformat(format=context.pix_fmt)
        frame.pts = index
        frame.time_base = context.time_base
        pictures += (bytes(packet) for packet in context.encode(frame))
    pictures += (bytes(packet) for packet in context.encode(None))
    return ForeignClip(codec, spec.fps, tuple(pictures))
