"""CPU and memory of the forwarder: N cameras of 1080p25 at 2 Mbit/s, each to two destinations, in the steady state.

    uv run python -m bench.relay.relay [--streams 150] [--seconds 30] [--tls]

The whole product is measured: `python -m forwarder` on a real NATS, with its leases, heartbeats, states and TCP_INFO.
Cameras (the simulator) and destinations (a sink that answers RTSP and throws the media away) are processes of their
own; with `--tls` the destinations speak RTSPS. Prints a table and, as the last line, one JSON object.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import psutil
import uvloop

from bench.relay.relay_limit import ms_per_stream_second
from vonggac.auth.keys import JWKS, WORKERS_PRIVATE, ensure_keys
from vonggac.bus.connection import connect_once
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1, PlannedDelivery, TlsTrust
from vonggac.rtsp.wire.framing import Deframer
from vonggac.rtsp.wire.messages import Headers, Request, Response
from vonggac.testing.certificates import ServerCertificate

CLIPS = 5
READY_WITHIN_S = 120.0
SETTLE_S = 8.0
DESTINATIONS = 2


class Sink(asyncio.Protocol):
    """A destination that records nothing: it answers the handshake and throws away what comes after RECORD."""

    received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._deframer: Deframer | None = Deframer()

    def data_received(self, data: bytes) -> None:
        Sink.received += len(data)
        if self._deframer is None:
            return
        for item in self._deframer.feed(data):
            if isinstance(item, Request):
                self._answer(item)

    def _answer(self, request: Request) -> None:
        headers = Headers([("CSeq", str(request.cseq)), ("Session", "bench;timeout=600")])
        if request.method == "SETUP":
            headers.add_field("Transport", request.headers.get("Transport") or "")
        self._transport.write(Response(200, "OK", headers, b"").encode())
        if request.method == "RECORD":
            self._deframer = None


def run_sinks(ports: list[int], chain: Path | None) -> None:
    """The destinations' process; under TLS with a `chain`."""
    context = None
    if chain is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        for port in ports:
            await loop.create_server(Sink, "127.0.0.1", port, backlog=1024, ssl=context)
        await asyncio.Event().wait()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(serve())


@contextmanager
def child(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sinks(ports: list[int], chain: Path | None = None) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=run_sinks, args=(ports, chain), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def camera_config(streams: int, bitrate_kbps: int = 2000) -> dict[str, list[dict[str, object]]]:
    common: dict[str, object] = {
        "path": "/live",
        "width": 1920,
        "height": 1080,
        "fps": 25,
        "bitrate_kbps": bitrate_kbps,
        "gop_s": 2,
        "loop_s": 8,
    }
    return {"cameras": [{"id": f"cam-{n:04}", "number": n % CLIPS, **common} for n in range(streams)]}


def wait_ready(url: str, within_s: float = READY_WITHIN_S) -> None:
    """Wait for a service; raises SystemExit with what it lacks."""
    deadline, lacks = time.monotonic() + within_s, "no answer"
    while time.monotonic() < deadline:
        try:
            answer = httpx.get(f"{url}/readyz", timeout=5)
        except httpx.HTTPError:
            pass
        else:
            if answer.status_code == 200:
                return
            lacks = answer.text
        time.sleep(0.2)
    raise SystemExit(f"{url} was not ready within {within_s:.0f} s: {lacks}")


def planned(url: str, ports: list[int], number: int, tls: TlsTrust | None = None) -> CameraV1:
    scheme = "rtsps" if tls else "rtsp"
    deliveries = tuple(
        PlannedDelivery(
            id=uuid4(),
            destination_id=uuid4(),
            destination_code=str(port),
            url=f"{scheme}://127.0.0.1:{port}/{number}",
            tls=tls,
        )
        for port in ports
    )
    return CameraV1(
        id=uuid4(),
        revision=1,
        changed_at=datetime.now(UTC),
        code=f"C{number}",
        name=f"C{number}",
        facility_id=uuid4(),
        enabled=True,
        url=url,
        probe_interval_s=60,
        probe_timeout_s=10,
        deliveries=deliveries,
    )


async def declare(nats_url: str) -> None:
    client = await connect_once(nats_url, name="bench")
    await topology.declare(client.jetstream())
    await client.close()


async def publish(nats_url: str, cameras: list[CameraV1]) -> None:
    client = await connect_once(nats_url, name="bench")
    stream = client.jetstream()
    for camera in cameras:
        event = new_event(camera, source="/bench", subject=str(camera.id), time=camera.changed_at)
        await stream.publish(subjects.inventory("camera", camera.id), event.encode())
    await client.close()


def metric(text: str, name: str, label: str = "") -> float:
    """Sum of a metric's samples whose labels contain `label`."""
    lines = (line for line in text.splitlines() if line.startswith(name) and label in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def wait_acknowledged(api: str, deliveries: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        text = httpx.get(f"{api}/metrics", timeout=30).text
        if metric(text, "vonggac_forwarder_delivery_state{", 'state="acknowledged"') >= deliveries:
            return
        time.sleep(1)
    raise SystemExit("not every delivery was acknowledged in time")


def measure(process: psutil.Process, api: str, streams: int, seconds: float, base_bytes: int) -> dict[str, object]:
    # The scrapes lie outside the measured time.
    acknowledged = metric(httpx.get(f"{api}/metrics", timeout=30).text, "vonggac_forwarder_delivery_bytes_acknowledged")
    scraped = time.monotonic()
    time.sleep(1.0)
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, took = process.cpu_times(), time.monotonic() - began
    text, moved_in = httpx.get(f"{api}/metrics", timeout=30).text, time.monotonic() - scraped
    moved = metric(text, "vonggac_forwarder_delivery_bytes_acknowledged_total") - acknowledged
    user, system = after.user - before.user, after.system - before.system
    return {
        "ms_per_stream_second": round(1000 * (user + system) / took / streams, 3),
        "user_ms": round(1000 * user / took / streams, 3),
        "system_ms": round(1000 * system / took / streams, 3),
        "streams": streams,
        "streams_per_core": round(took * streams / (user + system)),
        "mb_per_stream": round((process.memory_info().rss - base_bytes) / 1e6 / streams, 3),
        "base_mb": round(base_bytes / 1e6, 1),
        "mbit_s_per_delivery": round(moved * 8 / 1e6 / moved_in / streams / DESTINATIONS, 2),
        "acknowledged": int(metric(text, "vonggac_forwarder_delivery_state{", 'state="acknowledged"')),
        "groups_dropped": int(metric(text, "vonggac_forwarder_delivery_groups_dropped_total")),
        "machine_busy_percent": round(psutil.cpu_percent(interval=1.0)),
    }


@dataclass(frozen=True)
class Rig:
    """Everything up and ready, and not a single camera planned yet."""

    api: str
    nats_url: str
    forwarder: subprocess.Popen[bytes]
    urls: list[str]
    ports: list[int]
    tls: TlsTrust | None = None


@contextmanager
def rig(streams: int, low_water_bytes: int = 0, clips: Path | None = None, *, tls: bool = False) -> Iterator[Rig]:
    """NATS, simulated cameras, two destinations and one forwarder; `clips` keeps encoded clips for the next rig."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ensure_keys(folder / "keys")
        config = folder / "cameras.json"
        config.write_text(json.dumps(camera_config(streams)), "utf-8")
        nats = NatsServer(folder / "nats", free_port())
        nats.start()
        stack.callback(nats.stop)
        asyncio.run(declare(nats.url))
        ports = [free_port() for _ in range(DESTINATIONS)]
        chain, trust = _certificate(folder) if tls else (None, None)
        stack.enter_context(sinks(ports, chain))
        simulator_port, forwarder_port = free_port(), free_port()
        simulator, api = f"http://127.0.0.1:{simulator_port}", f"http://127.0.0.1:{forwarder_port}"
        variables = {"PORT": str(simulator_port), "LOG_LEVEL": "warning", "CACHE_FOLDER": str(clips or folder)}
        stack.enter_context(
            child(
                [sys.executable, "-m", "simulator", "--config", str(config)],
                {f"VONGGAC_SIMULATOR_{name}": value for name, value in variables.items()},
            )
        )
        environment = forwarder_environment(folder, nats.url, forwarder_port, streams, low_water_bytes)
        forwarder = stack.enter_context(child([sys.executable, "-m", "forwarder"], environment))
        wait_ready(simulator)
        wait_ready(api)
        urls = [camera["url"] for camera in httpx.get(f"{simulator}/v1/cameras", timeout=30).json()["items"]]
        yield Rig(api, nats.url, forwarder, urls, ports, trust)


def steady(one: Rig, seconds: float) -> dict[str, object]:
    """Plan all cameras, wait until all is acknowledged and calm, measure; what the start cost is shown apart."""
    streams = len(one.urls)
    process = psutil.Process(one.forwarder.pid)
    base_bytes, before, began = process.memory_info().rss, process.cpu_times(), time.monotonic()
    plans = [planned(url, one.ports, number, one.tls) for number, url in enumerate(one.urls)]
    asyncio.run(publish(one.nats_url, plans))
    wait_acknowledged(one.api, streams * DESTINATIONS)
    time.sleep(SETTLE_S)
    after, lasted_s = process.cpu_times(), time.monotonic() - began
    result = measure(process, one.api, streams, seconds, base_bytes)
    start_ms = 1000 * (after.user + after.system - before.user - before.system) / streams
    return result | {"start_ms_per_stream": round(start_ms - float(str(result["ms_per_stream_second"])) * lasted_s, 1)}


def _certificate(folder: Path) -> tuple[Path, TlsTrust]:
    """What the destinations show, and what the plan says of it."""
    shown = ServerCertificate.self_signed()
    chain = folder / "chain.pem"
    chain.write_bytes(shown.chain_pem)
    return chain, TlsTrust(fingerprint_sha256=shown.fingerprint_sha256)


def run(streams: int, seconds: float, low_water_bytes: int, *, tls: bool) -> dict[str, object]:
    with rig(streams, low_water_bytes, tls=tls) as one:
        result = steady(one, seconds)
        one.forwarder.terminate()
        one.forwarder.wait()
        # The C loop speaks no TLS.
        limit = None if tls else ms_per_stream_second(one.urls, one.ports, seconds)
        ours = float(str(result["ms_per_stream_second"]))
        return result | {
            "c_loop_ms": None if limit is None else round(limit, 3),
            "ratio_c_loop": None if limit is None else round(limit / ours, 2),
        }


def forwarder_environment(folder: Path, nats_url: str, port: int, streams: int, low_water_bytes: int) -> dict[str, str]:
    settings = {
        "NATS_URL": nats_url,
        "PORT": str(port),
        "LOG_LEVEL": "warning",
        "MAX_CAMERAS": str(streams),
        "RECEIVE_LOW_WATER_BYTES": str(low_water_bytes),
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        "WORKERS_PRIVATE_KEY_FILE": str(folder / "keys" / WORKERS_PRIVATE),
        "JWKS_FILE": str(folder / "keys" / JWKS),
    }
    return {f"VONGGAC_FORWARDER_{name}": value for name, value in settings.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--low-water-bytes", type=int, default=0, help="the forwarder's receive_low_water_bytes")
    parser.add_argument("--tls", action="store_true", help="both destinations under TLS; no C loop beside it then")
    arguments = parser.parse_args()
    result = run(arguments.streams, arguments.seconds, arguments.low_water_bytes, tls=arguments.tls)
    for name, value in result.items():
        print(f"{name:>24}  {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
