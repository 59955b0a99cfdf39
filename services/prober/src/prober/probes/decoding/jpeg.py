"""A decoded picture as a JPEG for a person who views it, in a decoding process.

Browsers decode H.265 in few places, and WebCodecs by TLS alone; a JPEG they show everywhere.
"""

from fractions import Fraction

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from prober.probes.decoding.size import jpeg_size

QUALITY = "5"
"""Of libavcodec's 2 (best) to 31: 60 kB of a street at 960 x 540."""


def encode_jpeg(frame: VideoFrame, width: int) -> bytes:
    """The picture, at most `width` pixels wide and never enlarged; empty where libav refuses to make one."""
    try:
        return _encode(frame, width)
    except FFmpegError:
        return b""


def _encode(frame: VideoFrame, width: int) -> bytes:
    wide, high = jpeg_size(width, frame.width, frame.height)
    small = frame.reformat(width=wide, height=high, format="yuvj420p", dst_color_range=ColorRange.JPEG, threads=1)
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = wide, high, "yuvj420p"
    context.time_base, context.thread_count = Fraction(1, 25), 1
    context.options = {"qmin": QUALITY, "qmax": QUALITY}
    return b"".join(bytes(packet) for packet in (*context.encode(small), *context.encode(None)))
