"""What a camera does, and what its deliveries say of it."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from forwarder.domain.camera_pull import PullLimits, PullState
from forwarder.relay.sources import registry
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.sources.rtsp import play_rtsp
from forwarder.relay.supervision.camera import CameraRelay
from simulator import CameraConfig, CentreConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.media.rtp import build_rtp, interleave
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply, with_cseq

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator

type StartRelay = Callable[..., CameraRelay]


def all_are(relay: CameraRelay, state: DeliveryState, cause: Cause | None = None) -> bool:
    return all(item.delivery.state is state and item.delivery.cause is cause for item in relay.deliveries.values())


async def acknowledged(relay: CameraRelay) -> None:
    await eventually(lambda: all_are(relay, DeliveryState.ACKNOWLEDGED), within_s=15)


@pytest.mark.parametrize("fault", ["refuse", "close"])
async def test_a_camera_that_comes_back_is_published_anew_from_a_keyframe_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, fault: str
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay)
    await sim.cameras["gate"].set_fault(fault)
    await eventually(lambda: relay.pull.cause is not None or relay.puller.attempts == 2)
    await sim.cameras["gate"].clear_fault()
    for centre in sim.centres.values():
        stream = await centre.wait_for(
            "gate", lambda stream: stream.sessions == 2 and stream.live and stream.packets > 100, timeout_s=20
        )
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe
        assert all(session.ssrc_changes == 0 for session in stream.all_sessions)
        assert all(session.lost == 0 for session in stream.all_sessions)
    await acknowledged(relay)
    for destination in planner.destinations.values():
        assert DeliveryState.WAITING_FOR_CAMERA in recorder.states(destination)[2:]


async def test_a_camera_that_stalls_leaves_its_deliveries_waiting_first_and_then_without_a_session(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay)
    await sim.cameras["gate"].set_fault("stall")
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.STALLED))
    assert all(centre.streams["gate"].live for centre in sim.centres.values())
    await eventually(lambda: not any(centre.streams["gate"].live for centre in sim.centres.values()))
    assert relay.pull.cause in {Cause.STALLED, Cause.NO_MEDIA}


SELDOM_S = 2.6
"""From picture to picture: more than deliveries wait here."""


def picture(number: int) -> bytes:
    """One keyframe in one packet, as a camera sends it over TCP."""
    packet = struct.pack("!BBHII", 0x80, 0x80 | 96, number, number * 234_000, 7) + b"\x65\x88" + bytes(400)
    return struct.pack("!cBH", b"$", 0, len(packet)) + packet


async def test_a_camera_that_sends_seldom_is_waited_for_once_and_then_known(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        camera = planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}/live", secret=None)
        relay = relay_of(camera)
        await peer.until(lambda: "PLAY" in peer.methods)
        for number in range(6):
            peer.writer.write(picture(number))
            await asyncio.sleep(SELDOM_S)
        assert peer.connections == 1
    waits = [recorder.states(one).count(DeliveryState.WAITING_FOR_CAMERA) for one in planner.destinations.values()]
    assert all(DeliveryState.ACKNOWLEDGED in recorder.states(one) for one in planner.destinations.values())
    # Before its first picture, and before it was known how seldom they come.
    assert max(waits) <= 2
    assert relay.media_watch.usual_silence_s > SELDOM_S


async def test_a_camera_that_sends_sound_alone_gives_no_media(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    sound = interleave(2, build_rtp(bytes(160), payload_type=8, sequence=1, timestamp=160, ssrc=9))
    camera = ScriptedCamera(PLAY=lambda request: with_cseq(request, after=sound * 50))
    async with ScriptedPeer(camera) as peer:
        url = f"rtsp://127.0.0.1:{peer.port}/live"
        relay = relay_of(planner.camera(sim, url=url, secret=None, forward_audio=True), media_timeout_s=2.0)
        await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.NO_MEDIA))
        assert relay.pull.detail == "no video for 2 s"
        assert all(not centre.streams for centre in sim.centres.values())


async def test_a_camera_whose_clock_and_sequence_jump_goes_on_as_it_is(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:

        async def send(numbers: range) -> None:
            for number in numbers:
                peer.writer.write(picture(number))
                await asyncio.sleep(0.05)

        relay = relay_of(planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}/live", secret=None))
        await peer.until(lambda: "PLAY" in peer.methods)
        await send(range(20))
        await acknowledged(relay)
        packets = {name: (await centre.wait_for("gate", bool)).packets for name, centre in sim.centres.items()}
        # Eleven hours ahead, then back again.
        for numbers in (range(15_000, 15_020), range(5, 25)):
            await send(numbers)
        for name, centre in sim.centres.items():
            due = packets[name] + 40
            stream = await centre.wait_for("gate", lambda stream: stream.packets == due)  # noqa: B023 - awaited here
            assert (stream.sessions, stream.ssrc_changes) == (1, 0)
        await acknowledged(relay)
        assert peer.connections == 1


async def test_a_camera_that_goes_on_within_the_patience_keeps_its_sessions(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), media_timeout_s=30.0)
    await acknowledged(relay)
    await sim.cameras["gate"].set_fault("stall")
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.STALLED))
    await sim.cameras["gate"].clear_fault()
    await acknowledged(relay)
    assert all(centre.streams["gate"].sessions == 1 for centre in sim.centres.values())


FAULTS = [
    ("refuse", Cause.REFUSED),
    ("off", Cause.TIMEOUT),
    ("black_hole", Cause.TIMEOUT),
    ("not_found", Cause.NOT_FOUND),
    ("session_limit", Cause.SESSION_LIMIT),
    ("no_media", Cause.NO_MEDIA),
]


@pytest.mark.parametrize(("fault", "cause"), FAULTS, ids=[fault for fault, _ in FAULTS])
async def test_deliveries_of_a_camera_that_cannot_be_had_wait_with_the_cameras_cause(
    sim: Simulator, planner: Planner, relay_of: StartRelay, fault: str, cause: Cause
) -> None:
    await sim.cameras["gate"].set_fault(fault)
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, cause), within_s=15)
    # Nobody reports a stream that is not there.
    assert all(not centre.streams for centre in sim.centres.values())
    await sim.cameras["gate"].clear_fault()
    await acknowledged(relay)


async def test_garbage_from_a_camera_is_a_cause_and_is_handed_to_nobody(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.cameras["gate"].set_fault("garbage")
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: relay.pull.failures >= 1, within_s=15)
    assert all_are(relay, DeliveryState.WAITING_FOR_CAMERA, relay.pull.cause)
    assert all(not centre.streams for centre in sim.centres.values())


async def test_a_session_without_a_keyframe_sends_nothing_and_blames_the_camera(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.cameras["gate"].set_fault("no_keyframe")
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.NO_KEYFRAME), within_s=15)
    assert all(centre.streams["gate"].packets == 0 for centre in sim.centres.values())
    await sim.cameras["gate"].clear_fault()
    await acknowledged(relay)
    assert all(centre.streams["gate"].all_sessions[0].first_packet_is_keyframe for centre in sim.centres.values())


async def test_a_camera_that_refuses_the_login_is_left_alone_until_the_plan_changes(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    camera_with_login = make_gate(auth="digest", username="viewer", password="right")
    async with simulate(cameras=[camera_with_login]) as sim:
        camera = planner.camera(sim)
        wrong = camera.model_copy(update={"secret": planner.seal("viewer", "wrong")})
        relay = relay_of(wrong)
        await eventually(lambda: relay.pull.state is PullState.COOLING_DOWN)
        assert relay.pull.retry_in_s == PullLimits().auth_cooldown_s
        assert all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.AUTH_FAILED)
        failed = sim.cameras["gate"].logins_failed
        assert failed == 1
        relay.apply_plan(camera.model_copy(update={"revision": 2}))
        await acknowledged(relay)
        assert sim.cameras["gate"].logins_failed == failed


async def test_a_secret_for_another_key_is_a_cause(sim: Simulator, planner: Planner, relay_of: StartRelay) -> None:
    relay = relay_of(planner.camera(sim, secret="bm90IHNlYWxlZCBmb3IgdXM="))
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.SECRET_UNREADABLE))


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize("path", ["gate.m3u8", "{username}/{password}.m3u8"])
async def test_secret_moves_to_no_listener_in_place_of_the_camera(
    sim: Simulator, planner: Planner, relay_of: StartRelay, scheme: str, path: str
) -> None:
    async with ScriptedPeer(lambda _: reply(404)) as listener:
        secret = planner.seal("viewer", "s3cret-Xem", sim.cameras["gate"].url())
        relay = relay_of(planner.camera(sim, secret=secret, url=f"{scheme}://127.0.0.1:{listener.port}/{path}"))
        await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.SECRET_MOVED))
        assert listener.connections == 0


@pytest.mark.parametrize("path", ["gate", "{username}/{password}"])
async def test_secret_moves_to_no_listener_in_place_of_a_centre(
    sim: Simulator, planner: Planner, relay_of: StartRelay, path: str
) -> None:
    async with ScriptedPeer(lambda _: reply(404)) as listener:
        secret = planner.seal("centre", "s3cret-Xem", sim.centres["national"].stream_url("gate"))
        camera = planner.camera(sim)
        moved = {"url": f"rtsp://127.0.0.1:{listener.port}/{path}", "secret": secret}
        first, second = camera.deliveries
        plan = camera.model_copy(update={"deliveries": (first.model_copy(update=moved), second)})
        relay = relay_of(plan)
        await eventually(lambda: relay.deliveries[first.id].delivery.cause is Cause.SECRET_MOVED)
        await eventually(lambda: relay.deliveries[second.id].delivery.state is DeliveryState.ACKNOWLEDGED)
        assert listener.connections == 0


async def test_logins_at_camera_and_centres_go_through(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    login = {"username": "viewer", "password": "Xem-2021/?@"}
    centres = [
        CentreConfig.model_validate({"id": "national", "auth": "digest", **login}),
        CentreConfig.model_validate({"id": "provincial", "auth": "basic", **login}),
    ]
    async with simulate(cameras=[make_gate(auth="digest-sha256", **login)], centres=centres) as sim:
        relay = relay_of(planner.camera(sim))
        await acknowledged(relay)
        assert all(centre.logins_failed == 0 for centre in sim.centres.values())


@pytest.mark.parametrize(("codec", "audio"), [("h265", "none"), ("h264", "pcma"), ("h264", "aac")])
async def test_audio_passes_only_when_the_plan_says_so(
    simulate: StartSimulator,
    planner: Planner,
    relay_of: StartRelay,
    make_gate: Callable[..., CameraConfig],
    codec: str,
    audio: str,
) -> None:
    async with simulate(cameras=[make_gate(codec=codec, audio=audio)]) as sim:
        relay = relay_of(planner.camera(sim, forward_audio=True))
        for centre in sim.centres.values():
            stream = await centre.wait_for("gate", lambda stream: stream.packets > 50)
            assert stream.current is not None
            kinds = [track.media for track in stream.current.tracks]
            assert kinds == (["video"] if audio == "none" else ["video", "audio"])
            assert all(track.packets > 0 and track.lost == 0 for track in stream.current.tracks)
            assert stream.current.first_packet_is_keyframe
        relay.apply_plan(relay.camera.model_copy(update={"revision": 2, "forward_audio": False}))
        for centre in sim.centres.values():
            stream = await centre.wait_for("gate", lambda stream: stream.sessions == 2 and stream.live)
            assert stream.current is not None
            assert [track.media for track in stream.current.tracks] == ["video"]


async def test_a_stopped_relay_leaves_nothing_behind(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay)
    await relay.release(DeliveryState.RELEASED)
    await eventually(lambda: sim.cameras["gate"].sessions == 0)
    assert not any(centre.streams["gate"].live for centre in sim.centres.values())
    assert all(recorder.states(item)[-1] is DeliveryState.RELEASED for item in planner.destinations.values())


class SlowLogins:
    """Stores that a login was accepted only a while after the camera plays, as when NATS is slow."""

    granted = True

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.accepted, self.stored = asyncio.Event(), asyncio.Event()
        self.source: Any = None
        self.doubts = 0
        self.guard = self
        monkeypatch.setattr(registry, "SOURCES", {"rtsp": self._play})

    async def _play(self, *args: Any, **options: Any) -> CameraSource:
        self.source = await play_rtsp(*args, **options)
        return cast("CameraSource", self.source)

    def login_of(self, _url: str, _credentials: object) -> str:
        return "viewer"

    def doubt(self, _login: str) -> None:
        self.doubts += 1

    def accept(self, *, needed: bool = False) -> None:
        assert not needed, "the simulated camera lets everybody in"
        self.accepted.set()

    @asynccontextmanager
    async def attempt(self, _login: str, *, camera: str, wait_s: float) -> AsyncIterator[SlowLogins]:
        assert camera.startswith("rtsp://")
        assert wait_s > 0
        yield self
        await self.stored.wait()


async def test_media_that_comes_before_the_login_is_stored_is_delivered(
    sim: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = SlowLogins(monkeypatch)
    relay = relay_of(planner.camera(sim), logins=logins)
    await logins.accepted.wait()
    # Media comes, and is reported in the next round of the event loop.
    await eventually(lambda: logins.source.fanout.pictures >= 3)
    logins.stored.set()
    await acknowledged(relay)
    assert sim.cameras["gate"].sessions_total == 1


async def test_a_camera_that_goes_before_the_login_is_stored_is_tried_again(
    sim: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = SlowLogins(monkeypatch)
    relay = relay_of(planner.camera(sim), logins=logins)
    await logins.accepted.wait()
    await sim.cameras["gate"].set_fault("close")
    await eventually(lambda: sim.cameras["gate"].sessions == 0)
    logins.stored.set()
    await eventually(lambda: relay.puller.attempts >= 2)
    assert logins.doubts == 1
    await acknowledged(relay)


async def test_a_time_in_which_nobody_watched_is_no_silence_of_the_camera(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim))
    await eventually(lambda: relay.media_watch.media.flowing)
    # The process slept for longer than any camera may be silent: the first tick comes before the socket is read.
    assert relay.puller.silent_for_s(time.monotonic()) is not None
    assert relay.puller.silent_for_s(time.monotonic() + 150.0) == 0.0
    assert (relay.media_watch.media.flowing, relay.pull.state) == (True, PullState.LIVE)
