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
        self.now_s = 0.0
        self.watch = MediaWatch(0.0, self._flowed)
        self.watch.begin_session(0.0)
        self.source.fanout.on_media(PICTURE)
        self.watch.media_came(self.source, self._now())

    def run(self, until_s: float, *, every_s: float | None) -> None:
        """Seconds go by; a picture comes every so often."""
        while self.now_s < until_s:
            self.now_s += 1.0
            if every_s is not None and self.now_s % every_s == 0:
                self.source.fanout.on_media(PICTURE)
            self.watch.date(self.watch.silent_for_s(self.source, self.now_s), self._now())

    def _now(self) -> Instant:
        return Instant(BEGAN + timedelta(seconds=self.now_s), self.now_s)

    def _flowed(self) -> None:
        self.reported.append((self.now_s, self.watch.media.flowing))


def test_a_silence_of_three_seconds_is_a_stop_that_began_with_the_last_media() -> None:
    camera = Watched()
    camera.run(20, every_s=1)
    camera.run(25, every_s=None)
    camera.run(30, every_s=1)
    assert camera.reported == [(0.0, True), (23.0, False), (26.0, True)]
    # Checked once a second: dated to the middle.
    assert camera.watch.media.stopped_at == BEGAN + timedelta(seconds=19.5)
    assert camera.watch.media.since == BEGAN + timedelta(seconds=25.5)


def test_flapping_a_camera_that_sends_a_picture_every_five_seconds_stops_once_at_most() -> None:
    camera = Watched()
    camera.run(120, every_s=5)
    assert camera.reported == [(0.0, True), (3.0, False), (5.0, True)]


def test_a_slow_camera_that_is_gone_is_seen_after_twice_its_usual_gap() -> None:
    camera = Watched()
    camera.run(60, every_s=5)
    camera.run(75, every_s=None)
    assert camera.reported[-1] == (70.0, False)
    assert camera.watch.media.stopped_at == BEGAN + timedelta(seconds=59.5)


def test_a_stall_makes_the_next_one_unseen_for_some_seconds_only() -> None:
    camera = Watched()
    camera.run(10, every_s=1)
    camera.run(16, every_s=None)
    camera.run(26, every_s=1)
    camera.run(30, every_s=None)
    assert camera.reported[-1] == (29.0, False)


def test_every_stall_of_an_ordinary_camera_is_dated_however_soon_it_comes_after_another() -> None:
    camera = Watched()
    camera.run(10, every_s=1)
    for _ in range(4):
        camera.run(camera.now_s + 7, every_s=None)
        camera.run(camera.now_s + 5, every_s=1)
    stops = [at_s for at_s, flowing in camera.reported if not flowing]
    assert stops == [13.0, 25.0, 37.0, 49.0]
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
