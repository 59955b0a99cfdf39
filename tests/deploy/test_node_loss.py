"""Three NATS servers under the whole platform: one dies during traffic, and comes back with a disk two minutes old."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from nats.errors import Error as NatsError
from nats.js.api import StreamInfo
from tests.e2e.platform import RunningPlatform, load

from local.demo import content
from local.platform import environment
from local.platform.platform import Platform
from local.platform.ports import Ports, anywhere
from local.platform.progress import Progress
from local.platform.server import Server
from local.platform.state import ProcessRecord, StateFolder
from local.platform.streams import Login, declare_streams
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER
from vonggac.settings.passwords import read_password
from vonggac.testing import eventually
from vonggac.testing.cluster import Node, nodes

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
]

DISK_AGE_S = 120.0
PROBE_INTERVAL_S = 15.0
SENT_AGAIN_WITHIN_S = 60.0
"""What a server forgot is published again and received within this time."""
TURNS_WITHIN_S = 2 * PROBE_INTERVAL_S + 15
"""Two turns of every camera, and what an election and a reconnection may take."""


class ClusteredPlatform(Platform):
    """The platform of `make run` over three nodes; each service knows all of them."""

    def __init__(self, state: StateFolder, ports: Ports, servers: list[Node]) -> None:
        urls = ",".join(node.url for node in servers)
        variables = {f"VONGGAC_{service.upper()}_NATS_URL": urls for service in environment.SERVICES}
        super().__init__(state, ports, allowed=("127.0.0.0/8",), progress=Progress(), variables=variables)
        self.nodes = servers
        self.nats = Server("NATS", servers[0], ProcessRecord(state))

    async def _start_bus(self) -> None:
        """Three copies of each stream."""
        for node in self.nodes[1:]:
            await asyncio.to_thread(node.start)
        await self.nats.start()
        login = Login(OWNER.name, self.nodes[0].password_file(OWNER.name))

        async def declared() -> bool:
            try:
                await declare_streams(self.nodes[0].url, login, replicas=3, within_s=20, store_bytes=1 << 30)
            except (NatsError, TimeoutError) as error:
                # The servers have not found each other yet.
                raise AssertionError(error) from error
            return True

        await eventually(declared, within_s=60, poll_s=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clustered(servers_folder: Path) -> AsyncIterator[RunningPlatform]:
    state = StateFolder(servers_folder / "clustered")
    state.root.mkdir()
    os.chmod(state.root, 0o711)  # noqa: PTH101, S103 - PostgreSQL may run as another user
    ports = anywhere()
    folders = [state.nats.absolute(), state.root / "nats-1", state.root / "nats-2"]
    started = nodes(folders, first_port=ports.nats, anonymous=False)
    platform = ClusteredPlatform(state, ports, started)
    try:
        await platform.start()
        # One address for all workers is a balancer's, and this cluster has none.
        yield await load(platform, pulled_from=())
    finally:
        await platform.stop()
        for node in started[1:]:
            await asyncio.to_thread(node.stop)


async def described(servers: list[Node], stream: str) -> StreamInfo:
    """As any living node says, with the number of messages by subject."""
    for node in servers:
        if node.process is None:
            continue
        password = read_password(node.password_file(OWNER.name))
        try:
            client = await connect_once(node.url, name="test", user=OWNER.name, password=password)
        except (NatsError, OSError):
            continue
        try:
            info = await client.jetstream().stream_info(stream, subjects_filter=">")
        except (NatsError, TimeoutError):
            continue
        finally:
            await client.close()
        if info.cluster is not None and info.cluster.leader:
            return info
    msg = f"nobody leads {stream}"
    raise AssertionError(msg)


async def leader(servers: list[Node], stream: str) -> int:
    """The number of the node that leads a stream."""
    info = await described(servers, stream)
    assert info.cluster is not None
    return int(str(info.cluster.leader).removeprefix("n"))


async def turns(servers: list[Node]) -> dict[str, int]:
    """Observations of each camera."""
    subjects = (await described(servers, topology.OBSERVATIONS)).state.subjects or {}
    return {subject: count for subject, count in subjects.items() if subject.startswith("observation.camera.")}


async def lost_facts(running: RunningPlatform) -> int:
    """Holes in the numbered facts of any publisher that are still open after `SENT_AGAIN_WITHIN_S`."""

    async def missing() -> int:
        items = (await running.get("reporting", "/v1/lost-facts?limit=500"))["items"]
        return sum(item["last"] - item["first"] + 1 for item in items)

    async def nothing_is_missing() -> bool:
        return await missing() == 0

    try:
        await eventually(nothing_is_missing, within_s=SENT_AGAIN_WITHIN_S, poll_s=1)
    except AssertionError:
        return await missing()
    return 0


async def schedule_goes_on(servers: list[Node]) -> None:
    """Every camera has another two turns; the one whose login was refused rests."""
    before = await eventually(lambda: turns(servers), within_s=TURNS_WITHIN_S)

    async def another_turn() -> bool:
        now = await turns(servers)
        on_time = [subject for subject, count in before.items() if now[subject] >= count + 2]
        assert len(on_time) >= content.EXPECTATION.cameras - 1, f"{len(on_time)} of {len(before)}"
        return True

    await eventually(another_turn, within_s=TURNS_WITHIN_S, poll_s=0.5)


async def test_a_node_that_dies_and_forgets_two_minutes_loses_no_observation(
    clustered: RunningPlatform, record_property: Callable[[str, object], None]
) -> None:
    platform = clustered.platform
    assert isinstance(platform, ClusteredPlatform)
    await clustered.truth(within_s=120)
    # The one that leads the facts: the worst to lose.
    victim = platform.nodes[await leader(platform.nodes, topology.OBSERVATIONS)]
    await asyncio.to_thread(victim.remember)
    remembered = time.monotonic()

    async def disk_is_old() -> bool:
        return time.monotonic() - remembered >= DISK_AGE_S

    await eventually(disk_is_old, within_s=DISK_AGE_S + 10, poll_s=1)
    await asyncio.to_thread(victim.kill)
    await schedule_goes_on(platform.nodes)
    await clustered.truth(within_s=120)
    lost = await lost_facts(clustered)
    record_property("node_loss_lost", lost)
    assert lost == 0

    # It comes back with the disk from before.
    await asyncio.to_thread(victim.forget)
    await schedule_goes_on(platform.nodes)
    await clustered.truth(within_s=120)
    lost = await lost_facts(clustered)
    record_property("amnesia_lost", lost)
    assert lost == 0
    await clustered.nothing_observed_is_lost()
