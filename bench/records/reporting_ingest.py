"""How fast reporting takes observations from JetStream into PostgreSQL: `python -m bench.records.reporting_ingest`.

Stores observations of many cameras in a real stream first, then runs reporting's own consumer until all are committed
and acknowledged. PostgreSQL runs with fsync. Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from pydantic import SecretStr

from reporting.ingest.handlers import Ingest
from reporting.messaging import new_consumers
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import Database, migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.events import Cause, new_event, subjects
from vonggac.events.prober import CameraObservedV1, Verdict

INTERVAL_S = 60.0
PUBLISH_WINDOW = 500
AHEAD = timedelta(minutes=10)


def observations(
    cameras: list[UUID], rounds: int, down_share: float, future: float
) -> Iterator[tuple[str, bytes, str]]:
    """Rounds of one probe of each camera; a changing few of them are down, and `future` of them dated ahead."""
    every = round(1 / future) if future else 0
    start = datetime.now(UTC) - timedelta(seconds=rounds * INTERVAL_S)
    down = max(1, int(len(cameras) * down_share))
    for turn in range(rounds):
        for number, camera in enumerate(cameras):
            at = start + timedelta(seconds=turn * INTERVAL_S + INTERVAL_S * number / len(cameras))
            if every and number % every == 0:
                at = datetime.now(UTC) + AHEAD
            failed = (number + turn // 10) % (len(cameras) // down) == 0
            seen = CameraObservedV1(
                camera_id=camera,
                camera_revision=1,
                worker_id="prober-000000000001",
                observed_at=at,
                verdict=Verdict.DOWN if failed else Verdict.UP,
                cause=Cause.TIMEOUT if failed else None,
                interval_s=INTERVAL_S,
                duration_ms=40,
                awake_since=start,
            )
            event = new_event(seen, source="/prober/1", subject=str(camera), time=at)
            yield subjects.camera_observation(camera), event.encode(), event.id


async def fill(bus: Bus, cameras: list[UUID], rounds: int, down_share: float, future: float) -> int:
    """Store all observations in the stream; returns how many."""
    count, window = 0, []
    for subject, body, event_id in observations(cameras, rounds, down_share, future):
        window.append(bus.js.publish(subject, body, headers={"Nats-Msg-Id": event_id}))
        if len(window) == PUBLISH_WINDOW:
            await asyncio.gather(*window)
            count += len(window)
            window = []
    await asyncio.gather(*window)
    return count + len(window)


async def drain(bus: Bus, ingest: Ingest, settings: Settings) -> None:
    """Run the consumers until nothing is pending and nothing waits for its acknowledgement."""
    tasks = [
        asyncio.create_task(consumer.run()) for consumer in new_consumers(bus, ingest, batch=settings.ingest_batch)
    ]
    while True:
        info = await bus.js.consumer_info(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
        if info.num_pending == 0 and info.num_ack_pending == 0:
            break
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def measure(settings: Settings, arguments: argparse.Namespace) -> dict[str, float]:
    """Fill the stream, then time the consumer alone."""
    bus = await Bus.connect(settings, name="bench")
    database = Database(settings.database_url.get_secret_value())
    try:
        await topology.declare(bus.js)
        cameras = [uuid4() for _ in range(arguments.cameras)]
        count = await fill(bus, cameras, arguments.rounds, arguments.down_share, arguments.future_share)
        wall, cpu = time.perf_counter(), time.process_time()
        await drain(bus, Ingest(database, settings), settings)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {
            "observations": count,
            "cameras": arguments.cameras,
            "seconds": round(wall, 2),
            "observations_per_second": round(count / wall),
            "reporting_cpu_us_per_observation": round(cpu / count * 1e6),
        }
    finally:
        await database.close()
        await bus.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3, help="probes of each camera")
    parser.add_argument("--down-share", type=float, default=0.01, help="share of the cameras that is down")
    parser.add_argument("--future-share", type=float, default=0.0, help="share of the facts dated ten minutes ahead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        nats, postgres = (
            NatsServer(Path(folder) / "nats", free_port()),
            PostgresServer(Path(folder) / "pg", free_port()),
        )
        nats.start()
        postgres.start()
        try:
            postgres.create_database("reporting")
            migrate(SCRIPTS, postgres.url("reporting"))
            settings = Settings(database_url=SecretStr(postgres.url("reporting")), nats_url=nats.url)
            result = asyncio.run(measure(settings, arguments))
        finally:
            postgres.stop()
            nats.stop()
    for name, value in result.items():
        print(f"{name:>36}  {value:,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
