"""What probes cost, beside the usual ways: `make bench-probe`, or `python -m bench.probing.probe --help`.

Same cameras, same minute: 1080p25 at 2 Mbit/s, simulated in a process of their own.

- `deep`: CPU of the whole prober per deep probe (job, last observation, RTSP, decoded keyframe, picture judged beside
  the last one, all checks, observation, status and picture stored; nats-server not counted), beside `ffmpeg` with
  `-frames:v 1` and `ffprobe`, a process a probe, where they are installed.
- `throughput`: deep probes a second when as many are wanted as can be had, simulator on the same machine.
- `light`: scheduled light probes of cameras with an interval of a minute, against a stub that answers on a socket: how
  late they begin. Their schedule begins spread over the minute, as it stands in a running platform.
- `starve`: the same schedule while a part of the cameras takes connections and never answers: how late the healthy ones
  begin, and which camera's next verdict comes after its last one ended to hold (two intervals).
- `calls`: Python calls a light probe, as fast as they go: by cProfile, which depends on no load of the machine.
- `soak`: light probes as fast as they go; resident memory after a tenth of them and at the end.
`--only light` measures that part alone. Prints a table and, last, one JSON line; `ratio_…`: the peer's cost over ours,
null where it is not installed.
"""

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import os
import pstats
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop

from bench.probing.probe_stage import Scene, cpu_s, plan, plan_light, prober, rss_mb, simulate
from bench.probing.rtsp_stub import serve as serve_stub
from bench.probing.rtsp_stub import serve_silent
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.telemetry import configure_logging
from vonggac.testing.fixtures import NatsAt

AT_A_TIME = 256  # probes of the throughput: each waits 1.6 s for pictures, and many more would wait for each other
CALLS_CAMERAS, CALLS_PROBES = 500, 1000
PEERS = ("ffmpeg", "ffprobe")
SIMULATED = ("deep", *PEERS, "throughput")
SPAWN = multiprocessing.get_context("spawn")
type Answer = dict[str, float]


async def deep(scene: Scene) -> Answer:
    """Milliseconds of CPU per deep probe; a place for each camera, none set apart for silent ones."""
    places = {"max_concurrent_probes": len(scene.urls), "silent_share": 0.0}
    async with prober(scene, deep_interval_s=0.0, **places) as running:
        for url in scene.urls:
            await plan(running.bus, url, uuid4(), interval_s=1.0)
        await running.until(2 * len(scene.urls))
        before, made_before = cpu_s(), running.probes()
        await running.until(made_before + scene.probes)
        spent_s = (cpu_s() - before) / (running.probes() - made_before)
        assert running.metrics.up == running.probes(), "a simulated camera was not found up"
        return {"ms": spent_s * 1000}


async def throughput(scene: Scene) -> Answer:
    """Deep probes a second; no place is set apart for silent cameras, since none is silent."""
    async with prober(scene, deep_interval_s=0.0, max_concurrent_probes=AT_A_TIME, silent_share=0.0) as running:
        for number in range(scene.cameras):
            await plan(running.bus, scene.urls[number % len(scene.urls)], uuid4(), interval_s=1.0)
        await running.until(scene.cameras)
        began, made_before = time.monotonic(), running.probes()
        await asyncio.sleep(scene.seconds)
        rate = (running.probes() - made_before) / (time.monotonic() - began)
        return {"per_s": rate, "up": running.metrics.up / running.probes()}


async def light(scene: Scene) -> Answer:
    """Lateness of scheduled light probes; the first quarter of an interval, in which everything starts, is left out."""
    await plan_light(scene.nats_url, scene.urls[0], scene.cameras, interval_s=60.0)
    async with prober(scene, deep_interval_s=1e6, max_concurrent_probes=128) as running:
        await asyncio.sleep(15.0)
        running.metrics.late.clear()
        before, began, made_before = cpu_s(), time.monotonic(), running.probes()
        await asyncio.sleep(scene.seconds)
        late = sorted(running.metrics.late)
        made = running.probes() - made_before
        assert running.metrics.up == running.probes(), "the stub was not found up"
        return {
            "per_minute": made / (time.monotonic() - began) * 60,
            "p50_s": late[len(late) // 2],
            "p99_s": late[int(len(late) * 0.99)],
            "ms": (cpu_s() - before) / made * 1000,
        }


async def starve(scene: Scene) -> Answer:
    """The schedule of `light` while the cameras of the second address hang, without its first round."""
    healthy_url, silent_url = scene.urls
    interval_s = 60.0
    await plan_light(scene.nats_url, healthy_url, scene.cameras - scene.probes, interval_s=interval_s)
    await plan_light(scene.nats_url, silent_url, scene.probes, interval_s=interval_s)
    async with prober(scene, deep_interval_s=1e6, max_concurrent_probes=384) as running:
        await asyncio.sleep(interval_s)
        metrics = running.metrics
        metrics.late.clear()
        began, made_before = time.monotonic(), running.probes()
        await asyncio.sleep(scene.seconds)
        late, made = sorted(metrics.late), running.probes() - made_before
        now = time.monotonic()
        gaps = [max(longest, now - metrics.last_s[camera]) for camera, longest in metrics.longest_s.items()]
        return {
            "per_minute": made / (now - began) * 60,
            "p50_s": late[len(late) // 2],
            "p99_s": late[int(len(late) * 0.99)],
            "most_s": late[-1],
            "cameras": len(gaps),
            "unknown": sum(gap > 2 * interval_s for gap in gaps),
            "hung": running.probes() - metrics.up,
        }


async def calls(scene: Scene) -> Answer:
    """Python calls of the prober's thread a light probe, without the first one of each camera."""
    await plan_light(scene.nats_url, scene.urls[0], scene.cameras, interval_s=1.0)
    async with prober(scene, deep_interval_s=1e6, max_concurrent_probes=64) as running:
        await running.until(scene.cameras)
        made_before, profile = running.probes(), cProfile.Profile()
        profile.enable()
        await running.until(made_before + scene.probes)
        profile.disable()
        made = running.probes() - made_before
        counted = sum(row[1] for row in pstats.Stats(profile).stats.values())  # type: ignore[attr-defined] # no stub
        return {"calls": counted / made}


async def soak(scene: Scene) -> Answer:
    """Resident memory after a tenth of the probes and at the end."""
    await plan_light(scene.nats_url, scene.urls[0], scene.cameras, interval_s=1.0)
    async with prober(scene, deep_interval_s=1e6, max_concurrent_probes=64) as running:
        await running.until(scene.probes / 10)
        running.metrics.late.clear()
        start_mb, began, made_before = rss_mb(), time.monotonic(), running.probes()
        while running.probes() < scene.probes and time.monotonic() - began < scene.seconds:
            running.metrics.late.clear()
            await asyncio.sleep(0.2)
        rate = (running.probes() - made_before) / (time.monotonic() - began)
        return {"start_mb": start_mb, "end_mb": rss_mb(), "per_s": rate, "probes": running.probes()}


async def ffmpeg(scene: Scene) -> Answer:
    """A process a probe, one frame decoded."""
    command = ("ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", "URL", "-frames:v", "1", "-f", "null", "-")
    return _processes(scene, lambda url: [url if part == "URL" else part for part in command])


async def ffprobe(scene: Scene) -> Answer:
    """A process a probe, streams described."""
    return _processes(scene, lambda url: ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_streams", url])


def _processes(scene: Scene, command: Callable[[str], list[str]]) -> Answer:
    def probe(url: str) -> None:
        subprocess.run(command(url), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)

    urls = [scene.urls[number % len(scene.urls)] for number in range(scene.probes)]
    probe(urls[0])
    before = cpu_s()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(probe, urls))
    return {"ms": (cpu_s() - before) / len(urls) * 1000}


WAYS = {
    "deep": deep,
    "ffmpeg": ffmpeg,
    "ffprobe": ffprobe,
    "throughput": throughput,
    "light": light,
    "starve": starve,
    "calls": calls,
    "soak": soak,
}


def _work(way: str, scene: Scene, answers: "Queue[Answer | str]") -> None:
    configure_logging(service="bench", level="error", log_format="console")
    try:
        answers.put(uvloop.run(WAYS[way](scene)))
    except Exception as error:
        answers.put(f"{type(error).__name__}: {error}")
        raise


def measure(way: str, scene: Scene) -> Answer | None:
    """In a process of its own, with a nats-server of its own; None when the program is not installed."""
    if way in PEERS and shutil.which(way) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder) / "nats", free_port())
        server.start()
        try:
            asyncio.run(_declare(server.url))
            answers: Queue[Answer | str] = SPAWN.Queue()
            given = Scene(scene.urls, scene.probes, scene.cameras, scene.seconds, server.url)
            process = SPAWN.Process(target=_work, args=(way, given, answers))
            process.start()
            answer = answers.get(timeout=900)
            process.join()
        finally:
            server.stop()
    if isinstance(answer, str):
        raise SystemExit(f"{way}: {answer}")
    return answer


async def _declare(nats_url: str) -> None:
    bus = await Bus.connect(NatsAt(nats_url), name="bench")
    await topology.declare(bus.js)
    await bus.close()


def run(arguments: argparse.Namespace) -> dict[str, Answer | None]:
    """Each wanted part after the other."""
    answers: dict[str, Answer | None] = {}
    wanted: list[str] = arguments.only or list(WAYS)
    if simulated := [way for way in SIMULATED if way in wanted]:
        with _started(simulate, arguments.cameras) as cameras:
            for way in simulated:
                scene = Scene(cameras, arguments.probes)
                if way == "throughput":
                    scene = Scene(cameras, 0, cameras=arguments.wanted, seconds=arguments.seconds)
                answers[way] = measure(way, scene)
    with _started(serve_stub) as port, _started(serve_silent) as silent_port:
        device, silent = (f"rtsp://127.0.0.1:{number}/live" for number in (port, silent_port))
        scenes = {
            "light": Scene([device], 0, arguments.light, arguments.light_seconds),
            "starve": Scene([device, silent], arguments.hanging, arguments.light, arguments.starve_seconds),
            "calls": Scene([device], CALLS_PROBES, CALLS_CAMERAS),
            "soak": Scene([device], arguments.soak, 2000, arguments.soak_seconds),
        }
        answers |= {way: measure(way, scene) for way, scene in scenes.items() if way in wanted}
    return answers


@contextmanager
def _started(serve: Callable[..., None], *arguments: object) -> Iterator[Any]:
    """A process of its own while the block runs; what it puts into its queue first."""
    answers: Queue[Any] = SPAWN.Queue()
    process = SPAWN.Process(target=serve, args=(*arguments, answers))
    process.start()
    try:
        yield answers.get(timeout=120)
    finally:
        process.terminate()
        process.join()


FIGURES: tuple[tuple[str, str, str, int, str], ...] = (
    ("deep", "ms", "prober, ms of CPU a deep probe", 2, "cpu_ms_deep"),
    ("ffmpeg", "ms", "ffmpeg, ms of CPU a probe", 2, ""),
    ("ffprobe", "ms", "ffprobe, ms of CPU a probe", 2, ""),
    ("throughput", "per_s", "deep probes a second", 1, "probes_per_s"),
    ("throughput", "up", "  of them up, a share", 3, ""),
    ("light", "per_minute", "scheduled light probes a minute", 0, ""),
    ("light", "p50_s", "  lateness p50, s", 3, ""),
    ("light", "p99_s", "  lateness p99, s", 3, "lateness_p99_s"),
    ("light", "ms", "  ms of CPU a light probe", 2, "cpu_ms_light"),
    ("starve", "per_minute", "the same while some hang, a minute", 0, ""),
    ("starve", "p50_s", "  lateness p50, s", 3, ""),
    ("starve", "p99_s", "  lateness p99, s", 3, "starve_p99_s"),
    ("starve", "most_s", "  lateness at most, s", 3, ""),
    ("starve", "unknown", "  cameras unknown", 0, "starve_unknown"),
    ("starve", "cameras", "  of so many", 0, ""),
    ("calls", "calls", "Python calls a light probe", 0, "calls_light"),
    ("soak", "per_s", "light probes a second, unscheduled", 0, ""),
    ("soak", "probes", "  probes made", 0, ""),
    ("soak", "start_mb", "  resident MB at a tenth", 1, "rss_mb_start"),
    ("soak", "end_mb", "  resident MB at the end", 1, "rss_mb_end"),
)
"""The part, its figure, what the table calls it, how many decimals it has, and its name in the last line, if any."""


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=WAYS, help="parts to measure (default: all)")
    parser.add_argument("--probes", type=int, default=60, help="deep probes, and probes of each peer (default: 60)")
    parser.add_argument("--cameras", type=int, default=20, help="simulated cameras (default: 20)")
    parser.add_argument("--wanted", type=int, default=400, help="cameras of the throughput (default: 400)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of the throughput (default: 15)")
    parser.add_argument("--light", type=int, default=20_000, help="cameras with a light probe a minute")
    parser.add_argument("--light-seconds", type=float, default=60.0, help="of the schedule (default: 60)")
    parser.add_argument("--hanging", type=int, default=1000, help="of these cameras that never answer (default: 1000)")
    parser.add_argument("--starve-seconds", type=float, default=180.0, help="of the schedule with them (default: 180)")
    parser.add_argument("--soak", type=int, default=100_000, help="light probes of the soak (default: 100000)")
    parser.add_argument("--soak-seconds", type=float, default=300.0, help="the soak ends then at the latest")
    answers = run(parser.parse_args())
    line: dict[str, float | None] = {}
    print(f"{'what':34} {'figure':>12}")
    for way, figure, label, decimals, name in FIGURES:
        if way in answers:
            answer = answers[way]
            print(f"{label:34} " + (f"{answer[figure]:12.{decimals}f}" if answer else f"{'not there':>12}"))
            if name and answer:
                line[name] = round(answer[figure], decimals)
    for peer in PEERS:
        ours, theirs = answers.get("deep"), answers.get(peer)
        if ours and peer in answers:
            line[f"ratio_{peer}"] = round(theirs["ms"] / ours["ms"], 2) if theirs else None
    print(f"{'cores':34} {os.cpu_count():12}")
    print(json.dumps(line))


if __name__ == "__main__":
    main()
