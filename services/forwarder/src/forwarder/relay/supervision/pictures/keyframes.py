"""Reads a camera's media when a keyframe is due: for hashes, for samples, and to see whether its picture stands still.

One object per held camera; it outlives the camera's sessions.
"""

from collections.abc import Callable
from datetime import datetime

from forwarder.domain.picture.keyframes import (
    COMPARE_EVERY_S,
    STILL_WATCH_S,
    ComparedKeyframe,
    Keyframe,
    Rhythm,
    least_octets,
)
from forwarder.relay.media.keyframe_scale import checksum, head_of
from forwarder.relay.media.keyframe_tap import KeyframeTap
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.pictures.hashing import KeyframeHashes
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy, NoKeyframe, copy_of, why_none
from forwarder.relay.supervision.pictures.picture_watch import PictureWatch
from forwarder.relay.supervision.pictures.sampling import COPY_WITHIN_S, KeyframeSamples
from forwarder.relay.supervision.pictures.session_figures import SessionFigures
from forwarder.relay.supervision.pictures.stillness import Stillness
from forwarder.relay.supervision.pictures.weighing import KeyframeWeighing
from forwarder.relay.supervision.ticker import Alarm
from vonggac.events.forwarder import KeyframeNote
from vonggac.media.depacketizer import AccessUnit
from vonggac.media.h26x import VideoCodec, video_codec

COMPARE_WITHIN_S = 3.0
"""A keyframe that does not come within that time after it is expected is not waited for longer."""
LEARN_WITHIN_S = 10.0
"""A camera whose second keyframe takes longer is read without knowing its rhythm."""


class CameraKeyframes:
    """Opens the tap for its parts, and gives each keyframe to them. `on_still`: what is new of the picture changed."""

    def __init__(self, context: RelayContext) -> None:
        self.on_still: Callable[[], None] | None = None
        self.hashes = KeyframeHashes(context)
        self.stillness = Stillness()
        self.watch = PictureWatch(context)
        self.weighing = KeyframeWeighing(context, self._compare_weighed)
        self._samples = KeyframeSamples(context, self.watch, self._open)
        self._figures = SessionFigures(0.0)
        self.media_since: datetime | None = None
        self._context = context
        self._source: CameraSource | None = None
        self._tap: KeyframeTap | None = None
        self._codec = VideoCodec.H264
        self._parameter_sets: list[bytes] = []
        self._rhythm = Rhythm(90_000)
        self._learn_until_s = self._awaited_until_s = 0.0
        self._measure = False
        self._opening: Alarm | None = None

    def began(self, source: CameraSource) -> None:
        """Begin to watch media that flows: its first whole keyframe is hashed at once."""
        now = self._context.now()
        now_s = now.monotonic_s
        self._source, self.media_since = source, now.at
        self._figures = SessionFigures(now_s, received_bytes=source.bytes_received, pictures=source.fanout.pictures)
        video = next(track for track in source.tracks if track.kind == "video")
        codec = video_codec(video.codec)
        self.weighing.begin_session(source, codec, video.rtp_channel)
        if codec is None:
            return
        self._codec, self._parameter_sets = codec, video.media.parameter_sets
        self.watch.begin_session(codec, self._parameter_sets)
        self.stillness.begin_session(now.at)
        self._tap = KeyframeTap(
            source.fanout,
            codec,
            channel=video.rtp_channel,
            clock_rate=video.clock_rate,
            on_keyframe=self._came,
            room=self._context.keyframe_room,
        )
        self.hashes.begin_session(now_s)
        self._measure = True
        self._rhythm, self._learn_until_s = Rhythm(video.clock_rate), now_s + LEARN_WITHIN_S
        self._tap.open()

    def ended(self) -> None:
        """Note that the camera's media does not flow; whoever waits for a keyframe gets that answer."""
        self._compare_weighed()
        self._cancel_opening()
        if self._tap is not None:
            self._tap.close()
        self.weighing.end_session()
        self._source = self._tap = self.media_since = None
        self._samples.end_session()

    def tick(self, now_s: float) -> None:
        """See what is due; call about once a second."""
        if self._source is not None:
            self._figures.count_pictures(now_s, self._source.fanout.pictures)
        if self._tap is None or self._source is None:
            return
        self._figures.count_too_large(self._context.monotonic_s(), self._tap.keyframes_too_large)
        self.watch.tick(now_s, self._source)
        keyframe_s, reading = self._figures.keyframe_s, self._tap.is_open
        due_s = self._rhythm.interval_s if keyframe_s is not None else None
        if self.weighing.note_failure(now_s):
            self._open_to_compare()
        if due_s and self.watch.miss_keyframe(now_s, keyframe_s or now_s, due_s, reading=reading):
            self.hash_all(STILL_WATCH_S, asker="overdue")
        if self._wants_more(now_s):
            self._open_in_time(self._tap, now_s)
        elif self._tap.is_open:
            self._rest(self._tap, now_s)
        else:
            self._await_next(now_s)
        self._samples.drop_old_copy(now_s)

    def too_large_age_s(self) -> float | None:
        """As of `SessionFigures`, now."""
        now_s = self._context.monotonic_s()
        if self._tap is not None:
            self._figures.count_too_large(now_s, self._tap.keyframes_too_large)
        return self._figures.too_large_age_s(now_s)

    def hash_all(self, seconds: float, *, asker: str = "") -> None:
        """Hash every keyframe for the next `seconds`, 30 at most; 0 when this asker has seen enough."""
        self.hashes.want_all(self._context.monotonic_s(), seconds, asker)
        if seconds > 0:
            self._open()

    async def copy_keyframe(
        self, within_s: float = COPY_WITHIN_S, *, after: datetime | None = None
    ) -> KeyframeCopy | NoKeyframe:
        """Return a copy as of `KeyframeSamples`, or why there is none."""
        if self._tap is None:
            return self.no_keyframe("codec_unsupported")
        return await self._samples.copy_keyframe(within_s, after) or self.no_keyframe("no_keyframe")

    def no_keyframe(self, reason: str) -> NoKeyframe:
        """Why there is no keyframe to hand out, and what is known of the camera all the same."""
        if self._source is None:
            return NoKeyframe("camera_away")
        self._figures.count_pictures(self._context.monotonic_s(), self._source.fanout.pictures)
        too_large_s = self.too_large_age_s()
        return why_none(reason, self._source, self._figures, too_large_s, self._rhythm, self._context.monotonic_s())

    def _open(self) -> None:
        self._cancel_opening()
        if self._tap is not None:
            self.weighing.stop()
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
        if self._opening is None and self._rhythm.steady and not self.weighing.is_under_way:
            wait_s = self._rhythm.wait_s(now_s, least_s=COMPARE_EVERY_S) - passed_s
            self._opening = self._context.ticker.call_by(wait_s, self._compare_next)

    def _compare_next(self) -> None:
        """Weigh the keyframe that is due, or read it where somebody wants it or its size says nothing."""
        self._cancel_opening()
        now_s = self._context.monotonic_s()
        if not self.weighing.is_possible or self._wants_more(now_s):
            self._open_to_compare()
        else:
            self.weighing.begin(now_s, min(COMPARE_WITHIN_S, self._rhythm.longest_wait_s))

    def _compare_weighed(self) -> None:
        """Compare the keyframe that was weighed; harmless when it was."""
        weighed = self.weighing.pop_weighed()
        if weighed is None:
            return
        came_s, octets, head = weighed
        now = self._context.now()
        self._figures.keyframe_s = came_s
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
        return self._samples.is_wanted or now_s < self._awaited_until_s or self.hashes.want_next(now_s)

    def _came(self, unit: AccessUnit, octets: int) -> None:
        tap, source = self._tap, self._source
        if tap is None or source is None:
            return
        self._compare_weighed()
        now = self._context.now()
        now_s = now.monotonic_s
        self._rhythm.note_keyframe(now_s, unit.rtp_timestamp)
        if self._rhythm.lost:
            self._learn_until_s = now_s + LEARN_WITHIN_S
        light = self.weighing.passed_unseen and octets < least_octets(self.weighing.keyframe_octets)
        self.weighing.keyframe_octets = octets
        self._figures.note_keyframe(now_s)
        keyframe = Keyframe(self._codec, unit.nals, now.at)
        rate = self._figures.bitrate_kbps(now_s, source.bytes_received)
        digest, stamp = keyframe.hash, unit.rtp_timestamp
        first_at = self.stillness.remembered.first_coming(digest, now.at)
        note = KeyframeNote(hash=digest, captured_at=now.at, rtp_timestamp=stamp, first_captured_at=first_at)
        head = checksum(head_of(self._codec, unit.nals))
        self._compare(ComparedKeyframe(now.at, octets, digest, light, head))
        self.watch.read_keyframe(now_s, octets, unit.nals, light=light)
        if self.hashes.want_next(now_s):
            self._rhythm.forgive()
            self.weighing.forgive()
            self.hashes.add(note, now_s)
        if self._samples.is_wanted:
            figures, sets = tap.meter.worst_figures(now_s), self._parameter_sets
            correction_s = self._context.wall_correction_s()
            self._samples.hand_out(copy_of(keyframe, source, sets, figures, rate, self.stillness, correction_s), now_s)
            # The next one shall have figures of lately.
            self._measure = True
        if not self._wants_more(now_s):
            self._rest(tap, now_s)

    def _rest(self, tap: KeyframeTap, now_s: float) -> None:
        """Nobody wants a keyframe now: read no more, unless there is still something to be measured or learnt."""
        self._measure = self._measure and not tap.meter.fresh
        learning = not self._rhythm.known and now_s < self._learn_until_s
        if not self._measure and not learning:
            tap.close()
            self._rhythm.stop_watching()
            self._await_next(now_s)

    def _compare(self, keyframe: ComparedKeyframe) -> None:
        self._awaited_until_s, self.weighing.passed_unseen = 0.0, False
        lasted = self.stillness.nothing_new.lasts
        changed = self.stillness.compare(keyframe)
        if self.stillness.may_stand_still:
            self.hash_all(STILL_WATCH_S, asker="still")
        if self.stillness.may_repeat:
            self.hash_all(STILL_WATCH_S, asker="repeats")
        if not changed:
            return
        self._samples.drop_copy()
        until = self.stillness.nothing_new.until
        if lasted and until is not None:
            self.watch.end_nothing_new(until)
        if self.on_still is not None:
            self.on_still()
