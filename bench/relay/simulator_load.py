"""CPU of the simulator: cameras of 1080p25 at 2 Mbit/s with one reader each, in milliseconds per stream-second.

    uv run python -m bench.relay.simulator_load [--cameras 150] [--seconds 20]

The simulator runs as a process of its own; the readers (another process) only read and throw away. Prints a table
and, as the last line, one JSON object.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil
import uvloop

from vonggac.embedded import free_port
from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Route, open_player

CLIPS = 5
WARM_UP_S = 5.0


def configuration(cameras: int) -> dict[str, object]:
    """Cameras of `CLIPS` different pictures: each is a device of its own, clips are shared."""
    return {
        "cameras": [
            {
                "id": f"load-{index:04}",
                "path": "/live",
                "width": 1920,
                "height": 1080,
                "fps": 25,
                "bitrate_kbps": 2000,
                "gop_s": 2,
                "loop_s": 8,
                "number": index % CLIPS,
            }
            for index in range(cameras)
        ]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "load.json"
        config.write_text(json.dumps(configuration(arguments.cameras)), "utf-8")
        port = free_port()
        environment = {
            **os.environ,
            "VONGGAC_SIMULATOR_PORT": str(port),
            "VONGGAC_SIMULATOR_CACHE_FOLDER": folder,
            "VONGGAC_SIMULATOR_LOG_LEVEL": "warning",
        }
        process = subprocess.Popen([sys.executable, "-m", "simulator", "--config", str(config)], env=environment)
        try:
            urls = wait_for_urls(f"http://127.0.0.1:{port}")
            measure(process.pid, urls, arguments.seconds)
        finally:
            process.terminate()
            process.wait()


def wait_for_urls(api: str) -> list[str]:
    """The cameras' addresses as soon as all are ready."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{api}/readyz", timeout=5).status_code == httpx.codes.OK:
                return [camera["url"] for camera in httpx.get(f"{api}/v1/cameras").json()["items"]]
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit("the simulator was not ready within 120 s")


def measure(pid: int, urls: list[str], seconds: float) -> None:
    context = multiprocessing.get_context("spawn")
    received = context.Array("q", 3)
    readers = context.Process(target=read_all, args=(urls, received), daemon=True)
    readers.start()
    simulator = psutil.Process(pid)
    deadline = time.monotonic() + 60
    while received[2] < len(urls) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(WARM_UP_S)
    before, bytes_before, began = cpu_s(simulator), received[0], time.monotonic()
    time.sleep(seconds)
    used, octets, lasted = cpu_s(simulator) - before, received[0] - bytes_before, time.monotonic() - began
    lost = received[1]
    readers.terminate()
    readers.join()
    result = {
        "cameras": len(urls),
        "seconds": round(lasted, 1),
        "ms_per_stream_second": round(1000 * used / lasted / len(urls), 3),
        "core_percent": round(100 * used / lasted, 1),
        "mbit_per_s_per_camera": round(8 * octets / lasted / len(urls) / 1e6, 3),
        "readers_lost": lost,
        "rss_mb": round(simulator.memory_info().rss / 1e6, 1),
    }
    for name, value in result.items():
        print(f"{name:24}{value:>12}")
    print(json.dumps(result))


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def read_all(urls: Sequence[str], received: "multiprocessing.sharedctypes.SynchronizedArray[int]") -> None:
    """Play every camera; `received`: bytes, sessions lost, sessions open."""
    uvloop.run(_read_all(urls, received))


async def _read_all(urls: Sequence[str], received: "multiprocessing.sharedctypes.SynchronizedArray[int]") -> None:
    totals = [0, 0, 0]

    def count(batch: MediaBatch) -> None:
        totals[0] += len(batch.data)

    def lost(_error: object) -> None:
        totals[1] += 1

    players = []
    for url in urls:
        players.append(await open_player(Route(RtspUrl.parse(url)), deadline_s=10, on_media=count, on_lost=lost))
        totals[2] = len(players)
        received[:] = totals
    while True:
        await asyncio.sleep(0.1)
        received[:] = totals


if __name__ == "__main__":
    main()
