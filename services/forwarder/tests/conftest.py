"""What the forwarder's tests share: simulated cameras and centres, plans, and relays that record what they say."""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from forwarder.domain.camera_pull import PullLimits
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Limits
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CameraConfig, CentreConfig, Simulator, SimulatorConfig
from vonggac.auth import Sealer, Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing.secrets import seal

type StartSimulator = Callable[..., AbstractAsyncContextManager[Simulator]]


@dataclass(frozen=True)
class Said:
    """One reported state."""

    destination_id: UUID
    state: DeliveryState
    cause: str | None
    attempt: int
    detail: str | None = None


@dataclass
class Recorder:
    """Takes what a relay says of its deliveries."""

    said: list[Said] = field(default_factory=list)

    def __call__(self, _relay: CameraRelay, supervisor: DeliverySupervisor) -> None:
        delivery = supervisor.delivery
        cause = delivery.cause.value if delivery.cause else None
        self.said.append(Said(supervisor.plan.destination_id, delivery.state, cause, delivery.attempt, delivery.detail))

    def states(self, destination_id: UUID) -> list[DeliveryState]:
        return [said.state for said in self.said if said.destination_id == destination_id]

    def detail(self, destination_id: UUID) -> str | None:
        """The latest."""
        return [said.detail for said in self.said if said.destination_id == destination_id][-1]


class Planner:
    """Makes plans for simulated devices. Destination ids are stable per centre."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self.destinations: dict[str, UUID] = {}

    def seal(self, username: str, password: str, *urls: str) -> str:
        """For these addresses; without any, a box as earlier releases made them."""
        return seal(self._sealer, username, password, *urls)

    def destination(self, centre_id: str) -> UUID:
        return self.destinations.setdefault(centre_id, uuid4())

    def delivery(self, sim: Simulator, centre_id: str, path: str, **changes: Any) -> PlannedDelivery:
        centre = sim.centres[centre_id]
        url = str(changes.get("url", centre.stream_url(path)))
        secret = self.seal(centre.config.username, centre.config.password.get_secret_value(), url)
        planned = PlannedDelivery(
            id=uuid4(),
            destination_id=self.destination(centre_id),
            destination_code=centre_id,
            url=centre.stream_url(path),
            secret=secret if centre.config.auth != "none" else None,
        )
        return planned.model_copy(update=changes)

    def camera(self, sim: Simulator, camera_id: str = "gate", **changes: Any) -> CameraV1:
        """A camera delivered to every centre of the simulator, under its own name."""
        camera = sim.cameras[camera_id]
        url = str(changes.get("url", camera.url()))
        secret = self.seal(camera.config.username, camera.config.password.get_secret_value(), url)
        planned = CameraV1(
            id=uuid4(),
            revision=1,
            changed_at=datetime.now(UTC),
            code=camera_id,
            name=camera_id,
            facility_id=uuid4(),
            enabled=True,
            url=camera.url(),
            secret=secret if camera.config.auth != "none" else None,
            probe_interval_s=60,
            probe_timeout_s=10,
            deliveries=tuple(self.delivery(sim, centre, camera_id) for centre in sim.centres),
        )
        return planned.model_copy(update=changes)


@pytest.fixture
def planner(keys_folder: Path) -> Planner:
    return Planner(Sealer.from_file(keys_folder / WORKERS_PUBLIC))


@pytest.fixture
def context(keys_folder: Path) -> RelayContext:
    """Real clocks and real chance; limits short enough to be waited for."""
    return RelayContext(
        now=lambda: Instant(datetime.now(UTC), time.monotonic()),
        chance=random.random,
        unsealer=Unsealer.from_file(keys_folder / WORKERS_PRIVATE),
        allowed=AllowedNetworks.parse(["127.0.0.0/8"]),
        limits=Limits(silent_s=2.0, keyframe_s=4.0, stall_s=2.0, drop_s=5.0, good_s=60.0, refused_retry_s=300.0),
        pull_limits=PullLimits(),
        connect_deadline_s=2.0,
        media_timeout_s=4.0,
    )


@pytest.fixture
def simulate(clips_folder: Path) -> StartSimulator:
    """`async with simulate(cameras=[…], centres=[…])`; by default one camera "gate" and two centres."""

    @asynccontextmanager
    async def start(
        cameras: list[CameraConfig] | None = None, centres: list[CentreConfig] | None = None
    ) -> AsyncIterator[Simulator]:
        config = SimulatorConfig(
            cameras=cameras if cameras is not None else [gate()],
            centres=centres if centres is not None else [CentreConfig(id=name) for name in ("national", "provincial")],
        )
        async with Simulator(config, cache_folder=clips_folder) as sim:
            yield sim

    return start


def gate(**options: Any) -> CameraConfig:
    return CameraConfig.model_validate(
        {"id": "gate", "number": 1, "width": 320, "height": 180, "bitrate_kbps": 800, "gop_s": 1.0, **options}
    )


@pytest.fixture
def make_gate() -> Callable[..., CameraConfig]:
    """The camera "gate" with other options."""
    return gate


@pytest_asyncio.fixture
async def sim(simulate: StartSimulator) -> AsyncIterator[Simulator]:
    """One camera, two centres."""
    async with simulate() as running:
        yield running


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest_asyncio.fixture
async def relay_of(context: RelayContext, recorder: Recorder) -> AsyncIterator[Callable[..., CameraRelay]]:
    """Start a relay for a plan; it is stopped at the end of the test. Keywords change its context."""
    started: list[CameraRelay] = []

    def start(camera: CameraV1, **changes: Any) -> CameraRelay:
        relay = CameraRelay(camera, replace(context, **changes), recorder)
        started.append(relay)
        relay.start()
        return relay

    yield start
    for relay in started:
        await relay.release(DeliveryState.RELEASED)
