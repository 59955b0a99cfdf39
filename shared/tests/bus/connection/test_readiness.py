"""What readiness says of NATS: an outage, or what NATS itself says is missing."""

from pathlib import Path

import pytest

from vonggac.bus import Bus
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import permissions, topology
from vonggac.embedded import NatsServer, free_port
from vonggac.testing.fixtures import NatsAt
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server


async def test_streams_gone_are_named_and_an_outage_is_another_reason_of_not_ready(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", free_port())
    server.start()
    try:
        owner = await connect_once(server.url, name="test")
        await topology.declare(owner.jetstream())
        user = permissions.FORWARDER.name
        bus = await Bus.connect(NatsAt(server.url, user, nats_password_file=server.password_file(user)), name=user)
        assert await bus.check() is None
        # Of another service: it is nothing to this one.
        await owner.jetstream().delete_stream("KV_scans")
        assert await bus.check() is None
        await owner.jetstream().delete_stream("KV_workers")
        await owner.jetstream().delete_consumer(topology.DELIVERY_JOBS, topology.FORWARDER)
        said = "missing at NATS: KV_workers, DELIVERY_JOBS/forwarder"
        assert (await bus.check_streams(), await bus.check_outage()) == (said, None)
        await topology.declare(owner.jetstream())
        assert await bus.check() is None
        await owner.jetstream().delete_stream("KV_readiness")
        assert await bus.check_streams() == "missing at NATS: KV_readiness"
        await owner.close()
        server.stop()
        await eventually(lambda: not bus.connected)
        assert (await bus.check_streams(), await bus.check_outage()) == (None, "NATS is not connected")
        await bus.close()
    finally:
        server.stop()
