"""A destination that comes and goes: how often it is tried, and how often that is reported."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.reachability import ReachabilityChecks
from vonggac.events.forwarder import DeliveryState
from vonggac.net.http_auth import new_challenge
from vonggac.rtsp.wire.messages import Request, Response
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, reply

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

type StartRelay = Callable[..., CameraRelay]


async def test_flapping_a_centre_that_confirms_and_resets_is_tried_ever_later(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay
) -> None:
    async with simulate() as sim:
        # Without chance every wait takes its whole bound.
        relay = relay_of(planner.camera(sim), chance=lambda: 0.999, reachability=ReachabilityChecks(interval_s=0.05))
        national, destination = sim.centres["national"], planner.destination("national")
        [supervisor] = [item for item in relay.deliveries.values() if item.plan.destination_id == destination]
        waits: list[float] = []
        for _ in range(4):
            await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=20)
            await asyncio.sleep(0.3)
            await national.set_fault("close")
            await eventually(lambda: supervisor.delivery.state is DeliveryState.BACKING_OFF)
            waits.append(supervisor.delivery.retry_in_s)
        assert waits == [pytest.approx(wait_s, rel=0.01) for wait_s in (0.5, 1.0, 2.0, 4.0)]


async def test_flapping_a_centre_that_restarts_again_and_again_is_not_hurried_by_the_reachability_check(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay
) -> None:
    async with simulate() as sim:
        relay = relay_of(planner.camera(sim), chance=lambda: 0.999, reachability=ReachabilityChecks(interval_s=0.05))
        national, destination = sim.centres["national"], planner.destination("national")
        [supervisor] = [item for item in relay.deliveries.values() if item.plan.destination_id == destination]
        away_s: list[float] = []
        while supervisor.delivery.attempt < 4:
            await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=20)
            began_s = time.monotonic()
            await national.set_fault("restart", for_s=0.4)
            await eventually(lambda: supervisor.delivery.state is DeliveryState.BACKING_OFF)
            await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=20)
            away_s.append(time.monotonic() - began_s)
        # The attempt before the last one was the third failure: its wait of two seconds was waited for.
        assert away_s[-1] >= 1.9


async def test_flapping_a_centre_that_breaks_off_at_a_login_that_it_took_before_is_not_said_to_refuse_it(
    simulate: StartSimulator, planner: Planner, relay_of: StartRelay
) -> None:
    """It resets when the login comes, twice over two connections: that is no word about the password."""
    centre, challenge = ScriptedCamera(), new_challenge("centre")

    def answer(request: Request) -> Response | bytes | None:
        asked = request.headers.get("Authorization") is None
        if not asked and peer.connections not in {2, 3}:
            return centre(request)
        if asked:
            return reply(401, [("WWW-Authenticate", challenge.encode())])
        peer.writer.close()
        return None

    async with simulate() as sim, ScriptedPeer(answer) as peer:
        url = f"rtsp://127.0.0.1:{peer.port}/in/gate"
        camera = planner.camera(sim)
        first = camera.deliveries[0].model_copy(update={"url": url, "secret": planner.seal("vonggac", "S3cret", url)})
        relay = relay_of(camera.model_copy(update={"deliveries": (first, *camera.deliveries[1:])}))
        supervisor, seen = relay.deliveries[first.id], set[DeliveryState]()
        await eventually(lambda: supervisor.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=8)
        peer.writer.close()

        def back() -> bool:
            seen.add(supervisor.delivery.state)
            return peer.connections >= 4 and supervisor.delivery.state is DeliveryState.ACKNOWLEDGED

        await eventually(back, within_s=8)
        assert DeliveryState.REFUSED not in seen
