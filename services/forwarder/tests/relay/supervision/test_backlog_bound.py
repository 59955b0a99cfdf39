"""What waits for all destinations of a process has one bound, GOP caches and the kernel's buffers included."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.backpressure import Bounds
from forwarder.domain.delivery import Limits
from forwarder.relay.destinations.send_buffer import FIRST_BYTES, SendBuffer
from forwarder.relay.media.budget import CALM_CHECK_S, CHECK_S, MediaBudget
from forwarder.relay.supervision.camera import CameraRelay
from simulator import CameraConfig
from vonggac.events.forwarder import DeliveryState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

type StartRelay = Callable[..., CameraRelay]
CAMERAS = 3
BUDGET_BYTES = 1 << 20
PATIENT = Limits(stall_s=60.0, drop_s=120.0)


async def test_backlog_bound_holds_the_silent_centre_back_and_the_other_loses_nothing(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay, make_gate: Callable[..., CameraConfig]
) -> None:
    names = [f"gate-{number}" for number in range(CAMERAS)]
    size = {"width": 1280, "height": 720, "bitrate_kbps": 4000}
    async with simulate(cameras=[make_gate(id=name, number=1, **size) for name in names]) as sim:
        budget = MediaBudget(max_bytes=BUDGET_BYTES)
        # Each destination's own bounds would let four megabytes wait, for ever.
        relays = [
            relay_of(planner.camera(sim, name), budget=budget, bounds=Bounds(buffer_s=600.0), limits=PATIENT)
            for name in names
        ]
        deliveries = [delivery for relay in relays for delivery in relay.deliveries.values()]
        await eventually(lambda: all(one.delivery.state is DeliveryState.ACKNOWLEDGED for one in deliveries))
        national, provincial = sim.centres["national"], sim.centres["provincial"]
        await national.set_fault("black_hole")
        silent = [one for one in deliveries if one.plan.destination_id == planner.destination("national")]
        most = 0

        def all_are_paused() -> bool:
            nonlocal most
            most = max(most, budget.queued_bytes)
            return all(one.slot.counts.groups_dropped >= 2 for one in silent)

        await eventually(all_are_paused, within_s=30)
        # Each check holds those back that have half of it; meanwhile the others bring a few hundred kilobytes.
        assert most < 2 * BUDGET_BYTES
        assert budget.deliveries_paused >= CAMERAS
        for name in names:
            assert (provincial.streams[name].lost, provincial.streams[name].sessions) == (0, 1)
        healthy = [one for one in deliveries if one not in silent]
        assert [one.slot.counts.packets_dropped for one in healthy] == [0] * CAMERAS
        await national.clear_fault()
        await eventually(lambda: all(one.delivery.state is DeliveryState.ACKNOWLEDGED for one in silent), within_s=20)


async def test_backlog_bound_drops_gop_caches_before_anybody_loses_media(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay
) -> None:
    async with simulate() as sim:
        budget = MediaBudget(max_bytes=20_000)
        relay = relay_of(planner.camera(sim), budget=budget)
        await eventually(lambda: budget.caches_dropped > 0)
        await eventually(lambda: all(one.slot.counts.frames_sent > 10 for one in relay.deliveries.values()))
        assert [one.slot.counts.groups_dropped for one in relay.deliveries.values()] == [0, 0]


class WaitingQueue:
    """A destination for which so many bytes wait."""

    def __init__(self) -> None:
        self.buffered_bytes = 0
        self.asked = 0

    def pause_media(self, room_bytes: int) -> None:
        self.asked = room_bytes


async def test_backlog_bound_is_checked_before_the_room_that_is_left_can_be_full() -> None:
    budget, queues = MediaBudget(max_bytes=64 << 20), [WaitingQueue() for _ in range(400)]
    for queue in queues:
        budget.add_queue(queue)
    try:
        budget.check()
        # 200 cameras of 4 Mbit/s with two centres that read nothing fill 64 MiB in a third of a second.
        assert budget.next_check_in_s == pytest.approx(0.32, abs=0.01)
        queues[0].buffered_bytes = 60 << 20
        budget.check()
        assert budget.next_check_in_s == CHECK_S
        for queue in queues[10:]:
            budget.remove_queue(queue)
        queues[0].buffered_bytes = 0
        budget.check()
        assert budget.next_check_in_s == CALM_CHECK_S
    finally:
        for queue in queues:
            budget.remove_queue(queue)


@pytest.mark.parametrize(("bytes_per_s", "expected"), [(100_000, FIRST_BYTES), (800_000, 320_000)])
async def test_backlog_bound_the_kernels_send_buffer_is_sized_to_the_stream(bytes_per_s: int, expected: int) -> None:
    # Connections are accepted by the kernel, and nobody ever reads.
    with socket.create_server(("127.0.0.1", 0)) as server:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, *server.getsockname())
        buffer = SendBuffer(transport)
        for second in range(5):
            buffer.fit(second * bytes_per_s, float(second))
        assert buffer.size_bytes == expected
        for _ in range(200):
            transport.write(bytes(64 << 10))
            await asyncio.sleep(0)
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * expected
        [unsent] = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        assert 0 < unsent <= 2 * expected + (128 << 10)
        transport.abort()
