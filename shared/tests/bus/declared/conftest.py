"""A server with the platform's accounts, the streams as it sees them, and a connection of each service."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from nats.js import JetStreamContext

from vonggac.bus import Bus
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.bus.declared.permissions import USERS, User
from vonggac.embedded import NatsServer, free_port
from vonggac.testing.fixtures import NatsAt

SERVICES = tuple(user for user in USERS if user != permissions.OWNER)


@pytest.fixture(scope="module")
def server(servers_folder: Path) -> Iterator[NatsServer]:
    """With the platform's accounts; the tests' own user sees the account of the streams, and changes nothing in it."""
    started = NatsServer(servers_folder / "nats-with-accounts", free_port())
    started.start()
    yield started
    started.stop()


@pytest_asyncio.fixture
async def streams(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    """As the server itself sees them, with the topology declared."""
    client = await connect_once(server.url, name="streams")
    await topology.declare(client.jetstream())
    yield client.jetstream()
    await client.close()


async def connect(server: NatsServer, user: User) -> Bus:
    login = NatsAt(server.url, user.name, nats_password_file=server.password_file(user.name))
    return await Bus.connect(login, name=user.name)


@pytest_asyncio.fixture
async def buses(server: NatsServer, streams: JetStreamContext) -> AsyncIterator[dict[str, Bus]]:
    """A connection of each service, with its own login."""
    made = {user.name: await connect(server, user) for user in SERVICES}
    yield made
    for bus in made.values():
        await bus.close()
