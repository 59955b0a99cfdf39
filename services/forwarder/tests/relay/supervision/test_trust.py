"""rtsps at both ends: trusted by authority or fingerprint, and nothing said to a peer that is not trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from simulator import CameraConfig, CentreConfig, Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1, MediaTransport, TlsTrust
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, StartSimulator

type StartRelay = Callable[..., CameraRelay]

LOGIN = {"auth": "digest", "username": "relay", "password": "a-password-of-this-test"}


@pytest_asyncio.fixture
async def secure(simulate: StartSimulator, make_gate: Callable[..., CameraConfig]) -> AsyncIterator[Simulator]:
    """A camera and one centre under TLS, both with a login, and one plain centre."""
    centres = [
        CentreConfig.model_validate({"id": "national", "tls": True, **LOGIN}),
        CentreConfig(id="provincial"),
    ]
    async with simulate(cameras=[make_gate(tls=True, **LOGIN)], centres=centres) as running:
        yield running


def pinned(sim: Simulator) -> TlsTrust:
    return TlsTrust(fingerprint_sha256=sim.centres["national"].certificate_sha256)


def authority(sim: Simulator) -> TlsTrust:
    return TlsTrust(ca_pem=sim.authority.pem)


def trusting(sim: Simulator, planner: Planner, trust: TlsTrust | None, **changes: Any) -> CameraV1:
    """The camera is trusted by its authority, the national centre by `trust`."""
    camera = planner.camera(sim, tls=authority(sim), **changes)
    national, provincial = camera.deliveries
    return camera.model_copy(update={"deliveries": (national.model_copy(update={"tls": trust}), provincial)})


def at(relay: CameraRelay, centre_id: str) -> DeliverySupervisor:
    return next(item for item in relay.deliveries.values() if item.plan.destination_code == centre_id)


async def acknowledged(relay: CameraRelay, *centres: str) -> None:
    await eventually(lambda: all(at(relay, name).delivery.state is DeliveryState.ACKNOWLEDGED for name in centres))


@pytest.mark.parametrize("trust", [authority, pinned], ids=["own authority", "pinned fingerprint"])
async def test_media_goes_from_rtsps_to_rtsps_and_is_acknowledged(
    secure: Simulator, planner: Planner, relay_of: StartRelay, trust: Callable[[Simulator], TlsTrust]
) -> None:
    relay = relay_of(trusting(secure, planner, trust(secure)))
    await acknowledged(relay, "national", "provincial")
    for centre in secure.centres.values():
        stream = await centre.wait_for("gate", lambda stream: stream.packets > 50)
        assert (stream.lost, stream.sessions) == (0, 1)
        assert stream.current is not None
        assert stream.current.first_packet_is_keyframe

    counts = at(relay, "national").slot.counts
    arrived = secure.centres["national"].streams["gate"]
    # What the centre counts is RTP without the four bytes of each frame.
    assert 0 < counts.bytes_acknowledged <= arrived.bytes + 4 * arrived.packets + 2_000
    assert secure.centres["national"].logins_failed == 0


@pytest.mark.parametrize("trust", [None, TlsTrust(fingerprint_sha256="ab" * 32)], ids=["unknown", "another"])
async def test_an_untrusted_centre_gets_cause_tls_and_no_word_and_the_other_loses_nothing(
    secure: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch, trust: TlsTrust | None
) -> None:
    centre, heard = secure.centres["national"], list[str]()
    make = centre.new_connection

    def listening() -> object:
        made = make()
        monkeypatch.setattr(made, "reply_to", lambda request: heard.append(request.method))
        return made

    monkeypatch.setattr(centre, "new_connection", listening)
    relay = relay_of(trusting(secure, planner, trust))
    refused = at(relay, "national")
    await eventually(lambda: refused.delivery.cause is Cause.TLS and refused.delivery.attempt >= 2, within_s=15)
    await acknowledged(relay, "provincial")
    assert heard == []
    assert secure.centres["provincial"].streams["gate"].lost == 0


async def test_an_untrusted_camera_gets_cause_tls_and_no_login(
    secure: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    camera = trusting(secure, planner, pinned(secure)).model_copy(update={"tls": None})
    relay = relay_of(camera)
    await eventually(lambda: relay.pull.cause is Cause.TLS)
    assert secure.cameras["gate"].logins_failed == 0
    assert secure.cameras["gate"].sessions_total == 0
    assert {item.delivery.state for item in relay.deliveries.values()} == {DeliveryState.WAITING_FOR_CAMERA}


async def test_a_trust_that_is_none_is_a_cause_and_not_a_crash(
    secure: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(trusting(secure, planner, TlsTrust(ca_pem="no certificate")))
    await acknowledged(relay, "provincial")
    wrong = at(relay, "national")
    await eventually(lambda: wrong.delivery.cause is Cause.TLS)
    assert wrong.delivery.detail is not None
    assert "ca_pem" in wrong.delivery.detail


async def test_over_udp_a_camera_under_tls_is_refused_because_its_media_would_be_in_clear(
    secure: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(trusting(secure, planner, pinned(secure), transport=MediaTransport.UDP))
    await eventually(lambda: relay.pull.cause is Cause.TRANSPORT_UNSUPPORTED)
    assert secure.cameras["gate"].sessions_total == 0


async def test_a_slow_centre_under_tls_is_not_credited_with_what_waits_here(
    secure: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(trusting(secure, planner, pinned(secure)))
    await acknowledged(relay, "national", "provincial")
    await secure.centres["national"].set_fault("black_hole")
    deaf = at(relay, "national")
    await eventually(lambda: deaf.delivery.state is DeliveryState.STALLED, within_s=15)
    assert deaf.slot.counts.bytes_acknowledged < deaf.slot.counts.bytes_written
    healthy = secure.centres["provincial"].streams["gate"]
    assert (healthy.lost, healthy.sessions) == (0, 1)
