"""What a camera's holder makes of read-backs that it hears of over the bus."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from nats.aio.msg import Msg
from prometheus_client import generate_latest

from forwarder.relay.service import Process
from vonggac.bus import Bus
from vonggac.events import Cause, decode, subjects
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState, HintReason, ReadBackHint
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.assignment.conftest import Scene

type StartForwarder = Callable[..., Awaitable[Process]]
BOTH_ACKNOWLEDGED = ["acknowledged", "acknowledged"]


def read_back_at(camera: CameraV1, revision: int, url: str | None) -> CameraV1:
    """The plan with another read-back address for the first delivery."""
    first, *others = camera.deliveries
    first = first.model_copy(update={"read_back_url": url})
    return camera.model_copy(update={"revision": revision, "deliveries": (first, *others)})


async def test_a_matching_read_back_makes_its_delivery_verified_and_only_that_one(
    scene: Scene,
) -> None:
    forwarder, camera = await scene.forward()
    captured_at = datetime.now(UTC)
    first = camera.deliveries[0]
    verified = VerificationVerdict.VERIFIED
    await scene.asker.publish_finding(camera, first, verified, captured_at=captured_at, delay_s=0.25)
    observed, other = await scene.become(camera, "verified", "acknowledged")
    assert (observed.delay_s, observed.cause) == (0.25, None)
    assert observed.verified_at is not None
    assert observed.verified_at >= captured_at
    assert (other.delay_s, other.verified_at) == (None, None)
    text = generate_latest(forwarder.metrics.registry).decode()
    labels = f'{{camera_id="{camera.id}",destination_id="{first.destination_id}"'
    assert f'vonggac_forwarder_delivery_state{labels},state="verified"}} 1.0' in text
    assert f"vonggac_forwarder_delivery_delay_seconds{labels}}} 0.25" in text
    assert text.count("\nvonggac_forwarder_delivery_verified_timestamp_seconds{") == 1


async def test_a_read_back_that_is_no_fact_proves_its_delivery_and_comes_with_the_end_of_its_session(
    scene: Scene, bus: Bus
) -> None:
    _, camera = await scene.forward()
    first, second = camera.deliveries
    reports: list[DeliveryObservedV1] = []

    async def hear(message: Msg) -> None:
        data = decode(message.data).data
        if isinstance(data, DeliveryObservedV1) and data.delivery_id == first.id:
            reports.append(data)

    subscription = await bus.client.subscribe(subjects.stored(subjects.delivery_observation("*")), cb=hear)
    captured_at, verified = datetime.now(UTC), VerificationVerdict.VERIFIED
    await scene.asker.publish_finding(camera, first, verified, captured_at=captured_at, delay_s=0.25)
    await scene.become(camera, "verified", "acknowledged")
    live = datetime.now(UTC)
    await scene.asker.publish_finding(camera, first, verified, captured_at=live, delay_s=0.5, is_fact=False)
    await scene.asker.publish_finding(camera, second, verified, captured_at=live, delay_s=0.5, is_fact=False)
    await scene.become(camera, "verified", "verified")
    assert [(report.state, report.agreed) for report in reports] == [(DeliveryState.VERIFIED, None)]
    for session in [each for centre in scene.sim.centres.values() for each in tuple(centre.connections)]:
        session.reset()

    async def has_ended() -> DeliveryObservedV1:
        assert reports[-1].state is not DeliveryState.VERIFIED
        # It may stand again within the second of one report.
        return reports[1]

    ended = await eventually(has_ended)
    assert ended.agreed is not None
    assert (ended.agreed.verdict, ended.agreed.count) == (verified, 1)
    assert [one.at for one in ended.agreed.read_backs] == [live]
    assert not any(one.agreed for one in reports if one.sequence > ended.sequence), "once is enough"
    await subscription.unsubscribe()


async def test_a_still_picture_takes_a_mismatch_back_to_acknowledged(
    scene: Scene,
) -> None:
    _, camera = await scene.forward()
    first = camera.deliveries[0]
    await scene.asker.publish_finding(camera, first, VerificationVerdict.MISMATCH, detail="an old picture")
    await scene.become(camera, "mismatch", "acknowledged")
    why = "the camera repeats its pictures"
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.NOT_CHECKABLE, detail=why, still_since=datetime.now(UTC)
    )
    observed, _ = await scene.become(camera, *BOTH_ACKNOWLEDGED)
    assert (observed.cause, observed.detail) == (None, why)


async def test_a_proof_from_before_the_session_is_not_believed(scene: Scene) -> None:
    began = datetime.now(UTC)
    _, camera = await scene.forward()
    first, second = camera.deliveries
    await scene.asker.publish_finding(camera, first, VerificationVerdict.VERIFIED, captured_at=began, delay_s=1.0)
    await scene.asker.publish_finding(camera, first, VerificationVerdict.MISMATCH, observed_at=began)
    # Of two on one subscription the first has been dealt with when the second one shows.
    await scene.asker.publish_finding(
        camera, second, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1
    )
    await scene.become(camera, "acknowledged", "verified")


async def test_a_mismatch_is_published_with_its_cause_until_it_is_disproved(
    scene: Scene,
) -> None:
    _, camera = await scene.forward()
    first = camera.deliveries[0]
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.MISMATCH, detail="an old picture", duration_ms=1.0
    )
    observed, _ = await scene.become(camera, "mismatch", "acknowledged")
    assert (observed.cause, observed.detail) == (Cause.MISMATCH, "an old picture")
    for verdict in (VerificationVerdict.UNREACHABLE, VerificationVerdict.NOT_CHECKABLE):
        await scene.asker.publish_finding(camera, first, verdict, cause=Cause.TIMEOUT)
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1
    )
    observed, _ = await scene.become(camera, "verified", "acknowledged")
    assert (observed.cause, observed.detail) == (None, None)


async def test_proof_ends_with_a_read_back_that_fails_which_shows_in_the_status_of_the_verified_delivery(
    scene: Scene,
) -> None:
    _, camera = await scene.forward()
    first = camera.deliveries[0]
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1
    )
    proven, _ = await scene.become(camera, "verified", "acknowledged")
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.UNREACHABLE, cause=Cause.REFUSED, detail="no one there"
    )

    async def is_doubted() -> bool:
        observed, _ = await scene.become(camera, "verified", "acknowledged")
        assert observed.observed_at == proven.observed_at
        return (observed.detail or "").endswith("UTC: no one there")

    await eventually(is_doubted)
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1
    )

    async def is_proven() -> bool:
        observed, _ = await scene.become(camera, "verified", "acknowledged")
        return observed.detail is None

    await eventually(is_proven)


async def test_proof_ends_at_one_camera_and_a_read_back_of_its_neighbour_at_the_destination_is_asked_for(
    scene: Scene, prober_bus: Bus
) -> None:
    forwarder = await scene.start()
    hints: list[ReadBackHint] = []

    async def hear(message: Msg) -> None:
        hints.append(ReadBackHint.model_validate_json(message.data))

    subscription = await prober_bus.client.subscribe(subjects.read_back_hint("*"), cb=hear)

    def plan_camera(name: str) -> CameraV1:
        deliveries = [
            scene.plan_delivery(centre_id, name, read_back_url=centre.stream_url(name))
            for centre_id, centre in scene.sim.centres.items()
        ]
        return scene.plan(deliveries=tuple(deliveries))

    one, other = plan_camera("one"), plan_camera("other")
    for camera in (one, other):
        await scene.inventory.publish(camera)
        await scene.become(camera, *BOTH_ACKNOWLEDGED)
    # As if both sessions had lasted for a while.
    forwarder._context.hints._now_s = lambda: time.monotonic() + 60.0
    await scene.asker.publish_finding(one, one.deliveries[0], VerificationVerdict.MISMATCH, cause=Cause.MISMATCH)
    await eventually(lambda: hints)
    (hint,) = hints
    assert (hint.delivery_id, hint.camera_id) == (other.deliveries[0].id, other.id)
    assert hint.reason is HintReason.NEIGHBOUR_UNPROVEN
    # So is one when a session there breaks, after the pause.
    forwarder._context.hints._now_s = lambda: time.monotonic() + 120.0
    national = scene.sim.centres["national"]
    for session in tuple(national.connections):
        if session._subject is not None and session._subject.stream.path == "one":
            session.reset()
    await eventually(lambda: len(hints) == 2)
    assert (hints[1].delivery_id, hints[1].reason) == (other.deliveries[0].id, HintReason.NEIGHBOUR_FAILED)
    await subscription.unsubscribe()


@pytest.mark.parametrize("elsewhere", [None, "rtsp://127.0.0.1:1/other"], ids=["nowhere", "elsewhere"])
@pytest.mark.parametrize("verdict", [VerificationVerdict.MISMATCH, VerificationVerdict.VERIFIED])
async def test_what_was_read_back_from_an_address_that_is_read_no_more_does_not_live_on(
    scene: Scene, elsewhere: str | None, verdict: VerificationVerdict
) -> None:
    worker = (await scene.start()).worker
    assert worker is not None
    camera = read_back_at(scene.plan(), 1, "rtsp://127.0.0.1:1/gate")
    await scene.inventory.publish(camera)
    await scene.become(camera, *BOTH_ACKNOWLEDGED)
    first, second = camera.deliveries
    match = {"captured_at": datetime.now(UTC), "delay_s": 0.1}
    await scene.asker.publish_finding(camera, first, verdict, duration_ms=1.0, **match)
    await scene.become(camera, verdict.value, "acknowledged")
    changed = read_back_at(camera, 2, elsewhere)
    await scene.inventory.publish(changed)
    observed, _ = await scene.become(changed, *BOTH_ACKNOWLEDGED)
    assert (observed.cause, observed.detail) == (None, None)
    # One that was under way when the plan changed; it has been dealt with when what was found later shows.
    await scene.asker.publish_finding(camera, first, verdict, duration_ms=1.0, **match)
    await scene.asker.publish_finding(camera, second, VerificationVerdict.VERIFIED, **match)
    await scene.become(changed, "acknowledged", "verified")
    assert worker.held[camera.id].relay.deliveries[first.id].delivery.state is DeliveryState.ACKNOWLEDGED
    if elsewhere is not None:
        await scene.asker.publish_finding(changed, first, verdict, duration_ms=1.0, **match)
        await scene.become(changed, verdict.value, "verified")
    assert scene.sim.centres["national"].streams["gate"].sessions == 1


async def test_a_proof_that_is_not_renewed_ages_out(
    scene: Scene,
) -> None:
    _, camera = await scene.forward()
    first = camera.deliveries[0]
    await scene.asker.publish_finding(
        camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1, interval_s=0.7
    )
    proven, _ = await scene.become(camera, "verified", "acknowledged")
    aged, _ = await scene.become(camera, *BOTH_ACKNOWLEDGED)
    # Three intervals, and the check that is made once a second.
    assert 2.0 <= (aged.observed_at - proven.observed_at).total_seconds() <= 4.0
    assert aged.verified_at == proven.verified_at


async def test_what_is_no_finding_or_of_another_delivery_changes_nothing(scene: Scene, bus: Bus) -> None:
    _, camera = await scene.forward()
    first, second = camera.deliveries
    now, verified = datetime.now(UTC), VerificationVerdict.VERIFIED
    await bus.client.publish(subjects.delivery_verification(camera.id, first.id), b"{}")
    await scene.asker.publish_finding(camera, first, verified, captured_at=now, destination_id=uuid4())
    await scene.asker.publish_finding(camera, first.model_copy(update={"id": uuid4()}), verified, captured_at=now)
    await scene.asker.publish_finding(camera, second, verified, captured_at=now, delay_s=0.1)
    await scene.become(camera, "acknowledged", "verified")
