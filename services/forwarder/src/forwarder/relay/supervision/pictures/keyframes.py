"""A camera's keyframes for others: hashed for the proof of its deliveries, handed out to the prober.

One object per held camera; it outlives the camera's sessions and reads the media only when a keyframe is due.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from forwarder.domain.clock import Instant
from forwarder.domain.picture.keyframes import (
    COMPARE_EVERY_S,
    HASH_AT_MOST_S,
    HISTORY,
    STILL_WATCH_S,
    ComparedKeyframe,
    Keyframe,
    Rhythm,
    Still,
    least_octets,
    may_stand_still,
    still_with,
)
from forwarder.domain.picture.nothing_new import NothingNew, date_nothing_new
from forwarder.domain.picture.repetition import RememberedKeyframes
from forwarder.relay.media.keyframe_scale import KeyframeScale, checksum, head_of, read_head
from forwarder.relay.media.keyframe_tap import KeyframeTap
from forwarder.relay.sources.base import CameraSource, foreign_payload
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy, NoKeyframe, session_of
from forwarder.relay.supervision.pictures.picture_watch import PictureWatch
from forwarder.relay.supervision.ticker import Alarm
from vonggac.events.causes import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, video_codec

COPY_WITHIN_S = 10.0
"""Longer than any asker waits."""
RATE_OVER_S = 10.0
"""The bit rate is that of the last so many seconds, or a little more."""
LEAST_RATE_OVER_S = 2.0
UNWEIGHED_AT_MOST = 3
"""A camera of which no picture was so heavy so often has each keyframe read."""
COMPARE_WITHIN_S = 3.0
"""A keyframe that does not come within that time after it is expected is not waited for longer."""
LEARN_WITHIN_S = 10.0
"""A camera whose second keyframe takes longer is read without knowing its rhythm."""

type History = tuple[KeyframeNote, ...]


class CameraKeyframes:
    """`on_history` is called with the last hashed keyframes, oldest first, with each new one."""

    def __init__(self, context: RelayContext) -> None:
        self.on_history: Callable[[History], None] | None = None
        self.on_still: Callable[[], None] | None = None
        self.nothing_new = NothingNew()
        """The picture stands still for certain, or repeats itself, since then, or did so until then."""
        self.remembered = RememberedKeyframes()
        self.history: History = ()
        self.compared = 0
        """Keyframes that were compared with those before them."""
        self._compared: tuple[ComparedKeyframe, ...] = ()
        """The last of these, hashed for others or not."""
        self._awaited_until_s = 0.0
        self._weighed_until_s = 0.0
        self._weighed: tuple[float, int, tuple[bytes, ...]] | None = None
        """When the keyframe came that was weighed and not compared yet, its octets, and pieces of the media with it."""
        self.watch = PictureWatch(context)
        self._keyframe_octets = 0
        """Size of the last keyframe that was read; 0 where the next one cannot be known by its size."""
        self._unweighed, self._passed_unseen = 0, False
        """How often no picture was like a keyframe, of late; whether so since the last that was compared."""
        self.media_since: datetime | None = None
        self._context = context
        self._source: CameraSource | None = None
        self._tap: KeyframeTap | None = None
        self._codec, self._channel = VideoCodec.H264, 0
        self._parameter_sets: list[bytes] = []
        self._hash_due_s = 0.0
        self._hash_all_until_s: dict[str, float] = {}
        self._asked: asyncio.Future[KeyframeCopy | NoKeyframe] | None = None
        self._copy: KeyframeCopy | None = None
        self._copied_s = 0.0
        self._marks = ((0.0, 0), (0.0, 0))
        self._measure = False
        self._rhythm = Rhythm(90_000)
        self._learn_until_s = 0.0
        self._opening: Alarm | None = None
        self.still: Still | None = None
        """How long the hashed keyframes have been identical; None while they differ."""
        self._began_s = self._picture_s = 0.0
        self._pictures = 0
        self._keyframe_s: float | None = None
        self._too_large = 0
        self._too_large_s: float | None = None

    def began(self, source: CameraSource) -> None:
        """The camera's media flows: its first whole keyframe is hashed at once."""
        now = self._context.now()
        self._source, self.media_since = source, now.at
        self._marks = ((now.monotonic_s, source.bytes_received),) * 2
        self._began_s = self._picture_s = now.monotonic_s
        self._pictures, self._keyframe_s = source.fanout.pictures, None
        self._too_large, self._too_large_s = 0, None
        self._keyframe_octets, self._unweighed, self._passed_unseen = 0, 0, False
        video = next(track for track in source.tracks if track.kind == "video")
        codec = video_codec(video.codec)
        if codec is None:
            return
        self._codec, self._parameter_sets = codec, video.media.parameter_sets
        self.watch.begin_session(codec, self._parameter_sets)
        self.remembered.begin_session(now.at)
        self._channel = video.rtp_channel
        self._tap = KeyframeTap(
            source.fanout,
            codec,
            channel=video.rtp_channel,
            clock_rate=video.clock_rate,
            on_keyframe=self._came,
            room=self._context.keyframe_room,
        )
        self._hash_due_s, self._measure = now.monotonic_s, True
        self._rhythm, self._learn_until_s = Rhythm(video.clock_rate), now.monotonic_s + LEARN_WITHIN_S
        self._tap.open()

    def ended(self) -> None:
        """The camera's media does not flow; whoever waits for a keyframe gets that answer."""
        self._compare_weighed()
        self._cancel_opening()
        if self._tap is not None:
            self._tap.close()
        if self._source is not None:
            self._source.fanout.scale = None
        self._source = self._tap = self._copy = self.media_since = None
        self._answer(NoKeyframe("camera_away"))

    def tick(self, now_s: float) -> None:
        """See what is due; call about once a second."""
        if self._source is not None and self._source.fanout.pictures != self._pictures:
            self._pictures, self._picture_s = self._source.fanout.pictures, now_s
        if self._tap is None or self._source is None:
            return
        self.too_large_age_s()
        self.watch.tick(now_s, self._source)
        due_s, reading = self._rhythm.interval_s if self._keyframe_s is not None else None, self._tap.is_open
        if self._source.fanout.scale is not None and now_s >= self._weighed_until_s:
            # Its keyframes have become small, or no picture of it is like a keyframe, or none has a marker bit.
            self._unweighed, self._passed_unseen = self._unweighed + 1, True
            self._open_to_compare()
        if due_s and self.watch.miss_keyframe(now_s, self._keyframe_s or now_s, due_s, reading=reading):
            self.hash_all(STILL_WATCH_S, asker="overdue")
        if self._wants_more(now_s):
            self._open_in_time(self._tap, now_s)
        elif self._tap.is_open:
            self._rest(self._tap, now_s)
        else:
            self._await_next(now_s)
        if self._copy is not None and now_s - self._copied_s >= self._context.keyframes.sample_s:
            self._copy = None

    def too_large_age_s(self) -> float | None:
        """How long ago the last keyframe came that is too large to be kept; None where a whole one came after it."""
        now_s = self._context.monotonic_s()
        if self._tap is not None and self._tap.keyframes_too_large != self._too_large:
            self._too_large, self._too_large_s = self._tap.keyframes_too_large, now_s
        return now_s - self._too_large_s if self._too_large_s is not None else None

    def hash_all(self, seconds: float, *, asker: str = "") -> None:
        """Hash every keyframe for the next `seconds`, 30 at most; 0 when this asker has seen enough."""
        now_s = self._context.monotonic_s()
        others = {
            name: until_s for name, until_s in self._hash_all_until_s.items() if until_s > now_s and name != asker
        }
        self._hash_all_until_s = others
        if seconds > 0:
            others[asker] = now_s + min(seconds, HASH_AT_MOST_S)
            self._open()

    async def copy_keyframe(
        self, within_s: float = COPY_WITHIN_S, *, after: datetime | None = None
    ) -> KeyframeCopy | NoKeyframe:
        """The newest keyframe, or the next one if the last that was handed out is older than `sample_s` or `after`."""
        if self._tap is None:
            return self.no_keyframe("codec_unsupported")
        copy, age_s, shown = self._copy, self._context.monotonic_s() - self._copied_s, self.watch.picture
        after = max((at for at in (after, shown.since if shown is not None else None) if at is not None), default=None)
        damaged = shown is not None and shown.cause is Cause.DECODE_FAILED
        # Nothing but the next keyframe shows when one can be decoded again.
        fresh = age_s < self._context.keyframes.sample_s and not damaged
        if copy and fresh and (after is None or copy.captured_at > after):
            return copy
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_future()
            self._open()
        try:
            async with asyncio.timeout(min(within_s, COPY_WITHIN_S)):
                return await asyncio.shield(self._asked)
        except TimeoutError:
            return self.no_keyframe("no_keyframe")

    def no_keyframe(self, reason: str) -> NoKeyframe:
        """Why there is no keyframe to hand out, and what is known of the camera all the same."""
        if self._source is None:
            return NoKeyframe("camera_away")
        now_s = self._context.monotonic_s()
        if self._source.fanout.pictures != self._pictures:
            self._pictures, self._picture_s = self._source.fanout.pictures, now_s
        video = next(track for track in self._source.tracks if track.kind == "video")
        age_s, too_large_s = now_s - self._keyframe_s if self._keyframe_s is not None else None, self.too_large_age_s()
        if too_large_s is not None and reason == "no_keyframe":
            # They come whole, and only we cannot keep them.
            reason, age_s = "too_large", too_large_s
        return NoKeyframe(
            reason,
            silent_s=now_s - self._picture_s,
            media_s=now_s - self._began_s,
            keyframe_age_s=age_s,
            keyframe_every_s=self._rhythm.interval_s,
            bitrate_kbps=self._bitrate_kbps(now_s),
            codec=video.codec.lower() or None,
        )

    def _open(self) -> None:
        self._cancel_opening()
        if self._tap is not None and self._source is not None:
            self._source.fanout.scale = None
            self._tap.open()

    def _open_in_time(self, tap: KeyframeTap, now_s: float) -> None:
        """Read the media shortly before the next keyframe, which may be now."""
        if tap.is_open or self._opening is not None:
            return
        wait_s = self._rhythm.wait_s(now_s)
        if wait_s > 0:
            self._opening = self._context.ticker.call_by(wait_s, self._open)
        else:
            self._open()

    def _await_next(self, now_s: float, *, passed_s: float = 0.0) -> None:
        """Read the next keyframe when it comes, to compare it with those before it; `now_s` was `passed_s` ago."""
        weighing = self._source is not None and self._source.fanout.scale is not None
        if self._opening is None and self._rhythm.steady and not weighing:
            wait_s = self._rhythm.wait_s(now_s, least_s=COMPARE_EVERY_S) - passed_s
            self._opening = self._context.ticker.call_by(wait_s, self._compare_next)

    def _compare_next(self) -> None:
        """A keyframe is due: weigh it, or read it where somebody wants it or its size says nothing."""
        self._cancel_opening()
        now_s, source = self._context.monotonic_s(), self._source
        weighable = self._keyframe_octets > 0 and self._unweighed < UNWEIGHED_AT_MOST
        if source is None or not weighable or self._wants_more(now_s):
            self._open_to_compare()
            return
        video = next(track for track in source.tracks if track.kind == "video")
        self._weighed_until_s = now_s + min(COMPARE_WITHIN_S, self._rhythm.longest_wait_s)
        source.fanout.scale = KeyframeScale(video.rtp_channel, least_octets(self._keyframe_octets), self._note_weight)

    def _note_weight(self, octets: int) -> None:
        # Called amid the media: the rest is done with the other cameras'.
        scale = self._source.fanout.scale if self._source is not None else None
        if self._source is not None:
            self._source.fanout.scale = None
        self._weighed = self._context.monotonic_s(), octets, scale.pieces if scale is not None else ()
        self._context.ticker.call_by(0, self._compare_weighed)

    def _compare_weighed(self) -> None:
        """Compare the keyframe that was weighed; harmless when it was."""
        weighed, self._weighed = self._weighed, None
        if weighed is None:
            return
        came_s, octets, pieces = weighed
        now = self._context.now()
        self._keyframe_s = came_s
        head = read_head(self._codec, self._channel, pieces)
        self._compare(ComparedKeyframe(now.earlier(came_s).at, octets, head=checksum(head)))
        self.watch.weigh(came_s, octets, head)
        if self._tap is not None and not self._tap.is_open:
            self._await_next(came_s, passed_s=now.monotonic_s - came_s)

    def _open_to_compare(self) -> None:
        self._awaited_until_s = self._context.monotonic_s() + COMPARE_WITHIN_S
        self._open()

    def _cancel_opening(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _wants_more(self, now_s: float) -> bool:
        return self._asked is not None or now_s < self._awaited_until_s or self._shall_hash(now_s)

    def _shall_hash(self, now_s: float) -> bool:
        return now_s >= self._hash_due_s or any(now_s < until_s for until_s in self._hash_all_until_s.values())

    def _came(self, unit: AccessUnit, octets: int) -> None:
        self._compare_weighed()
        now = self._context.now()
        self._rhythm.seen(now.monotonic_s, unit.rtp_timestamp)
        if self._rhythm.lost:
            self._learn_until_s = now.monotonic_s + LEARN_WITHIN_S
        light = self._passed_unseen and octets < least_octets(self._keyframe_octets)
        self._keyframe_s, self._keyframe_octets, self._too_large_s = now.monotonic_s, octets, None
        keyframe = Keyframe(self._codec, unit.nals, now.at)
        rate = self._bitrate_kbps(now.monotonic_s)
        digest, stamp = keyframe.hash, unit.rtp_timestamp
        first_at = self.remembered.first_coming(digest, now.at)
        note = KeyframeNote(hash=digest, captured_at=now.at, rtp_timestamp=stamp, first_captured_at=first_at)
        head = checksum(head_of(self._codec, unit.nals))
        self._compare(ComparedKeyframe(now.at, octets, note.hash, light, head))
        self.watch.read_keyframe(now.monotonic_s, octets, unit.nals, light=light)
        if self._shall_hash(now.monotonic_s):
            self._note(note, now)
        if self._asked is not None:
            figures = self._tap.meter.worst_figures(now.monotonic_s) if self._tap else None
            body = keyframe.annex_b(self._parameter_sets)
            drift_s = self._source.clock_drift_s() if self._source is not None else None
            if drift_s is not None:
                # The source compares with this machine's clock.
                drift_s -= self._context.wall_correction_s()
            measured = (figures, rate, drift_s, session_of(self._source), self.still, foreign_payload(self._source))
            repeats = self.remembered.shown, self.remembered.new_since
            habits = self._source.habits if self._source is not None else {}
            self._copy = KeyframeCopy(self._codec, now.at, body, *measured, *repeats, habits)
            self._copied_s = now.monotonic_s
            self._answer(self._copy)
            # The next one shall have figures of lately.
            self._measure = True
        if self._tap is not None and not self._wants_more(now.monotonic_s):
            self._rest(self._tap, now.monotonic_s)

    def _rest(self, tap: KeyframeTap, now_s: float) -> None:
        """Nobody wants a keyframe now: read no more, unless there is still something to be measured or learnt."""
        self._measure = self._measure and not tap.meter.fresh
        learning = not self._rhythm.known and now_s < self._learn_until_s
        if not self._measure and not learning:
            tap.close()
            self._rhythm.stop_watching()
            self._await_next(now_s)

    def _compare(self, keyframe: ComparedKeyframe) -> None:
        """Every keyframe: so a picture that stands still is found and dated by its first repetition."""
        self._awaited_until_s, self._passed_unseen = 0.0, False
        self.compared += 1
        self._compared = (*self._compared, keyframe)[-HISTORY:]
        self.still = still_with(self.still, self._compared)
        # Also while it stands still for certain: whoever reads back compares each of them.
        if self.still is not None or may_stand_still(self._compared):
            self.hash_all(STILL_WATCH_S, asker="still")
        self.remembered.add(keyframe, still=self.still is not None)
        if self.remembered.wants_hashes(keyframe.captured_at):
            self.hash_all(STILL_WATCH_S, asker="repeats")
        known = self.nothing_new
        self.nothing_new = date_nothing_new(known, self.still, self.remembered, self._compared)
        if known == self.nothing_new:
            return
        # It says what is over.
        self._copy = None
        if known.lasts and self.nothing_new.until is not None:
            self.watch.end_nothing_new(self.nothing_new.until)
        if self.on_still is not None:
            self.on_still()

    def _note(self, note: KeyframeNote, now: Instant) -> None:
        timing = self._context.keyframes
        self._hash_due_s = now.monotonic_s + timing.next_hash_in_s(self._context.chance())
        self._rhythm.forgive()
        self._unweighed = max(0, self._unweighed - 1)
        self.history = (*self.history, note)[-HISTORY:]
        if self.on_history is not None:
            self.on_history(self.history)

    def _answer(self, answer: KeyframeCopy | NoKeyframe) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(answer)

    def _bitrate_kbps(self, now_s: float) -> float | None:
        """Of everything that the camera sends, from keyframe to keyframe; None when it began just now."""
        if self._source is None:
            return None
        (older_s, older_bytes), newer = self._marks
        received = self._source.bytes_received
        if now_s - newer[0] >= RATE_OVER_S:
            self._marks = (newer, (now_s, received))
        span_s = now_s - older_s
        return (received - older_bytes) * 8 / 1000 / span_s if span_s >= LEAST_RATE_OVER_S else None
