"""The disaster drill: databases and JetStream are destroyed; reports of the days before render byte for byte."""

import asyncio
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.platform import RunningPlatform, load

from bench.records.compliance import DAYS, fill
from local.commands.truth import finding
from local.demo import content
from local.platform.platform import Platform
from local.platform.ports import anywhere
from local.platform.progress import Progress
from local.platform.state import StateFolder
from vonggac.embedded import PostgresServer
from vonggac.settings.passwords import read_password
from vonggac.testing import eventually

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

CAMERAS, OUTAGES = 60, 90
HISTORY_ENDS = timedelta(days=1)
"""Before now, so that nothing of it is still so."""
SHOWN_DAYS = 5
TRUTH_WITHIN_S = 120.0
MOMENT_OF_ASKING = re.compile(rb'"generated_at":\s*"[^"]*"')


async def command(state: StateFolder, *arguments: str) -> dict[str, object]:
    """`python -m local …`, as an operator runs it; its last line."""
    done = await asyncio.to_thread(
        lambda: subprocess.run(
            [sys.executable, "-m", "local", *arguments, "--state", str(state.root)],
            capture_output=True,
            text=True,
            check=False,
        )
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


async def reports(running: RunningPlatform, ends: datetime) -> dict[str, bytes]:
    """Everything that reporting says of the days before, as bytes; only the moment of asking is left out."""
    found: dict[str, bytes] = {}
    for days in range(SHOWN_DAYS):
        period = f"from={(ends - timedelta(days=days + 1)).date()}&to={(ends - timedelta(days=days)).date()}"
        for path in (
            f"/v1/compliance?{period}&unit=D2",
            f"/v1/compliance?{period}&unit=D2&format=csv",
            f"/v1/outages?{period}&limit=500",
        ):
            content = (await running.call("reporting", "GET", path)).content
            if path.endswith("csv"):
                row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
                found[path] = content.replace(row["generated_at"].encode(), b"")
            else:
                found[path] = MOMENT_OF_ASKING.sub(b'"generated_at":""', content)
    return found


def check_not_empty(found: dict[str, bytes]) -> None:
    """The days before were not empty: cameras were up and down, and there were outages on each of them."""
    for path, text in found.items():
        if "outages" in path:
            assert len(json.loads(text)["items"]) > CAMERAS // 10, path
        elif not path.endswith("csv"):
            seconds = json.loads(text)["totals"]["seconds"]
            assert seconds["up"] > seconds["down"] > 0, path


async def truth(running: RunningPlatform) -> None:
    """The demo's truth, beside the cameras of the history: each is probed, forwarded and proven."""
    codes = set(content.camera_codes())

    async def holds() -> bool:
        document = await running.compliance()
        demo = document | {"cameras": [camera for camera in document["cameras"] if camera["code"] in codes]}
        shortfall = finding(demo).shortfall(content.EXPECTATION)
        assert shortfall == [], shortfall
        return True

    await eventually(holds, within_s=TRUTH_WITHIN_S, poll_s=0.5)


def fill_history(platform: Platform, ends: datetime) -> None:
    server = platform.postgres.server
    assert isinstance(server, PostgresServer)
    address = server.address("reporting", "reporting")
    password = read_password(server.password_file("reporting"))
    fill(address.replace("@", f":{password}@"), CAMERAS, OUTAGES, ends)


async def test_reports_of_the_days_before_render_byte_for_byte_after_a_disaster(
    servers_folder: Path, record_property: Callable[[str, object], None]
) -> None:
    state, ports = StateFolder(servers_folder / "drill"), anywhere()
    state.root.mkdir()
    os.chmod(state.root, 0o711)  # noqa: PTH101, S103 - PostgreSQL may run as another user
    ends = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0) - HISTORY_ENDS
    backups = servers_folder / "drill-backups"

    def new_platform() -> Platform:
        return Platform(state, ports, allowed=("127.0.0.0/8",), progress=Progress())

    platform = new_platform()
    with state.lock():
        try:
            await platform.start()
            await asyncio.to_thread(fill_history, platform, ends)
            running = await load(platform)
            await truth(running)
            before = await reports(running, ends)
            check_not_empty(before)
            made = await command(state, "backup", "--to", str(backups))
        finally:
            await platform.stop()
    for lost in (state.postgres, state.nats):
        await asyncio.to_thread(shutil.rmtree, lost)
    await command(state, "restore", "--from", str(made["backup"]))
    platform = new_platform()
    try:
        await platform.start()
        running = RunningPlatform(platform, running.token)
        after = await reports(running, ends)
        equal = after == before
        record_property("restore_bytes_equal", equal)
        assert [path for path in before if after[path] != before[path]] == []
        # The logins can be opened, cameras are forwarded and proven again, and the register can be written.
        await truth(running)
        assert await reports(running, ends) == before
        await running.nothing_observed_is_lost()
    finally:
        await platform.stop()
    assert len(before) == 3 * SHOWN_DAYS
    assert DAYS > SHOWN_DAYS
