"""One destination fails in every way there is: the other one loses no packet, and the words are true."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.backpressure import Bounds
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import ServingPlan, served_url
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]

FAULTS = [
    ("refuse", {DeliveryState.BACKING_OFF, DeliveryState.CONNECTING}, {Cause.REFUSED}),
    ("off", {DeliveryState.BACKING_OFF, DeliveryState.CONNECTING}, {Cause.STALLED, Cause.TIMEOUT}),
    ("black_hole", {DeliveryState.BACKING_OFF, DeliveryState.CONNECTING}, {Cause.STALLED, Cause.TIMEOUT}),
    ("auth", {DeliveryState.REFUSED}, {Cause.AUTH_FAILED}),
]


def at(relay: CameraRelay, centre_id: str) -> DeliverySupervisor:
    return next(item for item in relay.deliveries.values() if item.plan.destination_code == centre_id)


async def acknowledged(relay: CameraRelay, *centres: str) -> None:
    await eventually(lambda: all(at(relay, name).delivery.state is DeliveryState.ACKNOWLEDGED for name in centres))


@pytest.mark.parametrize(("fault", "states", "causes"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_centre_that_fails_does_not_touch_the_other(
    sim: Simulator,
    planner: Planner,
    relay_of: StartRelay,
    fault: str,
    states: set[DeliveryState],
    causes: set[Cause],
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay, "national", "provincial")
    national, provincial = sim.centres["national"], sim.centres["provincial"]

    await national.set_fault(fault)
    await eventually(
        lambda: at(relay, "national").delivery.state in states and at(relay, "national").delivery.cause in causes,
        within_s=15,
    )
    before = provincial.streams["gate"].packets
    stream = await provincial.wait_for("gate", lambda stream: stream.packets > before + 100)

    assert (stream.lost, stream.sessions, stream.ssrc_changes) == (0, 1, 0)
    assert at(relay, "provincial").delivery.state is DeliveryState.ACKNOWLEDGED
    assert sim.cameras["gate"].sessions_total == 1


@pytest.mark.parametrize("fault", ["refuse", "close"])
async def test_a_centre_that_comes_back_gets_a_new_session_from_a_keyframe_on(
    sim: Simulator, planner: Planner, relay_of: StartRelay, fault: str
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay, "national", "provincial")
    national, provincial = sim.centres["national"], sim.centres["provincial"]

    await national.set_fault(fault)
    await eventually(lambda: at(relay, "national").delivery.cause is not None)
    await national.clear_fault()

    back = await national.wait_for("gate", lambda stream: stream.sessions == 2 and stream.live and stream.packets > 50)
    assert back.current is not None
    assert back.current.first_packet_is_keyframe
    assert back.current.lost == 0
    await acknowledged(relay, "national")
    assert provincial.streams["gate"].lost == 0
    assert provincial.streams["gate"].sessions == 1


async def test_a_slow_centre_loses_whole_groups_and_the_other_nothing(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), bounds=Bounds(buffer_bytes=128 << 10, buffer_s=1.0))
    await acknowledged(relay, "national", "provincial")

    await sim.centres["national"].set_fault("slow_reader", bytes_per_s=30_000)
    slow = at(relay, "national")
    await eventually(lambda: slow.slot.counts.groups_dropped >= 2, within_s=30)
    await sim.centres["national"].clear_fault()
    written = slow.slot.counts.bytes_written
    await eventually(lambda: slow.slot.counts.bytes_written > written + 100_000, within_s=20)

    assert slow.slot.counts.packets_dropped > 0
    assert sim.centres["national"].streams["gate"].lost > 0
    healthy = sim.centres["provincial"].streams["gate"]
    assert (healthy.lost, healthy.sessions) == (0, 1)


async def test_a_centre_with_wrong_credentials_is_asked_once_and_called_refused(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.centres["national"].set_fault("auth")
    camera = planner.camera(sim)
    with_login = [
        one.model_copy(update={"secret": planner.seal("publisher", "Gui-Hinh-cu", one.url)})
        for one in camera.deliveries
    ]
    relay = relay_of(camera.model_copy(update={"deliveries": tuple(with_login)}))
    refused = at(relay, "national")
    await eventually(lambda: refused.delivery.state is DeliveryState.REFUSED)
    await acknowledged(relay, "provincial")
    assert refused.delivery.attempt == 1
    assert refused.delivery.retry_in_s >= 300


async def test_a_stalled_centre_is_called_stalled_before_its_session_is_dropped(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder
) -> None:
    relay = relay_of(planner.camera(sim))
    await acknowledged(relay, "national", "provincial")
    await sim.centres["national"].set_fault("black_hole")
    said = functools.partial(recorder.states, planner.destination("national"))
    await eventually(lambda: DeliveryState.BACKING_OFF in said(), within_s=20)
    before = said()[: said().index(DeliveryState.BACKING_OFF)]
    assert before[-2:] == [DeliveryState.ACKNOWLEDGED, DeliveryState.STALLED]


@pytest.mark.parametrize(
    ("url", "cause"),
    [("gopher://127.0.0.1:9000", Cause.TRANSPORT_UNSUPPORTED), ("rtsp://192.0.2.1/live", Cause.ADDRESS_NOT_ALLOWED)],
    ids=["scheme that nobody publishes", "outside the allowed networks"],
)
async def test_an_address_that_is_not_connected_to_is_a_cause_and_not_a_crash(
    sim: Simulator, planner: Planner, relay_of: StartRelay, url: str, cause: Cause
) -> None:
    camera = planner.camera(sim)
    foreign, good = camera.deliveries
    foreign = foreign.model_copy(update={"url": url})
    relay = relay_of(camera.model_copy(update={"deliveries": (foreign, good)}))
    await acknowledged(relay, "provincial")
    await eventually(lambda: at(relay, "national").delivery.cause is cause)


async def test_a_centre_that_pulls_is_called_unsupported_by_a_worker_that_does_not_serve_and_the_other_is_connected(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    camera = planner.camera(sim)
    pulled, good = camera.deliveries
    url = served_url("national", camera.code)
    serving = ServingPlan(account="national", source_networks=("127.0.0.0/8",))
    secret = planner.seal("national", "mat-khau-20-ky-tu-xx", url)
    pulled = pulled.model_copy(update={"url": url, "secret": secret, "serving": serving})
    relay = relay_of(camera.model_copy(update={"deliveries": (pulled, good)}))
    await acknowledged(relay, "provincial")
    await eventually(lambda: at(relay, "national").delivery.cause is Cause.TRANSPORT_UNSUPPORTED)


async def test_a_centre_that_listens_again_is_found_before_the_long_wait_is_over(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    await sim.centres["national"].set_fault("refuse")
    # With this chance the waits are as long as they can be.
    relay = relay_of(planner.camera(sim), chance=lambda: 0.999)
    down = at(relay, "national")
    await eventually(lambda: down.delivery.attempt == 4 and down.delivery.state is DeliveryState.BACKING_OFF)
    assert down.delivery.retry_in_s > 3.9
    await sim.centres["national"].clear_fault()
    await eventually(lambda: down.delivery.state is DeliveryState.ACKNOWLEDGED, within_s=3.5)
    assert sim.centres["national"].streams["gate"].sessions == 1
