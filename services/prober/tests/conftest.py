"""What the prober's tests share: simulated cameras, plans in the inventory, probers, and what was observed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import av
import numpy as np
import pytest
import pytest_asyncio
from nats.aio.msg import Msg

from prober.domain.findings import StreamThresholds
from prober.domain.picture import PictureThresholds
from prober.metrics import Metrics
from prober.probes.camera.picture_store import PictureStore
from prober.probes.camera.prober import ProbeContext
from prober.probes.camera.target import Tools
from prober.probes.decoding.pool import Decoder
from prober.probes.disputes import Disputes
from prober.probes.limits import NetworkGate
from prober.probes.service import Process
from prober.settings import Settings
from simulator import CameraConfig, Simulator, SimulatorConfig
from vonggac.auth import Sealer, Unsealer
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE, WORKERS_PUBLIC
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer
from vonggac.events import decode, new_event, subjects
from vonggac.events.inventory import CameraV1, RemovedV1
from vonggac.events.prober import CameraObservedV1, ProberAliveV1, SiteObservedV1
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.testing import eventually
from vonggac.testing.fixtures import login_of
from vonggac.testing.secrets import seal

START_CODE = b"\x00\x00\x01"
LOOPBACK = "127.0.0.0/8"
UNREACHABLE = "255.255.255.255"
"""No kernel has a route for a TCP connection to the broadcast address."""
SMALL: dict[str, Any] = {"width": 320, "height": 180, "fps": 10, "bitrate_kbps": 300, "gop_s": 0.5, "loop_s": 2.0}


class StartSimulator(Protocol):
    """Start a simulator with these cameras (fields of CameraConfig); it lives as long as the test."""

    async def __call__(self, *cameras: dict[str, Any]) -> Simulator: ...


@pytest_asyncio.fixture
async def simulate(clips_folder: Path) -> AsyncIterator[StartSimulator]:
    async with AsyncExitStack() as stack:

        async def start(*cameras: dict[str, Any]) -> Simulator:
            configs = [CameraConfig.model_validate({**SMALL, "number": 1, **camera}) for camera in cameras]
            return await stack.enter_async_context(
                Simulator(SimulatorConfig(cameras=configs), cache_folder=clips_folder)
            )

        yield start


@pytest_asyncio.fixture
async def tools() -> AsyncIterator[Tools]:
    decoder = Decoder(1)
    yield Tools(AllowedNetworks.parse([LOOPBACK, UNREACHABLE]), decoder, measure_window_s=0.0)
    await decoder.close()


@pytest_asyncio.fixture
async def outgoing(bus: Bus) -> AsyncIterator[Outgoing]:
    queue = Outgoing(bus)
    sending = asyncio.create_task(queue.run())
    yield queue
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


@pytest.fixture
def context(bus: Bus, outgoing: Outgoing, tools: Tools, keys_folder: Path) -> ProbeContext:
    """What a CameraProber needs; pictures must stand still for no time at all to be frozen."""
    return ProbeContext(
        tools=tools,
        logins=Logins(
            LoginGuard(outgoing, Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(1800.0)),
            Unsealer.from_file(keys_folder / WORKERS_PRIVATE),
        ),
        gate=NetworkGate(8, prefix_v4=24, prefix_v6=64),
        pictures=PictureStore(bus, outgoing, PictureThresholds(frozen_min_age_s=0.0)),
        disputes=Disputes(bus),
        thresholds=StreamThresholds(),
        bus=bus,
    )


class Planner:
    """Writes into INVENTORY what inventory would: cameras and removals."""

    def __init__(self, bus: Bus, sealer: Sealer) -> None:
        self._bus, self._sealer = bus, sealer

    def seal(self, username: str, password: str, *urls: str) -> str:
        """For these addresses; without any, a box as earlier releases made them."""
        return seal(self._sealer, username, password, *urls)

    async def camera(self, url: str, **changes: Any) -> CameraV1:
        """Plan a new camera, or with `id` and `revision` another state of one."""
        camera = CameraV1(
            id=changes.pop("id", None) or uuid4(),
            revision=changes.pop("revision", 1),
            changed_at=datetime.now(UTC),
            code="QT-001",
            name="Hành lang",
            facility_id=changes.pop("facility_id", None) or uuid4(),
            enabled=changes.pop("enabled", True),
            url=url,
            probe_interval_s=changes.pop("probe_interval_s", 60.0),
            probe_timeout_s=changes.pop("probe_timeout_s", 5.0),
            **changes,
        )
        await self._publish(camera.id, new_event(camera, source="/inventory", subject=str(camera.id), time=_now()))
        return camera

    async def remove(self, camera: CameraV1) -> None:
        removed = RemovedV1(id=camera.id, noun="camera", revision=camera.revision + 1, removed_at=_now())
        await self._publish(camera.id, new_event(removed, source="/inventory", subject=str(camera.id), time=_now()))

    async def _publish(self, camera_id: UUID, event: Any) -> None:
        headers = {"Nats-Msg-Id": event.id}
        await self._bus.js.publish(subjects.inventory("camera", camera_id), event.encode(), headers=headers)


@pytest.fixture
def planner(bus: Bus, keys_folder: Path) -> Planner:
    return Planner(bus, Sealer.from_file(keys_folder / WORKERS_PUBLIC))


@dataclass
class Observed:
    """Everything on OBSERVATIONS, as it comes."""

    observations: list[CameraObservedV1] = field(default_factory=list)
    heartbeats: list[ProberAliveV1] = field(default_factory=list)
    sites: list[SiteObservedV1] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)

    def of(self, camera_id: UUID) -> list[CameraObservedV1]:
        return [probe for probe in self.observations if probe.camera_id == camera_id]

    async def observation(self, camera_id: UUID, number: int = 1, *, within_s: float = 15.0) -> CameraObservedV1:
        """The camera's probe of that number, 1 being the first."""
        await eventually(lambda: len(self.of(camera_id)) >= number, within_s=within_s, what=f"observation {number}")
        return self.of(camera_id)[number - 1]

    async def take(self, message: Msg) -> None:
        event = decode(message.data)
        self.event_ids.append(event.id)
        if isinstance(event.data, CameraObservedV1):
            self.observations.append(event.data)
        elif isinstance(event.data, SiteObservedV1):
            self.sites.append(event.data)
        elif isinstance(event.data, ProberAliveV1):
            self.heartbeats.append(event.data)


@pytest_asyncio.fixture
async def observed(bus: Bus) -> Observed:
    seen = Observed()
    await bus.js.subscribe(subjects.OBSERVATIONS, cb=seen.take, ordered_consumer=True)
    return seen


class StartProber(Protocol):
    """Start a prober (fields of Settings); it is stopped at the end of the test, or earlier by its `stop`."""

    async def __call__(self, **settings: Any) -> "RunningProber": ...


@dataclass
class RunningProber:
    """A prober in this event loop."""

    process: Process
    metrics: Metrics
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """In order; raises what the process died of."""
        self.process.stop()
        await self.task


@pytest.fixture
def settings(nats_server: NatsServer, keys_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    monkeypatch.setattr("prober.probes.service.HEARTBEAT_S", 0.5)

    def make(**changes: Any) -> Settings:
        values = {
            **login_of(nats_server, "prober"),
            "workers_private_key_file": keys_folder / WORKERS_PRIVATE,
            "jwks_file": keys_folder / JWKS,
            "allowed_networks": (LOOPBACK,),
            "measure_window_s": 0.0,
            # Each process costs half a second of CPU before its first keyframe.
            "decoder_processes": 1,
        }
        return Settings.model_validate(values | changes)

    return make


@pytest_asyncio.fixture
async def start_prober(settings: Callable[..., Settings]) -> AsyncIterator[StartProber]:
    running: list[RunningProber] = []

    async def start(**changes: Any) -> RunningProber:
        made = settings(**changes)
        metrics = Metrics(per_camera=made.metrics_per_camera)
        process = Process(made, metrics)
        # Probes of a test are short, and so is the time for which a newcomer leaves others their share.
        process.places.longest_probe_s = 0.1
        running.append(RunningProber(process, metrics, asyncio.create_task(process.run())))
        return running[-1]

    yield start
    for prober in running:
        await prober.stop()


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def frames() -> list[list[bytes]]:
    """NAL units of a few H.264 pictures, 320x180: a keyframe with its parameter sets, others, a second keyframe."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "g": "4", "slice-max-size": "1400"}
    return _encoded("libx264", options, pictures=6)


@pytest.fixture(scope="session")
def h265_keyframe() -> list[bytes]:
    """NAL units of an H.265 keyframe, 320x180, with its parameter sets."""
    options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none:repeat-headers=1"}
    return _encoded("libx265", options, pictures=1)[0]


def _encoded(encoder_name: str, options: dict[str, str], *, pictures: int) -> list[list[bytes]]:
    encoder = av.CodecContext.create(encoder_name, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.framerate = encoder.rate = 25
    encoder.options = options
    noise = np.random.default_rng(1742).integers(0, 256, (270, 320), dtype=np.uint8)
    packets = []
    for number in range(pictures):
        frame = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=1), format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [_nals(bytes(packet)) for packet in packets]


def _nals(annex_b: bytes) -> list[bytes]:
    return [nal for part in annex_b.split(START_CODE) if (nal := part.rstrip(b"\0"))]
