"""A full disk: what nats-server makes of it, and that readiness says so. The disk is a small tmpfs of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from nats.errors import Error as NatsError

from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.testing import eventually
from vonggac.testing.disks import SmallDiskNats
from vonggac.testing.fixtures import NatsAt, login_of

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest_asyncio.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[SmallDiskNats]:
    server = SmallDiskNats(tmp_path / "nats", free_port())
    await asyncio.to_thread(server.start)
    try:
        declaring = await Bus.connect(NatsAt(server.url), name="test")
        try:
            await topology.declare(declaring.js)
        finally:
            await declaring.close()
        yield server
    finally:
        await asyncio.to_thread(server.stop)


async def reason(bus: Bus) -> str | None:
    return await bus.check()


@pytest.mark.parametrize("user", ["inventory", "prober", "forwarder", "reporting"])
async def test_disk_full_is_said_by_readiness_and_stays_so_until_the_server_is_started_again(
    small_disk: SmallDiskNats, user: str
) -> None:
    bus = await Bus.connect(NatsAt(**login_of(small_disk, user)), name=user)
    try:
        assert await bus.check() is None
        small_disk.fill()
        await eventually(lambda: reason(bus))
        assert bus.connected
        assert "JetStream stores nothing" in str(await bus.check())
        assert "no space left" in str(await asyncio.to_thread(small_disk.what_is_wrong))
        small_disk.free()
        assert small_disk.free_bytes() > 32 << 20
        assert "JetStream stores nothing" in str(await bus.check())
        await asyncio.to_thread(small_disk.end)

        async def ready() -> bool:
            return await bus.check() is None

        await eventually(ready, within_s=20)
    finally:
        await bus.close()


async def test_disk_full_is_said_at_the_first_question(small_disk: SmallDiskNats) -> None:
    """Facts are refused from the first one on: what is left of a begun page is no room for them."""
    bus = await Bus.connect(NatsAt(small_disk.url), name="test")
    try:
        assert await bus.check() is None
        small_disk.fill()
        assert "JetStream stores nothing" in str(await bus.check())
    finally:
        await bus.close()


async def test_disk_full_loses_nothing_that_was_stored_before(small_disk: SmallDiskNats) -> None:
    bus = await Bus.connect(NatsAt(small_disk.url), name="test")
    try:
        for number in range(50):
            await bus.js.publish(subjects.camera_observation(f"c{number}"), b"fact")
        small_disk.fill()
        await eventually(lambda: reason(bus))
        small_disk.free()
        await asyncio.to_thread(small_disk.end)

        async def stored() -> bool:
            try:
                return (await bus.js.stream_info(topology.OBSERVATIONS)).state.messages == 50
            except (NatsError, TimeoutError):
                return False

        await eventually(stored, within_s=20)
    finally:
        await bus.close()


def test_the_streams_may_take_no_more_than_the_disk_has(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", free_port())
    (tmp_path / "nats").mkdir()
    assert server.store_bytes() <= server.free_bytes()
