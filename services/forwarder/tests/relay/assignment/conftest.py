"""Forwarders on a real NATS: in this process, or as processes of their own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from forwarder.metrics import Metrics
from forwarder.relay.service import Process
from forwarder.relay.supervision.context import RelayContext
from forwarder.settings import Settings
from simulator import Simulator
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE
from vonggac.bus import Bucket, Bus, ServerClock
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import decode, new_event, subjects
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1, ForwarderAliveV1, KeyframeHistory
from vonggac.events.inventory import CameraV1, PlannedDelivery, RemovedV1
from vonggac.events.prober import DeliveryVerifiedV1, PictureJudged, VerificationVerdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner


class Inventory:
    """Publishes what the real one would."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def publish(self, camera: CameraV1) -> None:
        await self._publish(camera, camera.id)

    async def remove(self, camera: CameraV1) -> None:
        now = datetime.now(UTC)
        await self._publish(RemovedV1(id=camera.id, noun="camera", revision=9, removed_at=now), camera.id)

    async def _publish(self, data: CameraV1 | RemovedV1, camera_id: UUID) -> None:
        event = new_event(data, source="/inventory", subject=str(camera_id), time=datetime.now(UTC))
        subject = subjects.inventory("camera", camera_id)
        await self._bus.js.publish(subject, event.encode(), headers={"Nats-Msg-Id": str(uuid4())})


class Statuses:
    """The bucket of delivery states, as others read it."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.DELIVERY_STATUS)

    async def of(self, camera: CameraV1) -> list[DeliveryObservedV1]:
        """In the order of the plan's deliveries, those that are known."""
        values = [await self._bucket.get(str(delivery.id)) for delivery in camera.deliveries]
        return [DeliveryObservedV1.model_validate_json(value) for value in values if value]

    async def become(self, camera: CameraV1, *words: str) -> list[DeliveryObservedV1]:
        """Wait until these are the states, in the order of the plan's deliveries."""

        async def seen() -> list[DeliveryObservedV1]:
            observed = await self.of(camera)
            assert [one.state.value for one in observed] == list(words)
            return observed

        reached: list[DeliveryObservedV1] = await eventually(seen, within_s=15)
        return reached

    async def words(self, camera: CameraV1) -> list[str]:
        return [observed.state.value for observed in await self.of(camera)]


class Asker:
    """The prober's side."""

    def __init__(self, bus: Bus, prober_bus: Bus) -> None:
        self._bus, self._prober_bus = bus, prober_bus

    async def keyframe(self, camera: CameraV1, *, within_s: str = "") -> Msg:
        return await self._prober_bus.client.request(subjects.camera_keyframe(camera.id), within_s.encode(), timeout=8)

    async def hash_keyframes(self, camera: CameraV1, body: object) -> Msg:
        subject = subjects.camera_hash_keyframes(camera.id)
        return await self._prober_bus.client.request(subject, json.dumps(body).encode(), timeout=5)

    async def judge(self, camera: CameraV1, cause: Cause) -> None:
        """Say what a prober found of the camera's picture; the holder has read it when this returns."""
        judged = PictureJudged(captured_at=datetime.now(UTC), cause=cause)
        subject = subjects.camera_picture_judged(camera.id)
        await self._prober_bus.client.publish(subject, judged.model_dump_json().encode())
        # Read in the order of their coming.
        await self.hash_keyframes(camera, {"seconds": 0})

    async def history(self, camera: CameraV1) -> KeyframeHistory:
        value = await Bucket(self._bus, topology.KEYFRAMES).get(str(camera.id))
        assert value
        return KeyframeHistory.model_validate_json(value)

    async def history_of(self, camera: CameraV1, at_least: int) -> KeyframeHistory:
        history = await self.history(camera)
        assert len(history.keyframes) >= at_least
        return history

    async def publish_finding(
        self, camera: CameraV1, delivery: PlannedDelivery, verdict: VerificationVerdict, **changes: object
    ) -> None:
        """Publish a finding as the prober does: into OBSERVATIONS, or to the camera's holder alone if it is no fact."""
        now = datetime.now(UTC)
        fields: dict[str, object] = {
            "delivery_id": delivery.id,
            "camera_id": camera.id,
            "destination_id": delivery.destination_id,
            "camera_revision": camera.revision,
            "worker_id": "prober-1",
            "observed_at": now,
            "verdict": verdict,
            "interval_s": 60.0,
            "duration_ms": 10.0,
        }
        finding = DeliveryVerifiedV1.model_validate(fields | changes)
        event = new_event(finding, source="/prober/prober-1", subject=str(delivery.id), time=now)
        if finding.is_fact:
            await self._bus.js.publish(subjects.delivery_verification(camera.id, delivery.id), event.encode())
        else:
            await self._prober_bus.client.publish(subjects.camera_read_back(camera.id), event.encode())


@pytest.fixture
def asker(bus: Bus, prober_bus: Bus) -> Asker:
    return Asker(bus, prober_bus)


@pytest.fixture
def inventory(bus: Bus) -> Inventory:
    return Inventory(bus)


@pytest.fixture
def statuses(bus: Bus) -> Statuses:
    return Statuses(bus)


@dataclass(frozen=True)
class Observations:
    """What forwarders publish of deliveries and of themselves, in its order; both lists grow."""

    facts: list[DeliveryObservedV1]
    beats: list[ForwarderAliveV1]


@pytest_asyncio.fixture
async def observations(bus: Bus) -> Observations:
    heard = Observations([], [])

    async def take(message: Msg) -> None:
        data = decode(message.data).data
        if isinstance(data, DeliveryObservedV1):
            heard.facts.append(data)
        elif isinstance(data, ForwarderAliveV1):
            heard.beats.append(data)

    await bus.js.subscribe(subjects.OBSERVATIONS, cb=take, ordered_consumer=True)
    return heard


@pytest.fixture
def environment(nats_server: NatsServer, keys_folder: Path) -> dict[str, str]:
    """Settings of a forwarder on the test's NATS, as environment variables."""
    prefix = "VONGGAC_FORWARDER_"
    settings = {
        "NATS_URL": nats_server.url,
        "NATS_USER": "forwarder",
        "NATS_PASSWORD_FILE": str(nats_server.password_file("forwarder")),
        "WORKERS_PRIVATE_KEY_FILE": str(keys_folder / WORKERS_PRIVATE),
        "JWKS_FILE": str(keys_folder / JWKS),
        "ALLOWED_NETWORKS": "127.0.0.0/8",
    }
    return {prefix + name: value for name, value in settings.items()}


async def _ready(process: Process) -> bool:
    return await process.check() is None


_LIMITS = {field.name for field in fields(RelayContext)}
type StartForwarder = Callable[..., Awaitable[Process]]


@pytest_asyncio.fixture
async def start_forwarder(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StartForwarder]:
    """Run a forwarder in this process; keywords are settings, or limits of its context. At the end all are stopped."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    running: list[tuple[Process, asyncio.Task[None]]] = []

    async def start(*, until_ready: bool = True, clock: ServerClock | None = None, **changes: object) -> Process:
        limits = {"connect_deadline_s": 2.0} | {name: changes.pop(name) for name in _LIMITS & changes.keys()}
        process = Process(
            Settings.model_validate(Settings().model_dump() | changes),
            Metrics(),
            clock,
            adjust=lambda context: replace(context, **limits),  # type: ignore[arg-type]
        )
        running.append((process, asyncio.create_task(process.run())))
        if until_ready:
            await eventually(lambda: _ready(process))
        return process

    yield start
    for process, _ in running:
        process.stop()
    await asyncio.gather(*(task for _, task in running))


@dataclass(frozen=True, slots=True)
class Scene:
    """A simulated camera and its centres, what a forwarder is given of them and what it says."""

    sim: Simulator
    planner: "Planner"
    inventory: Inventory
    statuses: Statuses
    asker: Asker
    start: StartForwarder

    def plan(self, camera_id: str = "gate", **changes: object) -> CameraV1:
        """A camera delivered to every centre, under its own name."""
        return self.planner.camera(self.sim, camera_id, **changes)

    def plan_delivery(self, centre_id: str, path: str, **changes: object) -> PlannedDelivery:
        return self.planner.delivery(self.sim, centre_id, path, **changes)

    async def publish(self, camera_id: str = "gate", **changes: object) -> CameraV1:
        """Plan a camera for every centre, and publish it as inventory does."""
        camera = self.plan(camera_id, **changes)
        await self.inventory.publish(camera)
        return camera

    async def become(self, camera: CameraV1, *words: str) -> list[DeliveryObservedV1]:
        """Wait until these are the states, in the order of the plan's deliveries."""
        return await self.statuses.become(camera, *words)

    async def forward(self) -> tuple[Process, CameraV1]:
        """Start a forwarder; the camera that it holds is acknowledged at both centres."""
        forwarder = await self.start()
        camera = await self.publish()
        await self.become(camera, "acknowledged", "acknowledged")
        return forwarder, camera


@pytest.fixture
def scene(
    sim: Simulator,
    planner: "Planner",
    inventory: Inventory,
    statuses: Statuses,
    asker: Asker,
    start_forwarder: StartForwarder,
) -> Scene:
    return Scene(sim, planner, inventory, statuses, asker, start_forwarder)


@pytest.fixture
def spawn_forwarder(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Run `python -m forwarder` with settings; what still runs at the end is killed. Logs go to the test's folder."""
    children: list[subprocess.Popen[bytes]] = []

    def spawn(**settings: object) -> subprocess.Popen[bytes]:
        own = {f"VONGGAC_FORWARDER_{name.upper()}": str(value) for name, value in settings.items()}
        with (tmp_path / f"forwarder-{len(children)}.log").open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "forwarder"],
                env={**os.environ, **environment, "VONGGAC_FORWARDER_PORT": str(free_port()), **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.kill()
        child.wait()
