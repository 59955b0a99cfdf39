"""Every fault of a centre, provoked over real sockets; the other centre is not touched."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from simulator import CameraConfig, CentreConfig, Simulator
from simulator.cameras.camera import Camera
from simulator.centres.centre import Centre
from simulator.centres.statistics import StreamStatistics
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp import Publisher, RtspConnection
from vonggac.testing import eventually
from vonggac.testing.media import relay

type Simulate = Callable[..., Awaitable[Simulator]]
type MakeCamera = Callable[..., CameraConfig]


@dataclass(frozen=True)
class Scene:
    camera: Camera
    centre: Centre
    other: Centre

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[Publisher]:
        """The camera's stream goes to the centre."""
        async with relay(self.camera.url(), self.centre.stream_url("key")) as publisher:
            await self.centre.wait_for("key", lambda stream: packets_of_current(stream) > 10)
            yield publisher

    async def cause_of_publishing(self) -> Cause | None:
        """Why a publisher does not get through; None if it does."""
        try:
            async with relay(self.camera.url(), self.centre.stream_url("key")):
                return None
        except PeerError as error:
            return error.cause

    def packets(self) -> int:
        return self.centre.streams["key"].packets


@pytest.fixture
async def scene(simulate: Simulate, make_camera: MakeCamera) -> Scene:
    sim = await simulate(
        cameras=[make_camera(fps=30, bitrate_kbps=1500)], centres=[CentreConfig(id="one"), CentreConfig(id="two")]
    )
    return Scene(sim.cameras["cam"], sim.centres["one"], sim.centres["two"])


def packets_of_current(stream: StreamStatistics) -> int:
    return stream.current.packets if stream.current is not None else 0


async def stops_counting(scene: Scene) -> bool:
    """Whether the centre takes no packet more for a while in which a dozen come."""
    await asyncio.sleep(0.1)
    before = scene.packets()
    await asyncio.sleep(0.4)
    return scene.packets() == before


async def connect(centre: Centre) -> RtspConnection:
    return await RtspConnection.open(centre.host, centre.port, timeout_s=0.3)


async def test_off_is_a_dead_address_and_sessions_are_read_no_more(scene: Scene) -> None:
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("off")
        assert await stops_counting(scene)
        assert not publisher.connection.closed
        with pytest.raises(PeerError) as failed:
            await connect(scene.centre)
        assert failed.value.cause is Cause.TIMEOUT
        await scene.centre.clear_fault()
        await eventually(lambda: publisher.connection.closed)
    (await connect(scene.centre)).abort()


async def test_refuse_closes_the_port_and_resets_sessions(scene: Scene) -> None:
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("refuse")
        await eventually(lambda: publisher.connection.closed)
    assert await scene.cause_of_publishing() is Cause.REFUSED
    await scene.centre.clear_fault()
    async with scene.publishing():
        pass


async def test_black_hole_accepts_and_never_answers(scene: Scene) -> None:
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("black_hole")
        assert await stops_counting(scene)
        connection = await connect(scene.centre)
        with pytest.raises(PeerError) as failed:
            await connection.request("OPTIONS", scene.centre.url, timeout_s=0.3)
        assert failed.value.cause is Cause.TIMEOUT
        connection.abort()
        assert not publisher.connection.closed
        before = scene.packets()
        await scene.centre.clear_fault()
        await scene.centre.wait_for("key", lambda stream: stream.packets > before + 10)
        assert scene.centre.streams["key"].lost == 0


async def test_a_black_hole_does_not_take_in_megabytes(scene: Scene) -> None:
    frame = b"$\x1e" + (60_000).to_bytes(2) + bytes(60_000)
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("black_hole")
        publisher.connection.write_media(frame * 400)
        await asyncio.sleep(0.5)
        # What neither kernel took: the sender's takes up to 4 MiB, the centre's a little.
        assert publisher.connection.write_buffer_bytes > 12_000_000


async def test_slow_reader_reads_at_its_rate(scene: Scene) -> None:
    async with scene.publishing():
        await scene.centre.set_fault("slow_reader", bytes_per_s=20_000)
        await asyncio.sleep(0.3)
        began = asyncio.get_running_loop().time()
        before = scene.centre.streams["key"].bytes
        await asyncio.sleep(2.0)
        lasted = asyncio.get_running_loop().time() - began
        rate = (scene.centre.streams["key"].bytes - before) / lasted
        # The camera sends about 190,000 bytes a second; one read may overshoot by a buffer.
        assert 2_000 < rate < 60_000
        after = scene.packets()
        await scene.centre.clear_fault()
        await scene.centre.wait_for("key", lambda stream: stream.packets > after + 100)


async def test_auth_denies_and_ends_sessions(scene: Scene) -> None:
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("auth")
        await eventually(lambda: publisher.connection.closed)
    assert await scene.cause_of_publishing() is Cause.AUTH_FAILED


async def test_close_ends_sessions_and_new_ones_work(scene: Scene) -> None:
    async with scene.publishing() as publisher:
        await scene.centre.set_fault("close")
        await eventually(lambda: publisher.connection.closed)
    assert scene.centre.fault is None
    async with scene.publishing():
        stream = scene.centre.streams["key"]
    assert stream.sessions == 2
    assert len(stream.gaps_s) == 1


async def test_a_fault_at_one_centre_costs_the_other_no_packet(scene: Scene) -> None:
    async with (
        scene.publishing(),
        relay(scene.camera.url(), scene.other.stream_url("key")),
    ):
        await scene.other.wait_for("key", lambda stream: stream.packets > 10)
        await scene.centre.set_fault("refuse")
        before = scene.other.streams["key"].packets
        stream = await scene.other.wait_for("key", lambda stream: stream.packets > before + 50)
    assert stream.lost == 0
    assert stream.sessions == 1
