"""When a camera's media began and stopped, and when a centre confirmed last, to 1.5 s."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from forwarder.relay.service import Process
from forwarder.relay.supervision.pictures.keyframe_copy import KeyframeCopy
from simulator import CameraConfig
from vonggac.bus import Bus
from vonggac.events import Cause, decode, subjects
from vonggac.events.forwarder import CameraMediaObservedV1, MediaState
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene

type StartForwarder = Callable[..., Awaitable[Process]]
TOLERANCE_S = 1.5


@pytest_asyncio.fixture
async def seen(bus: Bus) -> list[CameraMediaObservedV1]:
    """What is published of cameras' media."""
    came: list[CameraMediaObservedV1] = []

    async def note(message: Msg) -> None:
        observed = decode(message.data).data
        assert isinstance(observed, CameraMediaObservedV1)
        came.append(observed)

    await bus.client.subscribe(subjects.camera_media_observation("*"), cb=note)
    return came


def near(moment: datetime | None, truth: datetime) -> bool:
    assert moment is not None
    off_s = (moment - truth).total_seconds()
    assert abs(off_s) <= TOLERANCE_S, off_s
    return True


async def test_an_outage_of_a_camera_is_dated_to_its_last_and_first_media(
    scene: Scene, seen: list[CameraMediaObservedV1]
) -> None:
    forwarder = await scene.start()
    camera, gate = scene.plan(), scene.sim.cameras["gate"]
    await scene.inventory.publish(camera)
    await scene.become(camera, "acknowledged", "acknowledged")
    await eventually(lambda: seen and seen[-1].state is MediaState.FLOWING)
    assert (seen[0].worker_id, seen[0].sequence, seen[0].camera_id) == (forwarder.worker_id, 1, camera.id)

    off_at = datetime.now(UTC)
    await gate.set_fault("off")
    await eventually(lambda: seen[-1].state is MediaState.STOPPED, within_s=8)
    stopped = seen[-1]
    assert near(stopped.media_stopped_at, off_at)
    assert stopped.media_since == seen[0].media_since
    # Dated, however late the deliveries' own words come.
    [observed, _] = await scene.become(camera, "waiting_for_camera", "waiting_for_camera")
    assert near(observed.media_stopped_at, off_at)
    assert near(observed.last_acknowledged_at, off_at)

    await gate.clear_fault()
    await eventually(lambda: gate.sessions > 0, within_s=15)
    back_at = datetime.now(UTC)
    await eventually(lambda: seen[-1].state is MediaState.FLOWING, within_s=15)
    flowing = seen[-1]
    assert near(flowing.media_since, back_at)
    assert flowing.media_stopped_at == stopped.media_stopped_at
    assert flowing.cause is None

    await scene.inventory.remove(camera)
    await eventually(lambda: seen[-1].state is MediaState.RELEASED)
    assert [report.sequence for report in seen] == list(range(1, len(seen) + 1))


async def test_a_stall_within_one_session_is_seen_and_dated(scene: Scene, seen: list[CameraMediaObservedV1]) -> None:
    await scene.start()
    camera, gate = scene.plan(), scene.sim.cameras["gate"]
    await scene.inventory.publish(camera)
    await scene.become(camera, "acknowledged", "acknowledged")
    stalled_at = datetime.now(UTC)
    await gate.set_fault("stall")
    await eventually(lambda: seen[-1].state is MediaState.STOPPED, within_s=8)
    went_on_at = datetime.now(UTC)
    await gate.clear_fault()
    await eventually(lambda: [report.state for report in seen] == ["flowing", "stopped", "flowing"])
    assert (seen[1].cause, gate.sessions_total) == (Cause.STALLED, 1)
    assert near(seen[1].media_stopped_at, stalled_at)
    assert near(seen[2].media_since, went_on_at)


async def test_the_last_bytes_that_a_centre_confirmed_date_its_outage(scene: Scene) -> None:
    await scene.start()
    camera = await scene.publish()
    await scene.become(camera, "acknowledged", "acknowledged")
    # Its kernel acknowledges no more as soon as the port and its sessions are gone.
    gone_at = datetime.now(UTC)
    await scene.sim.centres["national"].set_fault("refuse")

    async def lost() -> datetime | None:
        observed = (await scene.statuses.of(camera))[0]
        return observed.last_acknowledged_at if observed.state == "backing_off" else None

    assert near(await eventually(lost), gone_at)


async def test_a_picture_that_stands_still_and_moves_again_is_dated(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    seen: list[CameraMediaObservedV1],
) -> None:
    async with simulate(cameras=[make_gate(gop_s=0.5)]) as sim:
        forwarder = await start_forwarder()
        camera = planner.camera(sim)
        await inventory.publish(camera)
        await eventually(lambda: seen)
        assert forwarder.worker is not None
        await eventually(lambda: forwarder.worker is not None and camera.id in forwarder.worker.held)
        keyframes = forwarder.worker.held[camera.id].relay.keyframes
        # Only one of them is hashed for others in this time, every one is compared.
        await eventually(lambda: keyframes.stillness.compared >= 3)
        assert len(keyframes.hashes.history) == 1
        frozen_at = datetime.now(UTC)
        await sim.cameras["gate"].set_fault("freeze", kind="coded")
        await eventually(lambda: seen[-1].still_since is not None, within_s=15)
        assert near(seen[-1].still_since, frozen_at)
        moved_at = datetime.now(UTC)
        await sim.cameras["gate"].clear_fault()
        await eventually(lambda: seen[-1].still_until is not None, within_s=15)
        assert near(seen[-1].still_until, moved_at)
        assert {report.state for report in seen} == {MediaState.FLOWING}


async def test_a_recording_in_a_loop_repeats_since_its_first_keyframe(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    seen: list[CameraMediaObservedV1],
) -> None:
    # Of several keyframes a second one in 0.9 s is compared: of four in turns each.
    async with simulate(cameras=[make_gate(gop_s=1.0, loop_s=4.0, fps=10)]) as sim:
        await start_forwarder()
        await inventory.publish(planner.camera(sim))
        await eventually(lambda: seen)
        loop_at = datetime.now(UTC)
        await sim.cameras["gate"].set_fault("loop")
        await eventually(lambda: seen[-1].still_since is not None, within_s=40)
        assert seen[-1].still_cause is Cause.REPEATS
        assert near(seen[-1].still_since, loop_at + timedelta(seconds=4))
        # Its third coming shows that it was a recording from its first picture on.
        await eventually(lambda: near(seen[-1].still_since, loop_at + timedelta(seconds=0.5)), within_s=40)
        live_at = datetime.now(UTC)
        await sim.cameras["gate"].clear_fault()
        await eventually(lambda: seen[-1].still_until is not None, within_s=15)
        assert near(seen[-1].still_until, live_at + timedelta(seconds=0.5))
        assert {report.state for report in seen} == {MediaState.FLOWING}


@pytest.mark.parametrize("kind", ["silence", "loss"])
async def test_half_a_stream_is_stopped_for_its_gaps_and_its_keyframes_come_with_what_is_missing(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    seen: list[CameraMediaObservedV1],
    kind: str,
) -> None:
    async with simulate(cameras=[make_gate(gop_s=1.0, fps=10)]) as sim:
        forwarder = await start_forwarder()
        camera = planner.camera(sim)
        await inventory.publish(camera)
        await eventually(lambda: seen)
        await sim.cameras["gate"].set_fault("gaps", kind=kind, for_s=2.5, every_s=5.0)
        await eventually(lambda: len({report.media_stopped_at for report in seen}) > 3, within_s=40)
        stops = {report.media_stopped_at for report in seen if report.state is MediaState.STOPPED}
        gaps = [
            (report.media_since - report.media_stopped_at).total_seconds()
            for report in seen
            if report.state is MediaState.FLOWING and report.media_stopped_at and report.media_since
        ]
        assert {report.cause for report in seen if report.state is MediaState.STOPPED} == {Cause.STALLED}
        assert len(stops) >= 2
        assert all(2.0 <= gap <= 3.6 for gap in gaps), gaps
        assert forwarder.worker is not None
        keyframes = forwarder.worker.held[camera.id].relay.keyframes

        async def has_finding() -> bool:
            copy = await keyframes.copy_keyframe()
            figures = copy.figures if isinstance(copy, KeyframeCopy) else None
            return figures is not None and (figures.packets_lost > 0 if kind == "loss" else figures.fps < 5)

        await eventually(has_finding, within_s=30)
