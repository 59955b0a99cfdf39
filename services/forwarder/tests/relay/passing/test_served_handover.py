"""A worker ends, in order or killed: what its centres received ends with it, and the gap is ours, not the centre's."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.assignment.conftest import spawn_forwarder
from services.forwarder.tests.relay.passing.conftest import RIGHT, Fleet
from services.forwarder.tests.relay.server.puller import Puller

from simulator import Simulator
from vonggac.embedded import free_port
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, Responsibility
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.assignment.conftest import Inventory, StartForwarder, Statuses

__all__ = ["spawn_forwarder"]
"""A fixture: forwarders in processes of their own."""
OURS = (DeliveryState.WAITING_FOR_CENTRE, Cause.ENDED, Responsibility.US)

type Spawn = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
async def port(ports: dict[str, object]) -> int:
    """Where the forwarder that ends serves, known before it runs."""
    ports["serve_port"] = free_port()
    return int(str(ports["serve_port"]))


async def report_of(statuses: Statuses, camera: CameraV1) -> DeliveryObservedV1:
    """The newest of the served delivery, whoever holds it."""
    observed = await statuses.of(camera)
    assert len(observed) == len(camera.deliveries)
    return observed[-1]


async def becomes(statuses: Statuses, camera: CameraV1, *, within_s: float = 60.0, **expected: object) -> None:
    async def reported() -> bool:
        observed = await report_of(statuses, camera)
        assert {name: getattr(observed, name) for name in expected} == expected
        return True

    await eventually(reported, within_s=within_s)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["in order", "killed"])
async def test_served_gap_after_its_holder_ended_is_ours_until_the_centre_is_back(
    number: signal.Signals,
    sim: Simulator,
    plan_served: Callable[[Simulator], CameraV1],
    inventory: Inventory,
    start_forwarder: StartForwarder,
    spawn_forwarder: Spawn,
    statuses: Statuses,
    ports: dict[str, object],
    port: int,
) -> None:
    holder = spawn_forwarder(**ports)
    camera = plan_served(sim)
    await inventory.publish(camera)
    await becomes(statuses, camera, state=DeliveryState.WAITING_FOR_CENTRE)
    front = await start_forwarder(**{**ports, "serve_port": 0})
    fleet = Fleet(front, front, camera, statuses)
    direct, passed = await Puller(port, "/ioc/gate", RIGHT).connect(), await fleet.connect(front)
    assert (await direct.play(), await passed.play()) == (200, 200)
    await becomes(statuses, camera, state=DeliveryState.ACKNOWLEDGED)

    holder.send_signal(number)

    await eventually(lambda: direct.ended and passed.ended, within_s=30)
    in_order = number is signal.SIGTERM
    assert (direct.heard_goodbye, passed.heard_goodbye) == (in_order, in_order)
    await becomes(
        statuses,
        camera,
        worker_id=front.worker_id,
        state=DeliveryState.WAITING_FOR_CENTRE,
        cause=Cause.ENDED,
        responsibility=Responsibility.US,
    )
    back = await fleet.connect(front)
    assert await back.play() == 200
    await fleet.becomes("acknowledged")
    await back.close()
    await fleet.becomes("waiting_for_centre", Cause.LEFT)
    await direct.close(reset=True)
    await passed.close(reset=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["in order", "killed"])
async def test_served_gap_after_the_worker_in_front_ended_is_ours(
    number: signal.Signals,
    sim: Simulator,
    plan_served: Callable[[Simulator], CameraV1],
    inventory: Inventory,
    start_forwarder: StartForwarder,
    spawn_forwarder: Spawn,
    statuses: Statuses,
    ports: dict[str, object],
    port: int,
) -> None:
    holder = await start_forwarder(**{**ports, "serve_port": 0})
    camera = plan_served(sim)
    await inventory.publish(camera)
    await becomes(statuses, camera, state=DeliveryState.WAITING_FOR_CENTRE)
    front = spawn_forwarder(**ports)
    fleet = Fleet(holder, holder, camera, statuses)
    puller: Puller = await eventually(lambda: _playing(port), within_s=40)
    await fleet.becomes("acknowledged")
    # A centre that leaves by itself has left, whoever is in front.
    await puller.close()
    await fleet.becomes("waiting_for_centre", Cause.LEFT)
    puller = await _playing(port)
    await fleet.becomes("acknowledged")

    front.send_signal(number)

    observed = await fleet.becomes("waiting_for_centre", Cause.ENDED)
    assert (observed.state, observed.cause, observed.responsibility) == OURS
    await eventually(lambda: puller.ended)
    # The media's own end comes from the holder, before the connection's: a player knows that nothing is missing.
    assert puller.heard_goodbye is (number is signal.SIGTERM)
    await puller.close(reset=True)


async def _playing(port: int) -> Puller:
    """A centre that plays through the worker at this port, once it runs and knows the holder."""
    try:
        _, first = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise AssertionError("it does not listen yet") from error
    first.transport.abort()
    puller = await Puller(port, "/ioc/gate", RIGHT).connect()
    status = await puller.play()
    if status != 200:
        await puller.close(reset=True)
    assert status == 200
    return puller


async def test_served_worker_in_front_that_stops_has_the_holder_end_by_the_holder(fleet: Fleet) -> None:
    centre = await fleet.connect(fleet.front)
    assert await centre.play() == 200
    await fleet.becomes("acknowledged")

    fleet.front.stop()

    await eventually(lambda: centre.ended)
    assert centre.heard_goodbye
    observed = await fleet.becomes("waiting_for_centre", Cause.ENDED)
    assert observed.responsibility is Responsibility.US
    assert [each.state for each in await fleet.pushed()] == [DeliveryState.ACKNOWLEDGED] * len(await fleet.pushed())
