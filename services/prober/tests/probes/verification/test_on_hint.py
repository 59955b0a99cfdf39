"""Hints of a forwarder: read back out of turn, again until what fails is over, and never in a storm."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import Cause, subjects
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, HintReason, ReadBackHint
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually

pytestmark = pytest.mark.slow

VERIFIED = VerificationVerdict.VERIFIED
QUICK: dict[str, Any] = {"max_delay_s": 2.0, "verify_timeout_s": 2.0, "verify_interval_s": 600.0}


async def plan_deliveries(planner: Any, site: Any, *deliveries: PlannedDelivery) -> None:
    values = {"id": site.camera_id, "deliveries": deliveries, "probe_interval_s": 600.0}
    await planner.camera(site.camera.url(), **values)


async def hint_at(site: Any, delivery: PlannedDelivery) -> None:
    hint = ReadBackHint(
        camera_id=site.camera_id,
        delivery_id=delivery.id,
        destination_id=delivery.destination_id,
        reason=HintReason.WINDOW_CLOSES,
        at=datetime.now(UTC),
    )
    await site.forwarder.client.publish(subjects.read_back_hint(site.camera_id), hint.model_dump_json().encode())


async def put_state(bus: Bus, site: Any, delivery: PlannedDelivery, state: DeliveryState) -> None:
    fact = DeliveryObservedV1(
        delivery_id=delivery.id,
        camera_id=site.camera_id,
        destination_id=delivery.destination_id,
        camera_revision=1,
        worker_id="forwarder-0",
        held_since=datetime.now(UTC),
        sequence=1,
        observed_at=datetime.now(UTC),
        state=state,
    )
    await Bucket(bus, topology.DELIVERY_STATUS).put(str(delivery.id), fact.model_dump_json().encode())


async def test_proof_ends_and_begins_again_within_seconds_of_a_hint_whatever_the_interval(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    delivery, other = site.delivery(site.national), site.delivery(site.provincial)
    await start_prober(**QUICK)
    await plan_deliveries(planner, site, delivery, other)
    assert (await proofs.fact(delivery)).verdict is VERIFIED
    await proofs.fact(other)
    await site.national.set_fault("discard")
    hinted_at = datetime.now(UTC)
    await hint_at(site, delivery)
    failed = await proofs.fact(delivery, 2)
    assert (failed.verdict, failed.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert failed.interval_s == 600.0
    await proofs.fact(delivery, 3)
    await site.national.clear_fault()
    await eventually(lambda: proofs.of(delivery)[-1].verdict is VERIFIED)
    proven = proofs.of(delivery)[-1]
    assert proven.captured_at > hinted_at
    # The other one had no hint, and its interval is long.
    assert len(proofs.of(other)) == 1


async def test_a_storm_of_hints_makes_one_read_back_at_a_time_and_none_of_what_does_not_run(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    delivery, idle = site.delivery(site.national), site.delivery(site.provincial)
    await start_prober(**QUICK)
    await plan_deliveries(planner, site, delivery, idle)
    await proofs.fact(delivery)
    await proofs.fact(idle)
    await put_state(bus, site, idle, DeliveryState.STALLED)
    asked = len(site.asked)
    for _ in range(200):
        await hint_at(site, delivery)
        await hint_at(site, idle)
        await hint_at(site, site.delivery(site.national, id=uuid4()))
    assert (await proofs.fact(delivery, 2)).verdict is VERIFIED
    await eventually(lambda: site.national.streams["key"].viewers == 0)
    assert len(site.asked) <= asked + 2
    assert len(proofs.of(idle)) == 1


async def test_a_hint_that_cannot_be_read_is_passed_over(
    bus: Bus, open_site: Any, planner: Any, start_prober: Any, proofs: Any
) -> None:
    site = await open_site()
    delivery = site.delivery(site.national)
    await start_prober(**QUICK)
    await plan_deliveries(planner, site, delivery)
    await proofs.fact(delivery)
    await site.forwarder.client.publish(subjects.read_back_hint(site.camera_id), b"{}")
    await hint_at(site, delivery)
    assert (await proofs.fact(delivery, 2)).verdict is VERIFIED
