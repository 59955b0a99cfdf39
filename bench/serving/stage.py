"""What `served.py` measures: simulated cameras, each pushed to one centre and served to another, by two forwarders.

The first one holds all cameras. The second one, which is started when that is so, holds none: it is in front.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psutil

from bench.relay.delay import measuring
from bench.relay.relay import camera_config, child, declare, forwarder_environment, metric, planned, publish, wait_ready
from vonggac.auth import Sealer
from vonggac.auth.keys import WORKERS_PUBLIC, ensure_keys
from vonggac.embedded import NatsServer, free_port
from vonggac.events.inventory import CameraV1, PlannedDelivery, ServingPlan, served_url
from vonggac.events.inventory.serving import ServedTls, served_path
from vonggac.net.origin import Origin
from vonggac.net.url import Credentials
from vonggac.testing.certificates import Authority

CENTRE = "bench"
LOGIN = Credentials(CENTRE, "mat-khau-20-ky-tu-xx")
MORE_PER_CAMERA = 2
"""Sessions that are measured, beside the one that each camera has."""
WITHIN_S = 60.0
MIB = 2**20
CLIPS = Path(tempfile.gettempdir()) / "vonggac-bench-clips"
"""Kept: encoding takes longer than a measurement."""


@dataclass(frozen=True)
class Worker:
    """One forwarder process."""

    process: subprocess.Popen[bytes]
    api: str
    port: int
    tls_port: int

    def cpu_s(self) -> float:
        """User and system time so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def waited_s(self) -> float:
        """How long its event loop was ready and no processor was free, so far (proc_pid_schedstat(5))."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text("ascii").split()[1]) / 1e9

    def rss_mb(self) -> float:
        return float(psutil.Process(self.process.pid).memory_info().rss / MIB)


@dataclass(frozen=True)
class Stage:
    """Every camera is pushed, and waits for the centre that pulls."""

    holder: Worker
    front: Worker
    paths: list[str]
    fingerprint: str
    other: Connection
    """Of the process that is the centre which is pushed to (`bench.relay.delay`)."""

    def wait_for(self, state: str, deliveries: int) -> None:
        """Until so many deliveries are in a state."""
        label, deadline = f'state="{state}"', time.monotonic() + WITHIN_S
        while count_deliveries(self.holder.api, label) < deliveries:
            if time.monotonic() > deadline:
                raise SystemExit(f"fewer than {deliveries} deliveries were {state} within {WITHIN_S:.0f} s")
            time.sleep(0.3)


def count_deliveries(api: str, label: str) -> float:
    return metric(httpx.get(f"{api}/metrics", timeout=30).text, "vonggac_forwarder_delivery_state{", label)


@contextmanager
def stage(cameras: int) -> Iterator[Stage]:
    """Everything up; whatever was started ends with it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vonggac-served-")))
        ensure_keys(folder / "keys")
        certificate = Authority().issue("127.0.0.1")
        (folder / "served.pem").write_bytes(certificate.chain_pem)
        nats = NatsServer(folder / "nats", free_port())
        nats.start()
        stack.callback(nats.stop)
        asyncio.run(declare(nats.url))
        urls = stack.enter_context(_cameras(folder, cameras))
        push_port = free_port()
        other = stack.enter_context(measuring(dict(enumerate(urls)), [push_port]))
        holder = stack.enter_context(_forwarder(folder, nats.url, cameras))
        wait_ready(holder.api)
        sealer = Sealer.from_file(folder / "keys" / WORKERS_PUBLIC)
        centre_id = uuid4()
        plans = [_plan(url, push_port, number, centre_id, sealer) for number, url in enumerate(urls)]
        asyncio.run(publish(nats.url, plans))
        paths = [served_path(plan.deliveries[-1].url) for plan in plans]
        # It holds nothing yet and is asked nothing: started later, it cannot take a camera.
        running = Stage(holder, holder, paths, certificate.fingerprint_sha256, other)
        running.wait_for("acknowledged", cameras)
        running.wait_for("waiting_for_centre", cameras)
        front = stack.enter_context(_forwarder(folder, nats.url, 1))
        wait_ready(front.api)
        yield Stage(holder, front, paths, running.fingerprint, other)


@contextmanager
def _cameras(folder: Path, cameras: int) -> Iterator[list[str]]:
    config, port = folder / "cameras.json", free_port()
    # One clip for all: each of them takes seconds to encode, and nobody compares pictures here.
    listed = [{**camera, "number": 0} for camera in camera_config(cameras)["cameras"]]
    config.write_text(json.dumps({"cameras": listed}), "utf-8")
    variables = {"PORT": str(port), "LOG_LEVEL": "warning", "CACHE_FOLDER": str(CLIPS)}
    environment = {f"VONGGAC_SIMULATOR_{name}": value for name, value in variables.items()}
    with child([sys.executable, "-m", "simulator", "--config", str(config)], environment):
        api = f"http://127.0.0.1:{port}"
        wait_ready(api)
        yield [camera["url"] for camera in httpx.get(f"{api}/v1/cameras", timeout=30).json()["items"]]


@contextmanager
def _forwarder(folder: Path, nats_url: str, cameras: int) -> Iterator[Worker]:
    api_port, port, tls_port = free_port(), free_port(), free_port()
    settings = {
        "SERVE_HOST": "127.0.0.1",
        "SERVE_PORT": str(port),
        "SERVE_TLS_PORT": str(tls_port),
        "SERVE_TLS_CERTIFICATE_FILE": str(folder / "served.pem"),
        "REBALANCE_AFTER_S": "86400",
    }
    environment = forwarder_environment(folder, nats_url, api_port, cameras, 0)
    environment |= {f"VONGGAC_FORWARDER_{name}": value for name, value in settings.items()}
    with child([sys.executable, "-m", "forwarder"], environment) as process:
        yield Worker(process, f"http://127.0.0.1:{api_port}", port, tls_port)


def _plan(url: str, push_port: int, number: int, centre_id: UUID, sealer: Sealer) -> CameraV1:
    camera = planned(url, [push_port], number)
    served = served_url(CENTRE, camera.code)
    pulled = PlannedDelivery(
        id=uuid4(),
        destination_id=centre_id,
        destination_code=CENTRE,
        url=served,
        secret=sealer.seal(LOGIN, Origin.of(served)),
        serving=ServingPlan(
            account=LOGIN.username,
            source_networks=("127.0.0.0/8",),
            tls=ServedTls.OFFERED,
            sessions_per_camera=2 + MORE_PER_CAMERA,
        ),
    )
    return camera.model_copy(update={"deliveries": (*camera.deliveries, pulled)})
