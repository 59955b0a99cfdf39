"""The running platform as the cross-service tests see it: its APIs, and what its centres count for themselves."""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from nats.aio.client import Client

from local.apis.access import admin_token, approver_token
from local.apis.inventory import InventoryApi
from local.apis.simulator import SimulatorApi
from local.commands.truth import finding
from local.demo import content
from local.demo.centres import LOOPBACK, give_addresses
from local.demo.load import load_base, load_demo_cameras
from local.platform.platform import Platform, wait_ready
from local.platform.process import Child
from simulator.centres.statistics import StreamStatistics
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.bus.declared.permissions import OWNER
from vonggac.settings.passwords import read_password
from vonggac.testing import eventually

type Json = dict[str, Any]

TRUTH_WITHIN_S = 60.0
TYPED_IN_EVERY_S = 2.0
_NOBODY_TRUSTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The addresses are plain HTTP, and a client that reads the list of authorities takes 14 ms of CPU at each call."""


@dataclass
class RunningPlatform:
    """Thin calls, no decisions."""

    platform: Platform
    token: str
    others: list[Child] = field(default_factory=list)
    """Processes started beside the platform's own."""
    taken: list[Child] = field(default_factory=list)
    """The platform's own that it does not watch."""

    async def get(self, service: str, path: str) -> Json:
        """A GET with the admin token; an error answer fails the test."""
        return dict((await self.call(service, "GET", path)).json())

    async def call(self, service: str, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """Any call with the admin token; an error answer fails the test."""
        address = getattr(self.platform.addresses, service)
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(
            base_url=address, headers=headers, timeout=20, trust_env=False, verify=_NOBODY_TRUSTED
        ) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer

    async def compliance(self) -> Json:
        return await self.get("reporting", "/v1/compliance")

    async def truth(self, *, within_s: float = TRUTH_WITHIN_S) -> Json:
        """The compliance report once it says what the demo's truth is."""

        async def holds() -> Json:
            try:
                document = await self.compliance()
            except httpx.TimeoutException as error:
                # A machine that has no processor for it: what counts is that it holds in time.
                msg = f"reporting did not answer: {type(error).__name__}"
                raise AssertionError(msg) from error
            assert finding(document).shortfall(content.EXPECTATION) == []
            return document

        return await eventually(holds, within_s=within_s, poll_s=1)

    async def streams(self, centre: str) -> dict[str, StreamStatistics]:
        """What a centre counts, by camera code."""
        items = (await self.get("simulator", f"/v1/centres/{centre}/streams"))["items"]
        read = [StreamStatistics.model_validate(item) for item in items]
        return {stream.path.lstrip("/"): stream for stream in read}

    async def reset(self, centre: str) -> None:
        """Begin the centre's counters anew."""
        await self.call("simulator", "POST", f"/v1/centres/{centre}/statistics/reset")

    async def receives(self, centre: str, *, packets: int, within_s: float = 30) -> dict[str, StreamStatistics]:
        """The live streams once each of the six good cameras has brought `packets` more.

        A centre that pulls has streams of the other two as well: it asks for them in vain.
        """
        before = await self.streams(centre)

        async def grown() -> dict[str, StreamStatistics]:
            now = await self.streams(centre)
            live = {path: stream for path, stream in now.items() if stream.live}
            assert len(live) == content.EXPECTATION.delivered_both
            for path, stream in live.items():
                assert stream.packets >= (before[path].packets if path in before else 0) + packets
            return live

        return await eventually(grown, within_s=within_s, poll_s=0.1)

    @property
    def approver(self) -> str:
        """Token of a second person, who approves what the first one wrote."""
        return approver_token(self.platform.state.keys)

    async def give_addresses(self) -> None:
        """As the engineer of the centre that pulls types in what was added."""
        async with InventoryApi(self.platform.addresses.inventory, self.token) as inventory:
            await give_addresses(inventory, SimulatorApi(self.platform.addresses.simulator))

    async def give_addresses_again_and_again(self) -> None:
        """As `make run` does, until cancelled."""
        while True:
            await self.give_addresses()
            await asyncio.sleep(TYPED_IN_EVERY_S)

    async def start_another(self, service: str) -> Child:
        """One more process of a service, on a port of its own."""
        child, _ = await self.platform.start_another(service)
        self.others.append(child)
        return child

    def take_out(self, name: str) -> Child:
        """A process that the platform shall not watch any more; it is ended with the others."""
        child = self.platform.children.pop(name)
        self.taken.append(child)
        return child

    def put_back(self, child: Child) -> None:
        """Let the platform watch it again."""
        self.taken.remove(child)
        self.platform.children[child.name] = child

    async def make_whole(self) -> None:
        """Start again what a test that failed left stopped: the next one, or its repetition, has a whole platform."""
        for server in (self.platform.nats, self.platform.postgres):
            if server.server.process is None:
                await server.start()
        for child in tuple(self.taken):
            await child.stop(within_s=30)
            child.start()
            await wait_ready(getattr(self.platform.addresses, child.name), within_s=60, child=child)
            self.put_back(child)

    async def stop_others(self) -> None:
        """End what `start_another` started and `take_out` left."""
        for child in (*self.others, *self.taken):
            await child.stop(within_s=30)
        self.others.clear()
        self.taken.clear()

    async def _connect_as_owner(self) -> Client:
        """As the owner of the streams, who may read what stands in them."""
        password = read_password(self.platform.state.nats_password(OWNER.name))
        return await connect_once(self.platform.addresses.nats, name="count", user=OWNER.name, password=password)

    async def observations_stored(self) -> int:
        """Messages in the OBSERVATIONS stream."""
        client = await self._connect_as_owner()
        try:
            return int((await client.jetstream().stream_info(topology.OBSERVATIONS)).state.messages)
        finally:
            await client.close()

    async def nothing_observed_is_lost(self) -> None:
        """Every message of the two streams that reporting consumes was handled by it."""
        client = await self._connect_as_owner()
        try:
            stream = client.jetstream()

            async def handled() -> bool:
                info = await stream.consumer_info(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
                dead = await stream.stream_info(topology.DEAD_LETTERS)
                assert dead.state.messages == 0
                return bool(info.num_pending == 0 and info.num_ack_pending == 0)

            await eventually(handled, within_s=60)
        finally:
            await client.close()


async def load(platform: Platform, *, pulled_from: Sequence[str] = LOOPBACK) -> RunningPlatform:
    """The demo, loaded through inventory's API; without `pulled_from` both centres are pushed to."""
    token = admin_token(platform.state.keys)
    simulator = SimulatorApi(platform.addresses.simulator)
    approver = approver_token(platform.state.keys)
    async with InventoryApi(platform.addresses.inventory, token, approver=approver) as inventory:
        await load_base(inventory, simulator, pulled_from=pulled_from)
        await load_demo_cameras(inventory, simulator)
        await give_addresses(inventory, simulator)
    return RunningPlatform(platform, token)


def each(streams: dict[str, StreamStatistics], value_of: Callable[[StreamStatistics], object]) -> dict[str, object]:
    """One fact per stream, for readable assertions."""
    return {path: value_of(stream) for path, stream in streams.items()}


def breaks(streams: dict[str, StreamStatistics]) -> dict[str, list[str]]:
    """What each stream lost and each session that began anew, with its times; nothing for one that played on."""
    return {
        path: [f"{stream.lost} packets lost", *(f"{one.started_at} to {one.ended_at}" for one in stream.all_sessions)]
        for path, stream in streams.items()
        if stream.sessions != 1 or stream.lost
    }
