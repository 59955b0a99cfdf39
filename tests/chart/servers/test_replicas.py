"""The number of servers is not changed in place; a backup carries everything to another number."""

import asyncio
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from tests.chart.servers.bundled import Bundled, started

from local.backup.copy_folder import StreamCopy
from local.backup.streams import connected
from vonggac.bus.declared import topology
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
