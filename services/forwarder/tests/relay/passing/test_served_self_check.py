"""Whose fault it is that a centre has nothing: a real forwarder, and a prober that plays the same address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import pytest_asyncio

from forwarder.metrics import Metrics
from forwarder.relay.service import Process
from prober.domain.verification import Limits
from prober.messaging import Announcer, VerificationResults
from prober.probes.verification.self_check import SelfChecks
from prober.probes.verification.verifier import Verifier
from simulator import Simulator
from vonggac.auth import Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.embedded.process import free_port
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, Responsibility
from vonggac.events.inventory import CameraV1, PlannedDelivery, ServingPlan, served_url
from vonggac.events.inventory.serving import SelfCheck, SelfCheckOutcome, ServedTls
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import TlsPolicy
from vonggac.testing import eventually
from vonggac.testing.certificates import Authority

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.assignment.conftest import Inventory, Statuses

PASSWORD = "mat-khau-20-ky-tu-xx"
LIMITS = Limits(max_delay_s=2.0, first_within_s=2.0, settle_s=1.0)


class Waiting:
    """A camera that waits for a centre which never asks, and the prober that checks its address."""

    def __init__(self, camera: CameraV1, checks: SelfChecks, statuses: Statuses, metrics: Metrics) -> None:
        self.camera, self.checks, self.statuses, self._metrics = camera, checks, statuses, metrics

    @property
    def delivery(self) -> PlannedDelivery:
        return self.camera.deliveries[-1]

    async def check(self) -> SelfCheck:
        fact = await self.checks.check(self.camera, self.delivery)
        assert fact.self_check is not None
        return fact.self_check

    async def status(self) -> DeliveryObservedV1:
        return next(one for one in await self.statuses.of(self.camera) if one.delivery_id == self.delivery.id)

    @property
    def is_not_served(self) -> bool:
        """Whether the forwarder's metrics say that nobody is served for a reason of ours."""
        labels = {"camera_id": str(self.camera.id), "destination_id": str(self.delivery.destination_id)}
        return self._metrics.registry.get_sample_value("vonggac_forwarder_delivery_not_served", labels) == 1

    async def is_of(self, responsible: Responsibility) -> None:
        async def named() -> bool:
            return (await self.status()).responsibility is responsible

        await eventually(named, within_s=10)


type StartWaiting = Callable[..., Awaitable[Waiting]]


@pytest_asyncio.fixture
async def outgoing(prober_bus: Bus) -> AsyncIterator[Outgoing]:
    kept = Outgoing(prober_bus, publisher="prober-1")
    running = asyncio.create_task(kept.run())
    yield kept
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@pytest.fixture
def wait_for_centre(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: Callable[..., Awaitable[Process]],
    statuses: Statuses,
    prober_bus: Bus,
    outgoing: Outgoing,
    keys_folder: Path,
    tmp_path: Path,
) -> StartWaiting:
    """`expired`: the certificate has ended; `elsewhere`: the address leads to no listener."""

    async def start(*, expired: bool = False, elsewhere: bool = False) -> Waiting:
        authority, port = Authority(), free_port()
        certificate = tmp_path / "served.pem"
        certificate.write_bytes(authority.issue("127.0.0.1", expired=expired).chain_pem)
        forwarder = await start_forwarder(
            serve_host="127.0.0.1", serve_tls_port=port, serve_tls_certificate_file=certificate
        )
        camera, url = planner.camera(sim), served_url("ioc", "gate")
        # The centre may come from its own network alone, and this machine is not in it.
        serving = ServingPlan(account="ioc", source_networks=("10.9.0.0/24",), tls=ServedTls.REQUIRED)
        served = PlannedDelivery(
            id=uuid4(),
            destination_id=planner.destination("ioc"),
            destination_code="ioc",
            url=url,
            secret=planner.seal("ioc", PASSWORD, url),
            serving=serving,
        )
        camera = camera.model_copy(update={"deliveries": (*camera.deliveries, served)})
        await inventory.publish(camera)
        await statuses.become(camera, "acknowledged", "acknowledged", "waiting_for_centre")
        unsealer = Unsealer.from_file(keys_folder / WORKERS_PRIVATE)
        guard = LoginGuard(outgoing, Bucket(prober_bus, topology.LOGIN_FAILURES), rests=LoginRests(300.0))
        verifier = Verifier(
            bus=prober_bus,
            networks=AllowedNetworks.parse(["127.0.0.0/8"]),
            logins=Logins(guard, unsealer),
            limits=LIMITS,
        )
        checks = SelfChecks(
            worker_id="prober-1",
            verifier=verifier,
            results=VerificationResults(prober_bus),
            announcer=Announcer(outgoing, worker_id="prober-1"),
            unsealer=unsealer,
            addresses={"rtsps": f"rtsps://127.0.0.1:{free_port() if elsewhere else port}"},
            trust=TlsPolicy(ca_pem=authority.pem),
        )
        return Waiting(camera, checks, statuses, forwarder.metrics)

    return start


async def test_served_centre_is_named_when_we_can_play_its_address_ourselves_and_it_has_no_session(
    wait_for_centre: StartWaiting,
) -> None:
    waiting = await wait_for_centre()
    assert (await waiting.status()).responsibility is Responsibility.UNKNOWN
    found = await waiting.check()
    assert (found.outcome, found.cause) == (SelfCheckOutcome.SERVED, None), found
    assert found.certificate_ends_at is not None
    assert found.certificate_ends_at > datetime.now(UTC)
    assert {"dns", "connect", "tls", "options", "describe", "setup", "play"} <= set(found.steps_ms)
    await waiting.is_of(Responsibility.CENTRE)
    assert not waiting.is_not_served
    status = await waiting.status()
    # It is no session of the centre's, asked for nothing in its name, and took none of its places.
    assert (status.state, status.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.NOT_ASKED)
    assert (status.taken_by, status.asked_at, status.refusals) == ((), None, {})
    assert PASSWORD not in status.model_dump_json() + found.model_dump_json()


async def test_served_certificate_that_has_ended_is_our_fault(wait_for_centre: StartWaiting) -> None:
    waiting = await wait_for_centre(expired=True)
    found = await waiting.check()
    assert (found.outcome, found.cause) == (SelfCheckOutcome.TLS, Cause.TLS), found
    assert found.certificate_ends_at is not None
    assert found.certificate_ends_at < datetime.now(UTC)
    await waiting.is_of(Responsibility.US)
    assert waiting.is_not_served


async def test_served_listener_that_cannot_be_reached_is_our_fault(wait_for_centre: StartWaiting) -> None:
    waiting = await wait_for_centre(elsewhere=True)
    found = await waiting.check()
    assert (found.outcome, found.cause) == (SelfCheckOutcome.UNREACHABLE, Cause.REFUSED), found
    await waiting.is_of(Responsibility.US)
    assert waiting.is_not_served
