"""A killed nats-server and a killed prober: probes go on, and nothing observed is lost. NATS is this module's own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from nats.js.api import ConsumerConfig

from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.events.prober import Verdict
from vonggac.testing import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def nats_server(servers_folder: Path) -> Iterator[NatsServer]:
    port = free_port()
    server = NatsServer(servers_folder / f"nats-{port}", port)
    server.start()
    yield server
    server.stop()


async def probes_stored(bus: Bus, camera_id: UUID) -> int:
    info = await bus.js.stream_info(topology.OBSERVATIONS, subjects_filter=subjects.camera_observation(camera_id))
    return sum((info.state.subjects or {}).values())


async def test_a_killed_nats_server_stops_no_probes_and_loses_none(
    nats_server: NatsServer, bus: Bus, simulate: Any, planner: Any, start_prober: Any
) -> None:
    sim = await simulate(*({"id": f"gate-{number}"} for number in range(4)))
    cameras = {}
    for gate in sim.cameras.values():
        cameras[gate.id] = await planner.camera(gate.url(), probe_interval_s=0.3)
    prober = await start_prober(max_concurrent_probes=8, measure_window_s=0.3)
    for gate in sim.cameras.values():
        await eventually(lambda gate=gate: gate.sessions_total >= 2)  # type: ignore[misc]
    nats_server.kill()
    await eventually(lambda: not bus.connected)
    await eventually(lambda: prober.process.probes_running == 0)
    nats_server.start()
    before = {gate.id: gate.sessions_total for gate in sim.cameras.values()}
    for gate in sim.cameras.values():
        await eventually(lambda gate=gate: gate.sessions_total >= before[gate.id] + 3, within_s=60)  # type: ignore[misc]
    await prober.stop()
    for gate in sim.cameras.values():
        assert await probes_stored(bus, cameras[gate.id].id) == gate.sessions_total


@asynccontextmanager
async def child(nats_url: str, keys_folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m prober`, in a process of its own."""
    environment = {
        "VONGGAC_PROBER_NATS_URL": nats_url,
        "VONGGAC_PROBER_PORT": "0",
        "VONGGAC_PROBER_WORKERS_PRIVATE_KEY_FILE": str(keys_folder / WORKERS_PRIVATE),
        "VONGGAC_PROBER_JWKS_FILE": str(keys_folder / JWKS),
        "VONGGAC_PROBER_ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prober", env=os.environ | environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_killed_probers_job_is_taken_by_another(
    nats_server: NatsServer, bus: Bus, keys_folder: Path, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    # Half a minute in production; here the server shall not make the test wait for it.
    quick = ConsumerConfig(durable_name=topology.PROBER, ack_wait=3.0, max_ack_pending=-1)
    await bus.js.add_consumer(topology.PROBE_JOBS, quick)
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("no_media")
    async with child(nats_server.url, keys_folder) as killed:
        camera = await planner.camera(gate.url(), probe_timeout_s=30.0)
        await eventually(lambda: gate.sessions == 1, within_s=20)
        killed.kill()
        await killed.wait()
    await gate.clear_fault()
    other = await start_prober()
    observation = await observed.observation(camera.id, within_s=10)
    assert (observation.verdict, observation.worker_id) == (Verdict.UP, other.process.worker_id)
    assert len(observed.observations) == 1


async def test_a_prober_that_is_published_to_stop_ends_well(
    nats_server: NatsServer, keys_folder: Path, simulate: Any, planner: Any, observed: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    async with child(nats_server.url, keys_folder) as process:
        camera = await planner.camera(gate.url())
        await observed.observation(camera.id, within_s=20)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            assert await process.wait() == 0


async def test_a_prober_without_its_key_says_so_and_does_not_start(nats_server: NatsServer, tmp_path: Path) -> None:
    async with child(nats_server.url, tmp_path) as process:
        async with asyncio.timeout(20):
            assert await process.wait() == 1
