"""One camera's live output: each frame is built once and sent to every session."""

import asyncio
import bisect
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from simulator.cameras.uplink import Uplink
from simulator.packets import Frame, FrameTemplate, PreparedTrack, render
from simulator.packets.template import MAX_SERIAL
from vonggac.media.rtcp import SenderReport, build_sender_report, ntp_from_unix

REPORT_INTERVAL_S = 5.0
_EARLY_S = 0.001
_TOO_LATE_S = 1.0
"""After a pause this long the camera skips to the present: it never sends seconds of media in one burst."""
_AWAITED_S = 0.25
"""A keyframe with the time in it is sent so late at most; then it is that of the clip, with a serial."""
_SOON_S = 0.005


class Subscriber(Protocol):
    """A session that plays. Neither method may raise or block."""

    def send_frame(self, track: int, frame: Frame) -> None: ...

    def send_report(self, track: int, report: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Gaps:
    """Of every `every_s` seconds since `begin_s` (loop time) the last `for_s` bring no media.

    `lost`: it is sent and lost on the way, so that sequence numbers show it.
    """

    begin_s: float
    every_s: float
    for_s: float
    lost: bool

    def is_gap(self, now: float) -> bool:
        return (now - self.begin_s) % self.every_s >= self.every_s - self.for_s


class TrackClock:
    """The position of one track. Frame n is due n / frames_per_s after the epoch, however late it is sent."""

    def __init__(
        self, track: PreparedTrack, epoch: float, randomness: random.Random, serials: Iterator[int] | None = None
    ) -> None:
        """Begin the clock; `serials` of this camera's keyframes: none comes twice, whatever becomes of its sessions."""
        self.track = track
        self.epoch = epoch
        self.ssrc = randomness.getrandbits(32)
        self.sequence = randomness.getrandbits(16)
        self.packets = 0
        self.octets = 0
        self.number = 0
        self._base_timestamp = randomness.getrandbits(32)
        self._frames_per_s = float(track.frames_per_s)
        self._frame_shift = 0
        self._last_keyframe: int | None = None
        self._serials = itertools.count() if serials is None else serials
        self._coming: tuple[int, asyncio.Future[FrameTemplate]] | None = None

    @property
    def due(self) -> float:
        return self.epoch + self.number / self._frames_per_s

    @property
    def timestamp(self) -> int:
        """RTP timestamp of the next frame."""
        rate = self.track.frames_per_s
        ticks = self.number * rate.denominator * self.track.clock_rate_hz // rate.numerator
        return (self._base_timestamp + ticks) & 0xFFFF_FFFF

    def timestamp_at(self, now: float) -> int:
        """RTP timestamp that stands for the moment `now` (loop time)."""
        ticks = int((now - self.epoch) * self.track.clock_rate_hz)
        return (self._base_timestamp + ticks) & 0xFFFF_FFFF

    def skip_to(self, now: float, *, keyframe: bool) -> None:
        """Continue at `now`; with `keyframe`, from the next picture that a player can begin with.

        Skips the keyframe that was shown last, if there is another: a clip is short, and two probes of a good camera
        must not see the same noise.
        """
        self.number = max(self.number, int((now - self.epoch) * self._frames_per_s) + 1)
        if keyframe:
            length = len(self.track.frames)
            position = (self.number + self._frame_shift) % length
            keyframes = (*self.track.keyframes, *(length + index for index in self.track.keyframes))
            coming = [index for index in keyframes if index >= position]
            following = next((index for index in coming if index % length != self._last_keyframe), coming[0])
            self._frame_shift += following - position

    def show_pictures(self, track: PreparedTrack) -> None:
        """Replace the pictures, beginning with the first; a new rate applies from the next frame on."""
        if track.frames_per_s != self.track.frames_per_s:
            self.epoch, self._base_timestamp, self.number = self.due, self.timestamp, 0
            self._frames_per_s = float(track.frames_per_s)
        self.track = track
        self._frame_shift = -self.number
        self._coming = None

    def prepare_keyframe(self, now: float) -> bool:
        """Begin with the next keyframe of a track that has the time in its picture; call before each frame.

        Whether the frame that is due is one that is not ready yet, and may still be waited for.
        """
        if self.track.live is None:
            return False
        position = self._position
        following = bisect.bisect_left(self.track.keyframes, position)
        length = len(self.track.frames)
        index = self.track.keyframes[following] if following < len(self.track.keyframes) else self.track.keyframes[0]
        number = self.number + (index - position) % length
        if self._coming is None or self._coming[0] != number:
            in_s = self.epoch + number / self._frames_per_s - now
            self._coming = number, self.track.live.prepare(index, time.time() + in_s)
        return number == self.number and not self._coming[1].done() and now - self.due < _AWAITED_S

    @property
    def _position(self) -> int:
        return (self.number + self._frame_shift) % len(self.track.frames)

    def _prepared(self) -> FrameTemplate | None:
        """Return the frame that is due, if it was prepared."""
        if self._coming is None or self._coming[0] != self.number or not self._coming[1].done():
            return None
        return self._coming[1].result()

    def next_frame(self, *, distinct: bool, inter_only: bool, silent: bool = False) -> Frame | None:
        """Build the frame that is due and advance; None when it is left out, or `silent`.

        `distinct` numbers the keyframes, so that no two within some minutes are identical.
        """
        index = self._position
        template: FrameTemplate = self._prepared() or self.track.frames[index]
        timestamp = self.timestamp
        self.number += 1
        if template.keyframe:
            self._last_keyframe = index
        if silent or (inter_only and template.keyframe and self.track.media == "video"):
            return None
        numbered = distinct and template.keyframe and self.track.media == "video"
        serial = 1 + next(self._serials) % MAX_SERIAL if numbered else 0
        data = render(template, self.sequence, timestamp, self.ssrc, serial)
        packets = len(template.starts)
        self.sequence = (self.sequence + packets) & 0xFFFF
        self.packets += packets
        self.octets += template.payload_bytes
        return Frame(data, template.starts, template.keyframe)


class Feed:
    """Builds and sends frames while a session plays. Each reboot of the camera makes a new feed."""

    def __init__(
        self,
        tracks: Sequence[PreparedTrack],
        *,
        starts_with_keyframe: bool,
        randomness: random.Random,
        serials: Iterator[int] | None = None,
    ) -> None:
        """Begin a clock for each track; `serials` as in `TrackClock`."""
        self._loop = asyncio.get_running_loop()
        # Real cameras do not start in the same millisecond: frames of many would come in bursts.
        epoch = self._loop.time() - randomness.uniform(0, 1)
        self.clocks = [TrackClock(track, epoch, randomness, serials) for track in tracks]
        self.inter_only = False
        """Leave keyframes out."""
        self.distinct = True
        """As in `TrackClock.next_frame`."""
        self.gaps: Gaps | None = None
        """When the camera sends nothing."""
        self.clock_offset_s = 0.0
        """Seconds by which the camera's clock is ahead."""
        self.sent_at: float | None = None
        """When a frame was sent to a session last, in seconds since 1970."""
        self.uplink = Uplink(self._deliver, randomness)
        self._starts_with_keyframe = starts_with_keyframe
        self._subscribers: list[Subscriber] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_report = 0.0

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    def now(self) -> float:
        """Loop time."""
        return self._loop.time()

    def subscribe(self, subscriber: Subscriber) -> None:
        """Send to `subscriber` from the next frame on. Harmless when called twice."""
        if subscriber in self._subscribers:
            return
        self._subscribers = [*self._subscribers, subscriber]
        self._next_report = 0.0
        if self._timer is None:
            now = self._loop.time()
            for clock in self.clocks:
                clock.skip_to(now, keyframe=self._starts_with_keyframe)
                clock.prepare_keyframe(now)
            self._schedule(now)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers = [other for other in self._subscribers if other is not subscriber]
        if not self._subscribers:
            self.stop()

    def stop(self) -> None:
        self.uplink.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def show_pictures(self, video: PreparedTrack) -> None:
        """Show other pictures from the next frame on."""
        for clock in self.clocks:
            if clock.track.media == "video":
                clock.show_pictures(video)

    def _schedule(self, earliest: float) -> None:
        self._timer = self._loop.call_at(max(earliest, min(clock.due for clock in self.clocks)), self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        # Before the frames: a player that learns the tracks' common clock later shifts its timestamps amid the stream.
        if now >= self._next_report:
            self._next_report = now + REPORT_INTERVAL_S
            self._send_reports(now)
        awaited = False
        gap = self.gaps if self.gaps is not None and self.gaps.is_gap(now) else None
        for index, clock in enumerate(self.clocks):
            if clock.due < now - _TOO_LATE_S:
                clock.skip_to(now, keyframe=True)
            while clock.due <= now + _EARLY_S:
                if clock.prepare_keyframe(now):
                    awaited = True
                    break
                silent = gap is not None and not gap.lost
                frame = clock.next_frame(distinct=self.distinct, inter_only=self.inter_only, silent=silent)
                if frame is not None and gap is None:
                    self.uplink.send(index, frame)
        if self._subscribers:
            self._schedule(now + _SOON_S if awaited else now)
        else:
            self._timer = None

    def _deliver(self, track: int, frame: Frame) -> None:
        if self._subscribers:
            self.sent_at = time.time()
        for subscriber in self._subscribers:
            subscriber.send_frame(track, frame)

    def _send_reports(self, now: float) -> None:
        for index, clock in enumerate(self.clocks):
            report = build_sender_report(
                SenderReport(
                    ssrc=clock.ssrc,
                    ntp=ntp_from_unix(time.time() + self.clock_offset_s),
                    rtp_timestamp=clock.timestamp_at(now),
                    packet_count=clock.packets,
                    octet_count=clock.octets,
                ),
                cname="camera",
            )
            for subscriber in self._subscribers:
                subscriber.send_report(index, report)
