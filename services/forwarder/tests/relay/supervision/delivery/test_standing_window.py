"""A centre's kernel acknowledges, and its window's end stands: who reads is not accused, who hangs is found."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio
from services.forwarder.tests.relay.conftest import RtmpServer

from forwarder.domain.delivery import Limits
from forwarder.relay.destinations.tcp_ack import read_tcp_info
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from forwarder.relay.supervision.session_slot import SessionSlot
from vonggac.events.forwarder import DeliveryState as State
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder, StartSimulator
    from services.forwarder.tests.relay.conftest import LibavReceiver

    from simulator import CameraConfig, Simulator
    from vonggac.events.inventory import CameraV1

type StartRelay = Callable[..., CameraRelay]
OFFERED_BYTES, OFFERED_LATER_BYTES = 4 << 20, 64 << 10


@pytest.fixture
def context(context: RelayContext) -> RelayContext:
    limits = Limits()
    return replace(context, limits=replace(context.limits, stall_s=limits.stall_s, drop_s=limits.drop_s))


@pytest_asyncio.fixture
async def sim(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    async with simulate(cameras=[make_gate(bitrate_kbps=1_600)]) as running:
        yield running


class Centres:
    """Real kernels, with processes that answer questions in different ways, or none."""

    def __init__(self) -> None:
        self.rtmp = {
            "pings": RtmpServer(answers_pings=True),
            "acknowledgements": RtmpServer(acknowledges=True),
            "rtmp-mute": RtmpServer(),
        }
        self.mute = ScriptedPeer(ScriptedCamera(OPTIONS=None))

    @property
    def urls(self) -> dict[str, str]:
        urls = {name: server.url("gate") for name, server in self.rtmp.items()}
        return urls | {"rtsp-mute": f"rtsp://127.0.0.1:{self.mute.port}/in/gate"}

    @property
    def sockets(self) -> list[Any]:
        sockets = [server.sockets[0] for server in self.rtmp.values()]
        return [*sockets, self.mute.writer.get_extra_info("socket")]

    def offer(self, size_bytes: int) -> None:
        for peer in self.sockets:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)


@pytest_asyncio.fixture
async def centres() -> AsyncIterator[Centres]:
    async with AsyncExitStack() as stack:
        running = Centres()
        await stack.enter_async_context(running.mute)
        for server in running.rtmp.values():
            await server.start()
            stack.push_async_callback(server.stop)
        yield running


def delivered(camera: CameraV1, urls: dict[str, str]) -> CameraV1:
    template = camera.deliveries[0]
    changes: list[dict[str, Any]] = [
        {"id": uuid4(), "destination_id": uuid4(), "destination_code": name, "url": url, "secret": None}
        for name, url in urls.items()
    ]
    return camera.model_copy(update={"deliveries": tuple(template.model_copy(update=each) for each in changes)})


def window_bytes(delivery: DeliverySupervisor) -> int:
    """What the centre's kernel offers."""
    assert isinstance(delivery.slot, SessionSlot)
    session: Any = delivery.slot._session
    info = read_tcp_info(session._acknowledgement._socket)
    assert info is not None
    assert info.window_bytes is not None
    return info.window_bytes


@pytest.mark.slow
async def test_no_centre_that_reads_is_stalled_while_its_kernel_offers_less_than_before(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, centres: Centres
) -> None:
    """RTMP centres have no OPTIONS, and some RTSP ones answer none."""
    camera = delivered(planner.camera(sim), centres.urls)
    deliveries = list(relay_of(camera).deliveries.values())
    await eventually(lambda: all(each.delivery.state is State.ACKNOWLEDGED for each in deliveries), within_s=20)
    centres.offer(OFFERED_BYTES)
    await eventually(lambda: all(window_bytes(each) > OFFERED_BYTES // 2 for each in deliveries), within_s=30)
    centres.offer(OFFERED_LATER_BYTES)
    offered = [window_bytes(each) for each in deliveries]
    # The two that make it known are counted all the time; of the others nobody knows, and nobody is accused.
    began_s, newest = time.monotonic(), {each.plan.destination_code: (0, time.monotonic()) for each in deliveries}
    while time.monotonic() - began_s < 8.0:
        await asyncio.sleep(0.1)
        for each in deliveries:
            counted, code = each.slot.counts.bytes_acknowledged, each.plan.destination_code
            if counted != newest[code][0]:
                newest[code] = counted, time.monotonic()
            if "mute" not in code:
                assert time.monotonic() - newest[code][1] < 3.5, code
    for each, before in zip(deliveries, offered, strict=True):
        assert OFFERED_LATER_BYTES * 4 < window_bytes(each) < before, "its end has not stood all the time"
        assert recorder.states(each.plan.destination_id)[-1] is State.ACKNOWLEDGED
        assert each.slot.counts.packets_dropped == 0
    # What was offered is used up: all is counted again.
    written = {each.plan.destination_code: each.slot.counts.bytes_written for each in deliveries}
    await eventually(
        lambda: all(each.slot.counts.bytes_acknowledged > written[each.plan.destination_code] for each in deliveries),
        within_s=30,
    )
    assert all(State.STALLED not in recorder.states(each.plan.destination_id) for each in deliveries)


@pytest.mark.slow
async def test_a_stopped_process_of_an_rtmp_centre_is_stalled_within_six_seconds(
    sim: Simulator,
    planner: Planner,
    relay_of: StartRelay,
    libav_receiver: Callable[[], AbstractAsyncContextManager[LibavReceiver]],
) -> None:
    async with libav_receiver() as receiver:
        camera = delivered(planner.camera(sim), {"libav": receiver.url})
        (hung,) = relay_of(camera).deliveries.values()
        await eventually(lambda: hung.slot.counts.bytes_acknowledged > 500_000, within_s=20)
        os.kill(receiver.pid, signal.SIGSTOP)
        began_s = time.monotonic()
        try:
            await eventually(lambda: hung.delivery.state is State.STALLED, within_s=30)
            assert 4.0 <= time.monotonic() - began_s <= 6.0
        finally:
            os.kill(receiver.pid, signal.SIGCONT)


@pytest.mark.slow
async def test_what_a_mute_centre_that_hangs_leaves_unread_is_not_called_received(
    sim: Simulator, planner: Planner, relay_of: StartRelay, centres: Centres
) -> None:
    """Nobody can know it until its window is used up; then it is dated to the last byte that was certainly read."""
    urls = {name: url for name, url in centres.urls.items() if "mute" in name}
    deliveries = list(relay_of(delivered(planner.camera(sim), urls)).deliveries.values())
    await eventually(lambda: all(each.slot.counts.bytes_acknowledged > 500_000 for each in deliveries), within_s=20)
    counted = [each.slot.counts.bytes_acknowledged for each in deliveries]
    transport: Any = centres.mute.writer.transport
    transport.pause_reading()
    centres.rtmp["rtmp-mute"].reading.clear()
    stopped_at = datetime.now(UTC)
    await eventually(
        lambda: all(each.delivery.state not in {State.ACKNOWLEDGED, State.SENDING} for each in deliveries),
        within_s=60,
    )
    for each, before in zip(deliveries, counted, strict=True):
        last = each.delivery.last_acknowledged_at
        assert last is not None
        assert abs((last - stopped_at).total_seconds()) < 2.5, each.plan.destination_code
        assert each.slot.counts.bytes_acknowledged < before + 1_000_000
    centres.rtmp["rtmp-mute"].reading.set()
