"""What tests of serving share: a worker's listener, and a camera that is served to one centre and pushed to another."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio

from forwarder.relay.server.listener import CentreListener, ServedPorts
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.served_delivery import ServedDeliverySupervisor
from simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import PlannedDelivery, ServingPlan, served_url
from vonggac.events.inventory.serving import ServedTls, ServedTransport
from vonggac.logins.check_tickets import PURPOSE
from vonggac.testing.certificates import Authority

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder
    from services.forwarder.tests.relay.server.puller import Puller

PASSWORD = "mat-khau-20-ky-tu-xx"


@dataclass
class Served:
    """A camera that is served, as seen from outside and from within."""

    relay: CameraRelay
    listener: CentreListener
    planned: PlannedDelivery
    certificate: Path
    pullers: list[Puller] = field(default_factory=list)
    """Closed at the end."""

    @property
    def supervisor(self) -> ServedDeliverySupervisor:
        supervisor = self.relay.deliveries[self.planned.id]
        assert isinstance(supervisor, ServedDeliverySupervisor)
        return supervisor

    @property
    def state(self) -> DeliveryState:
        return self.supervisor.delivery.state

    @property
    def cause(self) -> Cause | None:
        return self.supervisor.delivery.cause

    def url(self, *, tls: bool = False, login: str | None = f"ioc:{PASSWORD}", camera: str = "gate") -> str:
        scheme, port = ("rtsps", self.listener.tls_port) if tls else ("rtsp", self.listener.port)
        return f"{scheme}://{f'{login}@' if login else ''}127.0.0.1:{port}/ioc/{camera}"


type StartServing = Callable[..., Served]


class Iterations:
    """How often something happened in each iteration of the event loop, from now on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._iteration = 0
        self._noted: Counter[int] = Counter()
        self._next = self._loop.call_soon(self._count)

    def note(self) -> None:
        self._noted[self._iteration] += 1

    @property
    def total(self) -> int:
        return self._noted.total()

    @property
    def most(self) -> int:
        """In one iteration."""
        return max(self._noted.values(), default=0)

    def stop(self) -> None:
        self._next.cancel()

    def _count(self) -> None:
        self._iteration += 1
        self._next = self._loop.call_soon(self._count)


type CountIterations = Callable[[], Iterations]


@pytest_asyncio.fixture
async def count_iterations() -> AsyncIterator[CountIterations]:
    counting: list[Iterations] = []

    def begin() -> Iterations:
        counting.append(Iterations())
        return counting[-1]

    yield begin
    for one in counting:
        one.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "served.pem"
    path.write_bytes(Authority().issue("127.0.0.1").chain_pem)
    return path


@pytest_asyncio.fixture
async def listener(context: RelayContext, certificate: Path) -> AsyncIterator[CentreListener]:
    ports = ServedPorts("127.0.0.1", 0, 0, certificate, None, range(30000, 31000))
    listening = CentreListener(
        ports,
        now=lambda: datetime.now(UTC),
        bounds=context.bounds,
        budget=context.budget,
        check_key=context.unsealer.derive_key(PURPOSE),
    )
    await listening.start()
    yield listening
    await listening.stop()


@pytest.fixture
def serving() -> ServingPlan:
    """Everything is allowed from this machine."""
    return ServingPlan(
        account="ioc",
        source_networks=("127.0.0.0/8",),
        transports=(ServedTransport.TCP, ServedTransport.UDP),
        tls=ServedTls.OFFERED,
    )


@pytest.fixture
def plan_served(planner: Planner, serving: ServingPlan) -> Callable[..., PlannedDelivery]:
    """A delivery that the centre `ioc` pulls; keywords change its serving plan."""

    def plan(centre: str = "ioc", **changes: Any) -> PlannedDelivery:
        url = served_url(centre, "gate")
        return PlannedDelivery(
            id=uuid4(),
            destination_id=planner.destination(centre),
            destination_code=centre,
            url=url,
            secret=planner.seal(centre, PASSWORD, url),
            serving=serving.model_copy(update={"account": centre, **changes}),
        )

    return plan


@pytest_asyncio.fixture
async def serve(
    context: RelayContext,
    recorder: Recorder,
    listener: CentreListener,
    certificate: Path,
    planner: Planner,
    plan_served: Callable[..., PlannedDelivery],
) -> AsyncIterator[StartServing]:
    """Relay the simulator's camera to all its centres, and serve it to `ioc` and other ones that pull.

    Keywords change the serving plan.
    """
    started: list[Served] = []

    def start(sim: Simulator, *others: str, **changes: Any) -> Served:
        camera = planner.camera(sim)
        planned = plan_served(**changes)
        served = (planned, *(plan_served(centre, **changes) for centre in others))
        camera = camera.model_copy(update={"deliveries": (*camera.deliveries, *served)})
        relay = CameraRelay(camera, replace(context, offers=listener.offers), recorder)
        started.append(Served(relay, listener, planned, certificate))
        relay.start()
        return started[-1]

    yield start
    for served in started:
        for puller in served.pullers:
            await puller.close(reset=True)
        await served.relay.release(DeliveryState.RELEASED)
