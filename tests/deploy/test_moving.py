"""A platform moves between its homes by a backup: from `make run` into compose, and from PostgreSQL 17 to 18."""

import asyncio
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.deploy.containers import Tool
from tests.deploy.test_compose import Compose
from tests.deploy.test_disaster import HISTORY_ENDS, check_not_empty, command, fill_history, reports, truth
from tests.e2e.platform import RunningPlatform, load

from local.demo import content
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(1200)]

OLDER = "postgres:17"


@dataclass
class InContainers(RunningPlatform):
    """The same APIs, where compose publishes them."""

    compose: Compose | None = None

    async def call(self, service: str, method: str, path: str, body: dict[str, object] | None = None) -> httpx.Response:
        assert self.compose is not None
        address = f"http://127.0.0.1:{self.compose.ports[service.upper()]}"
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20, trust_env=False) as client:
            answer = await client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def compose(images: Tool, postgres_image: str, backups: Path) -> Iterator[Compose]:
    project = Compose(
        images, backups, project="vonggac-test-moving", subnet="10.213.66.0/24", POSTGRES_IMAGE=postgres_image
    )
    yield project
    project.destroy()


async def test_a_backup_of_make_run_goes_on_in_compose(compose: Compose, backups: Path, servers_folder: Path) -> None:
    state = StateFolder(servers_folder / "moving")
    state.root.mkdir()
    os.chmod(state.root, 0o711)  # noqa: PTH101, S103 - PostgreSQL may run as another user
    ends = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0) - HISTORY_ENDS
    platform = Platform(state, anywhere(), allowed=("127.0.0.0/8",), progress=Progress())
    with state.lock():
        try:
            await platform.start()
            await asyncio.to_thread(fill_history, platform, ends)
            running = await load(platform)
            await truth(running)
            before = await reports(running, ends)
            check_not_empty(before)
            await command(state, "backup", "--to", str(backups), "--with-keys")
        finally:
            await platform.stop()
    restored = json.loads(compose.do("run", "--rm", "restore").strip().splitlines()[-1])
    assert restored["restored"].startswith("/backups/")
    compose.do("up", "--detach", "--no-build")
    # Its tokens are signed, and its logins opened, by the keys that came along.
    moved = InContainers(platform, compose.do("run", "--rm", "token").strip(), compose=compose)
    assert await reports(moved, ends) == before
    cameras = (await moved.get("inventory", "/v1/cameras?limit=500"))["items"]
    assert {camera["code"] for camera in cameras} >= set(content.camera_codes())
    opened = compose.do("exec", "-T", "forwarder", "sha256sum", "/keys/workers/workers.key").split()[0]
    assert opened == hashlib.sha256((state.keys / "workers.key").read_bytes()).hexdigest()


def refused_start(compose: Compose) -> str:
    """What PostgreSQL says over a volume of another version."""
    compose.call("up", "--detach", "--no-build", "postgres", within_s=120)
    return compose.call("logs", "--no-color", "postgres").stdout


async def test_tables_of_postgresql_17_go_into_18_by_a_backup_and_are_never_started_beside(
    compose: Compose, postgres_image: str
) -> None:
    compose.change(POSTGRES_IMAGE=OLDER, WITH_KEYS="")
    compose.do("--profile", "demo", "up", "--detach", "--no-build")
    compose.do("--profile", "demo", "run", "--rm", "truth")
    made = json.loads(compose.do("run", "--rm", "backup").strip().splitlines()[-1])
    compose.do("--profile", "*", "down", "--timeout", "40")
    compose.change(POSTGRES_IMAGE=postgres_image)
    assert "has the tables of PostgreSQL 17, and this is 18. Nothing was changed." in refused_start(compose)
    compose.do("down")
    compose.lose("postgres", "nats")
    restored = json.loads(compose.do("run", "--rm", "restore").strip().splitlines()[-1])
    assert restored["restored"] == made["backup"]
    compose.do("--profile", "demo", "up", "--detach", "--no-build")
    assert compose.truth()["delivered_both"] == content.EXPECTATION.delivered_both


async def test_a_backup_of_postgresql_18_is_refused_by_17(
    compose: Compose, servers_folder: Path, backups: Path
) -> None:
    state = StateFolder(servers_folder / "newer")
    state.root.mkdir()
    os.chmod(state.root, 0o711)  # noqa: PTH101, S103 - PostgreSQL may run as another user
    platform = Platform(state, anywhere(), allowed=("127.0.0.0/8",), progress=Progress())
    with state.lock():
        try:
            await platform.start()
            await command(state, "backup", "--to", str(backups), "--with-keys")
        finally:
            await platform.stop()
    compose.change(POSTGRES_IMAGE=OLDER)
    done = compose.call("run", "--rm", "restore")
    assert done.returncode == 1
    assert "is of PostgreSQL 18, this is 17: use that or newer" in done.stdout + done.stderr
