"""Stopping in order, and dying out loud."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from prober.metrics import Metrics
from prober.probes.camera.worker import Worker
from prober.probes.service import Process
from prober.settings import Settings
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import free_port
from vonggac.events.prober import Verdict
from vonggac.http.background import TaskDiedError
from vonggac.testing import eventually


async def test_a_running_probe_is_finished_and_published_before_the_stop(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"})
    await sim.cameras["gate"].set_fault("slow_start", delay_s=0.3)
    prober = await start_prober()
    camera = await planner.camera(sim.cameras["gate"].url())
    await eventually(lambda: prober.process.probes_running)
    await prober.stop()
    assert (await observed.observation(camera.id, within_s=1.0)).verdict is Verdict.UP
    info = await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
    assert info.num_ack_pending == 1


async def test_a_probe_that_is_not_over_in_time_is_given_back(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"})
    await sim.cameras["gate"].set_fault("no_media")
    slow = await start_prober(stop_within_s=0.2)
    camera = await planner.camera(sim.cameras["gate"].url(), probe_timeout_s=8.0)
    await eventually(lambda: slow.process.probes_running)
    began = time.monotonic()
    await slow.stop()
    assert time.monotonic() - began < 4.0
    await sim.cameras["gate"].clear_fault()
    other = await start_prober()
    probe = await observed.observation(camera.id, within_s=5.0)
    assert (probe.verdict, probe.worker_id) == (Verdict.UP, other.process.worker_id)


async def test_a_stop_before_nats_was_ever_there_is_quick(settings: Callable[..., Settings]) -> None:
    process = Process(settings(nats_url=f"nats://127.0.0.1:{free_port()}"), Metrics())
    running = asyncio.create_task(process.run())
    assert await process.check() == "waiting for NATS and its streams"
    process.stop()
    async with asyncio.timeout(5):
        await running


async def test_a_worker_that_dies_takes_the_process_down(
    bus: Bus, settings: Callable[..., Settings], monkeypatch: Any
) -> None:
    async def die(_worker: Worker) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "run", die)
    process = Process(settings(), Metrics())
    running = asyncio.create_task(process.run())
    async with asyncio.timeout(10):
        await asyncio.wait({running})
    died = running.exception()
    assert isinstance(died, TaskDiedError)
    assert isinstance(died.__cause__, ZeroDivisionError)
    assert await process.check() is not None
    assert bus.connected
