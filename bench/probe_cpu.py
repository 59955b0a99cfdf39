"""CPU of one look at a 1080p camera: `python bench/probe_cpu.py [--looks N] [--cameras N] [--window S]`.

The cameras are simulated in a process of their own. Each way of looking runs in a process of its own too, whose whole
CPU time (user and system, children included) is divided by the looks that it made; the start of a process is counted
only for ffmpeg and ffprobe, which need one for each look. `service` is the whole prober with its jobs, the last look
read and the observation stored on a real nats-server (which is not counted). Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from pathlib import Path
from uuid import uuid4

import av
import uvloop

from prober.metrics import Metrics
from prober.probes.decoding import Decoder
from prober.probes.process import Process
from prober.probes.rtsp import probe_rtsp
from prober.probes.target import Target, Tools
from prober.settings import Settings
from simulator import CameraConfig, Simulator, SimulatorConfig
from vonggac.auth.keys import WORKERS_PRIVATE, ensure_keys
from vonggac.bus import Bus, topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import Verdict
from vonggac.rtsp import AllowedNetworks
from vonggac.telemetry import configure_logging
from vonggac.testing import eventually

DEADLINE_S = 10.0
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Plan:
    """What is looked at, and how often by each way."""

    urls: list[str]
    looks: int
    window_s: float


def simulate(cameras: int, gop_s: float, starts_with_keyframe: bool, urls: "Queue[list[str]]") -> None:
    """1080p25 at 2 Mbit/s; a new session begins wherever the stream is, or at a keyframe as some cameras do it."""
    configure_logging(service="bench", level="warning", log_format="console")

    async def serve() -> None:
        configs = [
            CameraConfig(
                id=f"camera-{number}",
                width=1920,
                height=1080,
                fps=25,
                bitrate_kbps=2000,
                gop_s=gop_s,
                loop_s=2 * gop_s,
                number=1,
                max_sessions=100,
                starts_with_keyframe=starts_with_keyframe,
            )
            for number in range(cameras)
        ]
        async with Simulator(SimulatorConfig(cameras=configs)) as simulator:
            urls.put([camera.url() for camera in simulator.cameras.values()])
            await asyncio.Event().wait()

    uvloop.run(serve())


def cpu_s() -> float:
    """Of this process, its threads and its ended children."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


def with_prober(plan: Plan) -> float:
    """Ours: RTSP client, keyframe, decoding thread, measuring window."""

    async def measure() -> float:
        decoder = Decoder(2)
        tools = Tools(AllowedNetworks.parse(["127.0.0.0/8"]), decoder, plan.window_s)
        targets = [Target(url, None, DEADLINE_S) for url in plan.urls]
        await probe_rtsp(targets[0], tools)
        before = cpu_s()
        made = 0
        while made < plan.looks:
            results = await asyncio.gather(*(probe_rtsp(target, tools) for target in targets))
            assert all(result.judgement.verdict is Verdict.UP for result in results), results
            made += len(results)
        spent_s = cpu_s() - before
        decoder.close()
        return spent_s / made

    return uvloop.run(measure())


def with_service(plan: Plan) -> float:
    """The same within the prober: job fetched, last look read, observation and status stored, job put back."""
    with tempfile.TemporaryDirectory() as folder:
        ensure_keys(Path(folder))
        server = NatsServer(Path(folder) / "nats", free_port())
        server.start()
        try:
            return uvloop.run(_measure_service(plan, server.url, Path(folder)))
        finally:
            server.stop()


async def _measure_service(plan: Plan, nats_url: str, keys: Path) -> float:
    settings = Settings(
        nats_url=nats_url,
        workers_private_key_file=keys / WORKERS_PRIVATE,
        allowed_networks=("127.0.0.0/8",),
        measure_window_s=plan.window_s,
        max_concurrent_probes=len(plan.urls),
    )
    bus = await Bus.connect(settings, name="bench")
    await topology.declare(bus.js)
    for url in plan.urls:
        await _plan_camera(bus, url)
    metrics = Metrics()
    process = Process(settings, metrics)
    running = asyncio.create_task(process.run())

    def looks() -> float:
        labels = {"verdict": "up", "cause": "none"}
        return metrics.registry.get_sample_value("vonggac_prober_probes_total", labels) or 0.0

    await eventually(lambda: looks() >= len(plan.urls), within_s=60)
    before, made_before = cpu_s(), looks()
    await eventually(lambda: looks() - made_before >= plan.looks, within_s=300, poll_s=0.2)
    spent_s = (cpu_s() - before) / (looks() - made_before)
    process.stop()
    await running
    await bus.close()
    return spent_s


async def _plan_camera(bus: Bus, url: str) -> None:
    now = datetime.now(UTC)
    camera = CameraV1(
        id=uuid4(),
        revision=1,
        changed_at=now,
        code="bench",
        name="bench",
        facility_id=uuid4(),
        enabled=True,
        url=url,
        probe_interval_s=1.0,
        probe_timeout_s=DEADLINE_S,
    )
    event = new_event(camera, source="/bench", subject=str(camera.id), time=now)
    await bus.js.publish(subjects.inventory("camera", camera.id), event.encode())


def with_pyav(plan: Plan) -> float:
    """PyAV's own demuxer, a thread a look, until one frame is decoded."""

    def look(url: str) -> None:
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=DEADLINE_S) as container:
            container.streams.video[0].thread_count = 1
            next(container.decode(video=0))

    return _in_threads(plan, look)


def with_ffmpeg(plan: Plan) -> float:
    """A process a look, one frame decoded."""
    return _in_threads(
        plan,
        lambda url: _run(
            "ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-frames:v", "1", "-f", "null", "-"
        ),
    )


def with_ffprobe(plan: Plan) -> float:
    """A process a look, streams described."""
    return _in_threads(plan, lambda url: _run("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_streams", url))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def _in_threads(plan: Plan, look: Callable[[str], None]) -> float:
    urls = [plan.urls[number % len(plan.urls)] for number in range(plan.looks)]
    look(urls[0])
    before = cpu_s()
    with ThreadPoolExecutor(len(plan.urls)) as pool:
        list(pool.map(look, urls))
    return (cpu_s() - before) / len(urls)


WAYS: dict[str, Callable[[Plan], float]] = {
    "prober": with_prober,
    "service": with_service,
    "pyav": with_pyav,
    "ffmpeg": with_ffmpeg,
    "ffprobe": with_ffprobe,
}


def _measured(way: str, plan: Plan, results: "Queue[float]") -> None:
    configure_logging(service="bench", level="warning", log_format="console")
    results.put(WAYS[way](plan))


def measure(way: str, plan: Plan) -> float | None:
    """Milliseconds of CPU a look; None when the program is not installed."""
    if way in ("ffmpeg", "ffprobe") and shutil.which(way) is None:
        return None
    results: Queue[float] = SPAWN.Queue()
    process = SPAWN.Process(target=_measured, args=(way, plan, results))
    process.start()
    try:
        return results.get(timeout=600) * 1000
    finally:
        process.join()


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=48, help="looks a way (default: 48)")
    parser.add_argument("--cameras", type=int, default=8, help="simulated cameras, looked at at the same time")
    parser.add_argument("--gop", type=float, default=2.0, help="seconds from keyframe to keyframe (default: 2)")
    parser.add_argument("--start-at-keyframe", action="store_true", help="cameras begin each session with a keyframe")
    parser.add_argument("--window", type=float, default=0.0, help="measuring window of the prober in s (default: 0)")
    arguments = parser.parse_args()
    urls: Queue[list[str]] = SPAWN.Queue()
    simulator = SPAWN.Process(
        target=simulate, args=(arguments.cameras, arguments.gop, arguments.start_at_keyframe, urls)
    )
    simulator.start()
    try:
        plan = Plan(urls.get(timeout=120), arguments.looks, arguments.window)
        spent = {way: measure(way, plan) for way in WAYS}
    finally:
        simulator.terminate()
        simulator.join()
    ours = spent["prober"]
    assert ours is not None
    print(f"{'way':10} {'ms CPU a look':>14} {'times ours':>11}")
    for way, ms in spent.items():
        print(f"{way:10} {'not installed':>14}" if ms is None else f"{way:10} {ms:14.1f} {ms / ours:11.1f}")
    line: dict[str, float | int | None] = {
        "cpu_ms_deep": round(ours, 2),
        "window_s": plan.window_s,
        "looks": plan.looks,
        "cores": os.cpu_count(),
    }
    line["cpu_ms_service"] = round(spent["service"] or 0.0, 2)
    peers = ("pyav", "ffmpeg", "ffprobe")
    line |= {f"ratio_{way}": round(ms / ours, 2) for way in peers if (ms := spent[way]) is not None}
    print(json.dumps(line))


if __name__ == "__main__":
    main()
