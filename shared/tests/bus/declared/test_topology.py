"""What stands is compared with what should stand, in every field that we rely on."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StorageType, StreamConfig
from nats.js.errors import APIError

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.topology import UnchangeableError
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.testing.fixtures import NatsAt

pytestmark = pytest.mark.server

SPOILED: list[tuple[str, dict[str, Any]]] = [
    (topology.INVENTORY, {"allow_direct": False}),
    (topology.INVENTORY, {"max_msgs": 10}),
    (topology.PROBE_JOBS, {"max_msgs_per_subject": 2}),
    (topology.PROBE_JOBS, {"max_age": 60.0}),
    (topology.OBSERVATIONS, {"max_bytes": 4096}),
    (topology.OBSERVATIONS, {"max_bytes": -1}),
    (topology.OBSERVATIONS, {"max_age": 7200.0, "duplicate_window": 60.0}),
    (topology.OBSERVATIONS, {"compression": "none"}),
    (topology.DEAD_LETTERS, {"max_bytes": -1}),
    ("KV_camera_status", {"republish": None}),
    ("KV_camera_status", {"max_msgs_per_subject": 5}),
    ("KV_workers", {"max_age": 3600.0}),
    ("KV_scans", {"max_bytes": -1}),
]


async def config_of(bus: Bus, stream: str) -> StreamConfig:
    config: StreamConfig = (await bus.js.stream_info(stream)).config
    return config


@pytest.mark.parametrize(("stream", "fields"), SPOILED, ids=str)
async def test_a_stream_or_bucket_that_differs_is_put_right(bus: Bus, stream: str, fields: dict[str, Any]) -> None:
    right = await config_of(bus, stream)
    await bus.js.update_stream(replace(right, **fields))
    assert await config_of(bus, stream) != right
    assert await topology.declare(bus.js) == [stream]
    assert await config_of(bus, stream) == right
    assert await topology.declare(bus.js) == []


@pytest.mark.parametrize(
    "fields",
    [{"ack_wait": 7.0}, {"max_deliver": 3}, {"max_ack_pending": 100}, {"filter_subject": subjects.probe_job("x")}],
    ids=str,
)
async def test_a_consumer_that_differs_is_put_right(bus: Bus, fields: dict[str, Any]) -> None:
    wanted = {"ack_wait": topology.PROBE_ACK_WAIT_S, "max_deliver": -1, "max_ack_pending": -1} | fields
    config = ConsumerConfig(
        durable_name=topology.PROBER, ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.ALL, **wanted
    )
    await bus.js.add_consumer(topology.PROBE_JOBS, config)
    assert await topology.declare(bus.js) == ["PROBE_JOBS/prober"]
    present = (await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)).config
    assert (present.ack_wait, present.max_deliver, present.max_ack_pending) == (topology.PROBE_ACK_WAIT_S, -1, -1)
    assert not present.filter_subject
    assert await topology.declare(bus.js) == []


async def test_what_cannot_be_changed_is_refused_with_the_reason(bus: Bus) -> None:
    await bus.js.delete_stream(topology.DEAD_LETTERS)
    await bus.js.add_stream(name=topology.DEAD_LETTERS, subjects=[subjects.DEAD_LETTERS], storage=StorageType.MEMORY)
    with pytest.raises(UnchangeableError, match=r"DEAD_LETTERS: storage is memory, not file.*back it up"):
        await topology.declare(bus.js)


@pytest.mark.parametrize("stream", [topology.INVENTORY, topology.OBSERVATIONS])
async def test_nobody_takes_away_what_was_wanted_or_seen(bus: Bus, stream: str) -> None:
    subject = subjects.inventory("camera", "x") if stream == topology.INVENTORY else subjects.camera_observation("x")
    stored = await bus.js.publish(subject, b"{}")
    with pytest.raises(APIError, match="message delete not permitted"):
        await bus.js.delete_msg(stream, stored.seq)
    with pytest.raises(APIError, match="stream purge not permitted"):
        await bus.js.purge_stream(stream)
    allowed = replace(await config_of(bus, stream), deny_delete=False, deny_purge=False)
    with pytest.raises(APIError, match="can not cancel deny"):
        await bus.js.update_stream(allowed)


async def test_a_missing_consumer_is_missing(bus: Bus) -> None:
    await bus.js.delete_consumer(topology.VERIFY_JOBS, topology.VERIFIER)
    assert await topology.missing(bus.js) == ["VERIFY_JOBS/verifier"]
    assert await topology.missing(bus.js, consumers=topology.consumers_of(topology.PROBER)) == []
    assert await topology.declare(bus.js) == ["VERIFY_JOBS/verifier"]
    assert await topology.missing(bus.js) == []


async def test_bounds_larger_than_the_disk_are_refused_with_advice(bus: Bus) -> None:
    with pytest.raises(UnchangeableError, match="a larger disk or a lower bound"):
        await topology.declare(bus.js, observations_max_bytes=1 << 50)


async def test_observations_stay_below_their_bound_and_the_oldest_go(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", free_port())
    server.start()
    bus = await Bus.connect(NatsAt(server.url), name="test")
    try:
        await topology.declare(bus.js, observations_max_bytes=64 << 10)
        for number in range(200):
            await bus.js.publish(subjects.camera_observation("x"), b"%04d" % number + b"x" * 996)
        state = (await bus.js.stream_info(topology.OBSERVATIONS)).state
        assert state.bytes <= 64 << 10
        assert state.last_seq == 200
        assert 1 < state.first_seq < 200
        # What a runbook does where space is short: nobody may purge the stream, and its bound may be lowered.
        await topology.declare(bus.js, observations_max_bytes=32 << 10)
        lowered = (await bus.js.stream_info(topology.OBSERVATIONS)).state
        assert lowered.bytes <= 32 << 10
        assert state.first_seq < lowered.first_seq < lowered.last_seq == 200
        stated = 2 * topology.OBSERVATIONS_MAX_BYTES
        assert await topology.declare(bus.js, observations_max_bytes=stated) == [topology.OBSERVATIONS]
        assert await topology.declare(bus.js) == [], "a higher bound that was stated stands until another one is"
        assert (await bus.js.stream_info(topology.OBSERVATIONS)).config.max_bytes == stated
    finally:
        await bus.close()
        server.stop()
