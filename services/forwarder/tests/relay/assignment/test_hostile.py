"""Cameras that send anything but video: bounded memory, true words, and not a packet lost at anybody else's centres."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from simulator import CameraConfig, Simulator
from simulator.centres.statistics import StreamStatistics
from vonggac.bus import Bus
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.events.inventory import CameraV1
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import CAMERA_SDP, ScriptedCamera, ScriptedPeer, reply, with_cseq

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene, Statuses

pytestmark = pytest.mark.slow

type Spawn = Callable[[], subprocess.Popen[bytes]]

FAULTS: list[dict[str, Any]] = [
    {"fault": "garbage"},
    {"fault": "mid_garbage", "kind": "between"},
    {"fault": "mid_garbage", "kind": "inside"},
    {"fault": "huge_frame", "kind": "access_unit", "size_mb": 4096},
    {"fault": "huge_frame", "kind": "message"},
    {"fault": "huge_frame", "kind": "header"},
    {"fault": "no_keyframe"},
    {"fault": "damaged_keyframes"},
]
GOOD_PACKETS = 400
MORE_MB = 64
"""For eight such cameras with two destinations each: far less than one frame of theirs, and than their buffers' bound
of 4 MiB a destination."""
FLOOD_MB = 150
BUSY_S = 0.5
"""For the bus, and a busy machine."""


def _has_packets(count: int, stream: StreamStatistics) -> bool:
    return stream.packets > count


class Watched:
    """A forwarder of its own process with a good camera, whose centres must not lose a packet."""

    def __init__(self, process: subprocess.Popen[bytes], sim: Simulator) -> None:
        self._process, self._sim = psutil.Process(process.pid), sim
        self._base_mb = self.mb

    @property
    def mb(self) -> float:
        return self._process.memory_info().rss / 1e6

    @property
    def more_mb(self) -> float:
        """Beyond what it took with the good camera alone."""
        return self.mb - self._base_mb

    async def good_is_whole(self, packets: int) -> None:
        """Wait until each centre has got so many more packets of the good camera; none may be missing."""
        for centre in self._sim.centres.values():
            enough = partial(_has_packets, centre.streams["gate"].packets + packets)
            stream = await centre.wait_for("gate", enough, timeout_s=40)
            assert (stream.lost, stream.sessions, stream.ssrc_changes) == (0, 1, 0)


@asynccontextmanager
async def watched(
    sim: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, spawn: Spawn
) -> AsyncIterator[Watched]:
    process = spawn()
    good = planner.camera(sim)
    await inventory.publish(good)

    async def acknowledged() -> bool:
        return await statuses.words(good) == ["acknowledged"] * 2

    await eventually(acknowledged, within_s=30)
    yield Watched(process, sim)
    assert process.poll() is None


async def both_become(statuses: Statuses, camera: CameraV1, words: set[str]) -> list[DeliveryObservedV1]:
    """Wait until both deliveries are in one of these states."""

    async def are() -> bool:
        found = await statuses.words(camera)
        return len(found) == 2 and set(found) <= words

    await eventually(are, within_s=40)
    return await statuses.of(camera)


async def test_hostile_cameras_take_no_memory_and_cost_nobody_a_packet(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    bus: Bus,
    spawn_forwarder: Spawn,
) -> None:
    assert bus.connected
    hostile = [make_gate(id=f"hostile-{number}", fault=fault) for number, fault in enumerate(FAULTS)]
    async with (
        simulate(cameras=[make_gate(), *hostile]) as sim,
        watched(sim, planner, inventory, statuses, spawn_forwarder) as forwarder,
    ):
        plans = [planner.camera(sim, camera.id) for camera in hostile]
        for plan in plans:
            await inventory.publish(plan)
        for _ in range(2):
            await forwarder.good_is_whole(GOOD_PACKETS)
            assert forwarder.more_mb < MORE_MB
        causes = {}
        for plan, fault in zip(plans, FAULTS, strict=True):
            causes[fault["fault"], fault.get("kind")] = {
                observed.cause.value if observed.cause else None for observed in await statuses.of(plan)
            }
        for broken in (("garbage", None), ("huge_frame", "message"), ("huge_frame", "header")):
            assert causes[broken] == {"protocol_error"}, broken
        assert causes["no_keyframe", None] <= {"no_keyframe", None}


def _flooding(packet: Callable[[int], bytes]) -> tuple[ScriptedPeer, Callable[[], int]]:
    """A camera that sends as fast as it is let, and how much it got rid of."""
    sent = 0
    floods: set[asyncio.Task[None]] = set()

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        number = 0
        while sent < FLOOD_MB * 1_000_000 and not writer.is_closing():
            chunk = b"".join(packet(number + index) for index in range(200))
            number += 200
            writer.write(chunk)
            sent += len(chunk)
            try:
                await writer.drain()
            except ConnectionError:
                return

    def play(request: Request) -> Response | bytes:
        task = asyncio.get_running_loop().create_task(flood(peer.writer))
        floods.add(task)
        task.add_done_callback(floods.discard)
        return with_cseq(request)

    peer = ScriptedPeer(ScriptedCamera(PLAY=play))
    return peer, lambda: sent


def _half_is_sent(sent: Callable[[], int]) -> bool:
    return sent() > FLOOD_MB * 500_000


def _rtp(number: int, payload: bytes, timestamp: int) -> bytes:
    header = struct.pack(">BBHII", 0x80, 96, number & 0xFFFF, timestamp & 0xFFFFFFFF, 7)
    return struct.pack(">BBH", 0x24, 0, len(header) + len(payload)) + header + payload


def only_keyframes(number: int) -> bytes:
    return _rtp(number, b"\x65" + bytes(1_399), number * 90)


def never_a_keyframe(number: int) -> bytes:
    return _rtp(number, b"\x41" + bytes(1_399), number * 90)


async def test_a_camera_that_floods_is_bounded_and_the_others_are_served_meanwhile(
    scene: Scene, bus: Bus, spawn_forwarder: Spawn
) -> None:
    assert bus.connected
    async with watched(scene.sim, scene.planner, scene.inventory, scene.statuses, spawn_forwarder) as forwarder:
        for packet in (only_keyframes, never_a_keyframe):
            peer, sent = _flooding(packet)
            async with peer:
                url = f"rtsp://127.0.0.1:{peer.port}/{packet.__name__}"
                plan = scene.plan(url=url, secret=None, code=packet.__name__)
                deliveries = tuple(scene.plan_delivery(centre, packet.__name__) for centre in scene.sim.centres)
                await scene.inventory.publish(plan.model_copy(update={"deliveries": deliveries}))
                await eventually(partial(_half_is_sent, sent), within_s=60)
                await forwarder.good_is_whole(100)
                assert forwarder.more_mb < MORE_MB


async def test_a_description_that_is_a_bomb_and_media_before_its_time_are_harmless(
    scene: Scene, bus: Bus, spawn_forwarder: Spawn
) -> None:
    assert bus.connected
    tracks = b"".join(b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t%d\r\n" % n for n in range(3_000))
    bomb = ScriptedCamera(DESCRIBE=reply(body=b"v=0\r\ns=bomb\r\n" + tracks))
    too_big = ScriptedCamera(DESCRIBE=reply(body=CAMERA_SDP + b"a=x:" + bytes(1 << 20)))
    media = b"".join(only_keyframes(number) for number in range(2_000))
    early = ScriptedCamera(
        DESCRIBE=lambda request: media + _described(request),
        SETUP=lambda request: media + _set_up(request),
    )
    async with (
        ScriptedPeer(bomb) as one,
        ScriptedPeer(too_big) as two,
        ScriptedPeer(early) as three,
        watched(scene.sim, scene.planner, scene.inventory, scene.statuses, spawn_forwarder) as forwarder,
    ):
        plans = []
        for peer in (one, two, three):
            plan = scene.plan(url=f"rtsp://127.0.0.1:{peer.port}/", secret=None)
            deliveries = tuple(scene.plan_delivery(centre, f"hostile-{peer.port}") for centre in scene.sim.centres)
            plans.append(plan.model_copy(update={"deliveries": deliveries}))
            await scene.inventory.publish(plans[-1])
        await forwarder.good_is_whole(GOOD_PACKETS)
        (observed, _) = await both_become(scene.statuses, plans[1], {"waiting_for_camera"})
        assert observed.cause is not None
        assert observed.cause.value == "protocol_error"
        # It never plays a picture after PLAY: what came before is nobody's.
        await both_become(scene.statuses, plans[2], {"waiting_for_camera"})
        assert forwarder.more_mb < MORE_MB
        assert all(
            peer.port and f"hostile-{peer.port}" not in scene.sim.centres["national"].streams for peer in (two, three)
        )


def _described(request: Request) -> bytes:
    answer = reply(headers=[("Content-Base", f"{request.uri}/")], body=CAMERA_SDP)
    answer.headers.set("CSeq", str(request.cseq))
    return answer.encode()


def _set_up(request: Request) -> bytes:
    answer = reply(headers=[("Transport", request.headers.get("Transport") or ""), ("Session", "42;timeout=60")])
    answer.headers.set("CSeq", str(request.cseq))
    return answer.encode()


FLOODS = ("frames", "packets", "rtcp", "options", "answers")


async def test_hostile_floods_of_tiny_things_are_cut_and_named_and_cost_nobody_a_packet(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    statuses: Statuses,
    bus: Bus,
    spawn_forwarder: Spawn,
) -> None:
    assert bus.connected
    hostile = [
        make_gate(id=f"flood-{kind}", fault={"fault": "flood", "kind": kind, "rate_mbps": 20.0}) for kind in FLOODS
    ]
    async with (
        simulate(cameras=[make_gate(), *hostile]) as sim,
        watched(sim, planner, inventory, statuses, spawn_forwarder) as forwarder,
    ):
        plans = [planner.camera(sim, camera.id) for camera in hostile]
        for plan in plans:
            await inventory.publish(plan)

        async def all_are_named() -> bool:
            found = [one for plan in plans for one in await statuses.of(plan)]
            return len(found) == 2 * len(plans) and all(one.cause is Cause.FLOOD for one in found)

        await eventually(all_are_named, within_s=60)
        await forwarder.good_is_whole(GOOD_PACKETS)
        assert forwarder.more_mb < MORE_MB


async def test_a_hostile_camera_that_is_removed_loses_its_connection_within_a_second_whatever_it_sends(
    scene: Scene, bus: Bus, spawn_forwarder: Spawn
) -> None:
    assert bus.connected

    def endless(request: Request) -> bytes:
        return with_cseq(request, after=b"".join(only_keyframes(number) for number in range(8_000)))

    async with (
        ScriptedPeer(ScriptedCamera(PLAY=endless, TEARDOWN=None)) as peer,
        watched(scene.sim, scene.planner, scene.inventory, scene.statuses, spawn_forwarder),
    ):
        deliveries = tuple(scene.plan_delivery(centre, "removed") for centre in scene.sim.centres)
        plan = await scene.publish("gate", url=f"rtsp://127.0.0.1:{peer.port}/", secret=None, deliveries=deliveries)
        await eventually(lambda: peer.open_connections == 1 and "PLAY" in peer.methods)
        removed_s = time.monotonic()
        await scene.inventory.remove(plan)
        await eventually(lambda: peer.open_connections == 0, poll_s=0.01)
        assert time.monotonic() - removed_s < 1.0 + BUSY_S
