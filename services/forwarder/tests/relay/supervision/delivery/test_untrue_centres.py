"""Centres that promise what they do not keep: no word says more than what was observed, and the other one goes on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState as State
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply, with_cseq

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]
RECEIVING = {State.SENDING, State.ACKNOWLEDGED, State.VERIFIED}


def led_astray(camera: CameraV1, url: str) -> tuple[CameraV1, PlannedDelivery]:
    """The camera with its first delivery to another address."""
    first, *others = camera.deliveries
    astray = first.model_copy(update={"url": url, "secret": None})
    return camera.model_copy(update={"deliveries": (astray, *others)}), astray


def at(relay: CameraRelay, planned: PlannedDelivery) -> DeliverySupervisor:
    return relay.deliveries[planned.id]


RETRY_SOON_S = 5.0
"""Of the back-off after the first failures; a login that was refused rests for minutes."""


async def lost_nothing(sim: Simulator, relay: CameraRelay, planned: PlannedDelivery) -> None:
    """The other centre: media goes on in its one session, without a loss."""
    provincial = sim.centres["provincial"]
    packets = provincial.streams["gate"].packets
    stream = await provincial.wait_for("gate", lambda stream: stream.packets > packets + 50)
    assert (stream.lost, stream.sessions) == (0, 1)
    assert at(relay, planned).delivery.state is State.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("method", "answer", "state", "cause"),
    [
        ("RECORD", reply(403, reason="Forbidden"), State.REFUSED, Cause.AUTH_FAILED),
        ("RECORD", reply(401, reason="Unauthorized"), State.REFUSED, Cause.AUTH_FAILED),
        ("RECORD", reply(404, reason="Not Found"), State.BACKING_OFF, Cause.NOT_FOUND),
        ("RECORD", reply(453, reason="Not Enough Bandwidth"), State.BACKING_OFF, Cause.SESSION_LIMIT),
        ("RECORD", reply(500, reason="Internal Server Error"), State.BACKING_OFF, Cause.SERVER_ERROR),
        ("RECORD", None, State.BACKING_OFF, Cause.TIMEOUT),
        ("SETUP", reply(455, reason="Method Not Valid"), State.BACKING_OFF, Cause.REQUEST_REFUSED),
        ("ANNOUNCE", reply(301, reason="Moved"), State.BACKING_OFF, Cause.REQUEST_REFUSED),
    ],
)
async def test_a_centre_that_takes_the_description_and_then_refuses_was_never_sent_anything(
    sim: Simulator,
    planner: Planner,
    relay_of: StartRelay,
    recorder: Recorder,
    method: str,
    answer: Response | None,
    state: State,
    cause: Cause,
) -> None:
    async with ScriptedPeer(ScriptedCamera(**{method: answer})) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/gate")
        relay = relay_of(camera)
        await eventually(lambda: at(relay, astray).delivery.state is state, within_s=8)
        delivery = at(relay, astray).delivery
        assert (delivery.cause, delivery.last_success_at) == (cause, None)
        assert astray.secret is None, "no login that a refusal could lock: it does not rest"
        assert delivery.next_attempt_at is not None
        assert delivery.retry_in_s < RETRY_SOON_S
        await lost_nothing(sim, relay, camera.deliveries[1])
        assert not RECEIVING & set(recorder.states(astray.destination_id))
        assert at(relay, astray).slot.counts.bytes_written == 0
        assert not peer.media


async def test_a_centre_that_takes_every_session_and_drops_it_is_tried_ever_later(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    peer: ScriptedPeer

    def dropped(_request: Request) -> bytes | None:
        peer.writer.close()
        return None

    async with ScriptedPeer(ScriptedCamera(RECORD=dropped)) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/gate")
        relay = relay_of(camera)
        await eventually(lambda: at(relay, astray).delivery.attempt >= 4, within_s=15)
        assert at(relay, astray).delivery.cause is Cause.ENDED
        assert at(relay, astray).delivery.last_success_at is None
        await lost_nothing(sim, relay, camera.deliveries[1])


async def test_a_centre_that_discards_everything_is_at_best_acknowledged(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/gate")
        relay = relay_of(camera)
        await eventually(lambda: at(relay, astray).delivery.state is State.ACKNOWLEDGED)
        await lost_nothing(sim, relay, camera.deliveries[1])
        assert recorder.states(astray.destination_id)[-1] is State.ACKNOWLEDGED
        assert at(relay, astray).delivery.verified_at is None


async def test_a_centre_that_stops_reading_is_stalled_and_then_dropped_and_never_confirmed_again(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    """As one whose host vanished without a word: bytes wait, and nothing confirms them."""
    async with ScriptedPeer(ScriptedCamera()) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/gate")
        relay = relay_of(camera)
        await eventually(lambda: at(relay, astray).delivery.state is State.ACKNOWLEDGED)
        buffer: socket.socket = peer.writer.get_extra_info("socket")
        buffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport: Any = peer.writer.transport
        transport.pause_reading()
        await eventually(lambda: at(relay, astray).delivery.state is State.STALLED, within_s=20)
        assert at(relay, astray).delivery.cause is Cause.STALLED
        await eventually(lambda: State.BACKING_OFF in recorder.states(astray.destination_id), within_s=10)
        states = recorder.states(astray.destination_id)
        stalled = states.index(State.STALLED)
        assert not RECEIVING.intersection(states[stalled : states.index(State.BACKING_OFF)])
        await lost_nothing(sim, relay, camera.deliveries[1])


async def test_a_centre_that_says_the_session_is_gone_gets_a_new_one(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    """It goes on reading, so its kernel goes on confirming; its answer to a keep-alive is the truth."""
    gone = reply(454, reason="Session Not Found")
    script = ScriptedCamera(GET_PARAMETER=gone, OPTIONS=gone)
    script.session = "42;timeout=2"
    async with ScriptedPeer(script) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/gate")
        relay = relay_of(camera)
        await peer.until(lambda: peer.methods.count("RECORD") >= 2)
        assert at(relay, astray).slot.sessions >= 1
        await lost_nothing(sim, relay, camera.deliveries[1])


async def test_a_centre_that_moves_to_another_address_is_found_there(
    sim: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name is looked up at every attempt."""
    really, addresses = socket.getaddrinfo, ["127.0.0.2"]

    def named(host: str, *arguments: Any, **options: Any) -> Any:
        return really(addresses[0] if host == "centre.example" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", named)
    national = sim.centres["national"]
    camera, astray = led_astray(planner.camera(sim), f"rtsp://centre.example:{national.port}/gate")
    relay = relay_of(camera)
    await eventually(lambda: at(relay, astray).delivery.cause is Cause.REFUSED, within_s=8)
    addresses[0] = "127.0.0.1"
    await eventually(lambda: at(relay, astray).delivery.state is State.ACKNOWLEDGED, within_s=8)
    # It moves into a network that nobody allowed, and closes its port behind it.
    addresses[0] = "192.0.2.1"
    await national.set_fault("close")
    await eventually(lambda: at(relay, astray).delivery.cause is Cause.ADDRESS_NOT_ALLOWED, within_s=8)
    assert at(relay, astray).delivery.state in {State.BACKING_OFF, State.CONNECTING}
    await lost_nothing(sim, relay, camera.deliveries[1])


@pytest.mark.parametrize("after_s", [0.0, 0.05])
async def test_a_foreign_centre_that_does_not_know_the_stream_is_not_advised_to_check_its_power(
    after_s: float, sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    """As go2rtc: it answers OK to everything, and hangs up after RECORD. Its kernel has taken a first burst by then."""

    def hang_up(request: Request) -> bytes:
        peer.writer.write(with_cseq(request))
        asyncio.get_running_loop().call_later(after_s, peer.writer.close)
        return b""

    async with ScriptedPeer(ScriptedCamera(RECORD=hang_up)) as peer:
        camera, astray = led_astray(planner.camera(sim), f"rtsp://127.0.0.1:{peer.port}/in/unknown")
        relay = relay_of(camera)
        await eventually(lambda: at(relay, astray).delivery.state is State.BACKING_OFF, within_s=8)
        delivery = at(relay, astray).delivery
        assert delivery.cause is Cause.HUNG_UP
        assert "does it know this stream?" in (delivery.detail or "")
        assert (delivery.last_success_at, delivery.last_acknowledged_at) == (None, None)
        assert State.ACKNOWLEDGED not in recorder.states(astray.destination_id)
        await lost_nothing(sim, relay, camera.deliveries[1])
