"""The owner of the streams keeps what it declared, and publishes what was lost, against a real server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from vonggac.bus import Bus
from vonggac.bus.__main__ import parse, run
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER
from vonggac.embedded import NatsServer
from vonggac.events import decode_on, subjects
from vonggac.events.setup import LossKind, Refill, StreamLostV1
from vonggac.testing.cluster import Node, nodes
from vonggac.testing.fixtures import NatsAt
from vonggac.testing.processes import ForgetfulServer
from vonggac.testing.waiting import eventually

pytestmark = pytest.mark.server


def command(server: NatsServer, *more: str) -> list[str]:
    """As compose and the chart call it: with the owner's login."""
    password = str(server.password_file(OWNER.name))
    return ["--nats", server.url, "--user", OWNER.name, "--password-file", password, *more]


@pytest_asyncio.fixture
async def kept(
    forgetful_server: ForgetfulServer,
) -> AsyncIterator[Bus]:
    """A connection to a server whose streams are kept."""
    async with keeper_of(forgetful_server):
        bus = await Bus.connect(NatsAt(forgetful_server.url), name="test")
        await eventually(lambda: note_of(bus), what="the note of how all stand")
        yield bus
        await bus.close()


@contextlib.asynccontextmanager
async def keeper_of(server: NatsServer) -> AsyncIterator[None]:
    keeper = asyncio.create_task(run(parse(command(server, "--keep", "--every", "0.2"))))
    try:
        yield
    finally:
        assert not keeper.done(), keeper
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper


async def note_of(bus: Bus) -> bool:
    return await topology.missing(bus.js) == [] and bool((await bus.js.stream_info("KV_streams_seen")).state.messages)


async def losses(bus: Bus) -> list[StreamLostV1]:
    """The facts of lost streams that OBSERVATIONS holds."""
    found, state = [], (await bus.js.stream_info(topology.OBSERVATIONS)).state
    for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
        message = await bus.js.get_msg(topology.OBSERVATIONS, sequence)
        if b"stream_lost" not in (message.data or b""):
            continue
        assert message.subject is not None
        event = decode_on(message.subject, message.data or b"")
        if isinstance(event.data, StreamLostV1):
            found.append(event.data)
    return found


async def have_come(bus: Bus, *wanted: tuple[str, LossKind]) -> list[StreamLostV1]:
    async def all_have() -> bool:
        try:
            return [(loss.stream, loss.kind) for loss in await losses(bus)] == list(wanted)
        except Exception:  # noqa: BLE001 - the stream is away
            return False

    await eventually(all_have, within_s=30, what=f"facts of {wanted}")
    return await losses(bus)


async def test_keep_declares_what_was_deleted_and_publishes_each_loss_each_time(kept: Bus) -> None:
    await kept.js.publish(subjects.notice("report", "1"), b"{}")
    for _ in range(2):
        await noted(kept)
        await kept.js.delete_stream(topology.NOTICES)
        await eventually(lambda: stands(kept))
    await noted(kept)
    await kept.js.delete_consumer(topology.PROBE_JOBS, topology.PROBER)
    await eventually(lambda: stands(kept))
    first, second, third = await have_come(
        kept, (topology.NOTICES, LossKind.GONE), (topology.NOTICES, LossKind.GONE), (topology.PROBE_JOBS, LossKind.GONE)
    )
    assert (first.messages, second.messages) == (1, 0)
    assert first.seen_at < first.lost_until < second.seen_at < second.lost_until
    assert (third.consumer, third.filled_with) == (topology.PROBER, Refill.MESSAGES_OF_STREAM)


async def test_keep_finds_a_stream_gone_that_its_source_has_filled_again(kept: Bus) -> None:
    """Its messages are those of before, and are stored anew: unlike a restored one it is younger than they are."""
    await kept.js.publish(subjects.inventory("camera", uuid4()), b"{}")

    async def has_job() -> bool:
        return (await kept.js.stream_info(topology.PROBE_JOBS)).state.messages == 1

    await eventually(has_job)
    await noted(kept)
    await kept.js.delete_stream(topology.PROBE_JOBS)
    await eventually(lambda: stands(kept))
    await eventually(has_job)
    [loss] = await have_come(kept, (topology.PROBE_JOBS, LossKind.GONE))
    assert loss.messages == 1


async def test_keep_says_since_when_facts_are_lost_that_reporting_had_not_taken(kept: Bus) -> None:
    reader = await kept.js.pull_subscribe_bind(topology.REPORTING_OBSERVATIONS, topology.OBSERVATIONS)
    await kept.js.publish(subjects.camera_observation("1"), b"taken")
    for message in await reader.fetch(1):
        await message.ack_sync()
    await noted(kept)
    taken_at = await now(kept)
    await noted(kept)
    for body in (b"not", b"taken"):
        await kept.js.publish(subjects.camera_observation("1"), body)
    await noted(kept)
    await kept.js.delete_stream(topology.OBSERVATIONS)
    [loss] = await have_come(kept, (topology.OBSERVATIONS, LossKind.GONE))
    assert (loss.messages, loss.unread, loss.filled_with) == (3, 2, Refill.KEPT_FACTS)
    assert taken_at <= loss.lost_from < loss.seen_at < loss.lost_until


async def test_keep_finds_what_was_emptied_without_being_deleted(kept: Bus) -> None:
    for camera in range(3):
        await kept.js.publish(subjects.key_value(topology.CAMERA_STATUS, str(camera)), b"{}")
    await noted(kept)
    await kept.js.purge_stream("KV_camera_status")
    [loss] = await have_come(kept, ("KV_camera_status", LossKind.EMPTIED))
    assert (loss.messages, loss.filled_with) == (3, Refill.VALUES)


async def test_keep_that_starts_after_a_loss_knows_it(forgetful_server: ForgetfulServer) -> None:
    async with keeper_of(forgetful_server):
        bus = await Bus.connect(NatsAt(forgetful_server.url), name="test")
        await eventually(lambda: note_of(bus))
    await bus.js.delete_stream(topology.VERIFY_JOBS)
    await bus.js.delete_stream("KV_workers")
    async with keeper_of(forgetful_server):
        found = await have_come(bus, (topology.VERIFY_JOBS, LossKind.GONE), ("KV_workers", LossKind.GONE))
        assert [loss.filled_with for loss in found] == [Refill.JOBS, Refill.VALUES]
    await bus.close()


async def test_keep_goes_on_when_nats_comes_back_with_an_older_disk(
    kept: Bus, forgetful_server: ForgetfulServer
) -> None:
    await kept.js.publish(subjects.demand("probe"), b"1")
    await asyncio.to_thread(forgetful_server.remember)
    await kept.js.publish(subjects.demand("probe"), b"2")
    await noted(kept)
    await asyncio.to_thread(forgetful_server.forget)
    await eventually(lambda: kept.connected, within_s=20)
    found = await came_at_least(kept, (topology.DEMANDS, LossKind.WENT_BACK))
    assert found.lost_from < found.lost_until


async def test_keep_touches_nothing_that_an_operator_changed_and_loses_no_fact(tmp_path: Path) -> None:
    """From one copy of each stream to three, as `nats.replicas` 1 to 3 demands once three servers stand."""
    with started(tmp_path) as servers:
        address = ",".join(server.url for server in servers)
        await run(parse(["--nats", address, "--replicas", "1", "--observations-max-bytes", str(64 << 20)]))
        stated = ["--replicas", "1", "--observations-max-bytes", str(32 << 20)]
        keeper = asyncio.create_task(run(parse(["--nats", address, "--keep", "--every", "0.3", *stated])))
        bus = await Bus.connect(NatsAt(address), name="test")
        for number in range(200):
            await bus.js.publish(subjects.camera_observation(str(number)), b"fact")
        await eventually(lambda: note_of(bus), within_s=30)
        await run(parse(["--nats", address, "--replicas", "3", "--observations-max-bytes", str(64 << 20)]))
        await noted(bus)
        info = await bus.js.stream_info(topology.OBSERVATIONS)
        assert (info.config.num_replicas, info.config.max_bytes, info.state.messages) == (3, 64 << 20, 200)
        assert await losses(bus) == []
        # Nor is it as at the first when it is gone.
        await bus.js.delete_stream(topology.OBSERVATIONS)
        [loss] = await have_come(bus, (topology.OBSERVATIONS, LossKind.GONE))
        assert loss.messages == 200
        config = (await bus.js.stream_info(topology.OBSERVATIONS)).config
        assert (config.num_replicas, config.max_bytes) == (3, 64 << 20)
        assert not keeper.done()
        keeper.cancel()
        await bus.close()


@contextlib.contextmanager
def started(folder: Path) -> Iterator[list[Node]]:
    servers = nodes([folder / name for name in ("a", "b", "c")])
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()


async def noted(bus: Bus) -> None:
    """Wait until the keeper has seen all as it stands now."""
    for _ in range(2):
        before = (await bus.js.stream_info("KV_streams_seen")).state.last_seq

        async def again(before: int = before) -> bool:
            return (await bus.js.stream_info("KV_streams_seen")).state.last_seq > before

        await eventually(again, within_s=30, what="the next round of the keeper")


async def stands(bus: Bus) -> bool:
    return await topology.missing(bus.js) == []


async def now(bus: Bus) -> datetime:
    answer = await bus.client.request(subjects.stream_info(topology.OBSERVATIONS))
    return datetime.fromisoformat(json.loads(answer.data)["ts"])


async def came_at_least(bus: Bus, wanted: tuple[str, LossKind]) -> StreamLostV1:
    async def has() -> bool:
        return wanted in [(loss.stream, loss.kind) for loss in await losses(bus)]

    await eventually(has, within_s=30)
    return next(loss for loss in await losses(bus) if (loss.stream, loss.kind) == wanted)
