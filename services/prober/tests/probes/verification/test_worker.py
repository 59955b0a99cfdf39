"""Verify jobs come, are read back, published, and come back: real NATS, real centres, the test plays the forwarder."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from nats.js.api import ConsumerConfig

from prober.domain.schedule import Hint
from prober.messaging import VerificationResults
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause, new_event, subjects
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState
from vonggac.events.inventory import AgencyRole, AgencyV1
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually

pytestmark = pytest.mark.slow

VERIFIED = VerificationVerdict.VERIFIED
QUICK: dict[str, Any] = {"max_delay_s": 2.0, "verify_timeout_s": 2.0}


async def queue_length(bus: Bus) -> int:
    return int((await bus.js.stream_info(topology.VERIFY_JOBS)).state.messages)


async def planned(planner: Any, site: Any, *deliveries: Any, **changes: Any) -> Any:
    """The site's camera with these deliveries."""
    values = {"id": site.camera_id, "deliveries": deliveries, "probe_interval_s": 600.0}
    return await planner.camera(site.camera.url(), **values | changes)


async def test_a_new_camera_is_proven_at_both_centres_within_seconds_and_again_after_the_interval(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    prober = await start_prober(**QUICK, verify_interval_s=1.5)
    deliveries = [site.delivery(centre) for centre in (site.national, site.provincial)]
    began = datetime.now(UTC)
    await planned(planner, site, *deliveries)
    for delivery in deliveries:
        first = await proofs.fact(delivery)
        assert (first.verdict, first.camera_id, first.camera_revision) == (VERIFIED, site.camera_id, 1)
        assert (first.destination_id, first.interval_s) == (delivery.destination_id, 1.5)
        assert first.worker_id == prober.process.worker_id
        assert (first.observed_at - began).total_seconds() < 6.0
        second = await proofs.fact(delivery, 2)
        assert 0.4 < (second.observed_at - first.observed_at).total_seconds() < 5.0
        kept = await VerificationResults(bus).get(delivery.id)
        assert kept is not None
        assert kept.verdict is VERIFIED
    sample = prober.metrics.registry.get_sample_value
    assert (sample("vonggac_prober_verifications_total", {"verdict": "verified", "cause": "none"}) or 0) >= 4
    assert (sample("vonggac_prober_verification_delay_seconds_count") or 0) >= 4
    assert (sample("vonggac_prober_verify_jobs_total", {"outcome": "read_back"}) or 0) >= 2


async def test_a_delivery_that_comes_up_is_proven_soon_and_the_proven_one_is_left_alone(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await site.provincial.set_fault("black_hole")
    await start_prober(**QUICK, verify_interval_s=60.0)
    up, down = site.delivery(site.national), site.delivery(site.provincial)
    await planned(planner, site, up, down)
    first = await proofs.fact(down)
    assert (first.verdict, first.cause) == (VerificationVerdict.UNREACHABLE, Cause.TIMEOUT)
    second = await proofs.fact(down, 2)
    assert (second.observed_at - first.observed_at).total_seconds() < 20.0
    await site.provincial.clear_fault()
    proven = await proofs.fact(down, 3)
    assert (proven.verdict, proven.interval_s) == (VERIFIED, 60.0)
    assert [fact.verdict for fact in proofs.of(up)] == [VERIFIED]


async def test_proof_ends_at_one_centre_only_what_takes_long_there_keeps_nobody(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    """A centre that gives no keyframe makes each round long: the other one is read back meanwhile, time after time."""
    site = await open_site()
    await site.provincial.set_fault("wrong_picture", path="yard")
    await start_prober(max_delay_s=8.0, verify_timeout_s=3.0, verify_interval_s=1.0)
    up, lying = site.delivery(site.national), site.delivery(site.provincial)
    await planned(planner, site, up, lying)
    assert (await proofs.fact(lying, within_s=40.0)).verdict is VerificationVerdict.MISMATCH
    assert len(proofs.of(up)) >= 4
    assert {fact.verdict for fact in proofs.of(up)} == {VERIFIED}
    # The other one is due first, and alone, from then on.
    known = len(proofs.of(up))
    assert (await proofs.fact(lying, 2, within_s=40.0)).verdict is VerificationVerdict.MISMATCH
    assert len(proofs.of(up)) >= known + 4
    assert all(fact.paused_since is None for fact in proofs.of(up))


async def test_proof_ends_at_two_centres_and_what_takes_long_at_either_keeps_nobody(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    """Both take long, not in step: whichever began first, each comes again when its own read-back is over."""
    site = await open_site()
    await site.provincial.set_fault("wrong_picture", path="yard")
    await start_prober(max_delay_s=12.0, verify_timeout_s=3.0, verify_interval_s=1.0)
    later, lying = site.delivery(site.national), site.delivery(site.provincial)
    await planned(planner, site, later, lying)
    # In the middle of the long one, the other centre begins to lie as well.
    await proofs.fact(later, 12, within_s=40.0)
    await site.national.set_fault("wrong_picture", path="yard")
    mismatch = VerificationVerdict.MISMATCH
    await eventually(lambda: _mismatches(proofs, lying) >= 3, within_s=60.0, what="three mismatches")
    await eventually(lambda: _mismatches(proofs, later) > 0, within_s=20.0, what="a mismatch at the other centre")
    found = proofs.of(lying)
    # A machine that is busy lets the prober stand still, which accuses nobody (decision 0084).
    assert {fact.verdict for fact in found if fact.cause is not Cause.WORKER_LAGGED} == {mismatch}
    apart_s = [
        (after.observed_at - timedelta(milliseconds=after.duration_ms) - before.observed_at).total_seconds()
        for before, after in pairwise(found)
        if Cause.WORKER_LAGGED not in (before.cause, after.cause)
    ]
    assert apart_s
    assert max(apart_s) < 4.0


def _mismatches(proofs: Any, delivery: Any) -> int:
    return sum(fact.verdict is VerificationVerdict.MISMATCH for fact in proofs.of(delivery))


async def test_proof_ends_with_the_picture_that_was_found_at_a_centre_that_shows_it_for_ever(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await start_prober(max_delay_s=8.0, verify_timeout_s=3.0, verify_interval_s=1.5)
    shown = site.delivery(site.national)
    await planned(planner, site, shown)
    await proofs.fact(shown)
    await site.national.set_fault("last_pictures")
    mismatch = VerificationVerdict.MISMATCH
    await eventually(lambda: proofs.of(shown)[-1].verdict is mismatch, within_s=40.0, what="a mismatch")
    found = [fact for fact in proofs.of(shown) if fact.verdict is VERIFIED]
    late = [(before, fact) for before, fact in pairwise(found) if fact.delay_s >= 1.0]
    assert all(fact.captured_at > before.captured_at for before, fact in late)
    began_at = proofs.of(shown)[-1].observed_at - timedelta(milliseconds=proofs.of(shown)[-1].duration_ms)
    assert (began_at - found[-1].captured_at).total_seconds() < 5.0, "not when the picture became too old"


async def publish_delivery(
    bus: Bus, site: Any, delivery: Any, state: DeliveryState, *, at: datetime | None = None
) -> None:
    """As the forwarder does."""
    fact = DeliveryObservedV1(
        delivery_id=delivery.id,
        camera_id=site.camera_id,
        destination_id=delivery.destination_id,
        camera_revision=1,
        worker_id="forwarder-0",
        held_since=datetime.now(UTC),
        sequence=1,
        observed_at=at or datetime.now(UTC),
        state=state,
    )
    await Bucket(bus, topology.DELIVERY_STATUS).put(str(delivery.id), fact.model_dump_json().encode())
    event = new_event(fact, source="/forwarder/0", subject=str(delivery.id), time=fact.observed_at)
    await bus.js.publish(subjects.delivery_observation(delivery.id), event.encode())


async def test_a_delivery_that_does_not_run_costs_no_read_back_and_is_proven_when_it_runs(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    delivery = site.delivery(site.national)
    await publish_delivery(bus, site, delivery, DeliveryState.BACKING_OFF)
    await start_prober(**QUICK)
    await planned(planner, site, delivery)
    first = await proofs.fact(delivery)
    assert (first.verdict, first.cause) == (VerificationVerdict.NOT_CHECKABLE, None)
    assert first.detail == "the forwarder does not deliver now: backing_off"
    assert site.asked == []
    await publish_delivery(bus, site, delivery, DeliveryState.ACKNOWLEDGED)
    assert (await proofs.fact(delivery, 2)).verdict is VERIFIED


async def test_a_delivery_that_comes_up_is_read_back_at_once_by_one_prober(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    up, other = site.delivery(site.national), site.delivery(site.provincial)
    for _ in range(2):
        await start_prober(**QUICK, verify_interval_s=600.0)
    await planned(planner, site, up, other)
    await proofs.fact(other)
    await proofs.fact(up)
    began = datetime.now(UTC)
    await publish_delivery(bus, site, up, DeliveryState.BACKING_OFF)
    await publish_delivery(bus, site, up, DeliveryState.ACKNOWLEDGED)
    second = await proofs.fact(up, 2, within_s=5.0)
    assert second.verdict is VERIFIED
    assert second.captured_at > began
    assert len(site.asked) == 2
    assert (len(proofs.of(up)), len(proofs.of(other))) == (2, 1)


async def test_a_proof_of_the_same_session_is_not_on_demand_again(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    delivery, next_one = site.delivery(site.national), site.delivery(site.provincial)
    began = datetime.now(UTC)
    await start_prober(**QUICK, verify_interval_s=600.0)
    await planned(planner, site, delivery, next_one)
    await proofs.fact(delivery)
    await proofs.fact(next_one)
    await publish_delivery(bus, site, delivery, DeliveryState.ACKNOWLEDGED, at=began)
    await publish_delivery(bus, site, next_one, DeliveryState.ACKNOWLEDGED)
    await proofs.fact(next_one, 2)
    assert len(proofs.of(delivery)) == 1


async def test_a_camera_without_read_back_leaves_the_queue_until_it_changes(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await start_prober(**QUICK)
    blind = site.delivery(site.national, read_back_url=None)
    await planned(planner, site, blind)
    await eventually(lambda: _none(queue_length(bus)))
    assert site.asked == []
    sighted = site.delivery(site.national, id=blind.id)
    await planned(planner, site, sighted, revision=2)
    assert (await proofs.fact(sighted)).camera_revision == 2


async def test_what_is_no_longer_read_back_leaves_the_list(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await start_prober(**QUICK)
    delivery, other = site.delivery(site.national), site.delivery(site.provincial)
    await planned(planner, site, delivery, other)
    await proofs.fact(delivery)
    results = VerificationResults(bus)
    await eventually(lambda: results.get(delivery.id))
    disabled = delivery.model_copy(update={"enabled": False})
    await planned(planner, site, disabled, other, revision=2)
    await eventually(lambda: _none(results.get(delivery.id)))
    assert (await proofs.fact(other, 2)).camera_revision == 2
    await planned(planner, site, disabled, other, revision=3, enabled=False)
    await eventually(lambda: _none(results.get(other.id)))
    await eventually(lambda: _none(queue_length(bus)))


async def test_a_removed_camera_leaves_the_queue(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await start_prober(**QUICK)
    delivery = site.delivery(site.national)
    camera = await planned(planner, site, delivery)
    await proofs.fact(delivery)
    await planner.remove(camera)
    await eventually(lambda: _none(queue_length(bus)))


async def test_a_job_given_out_twice_opens_no_second_session(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    hasty = ConsumerConfig(durable_name=topology.VERIFIER, ack_wait=0.5, max_ack_pending=-1)
    await bus.js.add_consumer(topology.VERIFY_JOBS, hasty)
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    prober = await start_prober(**QUICK)
    delivery = site.delivery(site.national)
    await planned(planner, site, delivery)
    assert await most_viewers_until_the_verdict(site, proofs, delivery) == 1
    deferred = prober.metrics.registry.get_sample_value("vonggac_prober_verify_jobs_total", {"outcome": "deferred"})
    assert (deferred or 0) >= 3
    assert len(site.asked) == 1


async def test_a_long_read_back_keeps_its_job_from_other_probers(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ConsumerConfig(durable_name=topology.VERIFIER, ack_wait=1.0, max_ack_pending=-1)
    await bus.js.add_consumer(topology.VERIFY_JOBS, quick)
    monkeypatch.setattr("prober.probes.verification.scheduler.HOLD_EVERY_S", 0.2)
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    for _ in range(2):
        await start_prober(**QUICK)
    delivery = site.delivery(site.national)
    await planned(planner, site, delivery)
    assert await most_viewers_until_the_verdict(site, proofs, delivery) == 1
    assert len(site.asked) == 1


async def most_viewers_until_the_verdict(site: Any, proofs: Any, delivery: Any) -> int:
    """The most sessions at a time that read the stream "yard" until the delivery's first verdict."""
    most = 0
    while not proofs.of(delivery):
        most = max(most, site.national.streams["yard"].viewers)
        await asyncio.sleep(0.02)
    return most


async def test_a_stop_gives_a_running_read_back_to_another_prober(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    await site.national.set_fault("wrong_picture", path="yard")
    leaving = await start_prober(max_delay_s=30.0, stop_within_s=0.2)
    delivery = site.delivery(site.national)
    await planned(planner, site, delivery)
    await eventually(lambda: site.national.streams["yard"].viewers == 1)
    await leaving.stop()
    assert proofs.of(delivery) == []
    await eventually(lambda: site.national.streams["yard"].viewers == 0)
    await site.national.clear_fault()
    staying = await start_prober(**QUICK)
    fact = await proofs.fact(delivery)
    assert (fact.verdict, fact.worker_id) == (VERIFIED, staying.process.worker_id)


async def test_a_restarted_nats_makes_nobody_read_back_before_it_is_due(
    open_site: Any, planner: Any, start_prober: Any, proofs: Any, bus: Bus
) -> None:
    site = await open_site()
    first = await start_prober(**QUICK)
    delivery = site.delivery(site.national)
    await planned(planner, site, delivery)
    await proofs.fact(delivery)
    await first.stop()
    # As after a restart that lost the delayed nak: the consumer is made anew and gives the job out at once.
    await bus.js.delete_consumer(topology.VERIFY_JOBS, topology.VERIFIER)
    await topology.declare(bus.js)
    second = await start_prober(**QUICK)
    sample = second.metrics.registry.get_sample_value
    await eventually(lambda: sample("vonggac_prober_verify_jobs_total", {"outcome": "early"}))
    assert len(proofs.of(delivery)) == 1


async def test_no_secret_is_published(open_site: Any, planner: Any, start_prober: Any, proofs: Any, bus: Bus) -> None:
    site = await open_site(centre={"auth": "basic", "username": "centre", "password": "s3cret-Xem"})
    await start_prober(**QUICK)
    url = site.national.stream_url("key") + "?pw={password}"
    lost = site.delivery(site.national, read_back_url=url, secret=planner.seal("centre", "s3cret-Xem"))
    await planned(planner, site, lost)
    fact = await proofs.fact(lost)
    assert fact.verdict is not VERIFIED
    stored = await bus.js.get_last_msg(topology.OBSERVATIONS, subjects.delivery_verification(site.camera_id, lost.id))
    assert b"s3cret" not in (stored.data or b"")


async def test_a_job_that_is_no_camera_becomes_a_dead_letter(bus: Bus, planner: Any, start_prober: Any) -> None:
    camera = await planner.camera("rtsp://127.0.0.1:9/live", enabled=False)
    agency = AgencyV1(
        id=camera.id, revision=2, changed_at=camera.changed_at, code="STTTT", name="Sở TT&TT", role=AgencyRole.LEAD
    )
    event = new_event(agency, source="/inventory", subject=str(camera.id), time=camera.changed_at)
    await bus.js.publish(subjects.inventory("camera", camera.id), event.encode())
    await start_prober()

    async def dead_lettered() -> bool:
        info = await bus.js.stream_info(topology.DEAD_LETTERS, subjects_filter=subjects.DEAD_LETTERS)
        return subjects.dead_letter(topology.VERIFY_JOBS, topology.VERIFIER) in (info.state.subjects or {})

    await eventually(dead_lettered)


async def _none(value: Any) -> bool:
    return not await value


async def test_a_camera_is_read_back_in_one_round_at_a_time_whoever_begins_one(
    open_site: Any, planner: Any, start_prober: Any
) -> None:
    site = await open_site()
    await site.national.set_fault("black_hole")
    prober = await start_prober(**QUICK)
    await eventually(lambda: prober.process.verifications is not None)
    verifications, delivery = prober.process.verifications, site.delivery(site.national)
    camera = await planned(planner, site, delivery, enabled=False)
    camera = camera.model_copy(update={"enabled": True})

    async def hold() -> None:
        return

    now = datetime.now(UTC)
    rounds = (
        verifications.verify_hinted(camera, {delivery.id: Hint(now, now)}),
        verifications.verify_due(camera, hold=hold),
        verifications.verify_on_demand(camera, [delivery]),
    )
    hinted, due, demanded = await asyncio.gather(*rounds)
    # Two at a time would be two sessions at the centre, which may allow one.
    assert (len(hinted), len(due.facts), len(demanded.facts)) == (1, 0, 1)
    [last] = demanded.facts
    assert hinted[0].observed_at <= last.observed_at - timedelta(milliseconds=last.duration_ms)
