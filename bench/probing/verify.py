"""What proving costs the prober: `make bench BENCH=verify`, or `python -m bench.probing.verify --help`.

1080p25 at 2 Mbit/s, simulated in a process of its own, where the keyframes are noted, too. Each round is one camera's
turn as the prober makes it: ask for the notes, read two deliveries back at the same time, hash what comes, compare,
report (nats-server and simulator not counted). CPU is of the whole process, its floor (nothing to do) taken off.

Prints a table and, last, one JSON line: `cpu_ms_read_back` (one delivery), `seconds_p50` (a round), `delay_s_p50`,
`rounds_per_s` (cameras a second at `--concurrent` rounds), `verified` (share of all).
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.queues import Queue
from pathlib import Path
from uuid import UUID, uuid4

import uvloop
from nats.aio.msg import Msg

from prober.domain.verification import Limits
from prober.messaging import Announcer, VerificationResults
from prober.metrics import Metrics
from prober.probes.verification.scheduler import Verifications
from prober.probes.verification.verifier import Verifier
from prober.settings import Settings
from simulator import CameraConfig, Simulator, SimulatorConfig
from vonggac.auth import Unsealer
from vonggac.auth.keys import WORKERS_PRIVATE, ensure_keys
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.embedded import NatsServer, free_port
from vonggac.events import subjects
from vonggac.events.forwarder import KeyframeHistory, KeyframeNote
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict
from vonggac.logins.attempt import Logins
from vonggac.logins.counting import LoginRests
from vonggac.logins.guard import LoginGuard
from vonggac.media.h26x import VideoCodec, keyframe_hash
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.telemetry import configure_logging
from vonggac.testing.media import MediaRecorder

SPAWN = multiprocessing.get_context("spawn")
CAMERA_ID = UUID(int=1742)
LIMITS = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0)


async def connect(nats_url: str) -> Bus:
    settings = Settings.model_construct(
        nats_url=nats_url,
        nats_user=None,
        nats_password=None,
        nats_password_file=None,
        nats_store_bytes=None,
        nats_ca_file=None,
    )
    return await Bus.connect(settings, name="bench")


def simulate(nats_url: str, gop_s: float, urls: "Queue[str]") -> None:
    """One camera, which stands for its deliveries too, and what notes its keyframes and answers for it."""
    configure_logging(service="bench", level="warning", log_format="console")

    async def serve() -> None:
        camera = CameraConfig(
            id="gate",
            width=1920,
            height=1080,
            fps=25,
            bitrate_kbps=2000,
            gop_s=gop_s,
            loop_s=4 * gop_s,
            max_sessions=2000,
        )
        bus = await connect(nats_url)

        async def answer(request: Msg) -> None:
            body = {"worker_id": "forwarder-0", "media_since": datetime.now(UTC).isoformat()}
            if request.reply:
                await bus.client.publish(request.reply, json.dumps(body).encode())

        await bus.client.subscribe(subjects.camera_hash_keyframes("*"), cb=answer)
        async with Simulator(SimulatorConfig(cameras=[camera])) as simulator:
            url = simulator.cameras["gate"].url()
            recorder = await MediaRecorder.play(url)
            urls.put(url)
            await note(bus, recorder)

    uvloop.run(serve())


async def note(bus: Bus, recorder: MediaRecorder) -> None:
    bucket = Bucket(bus, topology.KEYFRAMES)
    notes: tuple[KeyframeNote, ...] = ()
    while True:
        await recorder.until(lambda seen: any(unit.keyframe for unit in seen.units), within_s=600)
        found = [keyframe_hash(VideoCodec.H264, unit.nals).hex() for unit in recorder.units if unit.keyframe]
        recorder.drop_received()
        notes = (*notes, *(KeyframeNote(hash=one, captured_at=datetime.now(UTC)) for one in found))[-12:]
        history = KeyframeHistory(camera_id=CAMERA_ID, worker_id="forwarder-0", keyframes=notes)
        await bucket.put(str(CAMERA_ID), history.model_dump_json().encode())


def camera(url: str) -> CameraV1:
    """Two deliveries; every call is another camera for what is remembered of it, with the same notes."""

    def delivery() -> PlannedDelivery:
        return PlannedDelivery(id=uuid4(), destination_id=uuid4(), destination_code="D", url=url, read_back_url=url)

    return CameraV1(
        id=CAMERA_ID,
        revision=1,
        changed_at=datetime.now(UTC),
        code="QT-001",
        name="Cổng",
        facility_id=uuid4(),
        enabled=True,
        url=url,
        probe_interval_s=60,
        probe_timeout_s=10,
        deliveries=(delivery(), delivery()),
    )


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def unheld() -> None:
    return


async def measure(nats_url: str, url: str, folder: Path, rounds: int, concurrent: int) -> dict[str, float]:
    bus = await connect(nats_url)
    outgoing = Outgoing(bus)
    sending = asyncio.create_task(outgoing.run())
    guard = LoginGuard(outgoing, Bucket(bus, topology.LOGIN_FAILURES), rests=LoginRests(300.0), proven_at_once=True)
    verifier = Verifier(
        bus=bus,
        networks=AllowedNetworks.parse(["127.0.0.0/8"]),
        logins=Logins(guard, Unsealer.from_file(folder / WORKERS_PRIVATE)),
        limits=LIMITS,
    )
    verifications = Verifications(
        worker_id="prober-bench",
        verifier=verifier,
        results=VerificationResults(bus),
        announcer=Announcer(outgoing, worker_id="prober-bench"),
        metrics=Metrics().read_backs,
        interval_s=60.0,
    )
    facts: list[DeliveryVerifiedV1] = []
    left = iter(range(rounds))

    async def work() -> None:
        for _ in left:
            facts.extend((await verifications.verify_due(camera(url), hold=unheld)).facts)

    floor_began, floor_cpu = time.monotonic(), cpu_s()
    await asyncio.sleep(2.0)
    floor = (cpu_s() - floor_cpu) / (time.monotonic() - floor_began)
    began, cpu = time.monotonic(), cpu_s()
    await asyncio.gather(*(work() for _ in range(concurrent)))
    await outgoing.drain(within_s=10)
    took_s = time.monotonic() - began
    used_s = cpu_s() - cpu - floor * took_s
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await bus.close()
    delays = [fact.delay_s for fact in facts if fact.delay_s is not None]
    return {
        "cpu_ms_read_back": round(1000 * used_s / len(facts), 2),
        "seconds_p50": round(statistics.median(fact.duration_ms for fact in facts) / 1000, 2),
        "delay_s_p50": round(statistics.median(delays), 3) if delays else -1.0,
        "rounds_per_s": round(rounds / took_s, 1),
        "verified": sum(fact.verdict is VerificationVerdict.VERIFIED for fact in facts) / len(facts),
    }


async def _declare(nats_url: str) -> None:
    bus = await connect(nats_url)
    await topology.declare(bus.js)
    await bus.close()


def main() -> None:
    """Print the table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="cameras read back, two deliveries each (default: 100)")
    parser.add_argument("--concurrent", type=int, default=8, help="rounds at a time (default: 8)")
    parser.add_argument("--gop", type=float, default=2.0, help="seconds from keyframe to keyframe (default: 2)")
    arguments = parser.parse_args()
    configure_logging(service="bench", level="error", log_format="console")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ensure_keys(folder)
        server = NatsServer(folder / "nats", free_port())
        server.start()
        try:
            asyncio.run(_declare(server.url))
            urls: Queue[str] = SPAWN.Queue()
            world = SPAWN.Process(target=simulate, args=(server.url, arguments.gop, urls))
            world.start()
            try:
                url = urls.get(timeout=120)
                answer = uvloop.run(measure(server.url, url, folder, arguments.rounds, arguments.concurrent))
            finally:
                world.terminate()
                world.join()
        finally:
            server.stop()
    for what, figure in answer.items():
        print(f"{what:20} {figure:10.3f}")
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
