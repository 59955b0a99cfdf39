"""A changed plan restarts what changed and nothing else, and what is planned no more leaves nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from pydantic import SecretStr

from forwarder.relay.service import Process
from simulator import CameraConfig, CentreConfig, Simulator
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events.forwarder import DeliveryCommand
from vonggac.events.inventory import CameraV1, FacilityStatus
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene, Statuses

type StartForwarder = Callable[..., Awaitable[Process]]
BOTH_ACKNOWLEDGED = ("acknowledged", "acknowledged")


@pytest_asyncio.fixture
async def guarded(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    """A camera and two centres, each with a login."""
    login = {"auth": "digest", "username": "gui", "password": SecretStr("hinh-2021")}
    centres = [CentreConfig.model_validate({"id": name, **login}) for name in ("national", "provincial")]
    async with simulate(cameras=[make_gate(**login)], centres=centres) as running:
        yield running


def with_first(camera: CameraV1, revision: int, **changes: object) -> CameraV1:
    """A newer plan in which only the first delivery differs."""
    first, *others = camera.deliveries
    deliveries = (first.model_copy(update=changes), *others)
    return camera.model_copy(update={"revision": revision, "deliveries": deliveries})


def untouched(sim: Simulator, centre: str) -> bool:
    stream = sim.centres[centre].streams["gate"]
    return (stream.live, stream.sessions, stream.lost) == (True, 1, 0)


async def carried_out(statuses: Statuses, camera: CameraV1) -> None:
    """Wait until every delivery says that this is its plan."""

    async def seen() -> bool:
        return {observed.camera_revision for observed in await statuses.of(camera)} == {camera.revision}

    await eventually(seen, within_s=10)


async def test_other_credentials_for_one_centre_cost_the_other_no_packet(
    guarded: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    await start_forwarder()
    camera = planner.camera(guarded)
    await inventory.publish(camera)
    await statuses.become(camera, *BOTH_ACKNOWLEDGED)
    wrong = with_first(camera, 2, secret=planner.seal("gui", "sai"))
    await inventory.publish(wrong)
    refused, _ = await statuses.become(wrong, "refused", "acknowledged")
    assert refused.last_success_at is not None, "what once succeeded at this centre stays known"
    right = with_first(camera, 3, secret=planner.seal("gui", "hinh-2021"))
    await inventory.publish(right)
    await statuses.become(right, *BOTH_ACKNOWLEDGED)
    assert guarded.centres["national"].streams["gate"].sessions == 2
    assert untouched(guarded, "provincial")
    assert guarded.cameras["gate"].sessions_total == 1


async def test_the_same_credentials_sealed_once_more_restart_nothing(
    guarded: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    await start_forwarder()
    camera = planner.camera(guarded)
    await inventory.publish(camera)
    await statuses.become(camera, *BOTH_ACKNOWLEDGED)
    resealed = tuple(
        planned.model_copy(update={"secret": planner.seal("gui", "hinh-2021")}) for planned in camera.deliveries
    )
    again = camera.model_copy(
        update={"revision": 2, "secret": planner.seal("gui", "hinh-2021"), "deliveries": resealed}
    )
    assert again.secret != camera.secret
    await inventory.publish(again)
    await carried_out(statuses, again)
    await statuses.become(again, *BOTH_ACKNOWLEDGED)
    assert untouched(guarded, "national")
    assert untouched(guarded, "provincial")
    assert guarded.cameras["gate"].sessions_total == 1


async def test_who_refused_the_credentials_is_tried_again_when_they_are_entered_anew(
    guarded: Simulator, planner: Planner, inventory: Inventory, statuses: Statuses, start_forwarder: StartForwarder
) -> None:
    await start_forwarder()
    camera = planner.camera(guarded)
    await guarded.centres["national"].set_fault("auth")
    await inventory.publish(camera)
    await statuses.become(camera, "refused", "acknowledged")
    await guarded.centres["national"].clear_fault()
    again = with_first(camera, 2, secret=planner.seal("gui", "hinh-2021"))
    await inventory.publish(again)
    await statuses.become(again, *BOTH_ACKNOWLEDGED)
    assert untouched(guarded, "provincial")


async def test_what_says_nothing_of_media_restarts_nothing(scene: Scene) -> None:
    _, camera = await scene.forward()
    renamed = with_first(camera, 2, read_back_url="rtsp://127.0.0.1:1/gate").model_copy(
        update={"name": "Cổng phụ", "probe_interval_s": 7}
    )
    await scene.inventory.publish(renamed)
    await carried_out(scene.statuses, renamed)
    assert untouched(scene.sim, "national")
    assert untouched(scene.sim, "provincial")
    assert scene.sim.cameras["gate"].sessions_total == 1


@pytest.mark.parametrize("held", [True, False], ids=["while it runs", "while nobody holds the camera"])
async def test_a_delivery_that_is_planned_no_more_leaves_neither_a_state_nor_an_order(
    held: bool, scene: Scene, bus: Bus
) -> None:
    camera = scene.plan()
    gone, stays = camera.deliveries
    order = DeliveryCommand(delivery_id=gone.id, stopped=True, by="lan", reason="bảo trì", at=camera.changed_at)
    orders, states = Bucket(bus, topology.DELIVERY_COMMANDS), Bucket(bus, topology.DELIVERY_STATUS)
    await orders.put(str(gone.id), order.model_dump_json().encode())
    first = await scene.start()
    await scene.inventory.publish(camera)
    await scene.become(camera, "stopped", "acknowledged")
    if not held:
        first.stop()
        await scene.become(camera, "released", "released")
    await scene.inventory.publish(camera.model_copy(update={"revision": 2, "deliveries": (stays,)}))
    if not held:
        await scene.start()

    async def forgotten() -> bool:
        return not await states.get(str(gone.id)) and not await orders.get(str(gone.id))

    await eventually(forgotten, within_s=10)
    await eventually(lambda: _acknowledged(states, str(stays.id)), within_s=10)


async def _acknowledged(states: Bucket, key: str) -> bool:
    return b'"acknowledged"' in (await states.get(key) or b"")


async def test_an_order_for_a_delivery_that_only_a_newer_plan_knows_is_kept(scene: Scene, bus: Bus) -> None:
    camera = scene.plan()
    newer, stays = camera.deliveries
    await scene.start()
    await scene.inventory.publish(camera.model_copy(update={"revision": 5}))
    await scene.become(camera, *BOTH_ACKNOWLEDGED)
    order = DeliveryCommand(delivery_id=newer.id, stopped=True, by="lan", reason="bảo trì", at=camera.changed_at)
    await Bucket(bus, topology.DELIVERY_COMMANDS).put(str(newer.id), order.model_dump_json().encode())
    await scene.become(camera, "stopped", "acknowledged")
    # An older plan that comes late.
    old = camera.model_copy(update={"revision": 4, "deliveries": (stays,)})
    await scene.inventory.publish(old)
    await eventually(lambda: _revision(bus, str(stays.id), 4), within_s=10)
    assert await Bucket(bus, topology.DELIVERY_COMMANDS).get(str(newer.id))


async def _revision(bus: Bus, key: str, revision: int) -> bool:
    value = await Bucket(bus, topology.DELIVERY_STATUS).get(key)
    return f'"camera_revision":{revision}'.encode() in (value or b"")


@pytest.mark.parametrize("status", [FacilityStatus.CLOSED, FacilityStatus.SUSPENDED])
async def test_a_closed_facility_stops_its_cameras_and_reopening_starts_them(
    scene: Scene, status: FacilityStatus
) -> None:
    await scene.start()
    camera = await scene.publish(facility_status=FacilityStatus.ACTIVE)
    await scene.become(camera, "acknowledged", "acknowledged")
    await scene.inventory.publish(camera.model_copy(update={"revision": 2, "facility_status": status}))
    await scene.become(camera, "disabled", "disabled")
    for centre in scene.sim.centres.values():
        await centre.wait_for("gate", lambda stream: not stream.live)
    await eventually(lambda: scene.sim.cameras["gate"].sessions == 0)
    await scene.inventory.publish(camera.model_copy(update={"revision": 3}))
    await scene.become(camera, "acknowledged", "acknowledged")


async def test_a_changed_plan_counts_also_in_a_queue_that_was_made_anew_and_numbers_from_the_beginning(
    scene: Scene, bus: Bus
) -> None:
    """As after NATS came back with an old disk."""
    await scene.start()
    camera = scene.plan()
    for revision in range(1, 5):
        camera = camera.model_copy(update={"revision": revision})
        await scene.inventory.publish(camera)
    await carried_out(scene.statuses, camera)
    await bus.js.delete_stream(topology.DELIVERY_JOBS)
    await topology.declare(bus.js)
    await scene.inventory.publish(camera.model_copy(update={"revision": 5, "enabled": False}))
    await scene.become(camera, "disabled", "disabled")
