"""Several worker processes in one pod: they share the cameras, and one that dies costs seconds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from asgi_lifespan import LifespanManager
from prometheus_client import CollectorRegistry, Counter, Gauge

from forwarder.app import create_app
from forwarder.relay.processes.link import Asker, Link, LinkError, serve
from forwarder.relay.processes.merging import Merged, families_of
from forwarder.relay.processes.pool import Pool
from forwarder.settings import Settings
from simulator import CameraConfig
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bus
from vonggac.embedded import NatsServer
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory

CAMERAS = 6
TAKE_OVER_WITHIN_S = 5.0

type StartPool = Callable[[], Any]


@pytest.fixture
def start_pool(nats_server: NatsServer, keys_folder: Path, bus: Bus, token_for: Callable[[Role], str]) -> StartPool:
    """`async with start_pool() as (client, pool)`: the whole service with two worker processes, asked by a reader."""
    assert bus.connected
    settings = Settings(
        nats_url=nats_server.url,
        workers_private_key_file=keys_folder / WORKERS_PRIVATE,
        jwks_file=keys_folder / JWKS,
        allowed_networks=("127.0.0.0/8",),
        workers=2,
    )

    @asynccontextmanager
    async def start() -> AsyncIterator[tuple[httpx.AsyncClient, Pool]]:
        app = create_app(settings, on_death=lambda: pytest.fail("the forwarder died"))
        async with LifespanManager(app, startup_timeout=10, shutdown_timeout=30):
            headers = {"Authorization": f"Bearer {token_for(Role.READER)}"}
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://forwarder", headers=headers) as asked:
                await eventually(lambda: _is_ready(asked), within_s=20)
                yield asked, app.state.process

    return start


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == httpx.codes.OK


async def _deliveries(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get("/v1/deliveries")).json()["items"]
    return items


async def _all_acknowledged(client: httpx.AsyncClient) -> bool:
    items = await _deliveries(client)
    return len(items) == 2 * CAMERAS and all(item["state"] == "acknowledged" and item["live"] for item in items)


def _metric(text: str, name: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


async def test_two_processes_share_the_cameras_and_one_that_is_killed_costs_seconds(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_pool: StartPool,
) -> None:
    cameras = [make_gate(id=f"gate-{number}") for number in range(CAMERAS)]
    async with simulate(cameras=cameras) as sim, start_pool() as (client, pool):
        for camera in cameras:
            await inventory.say(planner.camera(sim, camera.id))
        await eventually(lambda: _all_acknowledged(client), within_s=30)
        holders = {item["worker_id"] for item in await _deliveries(client)}
        text = (await client.get("/metrics")).text
        assert len(holders) == 2
        assert _metric(text, "vonggac_forwarder_cameras_held ") == CAMERAS
        assert _metric(text, "vonggac_forwarder_worker_processes ") == 2
        assert _metric(text, "vonggac_forwarder_delivery_state{") == 2 * CAMERAS

        passed_on = _metric(text, "vonggac_forwarder_jobs_passed_on_total ")
        os.kill(pool.children[0].process.pid, signal.SIGKILL)

        def taken_over() -> bool:
            found = [stream for centre in sim.centres.values() for stream in centre.streams.values()]
            return sum(stream.sessions for stream in found) > 2 * CAMERAS and all(stream.live for stream in found)

        await eventually(taken_over, within_s=15)
        await eventually(lambda: _all_acknowledged(client), within_s=15)
        gaps = [gap for centre in sim.centres.values() for stream in centre.streams.values() for gap in stream.gaps_s]
        assert gaps
        assert max(gaps) <= TAKE_OVER_WITHIN_S
        await eventually(lambda: _is_ready(client), within_s=15)
        text = (await client.get("/metrics")).text
        assert _metric(text, "vonggac_forwarder_worker_process_restarts_total ") == 1
        assert _metric(text, "vonggac_forwarder_jobs_passed_on_total ") >= passed_on


async def test_a_process_that_hangs_is_not_told_of_as_if_it_did_not(
    simulate: StartSimulator,
    make_gate: Callable[..., CameraConfig],
    planner: Planner,
    inventory: Inventory,
    start_pool: StartPool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("forwarder.relay.processes.pool.ANSWER_WITHIN_S", 0.5)
    cameras = [make_gate(id=f"gate-{number}") for number in range(CAMERAS)]
    async with simulate(cameras=cameras) as sim, start_pool() as (client, pool):
        for camera in cameras:
            await inventory.say(planner.camera(sim, camera.id))
        await eventually(lambda: _all_acknowledged(client), within_s=30)
        counted = _metric((await client.get("/metrics")).text, "vonggac_forwarder_delivery_sessions_total{")
        hanging = pool.children[0].process.pid
        os.kill(hanging, signal.SIGSTOP)
        try:
            # Before the other one has taken its cameras over: that needs seconds.
            text = (await client.get("/metrics")).text
        finally:
            os.kill(hanging, signal.SIGCONT)
        held = _metric(text, "vonggac_forwarder_cameras_held ")
        assert 0 < held < CAMERAS
        assert _metric(text, "vonggac_forwarder_delivery_state{") == 2 * held
        assert _metric(text, "vonggac_forwarder_delivery_sessions_total{") == counted


async def test_an_orderly_stop_ends_every_process_and_every_session(
    simulate: StartSimulator, planner: Planner, inventory: Inventory, start_pool: StartPool
) -> None:
    async with simulate() as sim:
        async with start_pool() as (client, pool):
            camera = planner.camera(sim)
            await inventory.say(camera)

            async def both() -> bool:
                return [item["state"] for item in await _deliveries(client)] == ["acknowledged"] * 2

            await eventually(both, within_s=20)
            pids = [child.process.pid for child in pool.children.values()]
        assert len(pids) == 2
        assert not any(psutil.pid_exists(pid) for pid in pids)
        await eventually(lambda: sim.cameras["gate"].sessions == 0, within_s=2)
        assert not any(centre.streams["gate"].live for centre in sim.centres.values())


async def test_children_of_a_killed_parent_hand_over_and_end(
    environment: dict[str, str], bus: Bus, spawn_forwarder: Callable[[], subprocess.Popen[bytes]]
) -> None:
    assert bus.connected
    environment["VONGGAC_FORWARDER_WORKERS"] = "2"
    parent = spawn_forwarder()
    children: list[psutil.Process] = []

    def both_run() -> bool:
        children[:] = psutil.Process(parent.pid).children()
        return len(children) == 2

    await eventually(both_run, within_s=20)
    # Settings hold passwords: neither arguments nor anything else that others can read has them.
    assert all(word.isascii() and "nats://" not in word for child in children for word in child.cmdline())
    parent.kill()
    await eventually(lambda: not any(_runs(child) for child in children), within_s=20)


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _registry(held: int, counted: int, camera: str) -> CollectorRegistry:
    registry = CollectorRegistry()
    Gauge("held", "Held.", registry=registry).set(held)
    Counter("jobs", "Jobs.", registry=registry).inc(counted)
    Counter("given", "Given.", ["way"], registry=registry).labels("prepared").inc(counted)
    Gauge("live", "Live.", ["camera_id"], registry=registry).labels(camera).set(1)
    return registry


def _told(registry: CollectorRegistry) -> list[Any]:
    # As it comes over the link.
    told: list[Any] = json.loads(json.dumps(families_of(registry)))
    return told


def test_what_is_of_a_camera_keeps_its_labels_and_everything_else_is_summed() -> None:
    merged = Merged()
    merged.take(0, _told(_registry(held=3, counted=5, camera="a")))
    merged.take(1, _told(_registry(held=4, counted=7, camera="b")))
    value = merged.registry.get_sample_value
    assert value("held") == 7
    assert value("jobs_total") == 12
    assert value("given_total", {"way": "prepared"}) == 12
    assert (value("live", {"camera_id": "a"}), value("live", {"camera_id": "b"})) == (1, 1)


def test_a_camera_that_changes_hands_is_not_counted_twice() -> None:
    merged = Merged()
    for child in (0, 1):
        merged.take(child, _told(_registry(held=1, counted=0, camera="a")))
    assert merged.registry.get_sample_value("live", {"camera_id": "a"}) == 1


def test_a_counter_does_not_fall_when_a_child_is_gone_and_gauges_do() -> None:
    merged = Merged()
    merged.take(0, _told(_registry(held=3, counted=5, camera="a")))
    merged.take(1, _told(_registry(held=4, counted=7, camera="b")))
    merged.gone(0)
    value = merged.registry.get_sample_value
    assert value("jobs_total") == 12
    assert value("given_total", {"way": "prepared"}) == 12
    assert value("held") == 4
    assert value("live", {"camera_id": "a"}) is None
    merged.gone(1)
    assert value("jobs_total") == 12
    assert value("given_total", {"way": "prepared"}) == 12
    assert value("held") is None


def test_of_a_child_that_does_not_answer_only_its_counters_stay() -> None:
    merged = Merged()
    told = _told(_registry(held=3, counted=5, camera="a"))
    merged.take(0, told)
    merged.take(1, _told(_registry(held=4, counted=7, camera="b")))
    merged.unanswered(0)
    merged.unanswered(0)
    value = merged.registry.get_sample_value
    assert (value("held"), value("jobs_total")) == (4, 12)
    assert value("live", {"camera_id": "a"}) is None
    merged.take(0, told)
    assert (value("held"), value("jobs_total")) == (7, 12)
    merged.unanswered(0)
    merged.gone(0)
    assert (value("held"), value("jobs_total")) == (4, 12)


async def _linked() -> tuple[Link, Link]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    return await Link.of(ours), await Link.of(theirs)


async def test_answers_find_their_questions_whatever_their_order() -> None:
    ours, theirs = await _linked()
    asker, free = Asker(ours), asyncio.Event()
    listening = asyncio.create_task(asker.run())

    async def big() -> object:
        return "x" * 3_000_000

    async def late() -> object:
        await free.wait()
        return "late"

    serving = asyncio.create_task(serve(theirs, {"big": big, "late": late}))
    with pytest.raises(LinkError, match="no answer to late"):
        await asker.ask("late", within_s=0.05)
    free.set()
    assert await asker.ask("big", within_s=5) == "x" * 3_000_000
    theirs.close()
    await listening
    serving.cancel()
    await asyncio.wait({serving})
    ours.close()


async def test_a_question_to_a_process_that_ends_fails_at_once() -> None:
    ours, theirs = await _linked()
    asker = Asker(ours)
    listening = asyncio.create_task(asker.run())
    asking = asyncio.create_task(asker.ask("check", within_s=60))
    await theirs.receive()
    theirs.close()
    with pytest.raises(LinkError, match="gone"):
        await asking
    await listening
    ours.close()
