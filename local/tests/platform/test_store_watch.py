"""A server whose disk was full is started again once there is room: by `make run`, and by compose's health check."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.platform import store_watch
from local.platform.progress import Progress
from local.platform.store_watch import StoreWatch
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import free_port
from vonggac.testing import eventually
from vonggac.testing.disks import SmallDiskNats
from vonggac.testing.fixtures import NatsAt

pytestmark = pytest.mark.server
CHECK = Path(__file__).parents[3] / "deploy/k8s/vonggac/files/nats/healthcheck.sh"
NC = """\
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 3) as connection:
    connection.sendall(sys.stdin.buffer.read())
    while piece := connection.recv(65536):
        sys.stdout.buffer.write(piece)
"""


@pytest_asyncio.fixture
async def small_disk(tmp_path: Path) -> AsyncIterator[SmallDiskNats]:
    server = SmallDiskNats(tmp_path / "nats", free_port())
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest_asyncio.fixture
async def bus(small_disk: SmallDiskNats) -> AsyncIterator[Bus]:
    connected = await Bus.connect(NatsAt(small_disk.url), name="test")
    await topology.declare(connected.js)
    yield connected
    await connected.close()


async def stores(bus: Bus) -> bool:
    return await bus.check() is None


async def stores_nothing(bus: Bus) -> bool:
    return await bus.check() is not None


async def test_disk_full_heals_under_make_run_once_there_is_room(
    small_disk: SmallDiskNats, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_watch, "ASK_EVERY_S", 0.1)
    out = io.StringIO()
    watching = asyncio.create_task(StoreWatch(Progress(out), small_disk).run())
    try:
        small_disk.fill()
        await eventually(lambda: stores_nothing(bus))
        await eventually(lambda: "its disk is full, nothing is stored: make room" in out.getvalue(), within_s=20)
        ended = small_disk.server_pid
        small_disk.free()
        await eventually(lambda: stores(bus), within_s=30)
        assert small_disk.server_pid != ended
        assert "MiB are free: ending it" in out.getvalue()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_disk_full_heals_by_the_health_check_of_compose(
    small_disk: SmallDiskNats, bus: Bus, tmp_path: Path
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nc.py").write_text(NC, "utf-8")
    (tools / "nc").write_text(f'#!/bin/sh\nexec {sys.executable} "{tools}/nc.py" "$@"\n', "utf-8")
    (tools / "nc").chmod(0o755)

    async def checked() -> tuple[int, str]:
        environment = {
            **os.environ,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "MONITORING": f"127.0.0.1:{small_disk.monitoring_port}",
            "STORE": str(small_disk.disk),
            "SERVER_PID": str(small_disk.server_pid),
        }
        command = ["/bin/sh", str(CHECK)]
        run = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True)
        return run.returncode, run.stdout

    assert await checked() == (0, "")
    small_disk.fill()
    await eventually(lambda: stores_nothing(bus))
    status, said = await checked()
    assert status == 1
    assert "the disk is full" in said
    ended = small_disk.server_pid
    small_disk.free()
    status, said = await checked()
    assert status == 1
    assert "ending the server" in said
    await eventually(lambda: stores(bus), within_s=30)
    assert small_disk.server_pid != ended

    async def healthy() -> bool:
        return await checked() == (0, "")

    await eventually(healthy, within_s=20)
