"""What cameras, their networks and their accounts are asked to bear."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from prober.messaging import CameraStatuses
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.prober import ProbeKind, Verdict
from vonggac.testing import eventually

LOGIN = {"auth": "digest", "username": "viewer", "password": "s3cret-Xem"}


async def test_between_two_deep_probes_there_are_light_ones(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await start_prober(deep_interval_s=600.0)
    camera = await planner.camera(gate.url(), probe_interval_s=0.3)
    third = await observed.observation(camera.id, 3)
    kinds = [probe.kind for probe in observed.of(camera.id)[:3]]
    assert kinds == [ProbeKind.DEEP, ProbeKind.LIGHT, ProbeKind.LIGHT]
    assert third.verdict is Verdict.UP
    assert third.deep_at == observed.of(camera.id)[0].observed_at
    # The fact of a good probe leaves out how it went.
    assert (third.steps, third.not_checked) == ((), {})
    last = await CameraStatuses(bus).get(camera.id)
    assert last is not None
    assert "decode" not in [step.name for step in last.steps]
    assert last.not_checked["frozen"] == "light probe"


@pytest.mark.parametrize(
    "shown", [{"fault": "black", "kind": "noise"}, {"fault": "no_signal_card"}, {"fault": "covered"}]
)
async def test_empty_picture_of_a_camera_that_nobody_forwards_is_found_by_a_light_probe(
    simulate: Any, planner: Any, observed: Any, start_prober: Any, shown: dict[str, str]
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await start_prober(deep_interval_s=600.0)
    camera = await planner.camera(gate.url(), probe_interval_s=0.3)
    await observed.observation(camera.id, 2)
    await gate.set_fault(**shown)
    await eventually(lambda: observed.of(camera.id)[-1].verdict is Verdict.DOWN)
    cause = Cause.BLACK if shown["fault"] == "black" else Cause(shown["fault"])
    down = next(probe for probe in observed.of(camera.id) if probe.verdict is Verdict.DOWN)
    assert (down.cause, down.kind) == (cause, ProbeKind.DEEP)
    await gate.clear_fault()
    await eventually(lambda: observed.of(camera.id)[-1].kind is ProbeKind.LIGHT)
    assert observed.of(camera.id)[-1].verdict is Verdict.UP


async def test_a_light_probe_that_fails_is_followed_by_a_deep_one(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await start_prober(deep_interval_s=600.0)
    camera = await planner.camera(gate.url(), probe_interval_s=0.3)
    await observed.observation(camera.id, 2)
    await gate.set_fault("refuse")
    await eventually(lambda: observed.of(camera.id)[-1].verdict is Verdict.DOWN)
    failed = len(observed.of(camera.id))
    assert observed.of(camera.id)[-1].kind is ProbeKind.LIGHT
    await gate.clear_fault()
    assert (await observed.observation(camera.id, failed + 1)).kind is ProbeKind.DEEP


async def test_no_more_than_the_allowed_probes_go_on_at_one_site_network(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("no_media")
    cameras = [await planner.camera(gate.url(), probe_timeout_s=0.4, probe_interval_s=600) for _ in range(4)]
    prober = await start_prober(max_probes_per_network=1, max_concurrent_probes=16)
    most = 0
    while len(observed.observations) < len(cameras):
        most = max(most, len(gate.connections))
        await asyncio.sleep(0.02)
    assert most == 1
    assert prober.metrics.registry.get_sample_value("vonggac_prober_jobs_total", {"outcome": "deferred"}) >= 3


async def test_probes_with_a_login_keep_the_bound_of_their_site_network_too(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    recorder = (await simulate({"id": "recorder", **LOGIN, "max_sessions": 20})).cameras["recorder"]
    await recorder.set_fault("no_media")
    secret = planner.seal("viewer", LOGIN["password"])
    for _ in range(8):
        await planner.camera(recorder.url(), secret=secret, probe_timeout_s=0.4, probe_interval_s=600)
    await start_prober(max_probes_per_network=1, max_concurrent_probes=16)
    most = 0
    while len(observed.observations) < 8:
        most = max(most, len(recorder.connections))
        await asyncio.sleep(0.01)
    assert most == 1


async def test_the_channels_of_a_recorder_with_one_wrong_login_count_together(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    recorder = (await simulate({"id": "recorder", **LOGIN})).cameras["recorder"]
    wrong = planner.seal("viewer", "wrong-Xem")
    urls = [f"{recorder.url()}?channel={number}" for number in range(6)]
    await start_prober()
    await start_prober()
    cameras = [await planner.camera(url, secret=wrong, probe_interval_s=600) for url in urls]
    probes = [await observed.observation(camera.id) for camera in cameras]
    assert {probe.cause for probe in probes} == {Cause.AUTH_FAILED}
    left_alone = [probe for probe in probes if (probe.detail or "").startswith("not tried")]
    assert recorder.logins_failed == len(probes) - len(left_alone)
    assert recorder.logins_failed == 2
    assert all(probe.interval_s > 1700 for probe in left_alone)
    [record] = (await Bucket(bus, topology.LOGIN_FAILURES).all()).values()
    assert b"viewer" not in record


@pytest.mark.usefixtures("patient_logins")
async def test_a_password_that_is_changed_at_a_recorder_costs_two_logins_however_many_channels_are_probed(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    config = {"id": "recorder", **LOGIN, "max_sessions": 20, "answer_delay_s": 0.1}
    recorder = (await simulate(config)).cameras["recorder"]
    secret = planner.seal("viewer", LOGIN["password"])
    await start_prober(max_probes_per_network=16)
    cameras = [await planner.camera(recorder.url(), secret=secret, probe_interval_s=6.0) for _ in range(8)]
    for camera in cameras:
        assert (await observed.observation(camera.id)).verdict is Verdict.UP
    # A session that says good-bye with the old password at this moment would count as one more.
    await eventually(lambda: not recorder.connections, within_s=20)
    await recorder.set_fault("auth")

    def all_refused() -> bool:
        return all(observed.of(camera.id)[-1].cause is Cause.SESSION_LIMIT for camera in cameras)

    await eventually(all_refused, within_s=20)
    assert recorder.logins_failed == 2


async def test_failed_logins_are_remembered_over_a_restart(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    recorder = (await simulate({"id": "recorder", **LOGIN})).cameras["recorder"]
    wrong = planner.seal("viewer", "wrong-Xem")
    first = await start_prober()
    camera = await planner.camera(recorder.url(), secret=wrong, probe_interval_s=0.3)
    await observed.observation(camera.id, 2)
    await first.stop()
    await start_prober()
    other = await planner.camera(recorder.url() + "?channel=2", secret=wrong)
    probe = await observed.observation(other.id)
    assert (probe.cause, recorder.logins_failed) == (Cause.AUTH_FAILED, 2)
    assert probe.detail.startswith("not tried")


async def test_a_job_that_comes_too_early_waits_until_the_camera_is_due(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    first = await start_prober()
    camera = await planner.camera(gate.url(), probe_interval_s=600)
    await observed.observation(camera.id)
    await first.stop()
    # The same job anew, as a server gives it out that has lost its delayed naks.
    await planner.camera(gate.url(), id=camera.id, probe_interval_s=600)
    second = await start_prober()
    sample = second.metrics.registry.get_sample_value
    await eventually(lambda: sample("vonggac_prober_jobs_total", {"outcome": "early"}))
    assert len(observed.of(camera.id)) == 1
    assert bus.connected


async def test_three_cameras_of_a_site_that_fail_alike_are_one_fault_however_many_probers(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    site = uuid4()
    sim = await simulate({"id": "a"}, {"id": "b"}, {"id": "c"})
    for camera in sim.cameras.values():
        await camera.set_fault("refuse")
    await start_prober()
    await start_prober()
    for camera in sim.cameras.values():
        await planner.camera(camera.url(), facility_id=site, probe_interval_s=1.0)
    await eventually(lambda: observed.sites)
    [fault] = observed.sites
    assert (fault.facility_id, fault.state, fault.cause) == (site, "failing", Cause.REFUSED)
    assert len(fault.camera_ids) == 3
    for camera in sim.cameras.values():
        await camera.clear_fault()
    await eventually(lambda: len(observed.sites) > 1)

    def all_are_back() -> bool:
        return all(observed.of(camera_id)[-1].verdict is Verdict.UP for camera_id in fault.camera_ids)

    await eventually(all_are_back)
    assert [told.state for told in observed.sites] == ["failing", "over"]
    assert observed.sites[1].ended_at is not None


async def test_every_camera_of_a_dark_site_is_in_its_fault_however_many_wait_for_one_another(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    site = uuid4()
    cameras = list((await simulate(*({"id": f"c{number}"} for number in range(10)))).cameras.values())
    await start_prober(max_probes_per_network=2)
    planned = [
        await planner.camera(camera.url(), facility_id=site, probe_timeout_s=0.5, probe_interval_s=1.0)
        for camera in cameras
    ]

    def all_are_up() -> bool:
        # Not the first of each: a time-out of half a second is short where the machine is busy.
        return all(any(probe.verdict is Verdict.UP for probe in observed.of(one.id)) for one in planned)

    await eventually(all_are_up, within_s=30)
    for camera in cameras:
        await camera.set_fault("black_hole")
    await eventually(lambda: observed.sites, within_s=30)
    assert set(observed.sites[0].camera_ids) == {one.id for one in planned}


async def test_a_site_that_is_dark_again_after_one_camera_came_back_is_published_again_over_a_restart(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    site = uuid4()
    cameras = list((await simulate({"id": "a"}, {"id": "b"}, {"id": "c"})).cameras.values())
    for camera in cameras:
        await camera.set_fault("refuse")
    first = await start_prober()
    for camera in cameras:
        await planner.camera(camera.url(), facility_id=site, probe_interval_s=0.5)
    await eventually(lambda: [told.state for told in observed.sites] == ["failing"])
    await cameras[0].clear_fault()
    await eventually(lambda: [told.state for told in observed.sites] == ["failing", "over"])
    await first.stop()
    await start_prober()
    # Long enough after the others fell that it did not fall with them.
    at_least = observed.sites[0].began_at + timedelta(seconds=1.0)
    await eventually(lambda: datetime.now(UTC) > at_least)
    await cameras[0].set_fault("refuse")
    await eventually(lambda: len(observed.sites) > 2)
    again = observed.sites[2]
    assert (again.state, set(again.camera_ids)) == ("failing", set(observed.sites[0].camera_ids))
    assert again.began_at > observed.sites[0].began_at
    assert bus.connected
