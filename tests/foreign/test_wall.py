"""A wall of cameras that nobody here wrote: each is named as it is, and each delivery proven as it should be."""

import os
import signal
import time
from typing import Any
from uuid import uuid4

import pytest
from tests.foreign.conftest import RIGHT, Wall
from tests.foreign.programs import need

from local.apis.inventory import InventoryApi
from vonggac.embedded import free_port
from vonggac.testing import eventually
from vonggac.testing.processes import put_to_sleep

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.server, pytest.mark.slow]

type Json = dict[str, Any]

WRONG = {
    "W-TLS": ("tls", "rtsps://"),
    "W-PAGE": ("protocol_error", "HTTP/0.9"),
    "W-FAULT": ("server_error", "PLAY was answered 500"),
    "W-HANGUP": ("hung_up", "without an answer to DESCRIBE"),
    "W-UNKNOWN": ("not_found", "404"),
}


@pytest.mark.parametrize("code", RIGHT)
async def test_a_foreign_camera_is_up_and_named_as_it_is(wall: Wall, code: str) -> None:
    seen = RIGHT[code]
    need(*seen.programs)

    async def named() -> bool:
        shown = await wall.probe(code)
        assert shown["verdict"] == "up", shown
        assert shown["media"]["codec"] == seen.codec, shown
        if code == "G-INTRA":
            # No message holds it: said, and the camera is up all the same.
            assert "too large" in str(shown["not_checked"]), shown
        else:
            assert (shown["media"]["width"], shown["media"]["height"]) == (seen.width, seen.height), shown
        return True

    # One camera sends a keyframe a minute, and a picture has no size before it.
    await eventually(named, within_s=100, poll_s=2.0)


@pytest.mark.parametrize("code", RIGHT)
async def test_a_foreign_camera_is_proven_at_both_centres_with_its_delay(wall: Wall, code: str) -> None:
    need(*RIGHT[code].programs)

    async def proven() -> bool:
        items = await wall.deliveries(code)
        assert [item["state"] for item in items] == ["verified", "verified"], items
        assert all(0 <= item["delay_s"] < 3 for item in items), items
        return True

    await eventually(proven, within_s=100, poll_s=0.5)


@pytest.mark.parametrize("code", WRONG)
async def test_a_foreign_thing_that_is_no_camera_has_its_own_word(wall: Wall, code: str) -> None:
    cause, words = WRONG[code]
    shown = await eventually(lambda: _down(wall, code), within_s=30, poll_s=1.0)
    assert (shown["cause"], words in shown["detail"]) == (cause, True), shown
    assert "nguồn" not in shown["advice"]["vi"] or cause == "server_error"
    assert "power" not in shown["advice"]["en"]


async def test_a_foreign_web_server_without_hls_is_judged_by_the_forwarders_own_attempt(wall: Wall) -> None:
    shown = await eventually(lambda: _down(wall, "W-HLS"), within_s=30, poll_s=1.0)
    assert shown["cause"] == "protocol_error", shown


async def _down(wall: Wall, code: str) -> Json:
    shown = await wall.probe(code)
    assert shown["verdict"] == "down", shown
    return shown


async def test_a_foreign_centre_for_one_client_is_not_eaten_by_a_reachability_check_and_its_hanging_is_seen_in_time(
    wall: Wall,
) -> None:
    """`ffmpeg -rtsp_flags listen`: it begins while the forwarder waits for it, takes one session, and hangs then."""
    need("ffmpeg", "gstreamer")
    port = free_port()
    destination_id = await _deliver_there(wall, f"rtsp://127.0.0.1:{port}/{{camera_code}}", "G-PLAIN")

    async def become(state: str, within_s: float) -> None:
        async def is_so() -> bool:
            items = await wall.deliveries("G-PLAIN")
            there = [item for item in items if item["destination_id"] == destination_id]
            assert [item["state"] for item in there] == [state], there
            return True

        await eventually(is_so, within_s=within_s, poll_s=0.05)

    await become("backing_off", 30)
    taken = wall.programs.folder / "taken.ts"
    centre = await wall.programs.ffmpeg(
        "-rtsp_flags", "listen", "-i", f"rtsp://127.0.0.1:{port}/G-PLAIN", "-c", "copy", "-f", "mpegts", str(taken)
    )
    await become("acknowledged", 40)
    await eventually(lambda: taken.exists() and taken.stat().st_size > 100_000, within_s=30)
    assert centre.returncode is None
    put_to_sleep(centre.pid)
    began = time.monotonic()
    try:
        await become("stalled", 20)
        assert time.monotonic() - began <= 6.0
    finally:
        os.kill(centre.pid, signal.SIGCONT)


async def _deliver_there(wall: Wall, template: str, code: str) -> str:
    """The id of a destination that has this camera alone."""
    async with InventoryApi(wall.platform.addresses.inventory, wall.token) as inventory:
        # The test may be repeated: another code each time.
        unused = f"L{uuid4().hex[:8].upper()}"
        body = {"code": unused, "name": "Trung tâm lạ", "role": "provincial", "url_template": template}
        destination = await inventory.add("destinations", body)
        delivery = {"camera_id": wall.cameras[code], "destination_id": destination["id"]}
        await inventory.add("deliveries", delivery)
        return str(destination["id"])
