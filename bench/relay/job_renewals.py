"""What keeping jobs in progress costs NATS: `python -m bench.relay.job_renewals [--cameras 2000] [--nodes 3]`.

Every forwarded camera is a job that its forwarder keeps in progress, once a second. One consumer's leader hears of
all of them; with three nodes each renewal is agreed on. Prints a line of text and, last, one JSON line.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psutil
from nats.errors import Error as NatsError

from vonggac.bus import Bus, JobQueue
from vonggac.bus.declared import topology
from vonggac.bus.jobs import Job
from vonggac.embedded import NatsServer, free_port
from vonggac.events import new_event, subjects
from vonggac.events.inventory import CameraV1
from vonggac.testing.cluster import nodes
from vonggac.testing.fixtures import NatsAt

EVERY_S = topology.DELIVERY_ACK_WAIT_S / 3
DECLARED_WITHIN_S = 60.0
FETCHED_WITHIN_S = 60.0


async def declare(bus: Bus, replicas: int) -> None:
    """Raises the last refusal when the servers do not find each other in time."""
    deadline = time.monotonic() + DECLARED_WITHIN_S
    while True:
        try:
            await topology.declare(bus.js, replicas=replicas, observations_max_bytes=64 << 20)
        except (NatsError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)
        else:
            return


async def publish(bus: Bus, cameras: int) -> None:
    now = datetime.now(UTC)
    for _ in range(cameras):
        camera = CameraV1(
            id=uuid4(),
            revision=1,
            changed_at=now,
            code="C",
            name="Cổng",
            facility_id=uuid4(),
            enabled=True,
            url="rtsp://10.0.0.1/1",
            probe_interval_s=30,
            probe_timeout_s=10,
        )
        event = new_event(camera, source="/inventory", subject=str(camera.id), time=now)
        await bus.js.publish(subjects.inventory("camera", camera.id), event.encode())


async def fetch_all(bus: Bus, cameras: int) -> dict[str, Job]:
    """Every job once; renewed while the others come."""
    queue = JobQueue(bus, stream=topology.DELIVERY_JOBS, durable=topology.FORWARDER, keep_open=True)
    kept: dict[str, Job] = {}
    deadline, renewed = time.monotonic() + FETCHED_WITHIN_S, time.monotonic()
    while len(kept) < cameras and time.monotonic() < deadline:
        kept |= {job.event.subject: job for job in await queue.fetch(256, wait_s=1)}
        if time.monotonic() - renewed > EVERY_S:
            renewed = time.monotonic()
            await renew(bus, kept)
    return kept


async def renew(bus: Bus, kept: dict[str, Job]) -> None:
    for job in kept.values():
        await job.keep_in_progress()
    await bus.client.flush(timeout=30)


def cpu_s(processes: list[psutil.Process]) -> list[float]:
    return [sum(process.cpu_times()[:2]) for process in processes]


async def measure(servers: Sequence[NatsServer], cameras: int, seconds: float) -> dict[str, object]:
    """CPU of each server and of the client, and jobs that were delivered again though they were kept in progress."""
    bus = await Bus.connect(NatsAt(",".join(server.url for server in servers)), name="bench")
    try:
        await declare(bus, len(servers))
        await publish(bus, cameras)
        kept = await fetch_all(bus, cameras)
        processes = [psutil.Process(server.process.pid) for server in servers if server.process is not None]
        own = psutil.Process(os.getpid())
        before, own_before, began = cpu_s(processes), cpu_s([own])[0], time.monotonic()
        rounds, longest = 0, 0.0
        while time.monotonic() - began < seconds:
            due = began + rounds * EVERY_S
            await asyncio.sleep(max(due - time.monotonic(), 0))
            await renew(bus, kept)
            longest = max(longest, time.monotonic() - due)
            rounds += 1
        took = time.monotonic() - began
        info = await bus.js.consumer_info(topology.DELIVERY_JOBS, topology.FORWARDER)
        servers_cpu = [round((after - start) / took, 3) for after, start in zip(cpu_s(processes), before, strict=True)]
        return {
            "cameras": len(kept),
            "nodes": len(servers),
            "renewals_per_s": round(rounds * len(kept) / took),
            "longest_round_s": round(longest, 3),
            "redelivered": info.num_redelivered or 0,
            "server_cores": sorted(servers_cpu, reverse=True),
            "client_cores": round((cpu_s([own])[0] - own_before) / took, 3),
            "load": round(os.getloadavg()[0], 1),
        }
    finally:
        await bus.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.relay.job_renewals", description=__doc__)
    parser.add_argument("--cameras", type=int, default=2000)
    parser.add_argument("--nodes", type=int, default=1, choices=[1, 3])
    parser.add_argument("--seconds", type=float, default=15.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as folder:
        folders = [Path(folder) / str(number) for number in range(arguments.nodes)]
        servers = nodes(folders) if len(folders) > 1 else [NatsServer(folders[0], free_port())]
        try:
            for server in servers:
                server.start()
            result = asyncio.run(measure(servers, arguments.cameras, arguments.seconds))
        finally:
            for server in servers:
                server.stop()
    print(f"{result['cameras']} cameras, nodes: {result['nodes']}: servers use {result['server_cores']} cores")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
