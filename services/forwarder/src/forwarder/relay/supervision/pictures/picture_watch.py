"""Watches what one camera shows, by the weight and the rhythm of its media, and remembers what probers found of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from forwarder.domain.picture.changes import PictureChanges
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from vonggac.events.causes import Cause
from vonggac.events.forwarder import PictureSign
from vonggac.media.h26x import VideoCodec
from vonggac.media.keyframe_weight import keyframe_quantizer, weight_of

READ_OVERDUE_S = 1.0
"""A keyframe that is so late may have come unseen: every packet is read until the next one."""


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """What the camera shows since `since`, by `sign` another picture than before.

    `judged`: a prober decoded it; `cause`: and it shows nothing, for that.
    """

    since: datetime
    sign: PictureSign
    judged: bool = False
    cause: Cause | None = None


class PictureWatch:
    """One per held camera; it outlives the camera's sessions. `on_news` is called with each change and judgement."""

    def __init__(self, context: RelayContext) -> None:
        self.on_news: Callable[[], None] | None = None
        self.picture: ShownPicture | None = None
        """None until it changes first."""
        self._context = context
        self._changes = PictureChanges()
        self._codec = VideoCodec.H264
        self._parameter_sets: Sequence[bytes] = ()
        self._reads_since_s: float | None = None
        self._pictures = -1
        """Pictures of the session's media, at the tick before."""
        self._since_s: float | None = None
        """Of `picture`, on the monotonic clock."""

    @property
    def wants_judge(self) -> bool:
        """Whether the next probe must decode the camera's picture."""
        return self._changes.wants_judge(self._context.monotonic_s())

    @property
    def stands_still(self) -> bool:
        """As of `PictureChanges.stands_still`."""
        return self._changes.stands_still

    @property
    def shrunk_to(self) -> float | None:
        """What is left between keyframes of what every good picture had there; None where it has not shrunk."""
        return self._changes.shrunk_to

    def begin_session(self, codec: VideoCodec, parameter_sets: Sequence[bytes]) -> None:
        """Begin a session: the camera's media flows anew."""
        # A camera that was swapped, or set anew: its next probe shall not wait for the schedule.
        before, now = (self._codec, {*self._parameter_sets}), (codec, {*parameter_sets})
        otherwise = bool(before[1]) and bool(now[1]) and before != now
        self._codec, self._parameter_sets = codec, parameter_sets
        self._reads_since_s = None
        self._publish(self._changes.begin_session(self._context.monotonic_s(), coded_otherwise=otherwise))

    def weigh(self, now_s: float, octets: int, head: bytes | None) -> None:
        """Weigh a keyframe that passed by; `head`: as of `read_head`."""
        quantizer = keyframe_quantizer(self._codec, (*self._parameter_sets, head)) if head is not None else None
        self._weigh(now_s, octets, quantizer, light=False)

    def read_keyframe(self, now_s: float, octets: int, nals: Sequence[bytes], *, light: bool) -> None:
        """Weigh a keyframe that was read; `light`: as of `ComparedKeyframe`."""
        quantizer = keyframe_quantizer(self._codec, (*self._parameter_sets, *nals))
        self._weigh(now_s, octets, quantizer, light=light)

    def tick(self, now_s: float, source: CameraSource) -> None:
        """Call about once a second while the media flows."""
        pictures, self._pictures = self._pictures, source.fanout.pictures
        self._publish(self._changes.read_total(now_s, source.bytes_received, silent=pictures == self._pictures))

    def miss_keyframe(self, now_s: float, last_s: float, interval_s: float, *, reading: bool) -> bool:
        """None came since `last_s`; `reading`: every packet is read now. Returns whether it should be."""
        if now_s - last_s < interval_s + READ_OVERDUE_S:
            self._reads_since_s = None
            return False
        if not reading:
            self._reads_since_s = None
        elif self._reads_since_s is None:
            self._reads_since_s = now_s
        reads_since_s = self._reads_since_s
        if reads_since_s is not None and now_s - reads_since_s >= interval_s:
            self._publish(self._changes.miss_keyframe(now_s, last_s, interval_s))
        return True

    def end_nothing_new(self, at: datetime) -> None:
        """As of `PictureChanges.end_nothing_new`."""
        now = self._context.now()
        since_s = now.monotonic_s - max(0.0, (now.at - at).total_seconds())
        self._publish(self._changes.end_nothing_new(now.monotonic_s, since_s))

    def judge(self, captured_at: datetime, cause: Cause | None, *, moves: bool = False) -> None:
        """As of `PictureChanges.judge`."""
        now = self._context.now()
        captured_s = now.monotonic_s - (now.at - captured_at).total_seconds()
        news = self._changes.judge(min(captured_s, now.monotonic_s), cause, moves=moves)
        picture, doubted_s = self._changes.picture, self._changes.doubted_s
        if news and picture is not None and picture.sign is PictureSign.JUDGED and doubted_s is not None:
            # It became another one at some time since the one before was captured that was judged.
            self.picture, self._since_s = ShownPicture(self._at(doubted_s), PictureSign.JUDGED), doubted_s
            self._report()
        self._publish(news)

    def _weigh(self, now_s: float, octets: int, quantizer: int | None, *, light: bool) -> None:
        self._reads_since_s = None
        self._publish(self._changes.weigh_keyframe(now_s, weight_of(octets, quantizer), light=light))

    def _publish(self, news: bool) -> None:
        picture = self._changes.picture
        if not news or picture is None:
            return
        same = self.picture is not None and picture.since_s == self._since_s
        # One picture has one beginning, however its clocks drift.
        since = self.picture.since if self.picture is not None and same else self._at(picture.since_s)
        self.picture, self._since_s = ShownPicture(since, picture.sign, picture.judged, picture.cause), picture.since_s
        self._report()

    def _report(self) -> None:
        if self.on_news is not None:
            self.on_news()

    def _at(self, monotonic_s: float) -> datetime:
        return self._context.now().earlier(monotonic_s).at
