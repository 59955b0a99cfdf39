"""The bench itself on the whole platform: outages of two kinds are found, and dated."""

import asyncio
import json
import sys

import pytest

pytestmark = pytest.mark.server


@pytest.mark.timeout(300)
async def test_known_outages_are_found_and_dated() -> None:
    """Two kinds, so that it takes a minute; `make bench-truth` has them all."""
    command = [
        "-m",
        "bench.truth.truth",
        "--seconds",
        "10",
        "--cameras",
        "3",
        "--kinds",
        "camera off",
        "centre refuses",
    ]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    found = json.loads(told.decode().splitlines()[-1])
    assert process.returncode == 0, told.decode()
    assert found["outages"] >= 6
    assert (found["missed"], found["untrue_connected_s"], found["untrue_down_s"]) == (0, 0, 0)
    # Of a machine that does much else: half a second more than on a calm one.
    assert found["late_start_p99_s"] <= 2.0
    assert found["late_end_p99_s"] <= 2.0
