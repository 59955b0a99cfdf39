"""libavcodec's contexts, kept for the next keyframe of the same kind.

Making one and its memory for a 1080p picture costs 0.3 ms of CPU when all is warm and 0.8 ms in a prober that does
other things in between.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import av
from av.video.codeccontext import VideoCodecContext

from vonggac.media.h26x import VideoCodec

IDLE_AT_MOST = 4
"""Each holds the memory of a picture: 5 MB at 1080p, 20 MB at 2160p."""
_DECODERS = {VideoCodec.H264: "h264", VideoCodec.H265: "hevc"}
# skip_loop_filter: intra prediction uses unfiltered samples, so a single keyframe stays right without deblocking, for a
# quarter less CPU. explode: a damaged slice is an error, not a picture patched up with grey.
_OPTIONS = {"skip_loop_filter": "all", "err_detect": "explode"}

type Kind = tuple[VideoCodec, tuple[bytes, ...]]
"""A codec and the parameter sets of a keyframe, in their order."""


class IdleContexts:
    """In any thread. A context remembers parameter sets for ever, so it is only for keyframes that bring the same.

    With another camera's sets a keyframe that lacks its own would decode, and its camera pass for good.
    """

    def __init__(self, at_most: int = IDLE_AT_MOST) -> None:
        self._at_most = at_most
        self._lock = Lock()
        self._idle: OrderedDict[int, tuple[Kind, VideoCodecContext]] = OrderedDict()
        self._given = 0

    def take(self, codec: VideoCodec, parameter_sets: Sequence[bytes]) -> VideoCodecContext:
        """The one that was used last for such keyframes, whose memory is the warmest; else a new one."""
        kind = (codec, tuple(parameter_sets))
        with self._lock:
            found = next((number for number in reversed(self._idle) if self._idle[number][0] == kind), None)
            if found is not None:
                return self._idle.pop(found)[1]
        return _new(codec)

    def give(self, codec: VideoCodec, parameter_sets: Sequence[bytes], context: VideoCodecContext) -> None:
        """Keep a context that decoded its keyframe without a fault; one that met bad data is thrown away."""
        context.flush_buffers()
        with self._lock:
            self._given += 1
            self._idle[self._given] = (codec, tuple(parameter_sets)), context
            if len(self._idle) > self._at_most:
                self._idle.popitem(last=False)


def _new(codec: VideoCodec) -> VideoCodecContext:
    context = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = _OPTIONS
    return context
