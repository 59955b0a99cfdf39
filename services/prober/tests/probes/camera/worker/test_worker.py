"""Jobs come, are probed, published, and come back: real NATS, simulated cameras."""

import asyncio
from typing import Any

import pytest
from nats.js.api import ConsumerConfig

from prober.domain.result import ProbeResult
from prober.messaging import CameraStatuses, Workers
from prober.probes.camera.prober import CameraProber, ProbePlan
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause, decode, new_event, subjects
from vonggac.events.inventory import AgencyRole, AgencyV1, CameraV1, FacilityStatus
from vonggac.events.prober import Verdict
from vonggac.testing import eventually


async def queue_length(bus: Bus) -> int:
    return int((await bus.js.stream_info(topology.PROBE_JOBS)).state.messages)


async def test_a_camera_is_probed_published_and_probed_again(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"})
    prober = await start_prober()
    camera = await planner.camera(sim.cameras["gate"].url(), probe_interval_s=1.0)
    first = await observed.observation(camera.id)
    assert (first.verdict, first.cause, first.camera_revision, first.interval_s) == (Verdict.UP, None, 1, 1.0)
    assert first.worker_id == prober.process.worker_id
    assert first.media.width == 320
    third = await observed.observation(camera.id, 3)
    assert 1.5 < (third.observed_at - first.observed_at).total_seconds() < 4.0
    status = await CameraStatuses(bus).get(camera.id)
    assert status is not None
    assert status.observed_at >= first.observed_at
    assert len(set(observed.event_ids)) == len(observed.event_ids)
    assert prober.metrics.registry.get_sample_value("vonggac_prober_job_lateness_seconds_count") >= 2


async def test_a_single_new_camera_does_not_wait(simulate: Any, planner: Any, observed: Any, start_prober: Any) -> None:
    sim = await simulate({"id": "gate"})
    await start_prober()
    await eventually(lambda: observed.heartbeats)
    camera = await planner.camera(sim.cameras["gate"].url())
    probe = await observed.observation(camera.id, within_s=2.0)
    assert probe.verdict is Verdict.UP


async def test_many_new_cameras_are_spread_and_all_probed(
    simulate: Any, planner: Any, observed: Any, start_prober: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.probes.service.FIRST_PROBE_SPREAD_S", 1.0)
    sim = await simulate({"id": "gate", "max_sessions": 100})
    cameras = [await planner.camera(sim.cameras["gate"].url()) for _ in range(12)]
    prober = await start_prober(max_concurrent_probes=2)
    for camera in cameras:
        assert (await observed.observation(camera.id)).verdict is Verdict.UP
    sample = prober.metrics.registry.get_sample_value
    assert (sample("vonggac_prober_jobs_total", {"outcome": "deferred"}) or 0) >= 6
    assert len(observed.observations) == 12


async def test_no_more_cameras_are_probed_at_a_time_than_allowed(
    simulate: Any, planner: Any, observed: Any, start_prober: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prober.probes.service.FIRST_PROBE_SPREAD_S", 0.0)
    sim = await simulate({"id": "gate"})
    await sim.cameras["gate"].set_fault("no_media")
    cameras = [await planner.camera(sim.cameras["gate"].url(), probe_timeout_s=0.5) for _ in range(6)]
    prober = await start_prober(max_concurrent_probes=2, silent_share=0.0)
    most = 0
    while len(observed.observations) < len(cameras):
        most = max(most, prober.process.probes_running, len(sim.cameras["gate"].connections))
        await asyncio.sleep(0.02)
    assert most == 2


async def test_a_changed_camera_is_probed_at_once(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"}, {"id": "yard", "path": "/yard"})
    await start_prober()
    camera = await planner.camera(sim.cameras["gate"].url() + "/wrong", probe_interval_s=600)
    assert (await observed.observation(camera.id)).cause is Cause.NOT_FOUND
    await planner.camera(sim.cameras["yard"].url(), id=camera.id, revision=2, probe_interval_s=600)
    second = await observed.observation(camera.id, 2)
    assert (second.verdict, second.camera_revision) == (Verdict.UP, 2)


async def test_a_camera_that_changes_while_it_is_probed_gets_one_session_at_a_time(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"})
    gate = sim.cameras["gate"]
    await gate.set_fault("no_media")
    await start_prober()
    camera = await planner.camera(gate.url(), probe_timeout_s=1.5)
    await eventually(lambda: gate.sessions == 1)
    await planner.camera(gate.url(), id=camera.id, revision=2, probe_timeout_s=1.5)
    most = 0
    while len(observed.of(camera.id)) < 2:
        most = max(most, len(gate.connections))
        await asyncio.sleep(0.02)
    assert most == 1
    assert [probe.camera_revision for probe in observed.of(camera.id)] == [1, 2]


async def test_a_removed_camera_leaves_the_queue_and_the_list(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate"})
    await start_prober()
    camera = await planner.camera(sim.cameras["gate"].url())
    await observed.observation(camera.id)
    statuses = CameraStatuses(bus)
    await eventually(lambda: statuses.get(camera.id))
    await planner.remove(camera)
    await eventually(lambda: _none(statuses.get(camera.id)))
    await eventually(lambda: _none(queue_length(bus)))


async def test_a_camera_removed_while_it_is_probed_leaves_the_list_too(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("no_media")
    await start_prober()
    camera = await planner.camera(gate.url(), probe_timeout_s=20.0)
    await eventually(lambda: gate.sessions == 1)
    await planner.remove(camera)
    await eventually(lambda: _none(queue_length(bus)))
    await eventually(lambda: _none(CameraStatuses(bus).get(camera.id)))
    # Nothing is said of it any more, and its session is closed long before the deadline of its probe.
    assert gate.sessions == 0
    assert observed.of(camera.id) == []


@pytest.mark.parametrize(
    "off",
    [{"enabled": False}, {"facility_status": FacilityStatus.CLOSED}, {"facility_status": FacilityStatus.SUSPENDED}],
)
async def test_a_disabled_camera_is_not_probed_and_comes_back_when_enabled(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any, off: dict[str, Any]
) -> None:
    sim = await simulate({"id": "gate"})
    camera = await planner.camera(sim.cameras["gate"].url(), **off)
    await start_prober()
    await eventually(lambda: _none(queue_length(bus)))
    assert sim.cameras["gate"].sessions_total == 0
    await planner.camera(sim.cameras["gate"].url(), id=camera.id, revision=2)
    assert (await observed.observation(camera.id)).camera_revision == 2


async def test_after_two_failed_logins_a_camera_rests(
    simulate: Any, planner: Any, observed: Any, start_prober: Any
) -> None:
    sim = await simulate({"id": "gate", "auth": "digest", "username": "viewer", "password": "s3cret-Xem"})
    gate = sim.cameras["gate"]
    await start_prober(auth_cooldown_s=1800.0)
    wrong = planner.seal("viewer", "wrong-Xem")
    camera = await planner.camera(gate.url(), secret=wrong, probe_interval_s=0.2)
    second = await observed.observation(camera.id, 2)
    assert [probe.interval_s for probe in observed.of(camera.id)] == [0.2, 1800.0]
    assert second.cause is Cause.AUTH_FAILED
    assert gate.logins_failed == 2
    right = planner.seal("viewer", "s3cret-Xem")
    await planner.camera(gate.url(), id=camera.id, revision=2, secret=right, probe_interval_s=600)
    assert (await observed.observation(camera.id, 3)).verdict is Verdict.UP
    assert gate.logins_failed == 2


async def test_no_secret_is_published(bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any) -> None:
    sim = await simulate({"id": "gate", "path": "/user=viewer&password=s3cret-Xem"})
    url = sim.cameras["gate"].url().replace("viewer", "{username}").replace("s3cret-Xem", "{password}")
    await start_prober()
    good = await planner.camera(url, secret=planner.seal("viewer", "s3cret-Xem"))
    lost = await planner.camera(url + "/x", secret=planner.seal("viewer", "s3cret-Xem"))
    assert (await observed.observation(good.id)).verdict is Verdict.UP
    assert (await observed.observation(lost.id)).cause is Cause.NOT_FOUND
    stored = await bus.js.get_last_msg(topology.OBSERVATIONS, subjects.camera_observation(lost.id))
    assert stored.data is not None
    assert b"s3cret" not in stored.data
    assert b"viewer" not in stored.data


async def test_a_probe_that_outlives_its_deadline_is_abandoned_and_published(
    planner: Any, observed: Any, start_prober: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(_prober: CameraProber, _camera: CameraV1, _plan: ProbePlan) -> ProbeResult:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(CameraProber, "probe", endless)
    monkeypatch.setattr("prober.probes.camera.observer.GRACE_S", 0.1)
    prober = await start_prober()
    camera = await planner.camera("rtsp://127.0.0.1:9/live", probe_timeout_s=0.2, probe_interval_s=0.5)
    second = await observed.observation(camera.id, 2)
    assert (second.verdict, second.cause) == (Verdict.DOWN, Cause.TIMEOUT)
    assert prober.process.probes_running <= 1


async def test_a_long_probe_keeps_its_job(
    bus: Bus, simulate: Any, planner: Any, observed: Any, start_prober: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ConsumerConfig(durable_name=topology.PROBER, ack_wait=1.0, max_ack_pending=-1)
    await bus.js.add_consumer(topology.PROBE_JOBS, quick)
    monkeypatch.setattr("prober.probes.camera.observer.HOLD_EVERY_S", 0.2)
    gate = (await simulate({"id": "gate"})).cameras["gate"]
    await gate.set_fault("no_media")
    await start_prober()
    camera = await planner.camera(gate.url(), probe_timeout_s=2.5)
    await observed.observation(camera.id)
    assert gate.sessions_total == 1
    info = await bus.js.consumer_info(topology.PROBE_JOBS, topology.PROBER)
    assert info.delivered is not None
    assert info.delivered.consumer_seq == 1


async def test_a_job_that_is_no_camera_becomes_a_dead_letter(bus: Bus, planner: Any, start_prober: Any) -> None:
    camera = await planner.camera("rtsp://127.0.0.1:9/live", enabled=False)
    agency = AgencyV1(
        id=camera.id, revision=2, changed_at=camera.changed_at, code="STTTT", name="Sở TT&TT", role=AgencyRole.LEAD
    )
    event = new_event(agency, source="/inventory", subject=str(camera.id), time=camera.changed_at)
    await bus.js.publish(subjects.inventory("camera", camera.id), event.encode())
    await start_prober()

    async def dead_lettered() -> bool:
        for queue in ((topology.PROBE_JOBS, topology.PROBER), (topology.VERIFY_JOBS, topology.VERIFIER)):
            letter_subject = subjects.dead_letter(*queue)
            letters = await bus.js.stream_info(topology.DEAD_LETTERS, subjects_filter=letter_subject)
            assert letters.state.subjects
            letter = await bus.js.get_last_msg(topology.DEAD_LETTERS, letter_subject)
            assert letter.data is not None
            assert isinstance(decode(letter.data).data, AgencyV1)
        return True

    await eventually(dead_lettered)


async def test_a_worker_is_listed_while_it_lives(bus: Bus, observed: Any, start_prober: Any) -> None:
    prober = await start_prober()
    await eventually(lambda: len(observed.heartbeats) >= 2)
    assert [worker.worker_id for worker in await Workers(bus).all()] == [prober.process.worker_id]
    assert {beat.worker_id for beat in observed.heartbeats} == {prober.process.worker_id}
    await prober.stop()
    assert await Workers(bus).all() == []


async def _none(value: Any) -> bool:
    return not await value
