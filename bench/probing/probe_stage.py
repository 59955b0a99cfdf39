"""What the parts of `probe.py` share: the scene, the running prober, cameras planned with their schedule."""

import asyncio
import resource
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psutil
import uvloop

from prober.domain.result import ProbeResult
from prober.metrics import Metrics
from prober.probes.service import Process
from prober.settings import Settings
from simulator import CameraConfig, Simulator, SimulatorConfig
from vonggac.auth.keys import WORKERS_PRIVATE, ensure_keys
from vonggac.bus import Bucket, Bus
from vonggac.bus.declared import topology
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.telemetry import configure_logging
from vonggac.testing import eventually
from vonggac.testing.fixtures import NatsAt

DEADLINE_S = 10.0
PUBLISHED_AT_A_TIME = 500


@dataclass(frozen=True)
class Scene:
    """What is probed, and how often."""

    urls: list[str]
    probes: int
    cameras: int = 0
    seconds: float = 0.0
    nats_url: str = ""


def simulate(cameras: int, urls: "Queue[list[str]]") -> None:
    """1080p25 at 2 Mbit/s with a keyframe a second."""
    configure_logging(service="bench", level="warning", log_format="console")

    async def serve() -> None:
        shared: dict[str, Any] = {"width": 1920, "height": 1080, "fps": 25, "bitrate_kbps": 2000, "gop_s": 1.0}
        configs = [
            CameraConfig(id=f"camera-{number}", loop_s=2.0, number=1, max_sessions=100, **shared)
            for number in range(cameras)
        ]
        async with Simulator(SimulatorConfig(cameras=configs)) as simulator:
            urls.put([camera.url() for camera in simulator.cameras.values()])
            await asyncio.Event().wait()

    uvloop.run(serve())


def cpu_s() -> float:
    """Of this process, its threads, its children that decode and its ended ones."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    children = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.ru_utime + one.ru_stime for one in usage) + sum(one.user + one.system for one in children)


def rss_mb() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


class Counting(Metrics):
    """Probes and what is wanted of them, at no cost: collecting metrics again and again would be measured too."""

    def __init__(self) -> None:
        super().__init__()
        self.made = self.up = 0
        self.late: list[float] = []
        self.last_s: dict[str, float] = {}
        self.longest_s: dict[str, float] = {}
        """Between two verdicts of each camera."""
        self.lateness.observe = self.late.append  # type: ignore[method-assign,assignment] # each one is wanted

    def count_probe(self, camera_id: str, result: ProbeResult, *, interval_s: float) -> None:
        super().count_probe(camera_id, result, interval_s=interval_s)
        self.made += 1
        now = time.monotonic()
        gap_s = now - self.last_s.get(camera_id, now)
        self.last_s[camera_id] = now
        self.longest_s[camera_id] = max(gap_s, self.longest_s.get(camera_id, 0.0))
        self.up += result.judgement.verdict is Verdict.UP


@dataclass
class Running:
    """A prober that works in this process."""

    bus: Bus
    metrics: Counting
    task: asyncio.Task[None]

    def probes(self) -> int:
        return self.metrics.made

    async def until(self, probes: float, *, within_s: float = 600.0) -> None:
        await eventually(lambda: self.probes() >= probes or self.task.done(), within_s=within_s, poll_s=0.1)
        assert not self.task.done(), "the prober died"


@asynccontextmanager
async def prober(scene: Scene, **settings: Any) -> AsyncIterator[Running]:
    """The whole service but its HTTP API; the inventory is what `plan` writes before."""
    with tempfile.TemporaryDirectory() as folder:
        ensure_keys(Path(folder))
        made = Settings(
            nats_url=scene.nats_url,
            workers_private_key_file=Path(folder) / WORKERS_PRIVATE,
            allowed_networks=("127.0.0.0/8",),
            max_probes_per_network=0,
            **settings,
        )
        metrics = Counting()
        bus = await Bus.connect(made, name="bench")
        process = Process(made, metrics)
        task = asyncio.create_task(process.run())
        running = Running(bus, metrics, task)
        try:
            yield running
        finally:
            process.stop()
            await task
            await running.bus.close()


async def plan(bus: Bus, url: str, camera_id: UUID, *, interval_s: float) -> None:
    """Put a camera into the inventory."""
    now = datetime.now(UTC)
    camera = CameraV1(
        id=camera_id,
        revision=1,
        changed_at=now,
        code="bench",
        name="bench",
        facility_id=uuid4(),
        enabled=True,
        url=url,
        probe_interval_s=interval_s,
        probe_timeout_s=DEADLINE_S,
    )
    event = new_event(camera, source="/bench", subject=str(camera.id), time=now)
    await bus.js.publish(subjects.inventory("camera", camera.id), event.encode())


async def remember(bus: Bus, camera_id: UUID, *, interval_s: float, began_s_ago: float) -> None:
    """Say that the camera was good `began_s_ago` and deeply probed just now, so that light probes follow."""
    now = datetime.now(UTC)
    probe = CameraObservedV1(
        camera_id=camera_id,
        camera_revision=1,
        worker_id="bench",
        observed_at=now - timedelta(seconds=began_s_ago),
        verdict=Verdict.UP,
        interval_s=interval_s,
        duration_ms=0,
        deep_at=now,
    )
    await Bucket(bus, topology.CAMERA_STATUS).put(str(camera_id), probe.model_dump_json().encode())


async def plan_light(nats_url: str, url: str, cameras: int, *, interval_s: float) -> None:
    """Many cameras at the stub, their schedule spread over one interval from a few seconds on."""
    bus = await Bus.connect(NatsAt(nats_url), name="bench")
    ids, setup_s = [uuid4() for _ in range(cameras)], cameras / 1500
    for start in range(0, cameras, PUBLISHED_AT_A_TIME):
        chunk = ids[start : start + PUBLISHED_AT_A_TIME]
        ages = [interval_s * (1 - (start + index) / cameras) - setup_s for index in range(len(chunk))]
        pairs = zip(chunk, ages, strict=True)
        await asyncio.gather(*(remember(bus, one, interval_s=interval_s, began_s_ago=age) for one, age in pairs))
    for start in range(0, cameras, PUBLISHED_AT_A_TIME):
        chunk = ids[start : start + PUBLISHED_AT_A_TIME]
        await asyncio.gather(*(plan(bus, url, one, interval_s=interval_s) for one in chunk))
    await bus.close()
