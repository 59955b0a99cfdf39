"""A camera that says goodbye by RTCP (BYE) has ended its stream, unless it goes on."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.camera_pull import PullState
from forwarder.relay.supervision.camera import CameraRelay
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import MediaTransport
from vonggac.media.rtcp import SenderReport, build_goodbye, build_sender_report
from vonggac.media.rtp import build_rtp, interleave
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]
PATIENCE_S = 30.0
"""Of a stall: a goodbye is known long before that."""


def all_are(relay: CameraRelay, state: DeliveryState, cause: Cause | None = None) -> bool:
    return all(item.delivery.state is state and item.delivery.cause is cause for item in relay.deliveries.values())


def picture(number: int, ssrc: int) -> bytes:
    """One keyframe in one packet."""
    payload = b"\x65\x88" + struct.pack("!I", number) + bytes(400)
    packet = build_rtp(payload, payload_type=96, sequence=number, timestamp=number * 9000, ssrc=ssrc, marker=True)
    return interleave(0, packet)


def report(ssrc: int) -> bytes:
    return build_sender_report(SenderReport(ssrc, 1, 1, 1, 1), cname="camera")


async def send_pictures(peer: ScriptedPeer, numbers: range, *, ssrc: int) -> None:
    for number in numbers:
        peer.writer.write(picture(number, ssrc))
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("transport", list(MediaTransport)[:2])
async def test_a_camera_that_says_goodbye_has_ended_its_stream_and_is_pulled_anew(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, transport: MediaTransport
) -> None:
    relay = relay_of(planner.camera(sim, transport=transport), media_timeout_s=PATIENCE_S)
    await eventually(lambda: all_are(relay, DeliveryState.ACKNOWLEDGED), within_s=15)
    said = len(recorder.said)
    await sim.cameras["gate"].set_fault("ended", kind="bye")
    await eventually(lambda: all_are(relay, DeliveryState.WAITING_FOR_CAMERA, Cause.ENDED))
    causes = [each.cause for each in recorder.said[said:]]
    assert set(causes[causes.index("ended") :]) == {"ended"}  # a slow machine's silence before it is said as well
    assert relay.pull.detail == "the camera ended the stream (RTCP BYE)"
    stopped = relay.media_watch.media
    assert (stopped.flowing, stopped.cause) == (False, Cause.ENDED)
    await sim.cameras["gate"].clear_fault()
    await eventually(lambda: all_are(relay, DeliveryState.ACKNOWLEDGED), within_s=15)


@pytest.mark.parametrize("ssrc", [7, 8], ids=["the same", "another"])
async def test_a_camera_that_goes_on_after_its_goodbye_keeps_its_sessions(
    sim: Simulator, planner: Planner, relay_of: StartRelay, ssrc: int
) -> None:
    """RFC 3550 §8.2: a source whose SSRC collides says goodbye to it, and goes on with another one."""
    async with ScriptedPeer(ScriptedCamera()) as peer:
        relay = relay_of(planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}/live", secret=None))
        await peer.until(lambda: "PLAY" in peer.methods)
        await send_pictures(peer, range(10), ssrc=7)
        await eventually(lambda: all_are(relay, DeliveryState.ACKNOWLEDGED))
        peer.writer.write(interleave(1, report(7)) + interleave(1, report(7) + build_goodbye(7)))
        await send_pictures(peer, range(10, 50), ssrc=ssrc)
        assert (relay.pull.state, peer.connections) == (PullState.LIVE, 1)
        assert all_are(relay, DeliveryState.ACKNOWLEDGED)


async def test_the_goodbye_of_another_sender_ends_nothing(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    async with ScriptedPeer(ScriptedCamera()) as peer:
        relay = relay_of(planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}/live", secret=None))
        await peer.until(lambda: "PLAY" in peer.methods)
        await send_pictures(peer, range(10), ssrc=7)
        await eventually(lambda: all_are(relay, DeliveryState.ACKNOWLEDGED))
        peer.writer.write(interleave(1, report(7) + build_goodbye(9)))
        await eventually(lambda: relay.pull.cause is not None)
        assert relay.pull.cause is Cause.STALLED
