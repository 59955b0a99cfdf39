"""The number of servers is not changed in place; a backup carries everything to another number."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from tests.chart.servers.bundled import Bundled, started

from local.backup.copy_folder import StreamCopy
from local.backup.streams import connected
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.embedded.nats import nats_server_binary
from vonggac.embedded.process import answers
from vonggac.events import subjects
from vonggac.testing import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow]


async def publish(servers: Bundled, facts: int) -> None:
    async with servers.connected("prober") as js:
        for number in range(facts):
            await js.publish(subjects.camera_observation(str(number)), b"{}")


async def count_facts(servers: Bundled) -> int:
    async with servers.connected("reporting") as js:
        return (await js.stream_info(topology.OBSERVATIONS)).state.messages


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1)])
def test_replicas_changed_in_place_are_refused_by_the_server_and_nothing_is_lost(
    tmp_path: Path, before: int, after: int
) -> None:
    with started(tmp_path / "before", before) as servers:
        if before > 1:
            asyncio.run(servers.together())
        servers.set_up()
        asyncio.run(publish(servers, 20))
        servers.stop()
        changed = Bundled(tmp_path / "after", after)
        (servers.folder / "0/data").rename(changed.folder / "0/data")
        changed.start(0)
        status, log = changed.ended(0)
        assert status == 78
        assert f"Set nats.replicas back to {before}; docs/operations/nats-servers.md says how to get to {after}" in log
        (changed.folder / "0/data").rename(servers.folder / "0/data")
        for number in range(before):
            servers.start(number)

        async def all_there() -> bool:
            try:
                assert await count_facts(servers) == 20
            except (NatsError, TimeoutError, OSError) as error:
                raise AssertionError(error) from error
            return True

        async def wait_for_all() -> None:
            await eventually(all_there, within_s=60, poll_s=0.2)

        asyncio.run(wait_for_all())


def test_accounts_come_to_a_store_from_before_them_without_loss(tmp_path: Path) -> None:
    """Streams of an installation whose services had no accounts, with the schedule of a job on its way."""
    servers = Bundled(tmp_path, 1)
    with started_plain(tmp_path / "0/data", servers.ports[0]) as url:
        asyncio.run(fill_before_accounts(url))
    try:
        servers.start(0)
        asyncio.run(answering(servers))
        servers.set_up()
        assert asyncio.run(count_facts(servers)) == 1
        assert asyncio.run(pending_jobs(servers)) == (1, 1)
        servers.kill(0)
        # It is done once: the next start finds them where they belong.
        servers.start(0)
        asyncio.run(answering(servers))
        assert asyncio.run(count_facts(servers)) == 1
        assert (tmp_path / "0/data/jetstream/STREAMS/streams/OBSERVATIONS").is_dir()
    finally:
        servers.stop()


def test_accounts_of_a_cluster_from_before_them_are_refused_and_nothing_is_moved(tmp_path: Path) -> None:
    servers, data = Bundled(tmp_path, 3), tmp_path / "0/data/jetstream"
    (data / "$G/streams/OBSERVATIONS").mkdir(parents=True)
    (data / "$SYS/_js_/_meta_").mkdir(parents=True)
    servers.start(0)
    status, log = servers.ended(0)
    assert (status, "docs/operations/upgrade.md" in log) == (78, True)
    assert (data / "$G/streams/OBSERVATIONS").is_dir()


@contextmanager
def started_plain(store: Path, port: int) -> Iterator[str]:
    """A server without accounts."""
    command = [
        nats_server_binary(),
        "--addr",
        "127.0.0.1",
        "--port",
        str(port),
        "--jetstream",
        "--store_dir",
        str(store),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


async def answering(servers: Bundled) -> None:
    await eventually(lambda: answers(servers.ports[0]), within_s=20)


async def fill_before_accounts(url: str) -> None:
    """A fact, and a camera whose job is put back for an hour."""
    await eventually(lambda: answers(int(url.rpartition(":")[2])), within_s=20)
    client = await connect_once(url, name="before")
    js = client.jetstream()
    await topology.declare(js, observations_max_bytes=64 << 20)
    await js.publish(subjects.camera_observation("a"), b"{}")
    await js.publish(subjects.inventory("camera", "a"), b"{}")
    queue = await js.pull_subscribe_bind(topology.PROBER, topology.PROBE_JOBS)
    [job] = await queue.fetch(1, timeout=5)
    await job.nak(delay=3600)
    await client.flush()
    await client.close()


async def pending_jobs(servers: Bundled) -> tuple[int, int | None]:
    """Jobs to probe, and those of them that were put back."""
    async with servers.connected("prober") as js:
        stream = await js.stream_info(topology.PROBE_JOBS)
        consumer = await js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
    return stream.state.messages, consumer.num_ack_pending


def test_replicas_from_one_to_three_by_a_backup_keep_every_fact_and_consumer(tmp_path: Path) -> None:
    async def save(servers: Bundled) -> list[tuple[StreamCopy, Path]]:
        await publish(servers, 50)
        found = []
        async with connected(f"tls://localhost:{servers.ports[0]}", servers.owner, servers.authority) as streams:
            for name in await streams.names():
                folder = tmp_path / "copy" / name
                folder.mkdir(parents=True)
                found.append((await streams.save(name, folder), folder))
        return found

    async def load(servers: Bundled, copies: list[tuple[StreamCopy, Path]]) -> list[str]:
        await servers.together()
        async with connected(f"tls://localhost:{servers.ports[0]}", servers.owner, servers.authority) as streams:
            for copy, folder in copies:
                await streams.load(copy, folder, replicas=servers.replicas)
            return await streams.names()

    with started(tmp_path / "one", 1) as one_server:
        one_server.set_up()
        copies = asyncio.run(save(one_server))
    with started(tmp_path / "three", 3) as three_servers:
        names = asyncio.run(load(three_servers, copies))
        assert sorted(names) == sorted(folder.name for _, folder in copies)
        assert asyncio.run(count_facts(three_servers)) == 50
        three_servers.set_up()

        async def copies_of() -> int | None:
            async with three_servers.connected("setup") as js:
                return (await js.stream_info(topology.OBSERVATIONS)).config.num_replicas

        assert asyncio.run(copies_of()) == 3
