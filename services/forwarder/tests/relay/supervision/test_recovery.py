"""How soon a destination or camera that was away is found again, and what is not hurried."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from forwarder.domain.assignment.commands import RetryOutcome
from forwarder.domain.camera_pull import PullState
from forwarder.relay.supervision import camera_puller, recovery
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.reachability import ReachabilityChecks
from simulator import Simulator
from vonggac.embedded import free_port
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator

pytestmark = pytest.mark.slow

type StartRelay = Callable[..., CameraRelay]
FAR_AWAY_S = 120.0


def longest() -> float:
    """Chance with which every wait takes its whole bound: long enough to be seen before the next attempt begins."""
    return 0.999


class Centre:
    """Answers as a good one to the methods that it is not silent about."""

    def __init__(self, *silent: str) -> None:
        self.silent = set(silent)
        self._good = ScriptedCamera()

    def __call__(self, request: Request) -> Response | bytes | None:
        return None if request.method in self.silent else self._good(request)


def delivered_to(camera: CameraV1, port: int) -> CameraV1:
    """The camera with one delivery, to a scripted centre."""
    url = f"rtsp://127.0.0.1:{port}/in/gate"
    return camera.model_copy(update={"deliveries": (camera.deliveries[0].model_copy(update={"url": url}),)})


def only(relay: CameraRelay) -> DeliveryState:
    [supervisor] = relay.deliveries.values()
    return supervisor.delivery.state


async def test_an_attempt_that_was_swallowed_is_begun_anew_when_the_centre_answers_again(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    centre = Centre("OPTIONS", "ANNOUNCE")
    async with ScriptedPeer(centre) as peer:
        relay = relay_of(delivered_to(planner.camera(sim), peer.port), connect_deadline_s=FAR_AWAY_S)
        # The second check: the first one was in vain.
        await peer.until(lambda: peer.methods.count("OPTIONS") == 2)
        centre.silent.clear()
        await eventually(lambda: only(relay) is DeliveryState.ACKNOWLEDGED, within_s=8)
        assert peer.methods.count("ANNOUNCE") == 2


async def test_a_centre_that_is_slow_but_answers_is_not_begun_at_again(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    centre = Centre("ANNOUNCE")
    async with ScriptedPeer(centre) as peer:
        camera = delivered_to(planner.camera(sim), peer.port)
        relay = relay_of(camera, connect_deadline_s=3.0, chance=longest)
        await eventually(lambda: only(relay) is DeliveryState.BACKING_OFF, within_s=8)
        assert (peer.methods.count("ANNOUNCE"), peer.methods.count("OPTIONS")) == (1, 1)


async def test_an_attempt_that_comes_from_a_reachability_check_runs_its_full_time(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    centre = Centre("OPTIONS", "ANNOUNCE")
    async with ScriptedPeer(centre) as peer:
        camera = delivered_to(planner.camera(sim), peer.port)
        relay = relay_of(camera, connect_deadline_s=8.0, chance=longest)
        await peer.until(lambda: peer.methods.count("OPTIONS") == 2)
        centre.silent.remove("OPTIONS")
        await peer.until(lambda: peer.methods.count("ANNOUNCE") == 2)
        asked = peer.methods.count("OPTIONS")
        await eventually(lambda: only(relay) is DeliveryState.BACKING_OFF, within_s=15)
        assert peer.methods[-1] == "ANNOUNCE"
        assert peer.methods.count("OPTIONS") == asked


async def received(relay: CameraRelay) -> CameraRelay:
    """The relay, once its only centre confirms media."""
    await eventually(lambda: only(relay) is DeliveryState.ACKNOWLEDGED, within_s=8)
    return relay


def hang(peer: ScriptedPeer) -> None:
    """Let the latest connection take nothing more."""
    transport: Any = peer.writer.transport
    transport.pause_reading()


async def test_a_stalled_session_ends_when_the_address_answers_again_and_it_does_not_go_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, context: RelayContext
) -> None:
    centre = Centre()
    async with ScriptedPeer(centre) as peer:
        patient = replace(context.limits, drop_s=FAR_AWAY_S)
        relay = await received(relay_of(delivered_to(planner.camera(sim), peer.port), limits=patient))
        centre.silent.add("OPTIONS")
        hang(peer)
        await eventually(lambda: peer.methods.count("OPTIONS") >= 2, within_s=15)
        assert only(relay) is DeliveryState.STALLED
        centre.silent.clear()
        await eventually(lambda: only(relay) is DeliveryState.ACKNOWLEDGED, within_s=8)
        assert peer.methods.count("ANNOUNCE") == 2
        [planned] = relay.camera.deliveries
        states = recorder.states(planned.destination_id)
        assert states[states.index(DeliveryState.STALLED) + 1] is DeliveryState.BACKING_OFF


async def test_a_stalled_session_that_goes_on_when_the_address_answers_again_is_kept(
    sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext
) -> None:
    centre = Centre()
    async with ScriptedPeer(centre) as peer:
        patient = replace(context.limits, drop_s=FAR_AWAY_S)
        relay = await received(relay_of(delivered_to(planner.camera(sim), peer.port), limits=patient))
        hung: Any = peer.writer.transport
        centre.silent.add("OPTIONS")
        hang(peer)
        await eventually(lambda: peer.methods.count("OPTIONS") >= 2, within_s=15)
        centre.silent.clear()
        hung.resume_reading()
        await eventually(lambda: only(relay) is DeliveryState.ACKNOWLEDGED, within_s=8)
        [supervisor] = relay.deliveries.values()
        assert not relay._context.reachability._tasks
        written = supervisor.slot.counts.bytes_acknowledged
        await eventually(lambda: supervisor.slot.counts.bytes_acknowledged > written + 100_000, within_s=15)
        assert (only(relay), peer.methods.count("ANNOUNCE")) == (DeliveryState.ACKNOWLEDGED, 1)


async def test_a_stalled_session_at_an_address_that_always_answered_gets_its_full_time(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    centre = Centre()
    async with ScriptedPeer(centre) as peer:
        relay = await received(relay_of(delivered_to(planner.camera(sim), peer.port), chance=longest))
        hang(peer)
        [supervisor] = relay.deliveries.values()
        await eventually(lambda: only(relay) is DeliveryState.BACKING_OFF, within_s=15)
        assert supervisor.delivery.detail == "nothing was acknowledged for 5 s"


async def test_a_lost_centre_is_found_again_however_long_its_wait_is(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    # After five failures that is 8 s and more.
    relay = relay_of(planner.camera(sim), chance=longest)
    national = sim.centres["national"]
    supervisor = next(item for item in relay.deliveries.values() if item.plan.destination_code == "national")
    await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=15)
    await national.set_fault("refuse")
    await eventually(lambda: supervisor.delivery.retry_in_s >= 7.9, within_s=30)
    await national.clear_fault()
    await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=4)


async def test_a_camera_that_was_away_is_found_again_however_long_its_wait_is(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.cameras["gate"].set_fault("refuse")
    relay = relay_of(planner.camera(sim), chance=longest)
    await eventually(lambda: relay.pull.retry_in_s >= 7.9, within_s=30)
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: relay.pull.state is PullState.LIVE, within_s=4)


async def test_a_camera_that_refused_the_credentials_is_neither_knocked_at_nor_hurried_by_a_retry(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.cameras["gate"].set_fault("auth")
    camera = planner.camera(sim, secret=planner.seal("viewer", "s3cret-Xem", sim.cameras["gate"].url()))
    relay = relay_of(camera)
    await eventually(lambda: relay.pull.state is PullState.COOLING_DOWN)
    assert relay.retry_now(camera.deliveries[0].id) is RetryOutcome.CAMERA_RESTS
    assert (relay.puller.attempts, relay.pull.cause) == (1, Cause.AUTH_FAILED)
    assert not relay._context.reachability._tasks


async def test_a_camera_without_a_login_does_not_rest_and_plays_soon_after_it_asked_for_one(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    """No account can lock: it is tried as after any other failure."""
    await sim.cameras["gate"].set_fault("auth")
    relay = relay_of(planner.camera(sim), chance=longest)
    await eventually(lambda: relay.pull.retry_in_s >= 1.9, within_s=15)
    assert (relay.pull.state, relay.pull.cause) == (PullState.BACKING_OFF, Cause.AUTH_FAILED)
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: relay.pull.state is PullState.LIVE, within_s=10)


async def test_a_retry_ends_the_wait_for_a_camera(sim: Simulator, planner: Planner, relay_of: StartRelay) -> None:
    await sim.cameras["gate"].set_fault("not_found")
    camera = planner.camera(sim)
    relay = relay_of(camera, chance=longest)
    await eventually(lambda: relay.pull.retry_in_s >= 3.9, within_s=15)
    pulls = relay.puller.attempts
    await sim.cameras["gate"].clear_fault()
    assert relay.retry_now(camera.deliveries[0].id) is RetryOutcome.RETRIED
    await eventually(lambda: relay.pull.state is PullState.LIVE, within_s=2)
    assert relay.puller.attempts == pulls + 1
    assert relay.retry_now(camera.id) is RetryOutcome.NOT_RUNNING


class Redirecting:
    """Sends whoever asks with `method` to an address where nobody is; `asked_s` says when."""

    def __init__(self, method: str) -> None:
        self.asked_s: list[float] = []
        self._method, self._nowhere, self._good = method, f"rtsp://127.0.0.1:{free_port()}/x", ScriptedCamera()

    def __call__(self, request: Request) -> Response | bytes | None:
        if request.method != self._method:
            return self._good(request)
        self.asked_s.append(time.monotonic())
        return reply(302, [("Location", self._nowhere)], reason="Moved")


@pytest.mark.parametrize("method", ["ANNOUNCE", "DESCRIBE"], ids=["centre", "camera"])
async def test_who_sends_us_to_a_dead_address_is_asked_ever_later_although_its_own_endpoint_answers(
    sim: Simulator, planner: Planner, relay_of: StartRelay, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for supervisor in (camera_puller, recovery):
        monkeypatch.setattr(supervisor, "RETRY_WITHIN_S", 0.0)
    redirecting = Redirecting(method)
    async with ScriptedPeer(redirecting) as peer:
        camera = delivered_to(planner.camera(sim), peer.port)
        if method == "DESCRIBE":
            camera = planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}/gate")
        # Half a second, one second.
        relay_of(camera, chance=longest, reachability=ReachabilityChecks(interval_s=0.02))
        await eventually(lambda: len(redirecting.asked_s) == 3)
        first, second, third = redirecting.asked_s
        assert "OPTIONS" in peer.methods
        assert (second - first >= 0.49, third - second >= 0.99) == (True, True)


@pytest.mark.parametrize("fault", ["close", "restart"])
async def test_a_session_that_breaks_is_back_within_moments(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, fault: str
) -> None:
    async with simulate() as sim:
        relay = relay_of(planner.camera(sim))
        await eventually(
            lambda: all(item.delivery.state is DeliveryState.ACKNOWLEDGED for item in relay.deliveries.values()),
            within_s=15,
        )
        national, provincial = sim.centres["national"], sim.centres["provincial"]
        await (national.set_fault(fault, for_s=1.0) if fault == "restart" else national.set_fault(fault))
        stream = await national.wait_for("gate", lambda stream: stream.sessions == 2 and bool(stream.gaps_s))
        # A second away at most, half a second until it is found, as long again for the jitter, and a keyframe.
        assert stream.gaps_s[0] < 4.0
        assert (provincial.streams["gate"].sessions, provincial.streams["gate"].lost) == (1, 0)


async def test_a_foreign_centre_for_one_client_has_its_whole_session_over_the_check(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    """As `ffmpeg -rtsp_flags listen`: one connection, and gone with it."""
    port = free_port()
    # So that a check finds the listener first.
    relay = relay_of(delivered_to(planner.camera(sim), port), chance=longest)
    [supervisor] = relay.deliveries.values()
    await eventually(lambda: supervisor.delivery.retry_in_s >= 3.9, within_s=20)
    async with ScriptedPeer(Centre(), port=port, clients=1) as peer:
        await eventually(lambda: only(relay) is DeliveryState.ACKNOWLEDGED, within_s=8)
        assert peer.connections == 1
        assert peer.methods[:4] == ["OPTIONS", "ANNOUNCE", "SETUP", "RECORD"]
        assert set(peer.methods[4:]) <= {"OPTIONS"}, "the question whether it reads"
