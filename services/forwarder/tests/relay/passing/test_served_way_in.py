"""A forwarder at whose ports no centre connects serves what others pass on, and says so only where there are others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from services.forwarder.tests.relay.passing.conftest import Fleet

from forwarder.relay.server.turned_away import Reason
from simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.events.inventory import CameraV1
from vonggac.net.url import Credentials
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.assignment.conftest import Inventory, StartForwarder, Statuses


async def test_served_camera_of_a_worker_without_ports_waits_for_a_worker_that_has_some(
    sim: Simulator,
    plan_served: Callable[[Simulator], CameraV1],
    inventory: Inventory,
    start_forwarder: StartForwarder,
    statuses: Statuses,
    ports: dict[str, object],
) -> None:
    holder = await start_forwarder()
    camera = plan_served(sim)
    await inventory.publish(camera)
    await statuses.become(camera, *["acknowledged"] * (len(camera.deliveries) - 1), "backing_off")
    fleet = Fleet(holder, holder, camera, statuses)
    try:
        # Nobody in the fleet listens: it is not the centre that does not ask.
        await fleet.becomes("backing_off", Cause.TRANSPORT_UNSUPPORTED)
        fleet.front = front = await start_forwarder(**ports)
        await fleet.becomes("waiting_for_centre", Cause.NOT_ASKED)
        await eventually(lambda: front._listener._parts.served.find("/ioc/gate") is not None)
        puller = await fleet.connect(front)
        assert await puller.play() == 200
        await fleet.becomes("acknowledged")
        pushed = await fleet.pushed()
        assert {each.state.value for each in pushed} == {"acknowledged"}
    finally:
        for puller in fleet.pullers:
            await puller.close(reset=True)


async def test_served_refusals_are_counted_by_the_worker_that_refuses(fleet: Fleet) -> None:
    """What a front that holds no camera refuses is in its figures, what the holder refuses in the holder's."""
    wrong = await fleet.connect(fleet.front, Credentials("ioc", "wrong"))
    assert await wrong.play() == 401
    foreign = await fleet.connect(fleet.front, path="/ioc/elsewhere")
    assert await foreign.play() == 404
    playing = [await fleet.connect(fleet.front) for _ in range(3)]
    assert [await each.play() for each in playing] == [200, 200, 453]

    def counted(listener: object) -> dict[str, int]:
        assert hasattr(listener, "turned_away")
        return {reason.value: count for reason, count in listener.turned_away.items() if count}

    await eventually(lambda: counted(fleet.front._listener) == {Reason.AUTH_FAILED: 1})
    assert counted(fleet.holder._listener) == {Reason.SESSION_LIMIT: 1}
