"""Where centres connect: where it is set, with a certificate that may be renewed, whoever else comes."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from services.forwarder.tests.relay.server.puller import Puller

from forwarder.relay.server.listener import CentreListener, CertificateError, ServedPorts
from forwarder.relay.server.turned_away import Reason
from forwarder.relay.service import listener_of
from forwarder.relay.supervision.context import RelayContext
from forwarder.settings import Settings
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.net.url import Credentials
from vonggac.testing import eventually
from vonggac.testing.certificates import Authority

if TYPE_CHECKING:
    from services.forwarder.tests.relay.server.conftest import StartServing

RIGHT = Credentials("ioc", "mat-khau-20-ky-tu-xx")


def settings(**served: object) -> Settings:
    return Settings.model_validate({"workers_private_key_file": "key", "allowed_networks": "127.0.0.0/8", **served})


@pytest.mark.parametrize("port", [None, 0])
async def test_served_nowhere_unless_a_port_is_set(context: RelayContext, port: int | None) -> None:
    listener = listener_of(settings(serve_host="127.0.0.1", serve_port=port), context)
    await listener.start()
    try:
        assert (listener.port is None, listener.tls_port is None) == (port is None, True)
    finally:
        await listener.stop()


def test_served_tls_without_a_usable_certificate_is_refused_at_the_start(context: RelayContext, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="serve_tls_certificate_file"):
        listener_of(settings(serve_tls_port=0), context)
    (tmp_path / "no.pem").write_text("no certificate", "ascii")
    with pytest.raises(CertificateError, match=r"no\.pem"):
        listener_of(settings(serve_tls_port=0, serve_tls_certificate_file=tmp_path / "no.pem"), context)


@pytest.mark.parametrize("ports", ["30999-30000", "500-600", "60000-70000"])
def test_served_udp_ports_that_are_none_are_refused(ports: str) -> None:
    with pytest.raises(ValueError, match="serve_udp_ports"):
        settings(serve_udp_ports=ports)


async def shown_certificate(port: int) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return ssl.DER_cert_to_PEM_cert(der)


async def test_served_certificate_that_is_renewed_is_shown_and_a_broken_one_is_not(
    listener: CentreListener, certificate: Path
) -> None:
    assert listener.tls_port is not None
    before = await shown_certificate(listener.tls_port)
    await asyncio.to_thread(certificate.write_bytes, b"broken")
    listener.reload_certificate()
    assert await shown_certificate(listener.tls_port) == before
    renewed = Authority().issue("127.0.0.1")
    await asyncio.to_thread(certificate.write_bytes, renewed.chain_pem)
    listener.reload_certificate()
    assert (await shown_certificate(listener.tls_port)).split() == renewed.pem.split()


async def test_served_strangers_in_any_number_keep_no_centre_out(
    context: RelayContext, sim: Simulator, serve: StartServing
) -> None:
    served = serve(sim)
    few = CentreListener(
        ServedPorts("127.0.0.1", 0, most_connections=8),
        now=lambda: datetime.now(UTC),
        bounds=context.bounds,
        budget=context.budget,
        check_key=bytes(32),
    )
    await few.start()
    assert few.port is not None
    strangers = [await Puller(few.port, "/ioc/gate", None).connect() for _ in range(30)]
    await eventually(lambda: few.connections == 8)
    assert few.turned_away[Reason.CONNECTIONS] == 22
    for stranger in strangers:
        await stranger.close(reset=True)
    await few.stop()
    assert served.cause in {None, Cause.NOT_ASKED}


async def test_served_worker_that_ends_takes_nobody_in_and_goes_on_with_who_is_there(
    sim: Simulator, serve: StartServing
) -> None:
    served = serve(sim)
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    port = served.listener.port
    assert port is not None
    puller = await Puller(port, "/ioc/gate", RIGHT).connect()
    served.pullers.append(puller)
    assert await puller.play() == 200

    served.listener.close_ports()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    taken = puller.media_bytes
    await eventually(lambda: puller.media_bytes > taken + 10_000)
    await served.listener.stop()
    await eventually(lambda: puller.ended)
    assert puller.heard_goodbye


async def test_served_password_is_rotated_amid_a_session_and_a_narrower_network_ends_it(
    sim: Simulator, serve: StartServing
) -> None:
    served = serve(sim)
    await eventually(lambda: served.cause is Cause.NOT_ASKED)
    assert served.listener.port is not None
    puller = Puller(served.listener.port, "/ioc/gate", RIGHT)
    served.pullers.append(puller)
    await puller.connect()
    assert await puller.play() == 200
    await eventually(lambda: served.state is DeliveryState.ACKNOWLEDGED)
    camera = served.relay.camera
    serving = served.planned.serving
    assert serving is not None

    def replan(**changes: object) -> None:
        planned = served.planned.model_copy(update={"serving": serving.model_copy(update=changes)})
        others = camera.deliveries[:-1]
        served.relay.apply_plan(camera.model_copy(update={"revision": 2, "deliveries": (*others, planned)}))

    until = datetime(2099, 1, 1, tzinfo=UTC)
    replan(sessions_per_camera=4, previous_secret=served.planned.secret, previous_until=until)
    await asyncio.sleep(0.5)
    assert (served.state, served.supervisor.slot.sessions) == (DeliveryState.ACKNOWLEDGED, 1)
    replan(source_networks=("10.0.0.0/8",))
    assert served.cause is Cause.LEFT
    await eventually(lambda: puller.ended)
