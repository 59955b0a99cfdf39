"""A destination that was too slow and is left out until the next keyframe: no word says that it receives."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.domain.backpressure import Bounds
from forwarder.domain.delivery import LEFT_OUT, Limits
from forwarder.relay.destinations.tcp_ack import read_tcp_info
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from forwarder.relay.supervision.session_slot import SessionSlot
from simulator import CameraConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState as State
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator

type StartRelay = Callable[..., CameraRelay]
TIGHT = Bounds(buffer_bytes=128 << 10, buffer_s=1.0)


@pytest_asyncio.fixture
async def sim(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    """As everywhere, with keyframes ten seconds apart."""
    async with simulate(cameras=[make_gate(gop_s=10.0, loop_s=20.0)]) as running:
        yield running


@pytest.fixture
def context(context: RelayContext) -> RelayContext:
    """As everywhere, and nobody is given up for acknowledging little, however busy this machine is."""
    return replace(context, limits=replace(context.limits, drop_s=90.0), media_timeout_s=60.0)


async def media_goes_on(sim: Simulator) -> None:
    """At the other centre, for seconds, in its one session and without a loss."""
    provincial = sim.centres["provincial"]
    packets = provincial.streams["gate"].packets
    stream = await provincial.wait_for("gate", lambda stream: stream.packets > packets + 200)
    assert (stream.lost, stream.sessions) == (0, 1)


def is_left_out(delivery: DeliverySupervisor) -> bool:
    state = delivery.delivery
    return (state.state, state.cause, state.detail) == (State.STALLED, Cause.STALLED, LEFT_OUT)


async def test_a_slow_centre_is_stalled_while_it_is_left_out_and_goes_on_in_the_same_session(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    camera = planner.camera(sim)
    relay = relay_of(camera, bounds=TIGHT)
    slow = relay.deliveries[camera.deliveries[0].id]
    await eventually(lambda: slow.delivery.state is State.ACKNOWLEDGED)
    await sim.centres["national"].set_fault("slow_reader", bytes_per_s=30_000)
    await eventually(lambda: is_left_out(slow), within_s=30)
    written = slow.slot.counts.bytes_written
    await media_goes_on(sim)
    assert slow.slot.counts.bytes_written > written or is_left_out(slow)
    await sim.centres["national"].clear_fault()
    await eventually(lambda: slow.delivery.state is State.ACKNOWLEDGED, within_s=25)
    assert slow.slot.counts.bytes_written > written
    assert (slow.slot.sessions, sim.centres["national"].streams["gate"].sessions) == (1, 1)
    states = recorder.states(camera.deliveries[0].destination_id)
    assert states[states.index(State.STALLED) - 1] is State.ACKNOWLEDGED
    assert State.BACKING_OFF not in states


async def test_no_reachability_check_for_a_session_that_only_waits_for_a_keyframe(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    """Its address is not silent; a busy one that answers a reachability check late must not lose its session for it."""
    async with ScriptedPeer(ScriptedCamera()) as peer:
        camera = planner.camera(sim)
        first, *others = camera.deliveries
        first = first.model_copy(update={"url": f"rtsp://127.0.0.1:{peer.port}/in/gate", "secret": None})
        relay = relay_of(camera.model_copy(update={"deliveries": (first, *others)}), bounds=TIGHT)
        slow = relay.deliveries[first.id]
        await eventually(lambda: slow.delivery.state is State.ACKNOWLEDGED)
        transport: Any = peer.writer.transport
        transport.pause_reading()
        await eventually(lambda: slow.slot.counts.groups_dropped == 1, within_s=20)
        transport.resume_reading()
        await eventually(lambda: is_left_out(slow), within_s=8)
        reachability = relay._context.reachability
        assert not reachability._waiting
        await eventually(lambda: slow.delivery.state is State.ACKNOWLEDGED, within_s=15)
        assert (peer.connections, slow.slot.sessions) == (1, 1)


async def test_a_centre_that_hangs_is_stalled_within_six_seconds(
    sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext
) -> None:
    """Its kernel goes on to acknowledge into a buffer that nobody reads, as for a process that was stopped."""
    camera = planner.camera(sim)
    relay = relay_of(camera, limits=replace(context.limits, stall_s=Limits().stall_s))
    hung = relay.deliveries[camera.deliveries[0].id]
    await eventually(lambda: hung.delivery.state is State.ACKNOWLEDGED)
    await eventually(lambda: hung.slot.counts.bytes_acknowledged > 500_000)
    await sim.centres["national"].set_fault("black_hole")
    began_s = time.monotonic()
    await eventually(lambda: hung.delivery.state is State.STALLED, within_s=30)
    assert 4.0 <= time.monotonic() - began_s <= 6.0
    assert hung.delivery.cause is Cause.STALLED


def window_bytes(delivery: DeliverySupervisor) -> int:
    """What the centre's kernel offers."""
    assert isinstance(delivery.slot, SessionSlot)
    session: Any = delivery.slot._session
    info = read_tcp_info(session._publisher.connection.transport.get_extra_info("socket"))
    assert info is not None
    assert info.window_bytes is not None
    return info.window_bytes


async def test_a_centre_that_reads_is_not_stalled_while_its_kernel_offers_less_than_before(
    sim: Simulator, planner: Planner, relay_of: StartRelay, context: RelayContext, recorder: Recorder
) -> None:
    """As after the burst of a forwarder that had slept: a kernel never takes a window back, so its end stands."""
    camera = planner.camera(sim)
    relay = relay_of(camera, limits=replace(context.limits, stall_s=Limits().stall_s))
    delivery = relay.deliveries[camera.deliveries[0].id]
    await eventually(lambda: delivery.delivery.state is State.ACKNOWLEDGED)
    (connection,) = sim.centres["national"].connections
    peer: Any = connection.transport.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    await eventually(lambda: window_bytes(delivery) > 2 << 20, within_s=30)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    began_s, newest, newest_s = time.monotonic(), 0, time.monotonic()
    while time.monotonic() - began_s < 9.0:
        await asyncio.sleep(0.1)
        counted = delivery.slot.counts.bytes_acknowledged
        newest, newest_s = counted, newest_s if counted == newest else time.monotonic()
        # What is counted dates the beginning of an outage.
        assert time.monotonic() - newest_s < 2.5
    assert window_bytes(delivery) > 1 << 20, "its end has not stood all the time"
    assert State.STALLED not in recorder.states(camera.deliveries[0].destination_id)
