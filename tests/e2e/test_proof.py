"""End to end: deliveries are proven by their own pictures, and a forwarded camera is played exactly once."""

from typing import Any

import pytest
from tests.platform import RunningPlatform

from local.demo import content
from vonggac.testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CENTRE_BY_ROLE = {one.role: one.simulator_id for one in content.destinations()}
NATIONAL, PROVINCIAL = CENTRE_BY_ROLE["national"], CENTRE_BY_ROLE["provincial"]

type Json = dict[str, Any]


async def good_cameras(running: RunningPlatform) -> dict[str, str]:
    """Code to id of the cameras that are well and forwarded."""
    document = await running.truth()
    return {camera["code"]: camera["id"] for camera in document["cameras"] if camera["compliant"]}


async def simulated(running: RunningPlatform) -> dict[str, Json]:
    """The simulated cameras by the code under which the demo has them."""
    items = {item["id"]: item for item in (await running.get("simulator", "/v1/cameras"))["items"]}
    return {row["code"]: items[row["simulator_id"]] for row in content.rows("cameras")}


async def states(running: RunningPlatform, camera_id: str) -> dict[str, str]:
    """Destination id to the forwarder's word, of one camera."""
    items = (await running.get("forwarder", f"/v1/cameras/{camera_id}/deliveries"))["items"]
    return {item["destination_id"]: item["state"] for item in items}


async def test_every_good_camera_is_verified_with_its_delay(running: RunningPlatform) -> None:
    for camera_id in (await good_cameras(running)).values():

        async def proven(camera_id: str = camera_id) -> list[Json]:
            items: list[Json] = (await running.get("forwarder", f"/v1/cameras/{camera_id}/deliveries"))["items"]
            assert [item["state"] for item in items] == ["verified", "verified"]
            return items

        for item in await eventually(proven, within_s=20):
            assert item["verified_at"] is not None
            assert 0 <= item["delay_s"] < 5


async def test_a_forwarded_camera_is_probed_without_a_second_session(running: RunningPlatform) -> None:
    cameras = await good_cameras(running)
    before = await simulated(running)
    for code, camera_id in cameras.items():

        async def probed(camera_id: str = camera_id) -> Json:
            # A probe of the schedule may be under way: then this one is refused.
            await running.call("prober", "POST", "/v1/probes", {"camera_id": camera_id})
            shown = await running.get("prober", f"/v1/cameras/{camera_id}")
            assert shown["kind"] == "forwarder_keyframe", shown
            return shown

        shown = await eventually(probed, within_s=20, poll_s=1.0)
        assert shown["verdict"] == "up", shown
        assert shown["media"]["width"] == before[code]["width"]
        assert shown["media"]["fps"] == pytest.approx(before[code]["fps"], rel=0.05)
        assert shown["media"]["bitrate_kbps"] > 0
    after = await simulated(running)
    for code in cameras:
        assert after[code]["sessions"] == 1
        assert after[code]["sessions_total"] == before[code]["sessions_total"]


@pytest.mark.parametrize("fault", ["frozen_playback", "wrong_picture"])
async def test_a_centre_that_plays_another_picture_is_a_mismatch_and_the_other_stays_verified(
    running: RunningPlatform, fault: str
) -> None:
    cameras = await good_cameras(running)
    camera_id = next(iter(cameras.values()))
    document = await running.compliance()
    [camera] = [camera for camera in document["cameras"] if camera["id"] == camera_id]
    by_role = {delivery["destination"]["role"]: delivery["destination"]["id"] for delivery in camera["deliveries"]}
    await running.call("simulator", "PUT", f"/v1/centres/{NATIONAL}/fault", {"fault": fault})
    try:

        async def found_out() -> bool:
            seen = await states(running, camera_id)
            assert seen[by_role["national"]] == "mismatch", seen
            assert seen[by_role["provincial"]] == "verified", seen
            return True

        await eventually(found_out, within_s=90, poll_s=0.25)
    finally:
        await running.call("simulator", "DELETE", f"/v1/centres/{NATIONAL}/fault")

    async def proven_again() -> bool:
        assert set((await states(running, camera_id)).values()) == {"verified"}
        return True

    await eventually(proven_again, within_s=60, poll_s=0.25)
