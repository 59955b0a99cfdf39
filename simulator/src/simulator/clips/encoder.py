"""Encoding clips with PyAV. Blocking: call it in a thread."""

import math
import threading
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from simulator.clips.encoded import AccessUnit, AudioClip, VideoClip
from simulator.clips.painter import Painter
from simulator.clips.spec import VideoSpec
from simulator.config import AudioCodec

AUDIO_LOOP_S = 4
_AUDIO_FORMATS = {
    "pcma": ("pcm_alaw", "s16", 8_000, 160),
    "pcmu": ("pcm_mulaw", "s16", 8_000, 160),
    "aac": ("aac", "fltp", 16_000, 1_024),
}
_STILL_QP = 30
"""Without a bound, rate control puts the bits that a still picture saves into ever finer keyframes."""
_START_CODE = b"\x00\x00\x01"
_H264_SLICES = frozenset((1, 5))
_H264_PARAMETER_SETS = frozenset((7, 8))
_H265_PARAMETER_SETS = frozenset((32, 33, 34))
_H265_FIRST_NON_SLICE = 32
_H265_IRAP = range(16, 24)


class EncodingCancelledError(Exception):
    """The simulator stops before the clip was encoded."""


def encode_video(spec: VideoSpec, cancelled: threading.Event) -> VideoClip:
    """Paint and encode one clip. Raises EncodingCancelledError soon after `cancelled` is set."""
    context = open_video_encoder(spec)
    painter = Painter(spec)
    parameter_sets: dict[bytes, None] = {}
    units: list[AccessUnit] = []
    for packet in _encode_pictures(context, painter, spec, cancelled):
        sets, unit = split_picture(spec.codec, packet)
        parameter_sets.update(dict.fromkeys(sets))
        units.append(unit)
    return VideoClip(spec.codec, spec.fps, tuple(parameter_sets), tuple(units))


def encode_audio(codec: AudioCodec) -> AudioClip:
    """Encode a soft two-tone melody of about `AUDIO_LOOP_S` seconds, mono."""
    encoder, sample_format, rate, frame_samples = _AUDIO_FORMATS[codec]
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate = rate
    context.layout = "mono"
    context.format = av.AudioFormat(sample_format)
    context.time_base = Fraction(1, rate)
    if codec == "aac":
        context.bit_rate = 32_000
    count = round(AUDIO_LOOP_S * rate / frame_samples)
    frames: list[bytes] = []
    for index in range(count):
        frame = av.AudioFrame.from_ndarray(
            _tone(index * frame_samples, frame_samples, rate, sample_format), format=sample_format, layout="mono"
        )
        frame.sample_rate = rate
        frame.pts = index * frame_samples
        frames.extend(bytes(packet) for packet in context.encode(frame))
    frames.extend(bytes(packet) for packet in context.encode(None))
    return AudioClip(codec, rate, frame_samples, context.extradata or b"", tuple(frames))


def _tone(start: int, samples: int, rate: int, sample_format: str) -> npt.NDArray[np.float32] | npt.NDArray[np.int16]:
    time_s = np.arange(start, start + samples) / rate
    pitch_hz = np.where(time_s % 1 < 0.5, 440, 550)
    wave = 0.2 * np.sin(2 * math.pi * pitch_hz * time_s).reshape(1, samples)
    return wave.astype(np.float32) if sample_format == "fltp" else (wave * 32_767).astype(np.int16)


def open_video_encoder(spec: VideoSpec) -> av.VideoCodecContext:
    """Open an encoder of the clip's codec, size and rate. Of one codec and size, all write the same PPS."""
    encoder = {"h264": "libx264", "h265": "libx265"}[spec.codec]
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = spec.width, spec.height
    context.pix_fmt = "yuv420p"
    context.time_base = Fraction(1, spec.fps)
    context.framerate = Fraction(spec.fps)
    context.gop_size = spec.gop_frames
    context.thread_count = 1
    # The bit rate is per second: with fewer pictures each gets more bits.
    kbps = spec.bitrate_kbps * spec.fps // spec.rate
    if spec.view == "still":
        quality = f"qp={_STILL_QP}"
    else:
        context.bit_rate = kbps * 1000
        quality = f"bitrate={kbps}:vbv-maxrate={kbps * 3 // 2}:vbv-bufsize={kbps}"
    rate_control = (
        f"{quality}:keyint={spec.gop_frames}:min-keyint={spec.gop_frames}:scenecut=0:bframes=0:repeat-headers=1"
    )
    if spec.codec == "h264":
        context.options = {
            "preset": "superfast",
            "forced-idr": "1",
            "tune": "zerolatency",
            "x264-params": f"{rate_control}:sliced-threads=0:threads=1",
        }
    else:
        context.options = {
            "preset": "ultrafast",
            "forced-idr": "1",
            "tune": "zerolatency",
            "x265-params": f"{rate_control}:open-gop=0:pools=none:frame-threads=1:log-level=none",
        }
    return context


def _encode_pictures(
    context: av.VideoCodecContext, painter: Painter, spec: VideoSpec, cancelled: threading.Event
) -> Iterator[bytes]:
    for index in range(spec.frames):
        if cancelled.is_set():
            raise EncodingCancelledError
        frame = av.VideoFrame.from_ndarray(painter.picture(index), format="yuv420p")
        frame.pts = index
        frame.time_base = Fraction(1, spec.fps)
        yield from (bytes(packet) for packet in context.encode(frame))
    yield from (bytes(packet) for packet in context.encode(None))


def split_picture(codec: str, packet: bytes) -> tuple[list[bytes], AccessUnit]:
    """Parameter sets and slices of one Annex B packet; SEI and access unit delimiters are left out."""
    sets: list[bytes] = []
    slices: list[bytes] = []
    keyframe = False
    for nal in split_annex_b(packet):
        if codec == "h264":
            kind = nal[0] & 0x1F
            is_set, is_slice, starts = kind in _H264_PARAMETER_SETS, kind in _H264_SLICES, kind == 5
        else:
            kind = nal[0] >> 1 & 0x3F
            is_set, is_slice = kind in _H265_PARAMETER_SETS, kind < _H265_FIRST_NON_SLICE
            starts = kind in _H265_IRAP
        if is_set:
            sets.append(nal)
        elif is_slice:
            slices.append(nal)
            keyframe = keyframe or starts
    return sets, AccessUnit(tuple(slices), keyframe)


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """NAL units between start codes of three or four bytes (ITU-T H.264, annex B)."""
    start = data.find(_START_CODE)
    while start >= 0:
        begin = start + len(_START_CODE)
        start = data.find(_START_CODE, begin)
        nal = data[begin : start if start >= 0 else len(data)]
        # The rest of a longer start code; a NAL unit itself never ends in zero.
        nal = nal.rstrip(b"\x00")
        if nal:
            yield nal
