"""One keyframe to one picture with libavcodec, in a decoding process.

Its contexts are kept for the next keyframe of the same kind: making one and its memory for a 1080p picture costs 0.3 ms
of CPU when all is warm and 0.8 ms in between other things.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial

import av
import numpy as np
import numpy.typing as npt
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange

from prober.domain.picture import PictureHistory, Planes, reduce_picture
from prober.probes.decoding.picture import Picture, Undecodable
from prober.probes.decoding.size import MOST_PIXELS, jpeg_size
from vonggac.media.h26x import VideoCodec, is_keyframe_slice, is_parameter_set, is_slice, keyframe_hash, nal_type
from vonggac.media.sei import pictures_to_recover

_START_CODE = b"\x00\x00\x00\x01"

IDLE_AT_MOST = 4
"""Each holds the memory of a picture: 5 MB at 1080p, 20 MB at 2160p."""
IDLE_PIXELS = 9_000_000
"""The context of a larger picture is not kept."""
_DECODERS = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
# skip_loop_filter: intra prediction uses unfiltered samples, so a single keyframe stays right without deblocking, for a
# quarter less CPU. explode: a damaged slice is an error, not a picture patched up with grey.
_OPTIONS = {"skip_loop_filter": "all", "err_detect": "explode", "max_pixels": str(MOST_PIXELS)}

type Kind = tuple[VideoCodec, tuple[bytes, ...]]
"""A codec and the parameter sets of a keyframe, in their order."""
JPEG_QUALITY = "5"
"""Of libavcodec's 2 (best) to 31: 60 kB of a street at 960 x 540."""
_PLANAR_8_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


class IdleContexts:
    """A context remembers parameter sets for ever, so it is only for keyframes that bring the same.

    With another camera's sets a keyframe that lacks its own would decode, and its camera pass for good.
    """

    def __init__(self, at_most: int = IDLE_AT_MOST) -> None:
        self._at_most = at_most
        self._idle: OrderedDict[int, tuple[Kind, VideoCodecContext]] = OrderedDict()
        self._released = 0

    def acquire(self, codec: VideoCodec, parameter_sets: Sequence[bytes]) -> VideoCodecContext:
        """Take the one used last for such keyframes, whose memory is the warmest; else make a new one."""
        kind = (codec, tuple(parameter_sets))
        found = next((number for number in reversed(self._idle) if self._idle[number][0] == kind), None)
        if found is not None:
            return self._idle.pop(found)[1]
        return _new_context(codec)

    def release(self, codec: VideoCodec, parameter_sets: Sequence[bytes], context: VideoCodecContext) -> None:
        """Keep a context that decoded its keyframe without a fault; one that met bad data is thrown away."""
        if context.width * context.height > IDLE_PIXELS:
            return
        context.flush_buffers()
        self._released += 1
        self._idle[self._released] = (codec, tuple(parameter_sets)), context
        if len(self._idle) > self._at_most:
            self._idle.popitem(last=False)


def decode_keyframe(
    codec: VideoCodec,
    nals: Sequence[bytes],
    taken_at: datetime | None = None,
    history: PictureHistory | None = None,
    contexts: IdleContexts | None = None,
    *,
    jpeg_width: int | None = None,
) -> Picture | Undecodable:
    """Decode, reduce, and judge beside `history`; `contexts`: where decoders wait for the next keyframe.

    `jpeg_width`: make a JPEG too, at most so wide.

    Right after the reduction judging costs a third of what it does later.
    """
    taken_at = taken_at or datetime.now(UTC)
    contexts = contexts or IdleContexts()
    started = time.monotonic()
    sets = _parameter_sets(codec, nals)
    # SEI and vendors' private units are left out: some cameras write them wrongly, and an IDR or IRAP picture does not
    # need them. Of another picture the recovery point says that it can be decoded alone.
    slices = [nal for nal in nals if is_slice(codec, nal_type(codec, nal))]
    alone = any(is_keyframe_slice(codec, nal_type(codec, nal)) for nal in slices)
    points = [] if alone else [nal for nal in nals if pictures_to_recover(codec, [nal]) is not None]
    context = contexts.acquire(codec, sets)
    frame, problem = _first_frame(context, b"".join(_START_CODE + nal for nal in (*sets, *points, *slices)))
    if frame is None:
        return Undecodable(problem, time.monotonic() - started)
    thumbnail = reduce_picture(planes_of(frame), taken_at, keyframe_hash(codec, nals))
    judged = history.judge(thumbnail) if history is not None else None
    picture = Picture(
        width=frame.width,
        height=frame.height,
        profile=context.profile,
        pixel_format=frame.format.name,
        decode_s=time.monotonic() - started,
        thumbnail=thumbnail,
        judged=judged,
        jpeg=encode_jpeg(frame, jpeg_width) if jpeg_width is not None else b"",
    )
    # Not before: whoever decodes with it meanwhile would need memory for a second picture.
    contexts.release(codec, sets, context)
    return picture


def _new_context(codec: VideoCodec) -> VideoCodecContext:
    context = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = _OPTIONS
    return context


def planes_of(frame: VideoFrame) -> Planes:
    """View the frame's memory: use the planes while the frame lives. Other formats are converted first."""
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    if frame.format.name not in _PLANAR_8_BIT:
        frame = frame.reformat(format="yuv420p")
    luma, cb, cr = (_array(plane) for plane in frame.planes[:3])
    return Planes(luma, cb, cr, full_range=full_range)


def _array(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def _first_frame(context: VideoCodecContext, data: bytes) -> tuple[VideoFrame | None, str]:
    """Decode the picture; None without one, and what is wrong."""
    try:
        frames = context.decode(av.Packet(data)) + context.decode(None)
    except FFmpegError as error:
        return None, f"the decoder refused the keyframe: {error.strerror or type(error).__name__}"
    frame = next((frame for frame in frames if isinstance(frame, VideoFrame)), None)
    if frame is None:
        return None, "the decoder gave no picture of the keyframe"
    if frame.is_corrupt:
        return None, "the keyframe is damaged: the decoder patched the picture up"
    return frame, ""


def _parameter_sets(codec: VideoCodec, nals: Sequence[bytes]) -> list[bytes]:
    """Each before those that refer to it, as the decoder needs them: descriptions list them in any order.

    In both codecs that is the order of the NAL types: SPS, PPS; VPS, SPS, PPS.
    """
    sets = (nal for nal in nals if is_parameter_set(codec, nal_type(codec, nal)))
    return sorted(sets, key=partial(nal_type, codec))


def encode_jpeg(frame: VideoFrame, width: int) -> bytes:
    """Encode a JPEG for a person: browsers show H.265 in few places, and WebCodecs by TLS alone.

    The picture, at most `width` pixels wide and never enlarged; empty where libav refuses to make one.
    """
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
    context.options = {"qmin": JPEG_QUALITY, "qmax": JPEG_QUALITY}
    return b"".join(bytes(packet) for packet in (*context.encode(small), *context.encode(None)))
