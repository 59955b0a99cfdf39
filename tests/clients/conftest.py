"""Prober, forwarder and reporting over real HTTP, NATS and PostgreSQL, with a register of five cameras that refuse."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from forwarder.app import create_app as create_forwarder
from forwarder.settings import Settings as ForwarderSettings
from inventory.app import create_app as create_inventory
from inventory.migrations import SCRIPTS as INVENTORY_SCRIPTS
from inventory.settings import Settings as InventorySettings
from prober.app import create_app as create_prober
from prober.settings import Settings as ProberSettings
from reporting.app import create_app as create_reporting
from reporting.migrations import SCRIPTS
from reporting.settings import Settings as ReportingSettings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.bus import Bus
from vonggac.bus.clock import ServerClock
from vonggac.bus.declared import topology
from vonggac.database import migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.events import new_event, subjects
from vonggac.events.inventory import (
    AgencyRole,
    AgencyV1,
    CameraV1,
    DestinationRole,
    DestinationV1,
    FacilityStatus,
    FacilityType,
    FacilityV1,
    PlannedDelivery,
    RequiredProof,
    UnitV1,
)
from vonggac.testing.fixtures import NatsAt, forget_topology, login_of

CAMERAS = 5
READY_WITHIN_S = 90


@dataclass(frozen=True)
class Services:
    """Where they listen, and a token of the province's lead."""

    addresses: dict[str, str]
    token: str


def register() -> list[tuple[str, Any]]:
    """Noun and state of each thing, as inventory publishes them. Nobody listens at the addresses."""
    state: dict[str, Any] = {"revision": 1, "changed_at": datetime.now(UTC), "created_at": datetime.now(UTC)}
    unit, agency = uuid4(), uuid4()
    facility = FacilityV1(
        id=uuid4(),
        code="KCL-01",
        name="Khu cách ly Lao Bảo",
        type=FacilityType.SCHOOL,
        status=FacilityStatus.ACTIVE,
        unit_id=unit,
        managing_agency_id=agency,
        **state,
    )
    destinations = [
        DestinationV1(
            id=uuid4(),
            code=role.value,
            name=role.value,
            role=role,
            enabled=True,
            required_proof=RequiredProof.ACKNOWLEDGED,
            **state,
        )
        for role in DestinationRole
    ]
    cameras = [
        CameraV1(
            id=uuid4(),
            code=f"KCL-01-C{number}",
            name="Cổng chính",
            facility_id=facility.id,
            enabled=True,
            url=f"rtsp://127.0.0.1:{free_port()}/ch1",
            probe_interval_s=10,
            probe_timeout_s=2,
            deliveries=tuple(
                PlannedDelivery(
                    id=uuid4(), destination_id=one.id, destination_code=one.code, url="rtsp://127.0.0.1:9/in"
                )
                for one in destinations
            ),
            **state,
        )
        for number in range(CAMERAS)
    ]
    return [
        ("unit", UnitV1(id=unit, code="465", name="Huyện Hướng Hóa", **state)),
        ("agency", AgencyV1(id=agency, code="SYT", name="Sở Y tế", role=AgencyRole.MANAGING, **state)),
        ("facility", facility),
        *(("destination", one) for one in destinations),
        *(("camera", camera) for camera in cameras),
    ]


async def declare_and_publish(server: NatsServer) -> None:
    bus = await Bus.connect(NatsAt(server.url), name="test")
    try:
        await forget_topology(bus, server)
        await topology.declare(bus.js)
        for noun, thing in register():
            event = new_event(thing, source="/inventory", subject=f"{noun}/{thing.id}", time=datetime.now(UTC))
            body = event.model_dump_json(exclude_none=True).encode()
            await bus.js.publish(subjects.inventory(noun, thing.id), body)
    finally:
        await bus.close()


class Served:
    """Apps under uvicorn in a thread with a loop of its own: callers may be synchronous, and block."""

    def __init__(self, apps: dict[str, FastAPI], *, lifespan: Literal["on", "off"] = "on") -> None:
        self.addresses: dict[str, str] = {}
        self._servers: list[uvicorn.Server] = []
        for name, app in apps.items():
            port = free_port()
            config = uvicorn.Config(
                app, host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan=lifespan
            )
            self._servers.append(uvicorn.Server(config))
            self.addresses[name] = f"http://127.0.0.1:{port}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="services")

    async def _serve(self) -> None:
        # Signals belong to pytest, in the main thread: uvicorn sees that it is in another one and leaves them alone.
        await asyncio.gather(*(server.serve() for server in self._servers))

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        for server in self._servers:
            server.should_exit = True
        self._thread.join(60)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=READY_WITHIN_S)
    pause = threading.Event()
    while datetime.now(UTC) < deadline:
        with suppress(httpx.HTTPError):
            if holds():
                return
        pause.wait(0.1)
    pytest.fail("the services were not ready in time")


@pytest.fixture(scope="module")
def services(
    nats_server: NatsServer, postgres_server: PostgresServer, keys_folder: Path, token_for: Callable[[Role], str]
) -> Iterator[Services]:
    """All three, once each camera was probed and each delivery reported."""
    name = f"clients_{uuid4().hex}"
    postgres_server.create_database(name)
    migrate(SCRIPTS, postgres_server.url(name))
    asyncio.run(declare_and_publish(nats_server))
    worker: dict[str, Any] = {
        "jwks_file": keys_folder / JWKS,
        "workers_private_key_file": keys_folder / WORKERS_PRIVATE,
        "allowed_networks": ("127.0.0.0/8",),
    }
    apps = {
        "prober": create_prober(ProberSettings(**login_of(nats_server, "prober"), **worker)),
        "forwarder": create_forwarder(ForwarderSettings(**login_of(nats_server, "forwarder"), **worker)),
        "reporting": create_reporting(
            ReportingSettings(
                database_url=SecretStr(postgres_server.url(name)),
                jwks_file=keys_folder / JWKS,
                **login_of(nats_server, "reporting"),
            )
        ),
    }
    token = token_for(Role.PROVINCE_LEAD)
    with Served(apps) as served:
        api = httpx.Client(headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20)

        def total(service: str, path: str) -> int:
            answer = api.get(f"{served.addresses[service]}{path}?total=true")
            return int(answer.json()["total"]) if answer.is_success else -1

        with api:
            wait_until(lambda: total("prober", "/v1/cameras") == CAMERAS)
            wait_until(lambda: total("forwarder", "/v1/deliveries") == 2 * CAMERAS)
            wait_until(lambda: total("prober", "/v1/workers") == total("forwarder", "/v1/workers") == 1)
            where = served.addresses["reporting"]
            wait_until(lambda: len(api.get(f"{where}/v1/compliance").json().get("cameras", ())) == CAMERAS)
        yield Services(served.addresses, token)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def inventory(postgres_server: PostgresServer, keys_folder: Path) -> Iterator[str]:
    """Inventory with an empty register, without NATS, as it may run: what is made up reaches no prober. Its address.

    As if NATS had answered once: before that no change can be dated.
    """
    name = f"clients_{uuid4().hex}"
    postgres_server.create_database(name)
    migrate(INVENTORY_SCRIPTS, postgres_server.url(name))
    app = create_inventory(
        InventorySettings(
            database_url=SecretStr(postgres_server.url(name)),
            nats_url=f"nats://127.0.0.1:{free_port()}",
            jwks_file=keys_folder / JWKS,
            workers_public_key_file=keys_folder / WORKERS_PUBLIC,
        ),
        on_death=lambda: None,
    )
    with pytest.MonkeyPatch.context() as measured, Served({"inventory": app}) as served:
        measured.setattr(ServerClock, "measured", True)
        where = served.addresses["inventory"]
        wait_until(lambda: httpx.get(f"{where}/livez", trust_env=False).status_code == 200)
        yield where
    postgres_server.drop_database(name)
