"""How long the import of many cameras takes: a real PostgreSQL with fsync, the API in process, NATS and the relay.

`python -m bench.records.import_cameras [--cameras 20000]` prints a table and a JSON line.
"""

import argparse
import asyncio
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
from asgi_lifespan import LifespanManager
from pydantic import SecretStr

from inventory.app import create_app
from inventory.migrations import SCRIPTS
from inventory.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, WORKERS_PUBLIC, ensure_keys, token_issuer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port

FACILITIES = 2000
HEADER = "code,name,facility_code,url,username,password,area,destinations,probe_interval_s"


def cameras_csv(count: int, *, credentials: bool, interval_s: int) -> bytes:
    """`count` rows over FACILITIES facilities."""
    login = "admin,Matkhau-{0}" if credentials else ","
    lines = [
        f"CAM-{number:05d},Camera hành lang tầng {number % 9},KCL-{number % FACILITIES:04d},"
        f"rtsp://10.{number // 65025 % 255}.{number // 255 % 255}.{number % 255}:554/Streaming/Channels/101,"
        f"{login.format(number)},corridor,,{interval_s}"
        for number in range(count)
    ]
    return "\r\n".join([HEADER, *lines, ""]).encode()


async def prepare(client: httpx.AsyncClient) -> None:
    """Two destinations, a unit, an agency, FACILITIES facilities."""
    for role in ("national", "provincial"):
        template = f"rtsp://10.9.0.1:8554/{role}/{{camera_code}}"
        body = {"code": role, "name": role, "role": role, "url_template": template}
        (await client.post("/v1/destinations", json=body)).raise_for_status()
    (await client.post("/v1/units", json={"code": "461", "name": "Đông Hà"})).raise_for_status()
    (await client.post("/v1/agencies", json={"code": "SYT", "name": "Sở Y tế", "role": "managing"})).raise_for_status()
    rows = [f"KCL-{number:04d},Khu cách ly {number},school,461,SYT" for number in range(FACILITIES)]
    text = "\n".join(["code,name,type,unit_code,managing_agency_code", *rows])
    (await send(client, "facilities", text.encode())).raise_for_status()


async def send(client: httpx.AsyncClient, kind: str, body: bytes) -> httpx.Response:
    return await client.post(f"/v1/imports/{kind}", content=body, headers={"content-type": "text/csv"}, timeout=120)


def cpu_s(server: PostgresServer) -> tuple[float, float]:
    """CPU seconds used so far: of this process, and of PostgreSQL's processes."""
    assert server.process is not None
    parent = psutil.Process(server.process.pid)
    times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
    return time.process_time(), sum(used.user + used.system for used in times)


async def timed(client: httpx.AsyncClient, server: PostgresServer, body: bytes) -> dict[str, Any]:
    """One import: seconds, CPU, the longest the event loop was held up, and what became of the rows."""
    longest_s, began, before = 0.0, time.perf_counter(), cpu_s(server)

    async def watch() -> None:
        nonlocal longest_s
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.perf_counter() - asked - 0.005)

    watcher = asyncio.create_task(watch())
    answer = await send(client, "cameras", body)
    took_s = time.perf_counter() - began
    watcher.cancel()
    answer.raise_for_status()
    own_s, server_s = (round(after - earlier, 2) for after, earlier in zip(cpu_s(server), before, strict=True))
    counts: dict[str, Any] = answer.json()
    figures = {"seconds": round(took_s, 2), "cpu_s": own_s, "postgres_cpu_s": server_s}
    return {**figures, "loop_held_up_s": round(longest_s, 3), **counts}


async def published(bus: Bus, wanted: int) -> float:
    """Seconds until the stream holds `wanted` messages."""
    began = time.perf_counter()
    while (await bus.js.stream_info(topology.INVENTORY)).state.messages < wanted:
        await asyncio.sleep(0.05)
    return round(time.perf_counter() - began, 2)


async def measure(settings: Settings, server: PostgresServer, token: str, count: int) -> dict[str, Any]:
    bus = await Bus.connect(settings, name="bench")
    await topology.declare(bus.js)
    app, results = create_app(settings), {}
    async with LifespanManager(app, startup_timeout=10, shutdown_timeout=10):
        headers = {"Authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inventory", headers=headers) as client:
            await prepare(client)
            first = cameras_csv(count, credentials=True, interval_s=30)
            results["new, with credentials"] = await timed(client, server, first)
            results["published after"] = {"seconds": await published(bus, count + FACILITIES)}
            again = cameras_csv(count, credentials=False, interval_s=30)
            results["again, unchanged"] = await timed(client, server, again)
            changed = cameras_csv(count, credentials=False, interval_s=60)
            results["again, every row changed"] = await timed(client, server, changed)
            exported = time.perf_counter()
            text = (await client.get("/v1/exports/cameras.csv")).text
            results["export"] = {"seconds": round(time.perf_counter() - exported, 2), "rows": text.count("\n") - 1}
    await bus.close()
    return results


def main() -> None:
    """Exit status 0; the figures are for a person to judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    count = parser.parse_args().cameras
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, nats = PostgresServer(folder / "postgres", free_port()), NatsServer(folder / "nats", free_port())
        ensure_keys(folder / "keys")
        postgres.start()
        nats.start()
        try:
            postgres.create_database("inventory")
            migrate(SCRIPTS, postgres.url("inventory"))
            settings = Settings(
                database_url=SecretStr(postgres.url("inventory")),
                nats_url=nats.url,
                jwks_file=folder / "keys" / JWKS,
                workers_public_key_file=folder / "keys" / WORKERS_PUBLIC,
            )
            issuer = token_issuer(folder / "keys")
            roles = frozenset({Role.PROVINCE_LEAD})
            token = issuer.issue(subject="bench", roles=roles, valid_for=timedelta(hours=1))
            results = asyncio.run(measure(settings, postgres, token, count))
        finally:
            nats.stop()
            postgres.stop()
    for step, figures in results.items():
        print(f"{step:28}", "  ".join(f"{key}={value}" for key, value in figures.items()))
    print(json.dumps({"cameras": count, **{step: figures["seconds"] for step, figures in results.items()}}))


if __name__ == "__main__":
    main()
