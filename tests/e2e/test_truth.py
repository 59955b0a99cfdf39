"""End to end: what comes in by CSV is probed, delivered to two centres, proven and reported as it truly is.

One platform for all of it: that it starts and reaches the truth takes ten times as long as any of these tests.
"""

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import av
import pytest
from tests.e2e.platform import Json, RunningPlatform, each

from local.commands.round_trip import CODE, round_trip
from local.demo import content
from local.platform.progress import Progress
from vonggac.telemetry.redaction import REDACTED
from vonggac.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


def command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


CENTRES = ("national", "provincial")


def centre_ids() -> dict[str, str]:
    return {one.role: one.simulator_id for one in content.destinations()}


@pytest.mark.daily
async def test_the_demo_reaches_the_truth(running: RunningPlatform) -> None:
    document = await running.truth()
    causes = {camera["code"]: camera["cause"] for camera in document["cameras"] if camera["state"] == "down"}
    assert causes["QT-10-C01"] == "auth_failed"
    assert causes["QT-11-C01"] in {"timeout", "refused"}
    assert len(causes) == 2


async def test_a_wrong_password_costs_two_logins_though_prober_and_forwarder_both_try_it(
    running: RunningPlatform,
) -> None:
    await running.truth()

    async def rests() -> bool:
        cameras = (await running.get("prober", "/v1/cameras?cause=auth_failed"))["items"]
        return [camera["interval_s"] > 1000 for camera in cameras] == [True]

    await eventually(rests, within_s=30)
    failed = [camera["logins_failed"] for camera in (await running.get("simulator", "/v1/cameras"))["items"]]
    assert sorted(failed)[-2:] == [0, 2]


async def test_the_clocks_of_cameras_that_are_forwarded_are_checked(running: RunningPlatform) -> None:
    async def checked() -> bool:
        good = (await running.get("prober", "/v1/cameras?verdict=up"))["items"]
        by_forwarder = [camera for camera in good if camera["kind"] == "forwarder_keyframe"]
        return len(by_forwarder) == 6 and all("clock_drift" not in camera["not_checked"] for camera in by_forwarder)

    await eventually(checked, within_s=60)


@pytest.mark.daily
async def test_both_centres_really_receive_what_the_report_says(running: RunningPlatform) -> None:
    document = await running.truth()
    good = {camera["code"] for camera in document["cameras"] if camera["compliant"]}
    for role in CENTRES:
        streams = await running.receives(centre_ids()[role], packets=50)
        assert {path for path, stream in streams.items() if stream.live} == good
        assert set(each(streams, lambda stream: stream.lost).values()) == {0}
        for stream in streams.values():
            assert all(session.first_packet_is_keyframe for session in stream.all_sessions)


async def test_the_report_says_when_each_delivery_was_last_proven_and_its_delay(running: RunningPlatform) -> None:
    document = await running.truth()
    now = datetime.fromisoformat(document["generated_at"])
    for camera in document["cameras"]:
        for delivery in camera["deliveries"]:
            if not camera["compliant"]:
                assert (delivery["verified_at"], delivery["delay_s"]) == (None, None)
                continue
            assert delivery["state"] == "verified"
            assert now - datetime.fromisoformat(delivery["verified_at"]) < timedelta(seconds=30)
            assert 0 <= delivery["delay_s"] < 5


@pytest.mark.parametrize("role", CENTRES)
async def test_a_centre_plays_moving_pictures_back(running: RunningPlatform, role: str) -> None:
    await running.truth()
    centre = await running.get("simulator", f"/v1/centres/{centre_ids()[role]}")
    login = next(one for one in content.destinations() if one.role == role)
    userinfo = f"{login.username}:{login.password}@" if login.username else ""
    for code in ("QT-01-C01", "QT-05-C01"):
        url = f"rtsp://{userinfo}{centre['host']}:{centre['port']}/{code}"
        pictures = set()
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=10) as container:
            for frame in container.decode(video=0):
                pictures.add(frame.to_ndarray(format="gray").tobytes())
                if len(pictures) == 5:
                    break
        assert len(pictures) == 5


async def test_json_and_csv_give_the_same_numbers(running: RunningPlatform) -> None:
    document = await running.truth()
    period = f"from={document['period']['from']}&to={document['period']['to']}".replace("+", "%2B")

    async def same_numbers() -> bool:
        # The newest read-backs of the period are still on their way: one of them may come between two answers.
        return await by_csv(running, period) == await by_json(running, period)

    await eventually(same_numbers, within_s=60)


type Seconds = dict[tuple[str, str], tuple[float, float]]
"""Camera and destination: up, connected."""


async def by_json(running: RunningPlatform, period: str) -> Seconds:
    document = await running.get("reporting", f"/v1/compliance?{period}")
    return {
        (camera["code"], delivery["destination"]["code"]): (
            camera["seconds"]["up"],
            delivery["seconds"]["connected"],
        )
        for camera in document["cameras"]
        for delivery in camera["deliveries"]
    }


async def by_csv(running: RunningPlatform, period: str) -> Seconds:
    rows = {}
    for table in ("cameras", "deliveries"):
        answer = await running.call("reporting", "GET", f"/v1/compliance?{period}&format=csv&table={table}")
        read = csv.DictReader(io.StringIO(answer.content.decode()))
        rows[table] = [row for row in read if row["camera_code"]]  # The others are facilities without cameras.
    assert len(rows["deliveries"]) == 16
    up_s = {row["camera_code"]: int(row["up_ms"]) / 1000 for row in rows["cameras"]}
    return {
        (row["camera_code"], row["destination_code"]): (up_s[row["camera_code"]], int(row["connected_ms"]) / 1000)
        for row in rows["deliveries"]
    }


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
    national = centre_ids()["national"]
    await running.call("simulator", "PUT", f"/v1/centres/{national}/fault", {"fault": fault})
    try:

        async def found_out() -> bool:
            seen = await states(running, camera_id)
            assert seen[by_role["national"]] == "mismatch", seen
            assert seen[by_role["provincial"]] == "verified", seen
            return True

        await eventually(found_out, within_s=90, poll_s=0.25)
    finally:
        await running.call("simulator", "DELETE", f"/v1/centres/{national}/fault")

    async def proven_again() -> bool:
        assert set((await states(running, camera_id)).values()) == {"verified"}
        return True

    await eventually(proven_again, within_s=60, poll_s=0.25)


async def test_a_swapped_camera_that_is_forwarded_is_another_device_and_one_that_restarts_is_not(
    running: RunningPlatform,
) -> None:
    """Nobody opens a session beside the forwarder's: its keyframe and what the device wrote to it show the device."""
    cameras = await good_cameras(running)
    simulated_id = {row["code"]: row["simulator_id"] for row in content.rows("cameras")}
    code, camera_id = next(iter(cameras.items()))
    fault, device = f"/v1/cameras/{simulated_id[code]}/fault", f"/v1/cameras/{camera_id}/device"

    async def probed(*, changed: bool) -> Json:
        # A probe of the schedule may be under way: then this one is refused.
        await running.call("prober", "POST", "/v1/probes", {"camera_id": camera_id})
        shown = await running.get("prober", f"/v1/cameras/{camera_id}")
        assert shown["kind"] == "forwarder_keyframe", shown
        known = await running.get("prober", device)
        assert (known["changed_at"] is not None) is changed, known
        assert ("another_device" in shown["findings"]) is changed, shown
        return known

    async def played_anew() -> bool:
        assert (await simulated(running))[code]["sessions_total"] > before
        assert set((await states(running, camera_id)).values()) == {"verified"}
        return True

    await eventually(lambda: probed(changed=False), within_s=30, poll_s=1.0)
    before = (await simulated(running))[code]["sessions_total"]
    await running.call("simulator", "PUT", fault, {"fault": "close"})
    await running.call("simulator", "DELETE", fault)
    await eventually(played_anew, within_s=60, poll_s=0.25)
    for _ in range(3):
        await eventually(lambda: probed(changed=False), within_s=30, poll_s=1.0)
    await running.call("simulator", "PUT", fault, {"fault": "identity_changed", "kind": "size"})
    try:
        found = await eventually(lambda: probed(changed=True), within_s=90, poll_s=1.0)
        assert "in place of" in found["change"]
    finally:
        await running.call("simulator", "DELETE", fault)

    async def is_itself_again() -> Json:
        # Until the right camera is there, each word confirms the other one.
        await running.call("prober", "PUT", device)
        return await probed(changed=False)

    await eventually(is_itself_again, within_s=90, poll_s=2.0)
    await running.truth()


@pytest.mark.daily
async def test_no_password_is_left_anywhere(running: RunningPlatform) -> None:
    await running.truth()
    folder = running.platform.state.root
    kept_by_postgres = {path for path in folder.rglob("*") if path.name == "password"}
    kept_by_centres = set(running.platform.state.pulling.glob("*.password"))
    assert kept_by_centres
    secrets = {password.encode() for password in content.passwords()}
    secrets |= {path.read_bytes().strip() for path in kept_by_postgres | kept_by_centres}
    found = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path not in kept_by_postgres | kept_by_centres
        and any(one in path.read_bytes() for one in secrets)
    ]
    assert found == []
    for child in running.platform.children.values():
        assert child.process is not None
        argv = command_line(child.process.pid)
        assert not any(one in argv for one in secrets)


async def test_addresses_with_credentials_show_nowhere(running: RunningPlatform) -> None:
    for service, path in (("inventory", "/v1/cameras"), ("prober", "/v1/cameras"), ("forwarder", "/v1/deliveries")):
        text = (await running.call(service, "GET", path)).text
        assert "@127.0.0.1" not in text.replace(f"{REDACTED}@", "")
        assert not any(password in text for password in content.passwords())


async def outcome(running: RunningPlatform, *, within_s: float) -> tuple[int, str]:
    """Exit status and what was printed."""
    at, printed = running.platform.addresses, io.StringIO()
    progress = Progress(printed)
    status = await round_trip(at.inventory, at.reporting, running.token, within_s=within_s, progress=progress)
    return status, printed.getvalue()


async def test_one_observation_goes_through_and_what_was_added_is_removed(running: RunningPlatform) -> None:
    status, printed = await outcome(running, within_s=60)
    assert status == 0, printed
    seen = next(json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    # This platform allows loopback: its prober finds the port closed.
    assert (seen["camera"], seen["state"], seen["cause"]) == (CODE, "down", "refused")
    for noun in ("cameras", "facilities", "units", "agencies"):
        assert CODE not in str(await running.get("inventory", f"/v1/{noun}?limit=1000"))


async def test_what_is_not_in_the_report_in_time_fails(running: RunningPlatform) -> None:
    status, printed = await outcome(running, within_s=0)
    assert (status, printed.splitlines()[-1]) == (1, f"the report has no observation of {CODE} after 0 s")
