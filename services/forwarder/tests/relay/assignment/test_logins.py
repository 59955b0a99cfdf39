"""A recorder with one wrong password: its channels, and the prober, count together."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.domain.camera_pull import PullLimits
from forwarder.relay.service import Process
from simulator import CameraConfig, Simulator
from vonggac.auth import Credentials, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events.inventory import CameraV1
from vonggac.logins.attempt import Logins, device_address
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.testing import eventually
from vonggac.testing.rtsp import ScriptedPeer, reply

if TYPE_CHECKING:
    from pathlib import Path

    from services.forwarder.tests.conftest import Planner, StartSimulator
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Scene, Statuses
    from services.forwarder.tests.relay.conftest import RtmpServer

type StartForwarder = Callable[..., Awaitable[Process]]
pytestmark = pytest.mark.usefixtures("patient_logins")
LOGIN = {"auth": "digest", "username": "viewer", "password": "s3cret-Xem"}


@pytest_asyncio.fixture
async def sim(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    """One camera that asks for a login, and two centres."""
    async with simulate(cameras=[make_gate(**LOGIN)]) as running:
        yield running


def channels(planner: Planner, sim: Any, count: int, password: str) -> list[CameraV1]:
    """Plans for the channels of one recorder."""
    recorder = sim.cameras["gate"]
    secret = planner.seal("viewer", password)
    return [planner.camera(sim, url=f"{recorder.url()}?channel={number}", secret=secret) for number in range(count)]


async def all_wait(statuses: Statuses, cameras: list[CameraV1], cause: str = "auth_failed") -> None:
    async def refused() -> bool:
        observed = [one for camera in cameras for one in await statuses.of(camera)]
        return len(observed) == sum(len(camera.deliveries) for camera in cameras) and all(
            one.cause == cause for one in observed
        )

    await eventually(refused, within_s=20)


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
    async with simulate(cameras=[make_gate(**LOGIN, answer_delay_s=0.1)]) as sim:
        recorder = sim.cameras["gate"]
        await recorder.set_fault("auth_lockout", logins=4, for_s=60.0)
        for _ in range(workers):
            await start_forwarder()
        cameras = channels(planner, sim, 6, "wrong-Xem")
        for camera in cameras:
            await inventory.publish(camera)
        await all_wait(statuses, cameras)
        assert recorder.logins_failed == 2
        assert not recorder.login_locked
        right = planner.camera(sim)
        await inventory.publish(right)
        await statuses.become(right, "acknowledged", "acknowledged")


@pytest.mark.parametrize(
    ("path", "failed"), [("/live", 0), ("/user={username}&password={password}", 1)], ids=["not sent", "in the address"]
)
async def test_only_a_login_that_was_sent_counts(
    bus: Bus,
    simulate: StartSimulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    statuses: Statuses,
    path: str,
    failed: int,
) -> None:
    unknown = [("WWW-Authenticate", 'Digest realm="camera", nonce="1", algorithm=SHA-999')]
    async with simulate() as sim, ScriptedPeer(lambda _: reply(401, unknown)) as peer:
        await start_forwarder()
        secret = planner.seal("viewer", "s3cret-Xem")
        camera = planner.camera(sim, url=f"rtsp://127.0.0.1:{peer.port}{path}", secret=secret)
        await inventory.publish(camera)
        await all_wait(statuses, [camera])
        assert len(await Bucket(bus, topology.LOGIN_FAILURES).all()) == failed


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_password_that_is_changed_at_a_recorder_costs_two_logins_however_many_channels_play(
    simulate: StartSimulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    statuses: Statuses,
    make_gate: Callable[..., CameraConfig],
    workers: int,
) -> None:
    async with simulate(cameras=[make_gate(**LOGIN, max_sessions=20, answer_delay_s=0.1)]) as sim:
        recorder = sim.cameras["gate"]
        for _ in range(workers):
            await start_forwarder()
        # All play the recorder's one channel: it is its account that counts.
        cameras = [planner.camera(sim, code=f"gate-{number}") for number in range(12)]
        for camera in cameras:
            await inventory.publish(camera)
        await eventually(lambda: recorder.sessions == 12, within_s=20)
        assert recorder.logins_failed == 0
        await recorder.set_fault("auth")
        # It took the login a moment ago: as in the prober, that may be its sessions or a new password.
        await all_wait(statuses, cameras, "session_limit")
        assert recorder.logins_failed == 2


async def test_a_camera_that_refuses_the_login_it_took_may_be_full_and_is_tried_once_more_soon(scene: Scene) -> None:
    gate = scene.sim.cameras["gate"]
    await scene.start(pull_limits=PullLimits(suspect_backoff_s=1.0))
    camera = await scene.publish()
    await scene.become(camera, "acknowledged", "acknowledged")
    await gate.set_fault("auth")
    await all_wait(scene.statuses, [camera], "session_limit")
    [observed, _] = await scene.statuses.of(camera)
    assert "took this login before" in (observed.detail or "")
    await gate.clear_fault()
    await scene.become(camera, "acknowledged", "acknowledged")
    assert gate.logins_failed == 1


async def test_a_login_that_rests_is_tried_when_its_rest_is_over_and_not_half_an_hour_later(
    bus: Bus, keys_folder: Path, scene: Scene
) -> None:
    camera = scene.plan()
    device = device_address(camera.url)
    unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
    login = unsealer.fingerprint(f"{device.host}:{device.port}", Credentials("viewer", "s3cret-Xem"))
    # It failed twice, and a worker takes the camera when all but some seconds of the half hour are over.
    last_at = datetime.now(UTC) - timedelta(seconds=1800 - 8)
    record = json.dumps({"failed": 2, "last_at": last_at.isoformat()})
    await Bucket(bus, topology.LOGIN_FAILURES).put(login, record.encode())
    await scene.start()
    await scene.inventory.publish(camera)
    await all_wait(scene.statuses, [camera])
    [observed, _] = await scene.statuses.of(camera)
    assert observed.next_attempt_at is not None
    assert observed.next_attempt_at - datetime.now(UTC) < timedelta(seconds=10)
    await scene.become(camera, "acknowledged", "acknowledged")
    assert scene.sim.cameras["gate"].logins_failed == 0


async def test_a_camera_that_refused_the_login_for_a_moment_is_tried_when_another_worker_has_logged_in(
    bus: Bus, keys_folder: Path, scene: Scene
) -> None:
    camera = scene.plan()
    # Some cameras answer 401 while they start, and others while sessions that are gone count still.
    await scene.sim.cameras["gate"].set_fault("auth")
    await scene.start()
    await scene.inventory.publish(camera)
    await all_wait(scene.statuses, [camera])
    await scene.sim.cameras["gate"].clear_fault()
    failures = Bucket(bus, topology.LOGIN_FAILURES)
    [login] = await failures.all()
    guard = LoginGuard(Outgoing(bus), failures, rests=LoginRests(1800.0))
    probing = Logins(guard, Unsealer.from_file(keys_folder / WORKERS_PRIVATE))
    async with probing.attempt(login) as attempt:
        assert attempt.granted
        attempt.accept()
    await scene.become(camera, "acknowledged", "acknowledged")
    assert scene.sim.cameras["gate"].logins_failed == 1


async def test_a_login_that_another_process_saw_taken_is_not_blamed_on_its_password_at_the_first_refusal(
    bus: Bus, keys_folder: Path, scene: Scene
) -> None:
    camera = scene.plan()
    guard = LoginGuard(Outgoing(bus), Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(1800.0))
    probing = Logins(guard, Unsealer.from_file(keys_folder / WORKERS_PRIVATE))
    async with probing.attempt(probing.login_of(camera.url, Credentials("viewer", "s3cret-Xem"))) as attempt:
        attempt.accept(needed=True)
    await scene.sim.cameras["gate"].set_fault("auth")
    await scene.start(pull_limits=PullLimits(suspect_backoff_s=60.0))
    await scene.inventory.publish(camera)
    await all_wait(scene.statuses, [camera], "session_limit")


class WebDevice:
    """A recorder that is asked by HTTP: it wants Basic, and takes `password` alone."""

    def __init__(self, password: str) -> None:
        self.refused = self.taken = 0
        self._good = "Basic " + b64encode(f"viewer:{password}".encode()).decode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        login = re.search(r"\r\nAuthorization: ([^\r]+)", request)
        self.refused += login is not None and login[1] != self._good
        self.taken += login is not None and login[1] == self._good
        if login is not None and login[1] == self._good:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="d"\r\nContent-Length: 0\r\n\r\n')
        writer.close()


@pytest.mark.parametrize("path", ["live.ts", "live.m3u8"])
async def test_a_wrong_password_for_many_channels_by_http_costs_two_logins(scene: Scene, path: str) -> None:
    device = WebDevice("another")
    async with await asyncio.start_server(device.answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await scene.start()
        urls = [f"http://127.0.0.1:{port}/{number}/{path}" for number in range(6)]
        cameras = [scene.plan(url=url, secret=scene.planner.seal("viewer", "s3cret-Xem", url)) for url in urls]
        for camera in cameras:
            await scene.inventory.publish(camera)
        await all_wait(scene.statuses, cameras)
        assert device.refused == 2


async def test_a_password_by_http_that_worked_before_is_no_wrong_one_at_its_first_refusal(scene: Scene) -> None:
    device = WebDevice("s3cret-Xem")
    async with await asyncio.start_server(device.answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/live.ts"
        await scene.start(pull_limits=PullLimits(suspect_backoff_s=60.0))
        camera = await scene.publish(url=url, secret=scene.planner.seal("viewer", "s3cret-Xem", url))
        await eventually(lambda: device.taken)
        device._good = "changed"
        await all_wait(scene.statuses, [camera], "session_limit")
        assert device.refused == 1


async def test_a_wrong_password_for_many_channels_by_rtmp_costs_two_logins(
    scene: Scene, rtmp_server: RtmpServer
) -> None:
    refused = 0

    def ask(about: dict[str, Any]) -> str:
        nonlocal refused
        if "user=" not in about["app"]:
            return "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : "
        if "response=" not in about["app"]:
            return "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=viewer&salt=c2FsdA&opaque=b3Bh"
        refused += 1
        return "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed"

    rtmp_server.refuse_connect = ask
    await scene.start()
    urls = [rtmp_server.url(f"gate-{number}") for number in range(6)]
    cameras = [scene.plan(url=url, secret=scene.planner.seal("viewer", "s3cret-Xem", url)) for url in urls]
    for camera in cameras:
        await scene.inventory.publish(camera)
    await all_wait(scene.statuses, cameras)
    assert refused == 2
