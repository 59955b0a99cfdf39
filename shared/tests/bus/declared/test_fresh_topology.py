"""The test fixtures' own promise: each test finds the platform's streams empty."""

import asyncio

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.events import subjects
from vonggac.testing.fixtures import forget_topology, put_aside


async def test_streams_come_back_empty_though_the_server_was_still_removing_their_predecessors(
    bus: Bus, nats_server: NatsServer
) -> None:
    await bus.js.publish(subjects.inventory("camera", "1"), b"of an earlier test")
    (streams,) = nats_server.folder.glob("jetstream/jetstream/*/streams")
    predecessor = streams / f".{topology.INVENTORY}"
    (predecessor / "msgs").mkdir(parents=True)

    forgetting = asyncio.create_task(forget_topology(bus, nats_server))
    for _ in range(50):
        assert (await bus.js.stream_info(topology.INVENTORY)).state.messages == 1, "deleted too early"
    assert put_aside(nats_server) == [predecessor]
    (predecessor / "msgs").rmdir()
    predecessor.rmdir()
    await forgetting

    await topology.declare(bus.js)
    assert (await bus.js.stream_info(topology.INVENTORY)).state.messages == 0
