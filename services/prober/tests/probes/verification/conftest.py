"""Centres that play back, and a stand-in for the forwarder: it relays, notes keyframes and answers on the real NATS."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from prober.domain.verification import Limits
from prober.messaging import Announcer, VerificationResults
from prober.metrics import Metrics
from prober.probes.verification.scheduler import Verifications
from prober.probes.verification.verifier import Verifier
from simulator import CameraConfig, CentreConfig, Simulator, SimulatorConfig
from simulator.cameras.camera import Camera
from simulator.centres.centre import Centre
from vonggac.auth import Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events import decode, subjects
from vonggac.events.forwarder import KeyframeHistory, KeyframeNote
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.testing import eventually
from vonggac.testing.media import MediaRecorder, relay
from vonggac.testing.waiting import flush_all

SMALL: dict[str, Any] = {"width": 320, "height": 180, "fps": 10, "bitrate_kbps": 300, "gop_s": 0.5, "loop_s": 2.0}
QUICK = Limits(max_delay_s=2.0, first_within_s=2.0, settle_s=1.0)


@dataclass
class Site:
    """One camera and two centres; the stand-in publishes the camera at both under `key`."""

    bus: Bus
    forwarder: Bus
    """With the forwarder's own login."""
    sim: Simulator
    camera_id: UUID
    worker_id: str = "forwarder-0"
    media_since: datetime | None = field(default_factory=lambda: datetime.now(UTC))
    asked: list[dict[str, Any]] = field(default_factory=list)
    enough: list[str] = field(default_factory=list)
    notes: list[KeyframeNote] = field(default_factory=list)
    noting: bool = True
    stamps: bool = False
    """Whether notes hold the RTP timestamps."""

    @property
    def camera(self) -> Camera:
        return self.sim.cameras["gate"]

    @property
    def national(self) -> Centre:
        return self.sim.centres["national"]

    @property
    def provincial(self) -> Centre:
        return self.sim.centres["provincial"]

    def delivery(self, centre: Centre, **changes: Any) -> PlannedDelivery:
        url = centre.stream_url("key")
        values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D", "url": url, "read_back_url": url}
        return PlannedDelivery.model_validate(values | changes)

    async def answer(self, request: Msg) -> None:
        """`hash_keyframes`."""
        wish = json.loads(request.data)
        if not wish["seconds"]:
            self.enough.append(wish["asker"])
            return
        self.asked.append(wish)
        since = self.media_since.isoformat() if self.media_since else None
        body = {"worker_id": self.worker_id, "media_since": since}
        await request.respond(json.dumps(body).encode())

    async def note(self, recorder: MediaRecorder) -> None:
        """Note each keyframe that came, for ever."""
        bucket = Bucket(self.bus, topology.KEYFRAMES)
        while True:
            await eventually(lambda: any(unit.keyframe for unit in recorder.units), within_s=600, poll_s=0.02)
            units, recorder.units = recorder.units, []
            now = datetime.now(UTC)
            keyframes = [unit for unit in units if unit.keyframe]
            if not self.noting:
                continue
            self.notes += [
                KeyframeNote(
                    hash=keyframe_hash(VideoCodec(self.camera.config.codec.upper()), unit.nals).hex(),
                    captured_at=now,
                    rtp_timestamp=unit.rtp_timestamp if self.stamps else None,
                )
                for unit in keyframes
            ]
            history = KeyframeHistory(
                camera_id=self.camera_id, worker_id=self.worker_id, keyframes=tuple(self.notes[-12:])
            )
            await bucket.put(str(self.camera_id), history.model_dump_json().encode())


type OpenSite = Callable[..., Any]


@pytest_asyncio.fixture
async def open_site(bus: Bus, forwarder_bus: Bus, clips_folder: Path) -> AsyncIterator[OpenSite]:
    """Start a site that ends with the test. `centre`: fields of CentreConfig, others: of CameraConfig."""
    async with AsyncExitStack() as stack:

        async def start(*, held: bool = True, centre: dict[str, Any] | None = None, **camera: Any) -> Site:
            shape = {**SMALL, **camera}
            config = SimulatorConfig(
                cameras=[CameraConfig.model_validate({**shape, "id": name, "path": f"/{name}"}) for name in NAMES],
                centres=[CentreConfig.model_validate({"id": name, **(centre or {})}) for name in CENTRES],
            )
            sim = await stack.enter_async_context(Simulator(config, cache_folder=clips_folder))
            site = Site(bus, forwarder_bus, sim, uuid4())
            for place in (site.national, site.provincial):
                trusted = place.certificate_sha256
                tls = TlsPolicy(fingerprint_sha256=trusted) if trusted else SYSTEM_AUTHORITIES
                for source, key in ((site.camera, "key"), (sim.cameras["yard"], "yard")):
                    target = place.stream_url(key, with_credentials=True)
                    await stack.enter_async_context(relay(source.url(), target, tls=tls))
                    await place.wait_for(key, lambda seen: seen.packets > 10)
            if held:
                await hold(site, stack)
            return site

        yield start


NAMES = ("gate", "yard")
CENTRES = ("national", "provincial")


async def hold(site: Site, stack: AsyncExitStack) -> None:
    """Answer and note as the forwarder that has the camera."""
    for bus in (site.bus, site.forwarder):
        subscription = await bus.client.subscribe(subjects.camera_hash_keyframes(site.camera_id), cb=site.answer)
        stack.push_async_callback(subscription.unsubscribe)
    recorder = await MediaRecorder.play(site.camera.url())
    stack.push_async_callback(recorder.close)
    noting = asyncio.create_task(site.note(recorder))

    async def stop() -> None:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)

    stack.push_async_callback(stop)
    await flush_all(site.bus.client)
    await flush_all(site.forwarder.client)


@dataclass
class Proofs:
    """Everything that was said of deliveries, as a forwarder hears it (core NATS)."""

    facts: list[DeliveryVerifiedV1] = field(default_factory=list)

    def of(self, delivery: PlannedDelivery) -> list[DeliveryVerifiedV1]:
        return [fact for fact in self.facts if fact.delivery_id == delivery.id]

    async def fact(self, delivery: PlannedDelivery, number: int = 1, *, within_s: float = 15.0) -> DeliveryVerifiedV1:
        """The delivery's read-back of that number, 1 being the first."""
        await eventually(lambda: len(self.of(delivery)) >= number, within_s=within_s, what=f"read-back {number}")
        return self.of(delivery)[number - 1]

    async def take(self, message: Msg) -> None:
        data = decode(message.data).data
        assert isinstance(data, DeliveryVerifiedV1)
        self.facts.append(data)


@pytest_asyncio.fixture
async def proofs(bus: Bus, forwarder_bus: Bus) -> AsyncIterator[Proofs]:
    heard = Proofs()
    live = subjects.camera_read_back("*")
    subscriptions = [
        await bus.client.subscribe(subjects.stored(subjects.delivery_verification("*", "*")), cb=heard.take),
        # Whoever publishes as the prober, or as nobody in particular.
        await forwarder_bus.client.subscribe(live, cb=heard.take),
        await bus.client.subscribe(live, cb=heard.take),
    ]
    yield heard
    for subscription in subscriptions:
        await subscription.unsubscribe()


@pytest.fixture
def verifier(bus: Bus, outgoing: Outgoing, keys_folder: Path) -> Verifier:
    return Verifier(
        bus=bus,
        networks=AllowedNetworks.parse(["127.0.0.0/8"]),
        logins=Logins(
            LoginGuard(outgoing, Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(300.0), proven_at_once=True),
            Unsealer.from_file(keys_folder / WORKERS_PRIVATE),
        ),
        limits=QUICK,
    )


@pytest.fixture
def verifications(bus: Bus, outgoing: Outgoing, verifier: Verifier) -> Verifications:
    return Verifications(
        worker_id="prober-1",
        verifier=verifier,
        results=VerificationResults(bus),
        announcer=Announcer(outgoing, worker_id="prober-1"),
        metrics=Metrics().read_backs,
        interval_s=60.0,
    )
