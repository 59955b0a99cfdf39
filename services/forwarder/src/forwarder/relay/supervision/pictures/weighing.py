"""Weighs a camera's next keyframe as it passes, so that it can be compared without being read."""

from collections.abc import Callable
from typing import NamedTuple

from forwarder.domain.picture.keyframes import least_octets
from forwarder.relay.media.keyframe_scale import KeyframeScale, read_head
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from vonggac.media.h26x import VideoCodec

UNWEIGHED_AT_MOST = 3
"""A camera of which no picture was so heavy so often has each keyframe read."""


class WeighedKeyframe(NamedTuple):
    """When a keyframe came, the octets of its packets, and how its picture begins, as of `read_head`."""

    came_s: float
    octets: int
    head: bytes | None


class KeyframeWeighing:
    """One per held camera. `on_weighed` is called soon after a keyframe was weighed, not amid the media."""

    def __init__(self, context: RelayContext, on_weighed: Callable[[], None]) -> None:
        self.keyframe_octets = 0
        """Size of the last keyframe that was read; 0 where the next one cannot be known by its size."""
        self.passed_unseen = False
        """Whether no picture was like a keyframe since the last that was compared."""
        self._context, self._on_weighed = context, on_weighed
        self._source: CameraSource | None = None
        self._codec, self._channel = VideoCodec.H264, 0
        self._until_s = 0.0
        self._failed = 0
        """How often no picture was like a keyframe, of late."""
        self._weighed: tuple[float, int, tuple[bytes, ...]] | None = None
        """When the keyframe came that was weighed and not compared yet, its octets, and pieces of the media with it."""

    @property
    def is_possible(self) -> bool:
        """Whether the next keyframe can be known by its size."""
        return self._source is not None and self.keyframe_octets > 0 and self._failed < UNWEIGHED_AT_MOST

    @property
    def is_under_way(self) -> bool:
        """Whether the next keyframe is weighed."""
        return self._source is not None and self._source.fanout.scale is not None

    def begin_session(self, source: CameraSource, codec: VideoCodec | None, channel: int) -> None:
        """Begin to weigh the media that flows; without a codec that is known, none of it is weighed."""
        self._source, self._channel = source, channel
        self._codec = codec or self._codec
        self.keyframe_octets, self._failed, self.passed_unseen = 0, 0, False

    def end_session(self) -> None:
        """Weigh no more of this session."""
        self.stop()
        self._source = None

    def begin(self, now_s: float, within_s: float) -> None:
        """Weigh the next keyframe, which comes `within_s`. Call where it `is_possible`."""
        self._until_s = now_s + within_s
        if self._source is not None:
            least = least_octets(self.keyframe_octets)
            self._source.fanout.scale = KeyframeScale(self._channel, least, self._note_weight)

    def stop(self) -> None:
        """Let the next keyframe pass unweighed."""
        if self._source is not None:
            self._source.fanout.scale = None

    def note_failure(self, now_s: float) -> bool:
        """Return whether no picture was like a keyframe in time: it must be read.

        The camera's keyframes have become small, or no picture of it is like a keyframe, or none has a marker bit.
        """
        if not self.is_under_way or now_s < self._until_s:
            return False
        self._failed, self.passed_unseen = self._failed + 1, True
        return True

    def forgive(self) -> None:
        """Forgive one failure, which is no proof for ever: call about every half minute."""
        self._failed = max(0, self._failed - 1)

    def pop_weighed(self) -> WeighedKeyframe | None:
        """Return the keyframe that was weighed, once."""
        weighed, self._weighed = self._weighed, None
        if weighed is None:
            return None
        came_s, octets, pieces = weighed
        return WeighedKeyframe(came_s, octets, read_head(self._codec, self._channel, pieces))

    def _note_weight(self, octets: int) -> None:
        # Called amid the media: the rest is done with the other cameras'.
        scale = self._source.fanout.scale if self._source is not None else None
        self.stop()
        self._weighed = self._context.monotonic_s(), octets, scale.pieces if scale is not None else ()
        self._context.ticker.call_by(0, self._on_weighed)
