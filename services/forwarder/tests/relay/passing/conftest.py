"""Two forwarders on one NATS: one holds a camera that is served, the other one is in front of it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import pytest_asyncio
from services.forwarder.tests.relay.assignment.conftest import environment, inventory, start_forwarder, statuses
from services.forwarder.tests.relay.server.puller import Puller

from forwarder.relay.service import Process
from simulator import Simulator
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.events.inventory import CameraV1, PlannedDelivery, ServingPlan, served_url
from vonggac.events.inventory.serving import ServedTls, ServedTransport
from vonggac.media.rtcp import ReceiverReport, ReportBlock, build_receiver_report
from vonggac.net.url import Credentials
from vonggac.testing import eventually
from vonggac.testing.certificates import Authority

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner
    from services.forwarder.tests.relay.assignment.conftest import Inventory, StartForwarder, Statuses

__all__ = ["environment", "inventory", "start_forwarder", "statuses"]
"""Fixtures of forwarders on a real NATS."""
RIGHT = Credentials("ioc", "mat-khau-20-ky-tu-xx")


class Fleet:
    """The holder of the camera, another forwarder in front of it, and what is planned."""

    def __init__(self, holder: Process, front: Process, camera: CameraV1, statuses: Statuses) -> None:
        self.holder, self.front, self.camera, self.statuses = holder, front, camera, statuses
        self.pullers: list[Puller] = []

    def port(self, process: Process) -> int:
        assert process._listener is not None
        assert process._listener.port is not None
        return process._listener.port

    def url(self, process: Process, *, tls: bool = False, login: str | None = f"ioc:{RIGHT.password}") -> str:
        assert process._listener is not None
        scheme, port = ("rtsps", process._listener.tls_port) if tls else ("rtsp", process._listener.port)
        return f"{scheme}://{f'{login}@' if login else ''}127.0.0.1:{port}/ioc/gate"

    async def connect(self, process: Process, login: Credentials | None = RIGHT, path: str = "/ioc/gate") -> Puller:
        puller = await Puller(self.port(process), path, login).connect()
        self.pullers.append(puller)
        return puller

    async def served(self) -> DeliveryObservedV1:
        """As its holder has it at this moment."""
        [observed] = await self.holder.live(self.camera.deliveries[-1].id)
        return observed

    async def pushed(self) -> list[DeliveryObservedV1]:
        return [each for each in await self.holder.live() if each.delivery_id != self.camera.deliveries[-1].id]

    async def becomes(self, state: str, cause: Cause | None = None, within_s: float = 15.0) -> DeliveryObservedV1:
        async def seen() -> DeliveryObservedV1:
            observed = await self.served()
            assert (observed.state.value, observed.cause) == (state, cause)
            return observed

        reached: DeliveryObservedV1 = await eventually(seen, within_s=within_s)
        return reached


class UdpReceiver:
    """A centre's two sockets. Reports what came while `reporting` is set."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.reporting = False
        while True:
            self._rtp, self._rtcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
            self._rtp.bind(("127.0.0.1", 0))
            first = self._rtp.getsockname()[1]
            try:
                self._rtcp.bind(("127.0.0.1", first + 1))
            except OSError:
                continue
            self.ports = (first, first + 1)
            break
        self._loop = asyncio.get_running_loop()
        self._rtp.setblocking(False)
        self._loop.add_reader(self._rtp.fileno(), self._receive)

    def _receive(self) -> None:
        packet, (_, port) = self._rtp.recvfrom(65536)
        self.packets.append(packet)
        if self.reporting and len(self.packets) % 20 == 0:
            header = struct.unpack(">BBHII", packet[:12])
            block = ReportBlock(header[4], highest_sequence=header[2])
            self._rtcp.sendto(build_receiver_report(ReceiverReport(7, (block,))), ("127.0.0.1", port + 1))

    def close(self) -> None:
        self._loop.remove_reader(self._rtp.fileno())
        self._rtp.close()
        self._rtcp.close()


@pytest_asyncio.fixture
async def udp_receiver() -> AsyncIterator[UdpReceiver]:
    receiver = UdpReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def serving() -> ServingPlan:
    return ServingPlan(
        account="ioc",
        source_networks=("127.0.0.0/8",),
        transports=(ServedTransport.TCP, ServedTransport.UDP),
        tls=ServedTls.OFFERED,
    )


@pytest.fixture
def ports(tmp_path: Path) -> dict[str, object]:
    """Settings of a forwarder that serves."""
    path = tmp_path / "served.pem"
    path.write_bytes(Authority().issue("127.0.0.1").chain_pem)
    return {
        "serve_host": "127.0.0.1",
        "serve_port": 0,
        "serve_tls_port": 0,
        "serve_tls_certificate_file": path,
        "serve_udp_ports": "31000-31999",
    }


@pytest.fixture
def plan_served(planner: Planner, serving: ServingPlan) -> Callable[[Simulator], CameraV1]:
    """The simulator's camera, for the centres that are published to and for `ioc`, which pulls."""

    def plan(sim: Simulator) -> CameraV1:
        url = served_url("ioc", "gate")
        served = PlannedDelivery(
            id=uuid4(),
            destination_id=planner.destination("ioc"),
            destination_code="ioc",
            url=url,
            secret=planner.seal("ioc", RIGHT.password, url),
            serving=serving,
        )
        camera = planner.camera(sim)
        return camera.model_copy(update={"deliveries": (*camera.deliveries, served)})

    return plan


@pytest_asyncio.fixture
async def fleet(
    sim: Simulator,
    plan_served: Callable[[Simulator], CameraV1],
    inventory: Inventory,
    start_forwarder: StartForwarder,
    statuses: Statuses,
    ports: dict[str, object],
) -> AsyncIterator[Fleet]:
    """The camera is held by the first forwarder; the second one has room for none."""
    holder = await start_forwarder(**ports)
    camera = plan_served(sim)
    await inventory.publish(camera)
    words = ["acknowledged"] * (len(camera.deliveries) - 1)
    await statuses.become(camera, *words, "waiting_for_centre")
    front = await start_forwarder(**ports)
    running = Fleet(holder, front, camera, statuses)
    yield running
    for puller in running.pullers:
        await puller.close(reset=True)
