"""A recorder with one wrong password: its channels, and the prober, count together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from forwarder.relay.process import Process
from simulator import CameraConfig
from vonggac.events.inventory import CameraV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.worker.conftest import Inventory, Statuses

type StartForwarder = Callable[..., Awaitable[Process]]
LOGIN = {"auth": "digest", "username": "viewer", "password": "s3cret-Xem"}


def channels(planner: Planner, sim: Any, count: int, password: str) -> list[CameraV1]:
    """Plans for the channels of one recorder."""
    recorder = sim.cameras["gate"]
    secret = planner.seal("viewer", password)
    return [planner.camera(sim, url=f"{recorder.url()}?channel={number}", secret=secret) for number in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_wrong_password_for_many_channels_costs_two_logins_and_locks_nothing(
    simulate: StartSimulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    statuses: Statuses,
    make_gate: Callable[..., CameraConfig],
    workers: int,
) -> None:
    async with simulate(cameras=[make_gate(**LOGIN)]) as sim:
        recorder = sim.cameras["gate"]
        await recorder.set_fault("auth_lockout", logins=4, for_s=60.0)
        for _ in range(workers):
            await start_forwarder()
        cameras = channels(planner, sim, 6, "wrong-Xem")
        for camera in cameras:
            await inventory.say(camera)

        async def all_wait() -> bool:
            told = [one for camera in cameras for one in await statuses.of(camera)]
            return len(told) == sum(len(camera.deliveries) for camera in cameras) and all(
                one.cause == "auth_failed" for one in told
            )

        await eventually(all_wait, within_s=20)
        # Two workers may each have tried once more before they heard of each other.
        assert 2 <= recorder.logins_failed <= 1 + workers
        assert not recorder.login_locked
        right = planner.camera(sim)
        await inventory.say(right)
        await statuses.become(right, "acknowledged", "acknowledged")
