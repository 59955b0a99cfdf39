"""What others ask of a camera's holder over the bus, and what it makes of read-backs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from prometheus_client import generate_latest

from forwarder.relay.process import Process
from simulator import Simulator
from vonggac.bus import Bucket, Bus, topology
from vonggac.events import Cause, new_event, subjects
from vonggac.events.forwarder import DeliveryObservedV1, KeyframeHistory
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.worker.conftest import Inventory, Statuses

type StartForwarder = Callable[..., Awaitable[Process]]
BOTH_ACKNOWLEDGED = ["acknowledged", "acknowledged"]


class Asker:
    """The prober's side."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def keyframe(self, camera: CameraV1) -> Msg:
        return await self._bus.client.request(subjects.forwarder_keyframe(camera.id), b"", timeout=8)

    async def hash_keyframes(self, camera: CameraV1, body: object) -> Msg:
        subject = subjects.forwarder_hash_keyframes(camera.id)
        return await self._bus.client.request(subject, json.dumps(body).encode(), timeout=5)

    async def history(self, camera: CameraV1) -> KeyframeHistory:
        value = await Bucket(self._bus, topology.KEYFRAMES).get(str(camera.id))
        assert value
        return KeyframeHistory.model_validate_json(value)

    async def history_of(self, camera: CameraV1, at_least: int) -> KeyframeHistory:
        history = await self.history(camera)
        assert len(history.keyframes) >= at_least
        return history

    async def say(
        self, camera: CameraV1, delivery: PlannedDelivery, verdict: VerificationVerdict, **changes: object
    ) -> None:
        """Publish a finding as the prober does: into OBSERVATIONS."""
        now = datetime.now(UTC)
        fields: dict[str, object] = {
            "delivery_id": delivery.id,
            "camera_id": camera.id,
            "destination_id": delivery.destination_id,
            "camera_revision": camera.revision,
            "worker_id": "prober-1",
            "observed_at": now,
            "verdict": verdict,
            "interval_s": 60.0,
            "duration_ms": 10.0,
        }
        finding = DeliveryVerifiedV1.model_validate(fields | changes)
        event = new_event(finding, source="/prober/prober-1", subject=str(delivery.id), time=now)
        await self._bus.js.publish(subjects.delivery_verification(camera.id, delivery.id), event.encode())


@pytest.fixture
def asker(bus: Bus) -> Asker:
    return Asker(bus)


async def are(statuses: Statuses, camera: CameraV1, words: list[str]) -> list[DeliveryObservedV1]:
    async def seen() -> list[DeliveryObservedV1]:
        observed = await statuses.of(camera)
        assert [one.state.value for one in observed] == words
        return observed

    return await eventually(seen, within_s=15)


async def test_a_keyframe_is_handed_out_with_what_was_measured(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    forwarder = await start_forwarder(keyframe_interval_s=1.0)
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)

    async def measured() -> Msg:
        reply = await asker.keyframe(camera)
        assert reply.headers is not None
        assert {"fps", "bitrate_kbps"} <= reply.headers.keys()
        return reply

    reply = await eventually(measured, within_s=20)
    headers = reply.headers
    assert headers is not None
    assert reply.data.startswith(b"\0\0\0\1\x67")
    assert (headers["codec"], headers["worker_id"]) == ("h264", forwarder.worker_id)
    age = datetime.now(UTC) - datetime.fromisoformat(headers["captured_at"])
    assert timedelta(0) <= age < timedelta(seconds=3)
    assert float(headers["fps"]) == pytest.approx(sim.cameras["gate"].config.fps, rel=0.02)
    assert int(headers["packets_received"]) > 0
    assert headers["packets_lost"] == "0"
    assert sim.cameras["gate"].sessions_total == 1


async def test_two_who_ask_within_the_interval_get_the_same_keyframe(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    await start_forwarder(keyframe_interval_s=60.0)
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    first, second = await asker.keyframe(camera), await asker.keyframe(camera)
    assert first.data == second.data != b""
    assert first.headers == second.headers


async def test_a_camera_that_nobody_holds_has_nobody_to_ask(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    with pytest.raises(NoRespondersError):
        await asker.keyframe(camera)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    assert (await asker.keyframe(camera)).data
    await inventory.say(camera.model_copy(update={"revision": 2, "enabled": False}))
    await are(statuses, camera, ["disabled", "disabled"])

    async def left() -> bool:
        with pytest.raises(NoRespondersError):
            await asker.keyframe(camera)
        with pytest.raises(NoRespondersError):
            await asker.hash_keyframes(camera, {"seconds": 5})
        return True

    await eventually(left)


async def test_who_asks_for_a_camera_that_is_away_is_told_at_once(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    await start_forwarder()
    await sim.cameras["gate"].set_fault("refuse")
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, ["waiting_for_camera", "waiting_for_camera"])
    reply = await asker.keyframe(camera)
    assert (reply.data, reply.headers) == (b"", {"error": "camera_away"})
    promise = json.loads((await asker.hash_keyframes(camera, {"seconds": 5})).data)
    assert promise["media_since"] is None


async def test_the_history_is_in_the_bucket_and_grows_with_every_keyframe_on_request(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    forwarder = await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    history = await eventually(lambda: asker.history_of(camera, 1))
    assert (history.camera_id, history.worker_id) == (camera.id, forwarder.worker_id)
    promise = json.loads((await asker.hash_keyframes(camera, {"seconds": 30, "asker": "me"})).data)
    assert promise["worker_id"] == forwarder.worker_id
    assert datetime.fromisoformat(promise["media_since"]) <= history.keyframes[0].captured_at
    grown = await eventually(lambda: asker.history_of(camera, 4), within_s=15)
    assert grown.keyframes[0] == history.keyframes[0]
    assert len({note.hash for note in grown.keyframes}) >= 2


async def test_who_has_seen_enough_says_so_and_others_go_on_being_served(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    forwarder = await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    for name in ("one", "other"):
        await asker.hash_keyframes(camera, {"seconds": 30, "asker": name})
    await asker.hash_keyframes(camera, {"seconds": 0, "asker": "one"})
    before = len((await eventually(lambda: asker.history_of(camera, 1))).keyframes)
    await eventually(lambda: asker.history_of(camera, before + 2), within_s=15)
    await asker.hash_keyframes(camera, {"seconds": 0, "asker": "other"})
    assert forwarder.worker is not None
    source = forwarder.worker.held[camera.id].relay._source
    assert source is not None
    await eventually(lambda: source.fanout.tap is None)


@pytest.mark.parametrize("body", [{"seconds": 31}, {"seconds": -1}, {}, [], {"seconds": "soon"}])
async def test_a_wrong_request_is_told_what_would_be_right(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    body: object,
    statuses: Statuses,
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    reply = await asker.hash_keyframes(camera, body)
    assert reply.headers is not None
    assert "seconds" in reply.headers["error"]


async def test_a_matching_read_back_makes_its_delivery_verified_and_only_that_one(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    forwarder = await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    captured_at = datetime.now(UTC)
    first = camera.deliveries[0]
    verified = VerificationVerdict.VERIFIED
    await asker.say(camera, first, verified, captured_at=captured_at, delay_s=0.25)
    observed, other = await are(statuses, camera, ["verified", "acknowledged"])
    assert (observed.delay_s, observed.cause) == (0.25, None)
    assert observed.verified_at is not None
    assert observed.verified_at >= captured_at
    assert (other.delay_s, other.verified_at) == (None, None)
    text = generate_latest(forwarder._metrics.registry).decode()
    labels = f'{{camera_id="{camera.id}",destination_id="{first.destination_id}"'
    assert f'vonggac_forwarder_delivery_state{labels},state="verified"}} 1.0' in text
    assert f"vonggac_forwarder_delivery_delay_seconds{labels}}} 0.25" in text
    assert text.count("\nvonggac_forwarder_delivery_verified_timestamp_seconds{") == 1


async def test_a_proof_from_before_the_session_is_not_believed(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    began = datetime.now(UTC)
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    first, second = camera.deliveries
    await asker.say(camera, first, VerificationVerdict.VERIFIED, captured_at=began, delay_s=1.0)
    await asker.say(camera, first, VerificationVerdict.MISMATCH, observed_at=began)
    # Of two on one subscription the first has been dealt with when the second one shows.
    await asker.say(camera, second, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1)
    await are(statuses, camera, ["acknowledged", "verified"])


async def test_a_mismatch_is_told_with_its_cause_until_it_is_disproved(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    first = camera.deliveries[0]
    await asker.say(camera, first, VerificationVerdict.MISMATCH, detail="an old picture", duration_ms=1.0)
    observed, _ = await are(statuses, camera, ["mismatch", "acknowledged"])
    assert (observed.cause, observed.detail) == (Cause.MISMATCH, "an old picture")
    for verdict in (VerificationVerdict.UNREACHABLE, VerificationVerdict.NOT_CHECKABLE):
        await asker.say(camera, first, verdict, cause=Cause.TIMEOUT)
    await asker.say(camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1)
    observed, _ = await are(statuses, camera, ["verified", "acknowledged"])
    assert (observed.cause, observed.detail) == (None, None)


async def test_a_proof_that_is_not_renewed_ages_out(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    first = camera.deliveries[0]
    await asker.say(
        camera, first, VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1, interval_s=0.7
    )
    proven, _ = await are(statuses, camera, ["verified", "acknowledged"])
    aged, _ = await are(statuses, camera, BOTH_ACKNOWLEDGED)
    # Three intervals, and the look that is made once a second.
    assert 2.0 <= (aged.observed_at - proven.observed_at).total_seconds() <= 4.0
    assert aged.verified_at == proven.verified_at


async def test_what_is_no_finding_or_of_another_delivery_changes_nothing(
    sim: Simulator,
    planner: Planner,
    inventory: Inventory,
    start_forwarder: StartForwarder,
    asker: Asker,
    statuses: Statuses,
    bus: Bus,
) -> None:
    await start_forwarder()
    camera = planner.camera(sim)
    await inventory.say(camera)
    await are(statuses, camera, BOTH_ACKNOWLEDGED)
    first, second = camera.deliveries
    now, verified = datetime.now(UTC), VerificationVerdict.VERIFIED
    await bus.client.publish(subjects.delivery_verification(camera.id, first.id), b"{}")
    await asker.say(camera, first, verified, captured_at=now, destination_id=uuid4())
    await asker.say(camera, first.model_copy(update={"id": uuid4()}), verified, captured_at=now)
    await asker.say(camera, second, verified, captured_at=now, delay_s=0.1)
    await are(statuses, camera, ["acknowledged", "verified"])
