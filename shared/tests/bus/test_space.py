"""Short of space, what can wait is left out; facts never are."""

import asyncio
from datetime import UTC, datetime

import pytest
from nats.js.api import StreamConfig

from vonggac.bus import Bucket, Bus, Outgoing, space
from vonggac.bus.connection import Storage
from vonggac.bus.declared import topology
from vonggac.bus.space import watch_space
from vonggac.embedded import NatsServer
from vonggac.events import new_event, subjects
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt


class Shown:
    def __init__(self) -> None:
        self.ratio: float | None = None
        self.left_out = 0

    def show(self, ratio: float | None, left_out: int) -> None:
        self.ratio, self.left_out = ratio, left_out


def test_what_is_taken_is_a_share_of_what_is_stated() -> None:
    assert Storage(50, 200).ratio == 0.25
    assert Storage(50, None).ratio is None


async def test_disk_full_is_not_waited_for_before_what_can_wait_is_left_out(
    bus: Bus, nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "ASK_EVERY_S", 0.05)
    taken = (await bus.storage()).used
    small = await Bus.connect(NatsAt(nats_server.url, nats_store_bytes=taken + 1_000_000), name="small")
    outgoing, shown = Outgoing(small), Shown()
    tasks = [asyncio.create_task(outgoing.run()), asyncio.create_task(watch_space(small, outgoing, shown))]
    try:
        await bus.js.add_stream(StreamConfig(name="FILLER", subjects=["filler"]))
        await eventually(lambda: shown.ratio is not None)
        outgoing.queue_value(topology.THUMBNAILS, "a", b"picture", can_wait=True)
        await eventually(lambda: Bucket(bus, topology.THUMBNAILS).get("a"))
        for _ in range(20):
            await bus.js.publish("filler", b"x" * 500_000)
        await eventually(lambda: outgoing.short_of_space)
        outgoing.queue_value(topology.THUMBNAILS, "b", b"picture", can_wait=True)
        outgoing.queue_value(topology.CAMERA_STATUS, "b", b"status")
        now = datetime.now(UTC)
        alive = ForwarderAliveV1(worker_id="w", started_at=now, alive_at=now, cameras_held=0, capacity=1)
        event = new_event(alive, source="/forwarder/w", subject="w", time=now)
        outgoing.queue_event(subjects.worker_heartbeat("forwarder", "w"), event)
        assert await outgoing.flush(within_s=5)
        assert await Bucket(bus, topology.CAMERA_STATUS).get("b") == b"status"
        assert await Bucket(bus, topology.THUMBNAILS).get("b") is None
        await eventually(lambda: shown.left_out == 1)
        await bus.js.delete_stream("FILLER")
        await eventually(lambda: not outgoing.short_of_space)
        outgoing.queue_value(topology.THUMBNAILS, "b", b"picture", can_wait=True)
        await eventually(lambda: Bucket(bus, topology.THUMBNAILS).get("b"))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await small.close()
