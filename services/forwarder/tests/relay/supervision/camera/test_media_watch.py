"""When a camera's media stopped and began, on a clock that the test sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from forwarder.domain.clock import Instant
from forwarder.relay.media.fanout import FanOut
from forwarder.relay.supervision.camera_puller import MediaWatch
from vonggac.media.h26x import VideoCodec
from vonggac.rtsp.wire.framing import MediaBatch
from vonggac.rtsp.wire.keyframe_scanner import KeyframeScanner

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
PICTURE = MediaBatch(b"$\x00\x00\x0d" + b"\x80\xe0" + bytes(11), [(0, 0, 17)])


@dataclass
class Source:
    """What a watch reads of a session."""

    fanout: FanOut
    goodbyes: int = 0


class Watched:
    """A camera whose session began at 0 with its first picture; checked once a second."""

    def __init__(self) -> None:
        scanner = KeyframeScanner(VideoCodec.H264, 0)
        source: Any = cast("Any", Source(FanOut(channels=frozenset({0}), video_channel=0, scanner=scanner)))
        self.source = source
        self.reported: list[tuple[float, bool]] = []
        self.dated: list[tuple[float, bool]] = []
        self.now_s = 0.0
        self.watch = MediaWatch(0.0, self._flowed)
        self.watch.begin_session(0.0)
        self.source.fanout.on_media(PICTURE)
        self.watch.media_came(self.source, self._now())

    def run(self, until_s: float, *, every_s: float | None) -> None:
        """Time goes by; a picture comes every so often."""
        while self.now_s < until_s:
            self.now_s += 0.25
            if every_s is not None and self.now_s % every_s == 0:
                self.source.fanout.on_media(PICTURE)
            if self.watch.sample(self.source, self.now_s):
                self.watch.date(self._now())
            if self.now_s % 1 == 0:
                self.watch.silent_for_s(self.source, self.now_s)

    def stopped_s(self) -> float:
        """How long its media had stopped, stop by stop, as dated."""
        return sum(end_s - begin_s for begin_s, end_s in self.stops())

    def stops(self) -> list[tuple[float, float]]:
        ends = [*self.dated, (self.now_s, True)]
        return [(at_s, ends[index + 1][0]) for index, (at_s, flowing) in enumerate(self.dated) if not flowing]

    def _now(self) -> Instant:
        return Instant(BEGAN + timedelta(seconds=self.now_s), self.now_s)

    def _flowed(self) -> None:
        media = self.watch.media
        self.reported.append((self.now_s, media.flowing))
        at = media.since if media.flowing else media.stopped_at
        assert at is not None
        self.dated.append(((at - BEGAN).total_seconds(), media.flowing))


def test_a_silence_of_two_seconds_is_a_stop_that_began_with_the_last_media() -> None:
    camera = Watched()
    camera.run(20, every_s=1)
    camera.run(25, every_s=None)
    camera.run(30, every_s=1)
    assert camera.reported == [(0.0, True), (22.0, False), (26.0, True)]
    # Read four times a second: dated to the middle.
    assert camera.watch.media.stopped_at == BEGAN + timedelta(seconds=19.875)
    assert camera.watch.media.since == BEGAN + timedelta(seconds=25.875)


def test_flapping_a_camera_that_sends_a_picture_every_five_seconds_stops_once_at_most() -> None:
    camera = Watched()
    camera.run(120, every_s=5)
    assert camera.reported == [(0.0, True), (2.0, False), (5.0, True)]


def test_a_slow_camera_that_is_gone_is_seen_after_twice_its_usual_gap() -> None:
    camera = Watched()
    camera.run(60, every_s=5)
    camera.run(75, every_s=None)
    assert camera.reported[-1] == (70.0, False)
    assert camera.watch.media.stopped_at == BEGAN + timedelta(seconds=59.875)


def test_a_stall_makes_the_next_one_unseen_for_some_seconds_only() -> None:
    camera = Watched()
    camera.run(10, every_s=1)
    camera.run(16, every_s=None)
    camera.run(26, every_s=1)
    camera.run(30, every_s=None)
    assert camera.reported[-1] == (28.0, False)


def test_every_stall_of_an_ordinary_camera_is_dated_however_soon_it_comes_after_another() -> None:
    camera = Watched()
    camera.run(10, every_s=1)
    for _ in range(4):
        camera.run(camera.now_s + 7, every_s=None)
        camera.run(camera.now_s + 5, every_s=1)
    stops = [at_s for at_s, flowing in camera.reported if not flowing]
    assert stops == [12.0, 24.0, 36.0, 48.0]
    assert camera.watch.usual_silence_s <= 3.0


def test_a_goodbye_is_the_end_unless_pictures_go_on_or_it_is_usual_that_none_come() -> None:
    camera = Watched()

    def has_ended() -> bool:
        return camera.watch.has_ended(camera.watch.silent_for_s(camera.source, camera.now_s))

    camera.run(10, every_s=1)
    camera.source.goodbyes += 1
    camera.run(14, every_s=1)
    camera.run(17, every_s=None)
    assert not has_ended(), "it went on"
    camera.source.goodbyes += 1
    camera.run(18, every_s=None)
    assert has_ended()
    slow = Watched()
    slow.run(60, every_s=5)
    slow.source.goodbyes += 1
    slow.run(68, every_s=None)
    assert not slow.watch.has_ended(8.0)
    assert slow.watch.has_ended(10.0)


def test_what_is_usual_is_known_in_the_next_session_and_is_bounded() -> None:
    camera = Watched()
    camera.run(60, every_s=10)
    assert camera.watch.usual_silence_s == 20.0
    camera.watch.begin_session(camera.now_s)
    assert camera.watch.usual_silence_s == 20.0
    for _ in range(8):
        camera.watch.learn_gap(600.0)
    assert camera.watch.usual_silence_s == 30.0
    camera.run(camera.now_s + 10, every_s=1)
    assert camera.watch.usual_silence_s == 2.0


def test_half_a_stream_that_comes_for_half_of_each_five_seconds_is_stopped_for_the_other_half() -> None:
    camera = Watched()
    camera.run(20, every_s=0.25)
    for _ in range(24):
        camera.run(camera.now_s + 2.5, every_s=None)
        camera.run(camera.now_s + 2.5, every_s=0.25)
    assert len(camera.stops()) == 24
    assert abs(camera.stopped_s() - 24 * 2.5) <= 24 * 0.25


def test_half_a_stream_that_comes_for_one_of_eight_seconds_never_becomes_usual() -> None:
    camera = Watched()
    camera.run(20, every_s=0.25)
    for _ in range(30):
        camera.run(camera.now_s + 7.25, every_s=None)
        camera.run(camera.now_s + 1, every_s=0.25)
    assert len(camera.stops()) == 30
    assert abs(camera.stopped_s() - 30 * 7.5) <= 30 * 0.5
    assert camera.watch.usual_silence_s <= 2.0


def test_half_a_stream_of_short_gaps_counts_from_the_third_on() -> None:
    camera = Watched()
    camera.run(20, every_s=0.25)
    for _ in range(10):
        camera.run(camera.now_s + 1.75, every_s=None)
        camera.run(camera.now_s + 1.5, every_s=0.25)
    assert len(camera.stops()) == 8
    single = Watched()
    single.run(20, every_s=0.25)
    single.run(21.75, every_s=None)
    single.run(60, every_s=0.25)
    assert single.stops() == []


def test_half_a_stream_of_a_camera_whose_rate_is_planned_is_never_usual() -> None:
    """One picture in five seconds of fifteen a second."""
    camera = Watched()
    camera.watch.planned_fps = 15.0
    camera.run(60, every_s=5)
    assert camera.watch.usual_silence_s <= 0.5
    assert len(camera.stops()) == 12
    slow = Watched()
    slow.watch.planned_fps = 0.2
    slow.run(60, every_s=5)
    assert len(slow.stops()) <= 1


def test_half_a_stream_is_none_while_nobody_watched() -> None:
    """The process stood still for two seconds: what came meanwhile is read after that."""
    camera = Watched()
    camera.run(20, every_s=0.25)
    camera.now_s += 2.0
    assert not camera.watch.sample(camera.source, camera.now_s)
    camera.run(30, every_s=0.25)
    assert camera.stops() == []
