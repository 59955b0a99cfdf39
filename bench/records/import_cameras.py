"""How long the import of many cameras takes: a real PostgreSQL with fsync, NATS, and inventory as its own process.

Memory and CPU are that process's: the file is made and sent by this one.

`python -m bench.records.import_cameras [--cameras 20000]` prints a table and a JSON line.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import xlsxwriter
from pydantic import SecretStr

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


async def send(client: httpx.AsyncClient, kind: str, body: bytes, **query: Any) -> httpx.Response:
    headers = {"content-type": "application/octet-stream"}
    return await client.post(f"/v1/imports/{kind}", content=body, headers=headers, params=query, timeout=300)


async def take_back(client: httpx.AsyncClient, server: "Server", import_id: str) -> dict[str, Any]:
    """Seconds and CPU to take an import back, and the longest that another writer waited; nothing of it may be left."""
    server.forget_peak()
    began, before = time.perf_counter(), server.cpu_s()
    async with Watch(client) as watch:
        answer = await client.post(f"/v1/imports/{import_id}/revert", timeout=300)
        took_s = time.perf_counter() - began
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()
    return server.figures(took_s, before, watch) | result | {"left": len(result["left"])}


async def read_history(client: httpx.AsyncClient) -> dict[str, Any]:
    """Seconds of the first page (of the usual size, and of 1,000) and of all pages as of now."""
    query: dict[str, Any] = {"as_of": datetime.now(UTC).isoformat()}
    began = time.perf_counter()
    (await client.get("/v1/cameras", params=query, timeout=60)).raise_for_status()
    usual_s = time.perf_counter() - began
    query["limit"] = 1000
    began, first_s, rows = time.perf_counter(), 0.0, 0
    while True:
        answer = await client.get("/v1/cameras", params=query, timeout=60)
        answer.raise_for_status()
        page = answer.json()
        first_s = first_s or time.perf_counter() - began
        rows += len(page["items"])
        if page.get("next") is None:
            pages = {"first_page_s": round(usual_s, 3), "first_1000_s": round(first_s, 3), "rows": rows}
            return {"seconds": round(time.perf_counter() - began, 2), **pages}
        query["cursor"] = page["next"]


async def read_lists(client: httpx.AsyncClient) -> dict[str, Any]:
    """The 95th percentile of 100 lists with a search, milliseconds."""
    took = []
    for number in range(100):
        began = time.perf_counter()
        (await client.get("/v1/cameras", params={"q": f"hanh lang {number % 9}", "limit": 50})).raise_for_status()
        took.append((time.perf_counter() - began) * 1000)
    return {"seconds": round(sum(took) / 1000, 2), "ms": round(sorted(took)[94], 1)}


def as_workbook(text: bytes) -> bytes:
    """The same rows as the first sheet of a workbook."""
    saved = io.BytesIO()
    with xlsxwriter.Workbook(saved, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(csv.reader(io.StringIO(text.decode()))):
            sheet.write_row(number, 0, row)
    return saved.getvalue()


@dataclass(frozen=True, slots=True)
class Server:
    """Inventory as a process, and the PostgreSQL below it."""

    address: str
    process_id: int
    postgres: PostgresServer
    settings: Settings

    def cpu_s(self) -> tuple[float, float]:
        """CPU seconds used so far: of inventory, and of PostgreSQL's processes."""
        assert self.postgres.process is not None
        own = psutil.Process(self.process_id).cpu_times()
        parent = psutil.Process(self.postgres.process.pid)
        times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
        return own.user + own.system, sum(used.user + used.system for used in times)

    def figures(self, took_s: float, before: tuple[float, float], watch: "Watch") -> dict[str, Any]:
        """Of a step that took so long, and began when so much CPU had been used."""
        own_s, server_s = (round(after - earlier, 2) for after, earlier in zip(self.cpu_s(), before, strict=True))
        figures = {"seconds": round(took_s, 2), "cpu_s": own_s, "postgres_cpu_s": server_s}
        return {**figures, "writer_waited_s": round(watch.longest_write_s, 3), "peak_mb": round(self.peak_mb())}

    def forget_peak(self) -> None:
        """Have the kernel count the highest memory from now on."""
        Path(f"/proc/{self.process_id}/clear_refs").write_text("5", "ascii")

    def peak_mb(self) -> float:
        """Highest resident memory since then (VmHWM)."""
        status = Path(f"/proc/{self.process_id}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


@contextmanager
def serving(postgres: PostgresServer, settings: Settings) -> Iterator[Server]:
    """`python -m inventory`, once it is ready."""
    port = free_port()
    given = {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "NATS_URL": settings.nats_url,
        "JWKS_FILE": str(settings.jwks_file),
        "WORKERS_PUBLIC_KEY_FILE": str(settings.workers_public_key_file),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "error",
    }
    environment = os.environ | {f"VONGGAC_INVENTORY_{name}": value for name, value in given.items()}
    process = subprocess.Popen([sys.executable, "-m", "inventory"], env=environment)
    try:
        deadline = time.monotonic() + 60
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("inventory did not start")
            time.sleep(0.1)
        yield Server(f"http://127.0.0.1:{port}", process.pid, postgres, settings)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


class Watch:
    """How long another writer waits beside an import."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.longest_write_s = 0.0

    async def __aenter__(self) -> "Watch":
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_failure: object) -> None:
        if self._task.done():
            self._task.result()  # A write that was refused: raised here.
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        """One small change after the other."""
        item = (await self._client.get("/v1/agencies", params={"code": "SYT"})).json()["items"][0]
        path, etag, number = f"/v1/agencies/{item['id']}", item["etag"], 0
        while True:
            number += 1
            began = time.perf_counter()
            answer = await self._client.patch(path, json={"name": f"Sở Y tế {number}"}, headers={"If-Match": etag})
            self.longest_write_s = max(self.longest_write_s, time.perf_counter() - began)
            answer.raise_for_status()
            etag = answer.headers["etag"]
            await asyncio.sleep(0.05)


async def timed(client: httpx.AsyncClient, server: Server, body: bytes, **query: Any) -> dict[str, Any]:
    """One import: seconds, CPU, the longest that another writer waited, and what became of the rows."""
    server.forget_peak()
    began, before = time.perf_counter(), server.cpu_s()
    async with Watch(client) as watch:
        answer = await send(client, "cameras", body, **query)
        took_s = time.perf_counter() - began
    answer.raise_for_status()
    counts: dict[str, Any] = {name: value for name, value in answer.json().items() if name != "difference"}
    return server.figures(took_s, before, watch) | counts


async def published(bus: Bus, wanted: int) -> float:
    """Seconds until the stream holds `wanted` messages."""
    began = time.perf_counter()
    while (await bus.js.stream_info(topology.INVENTORY)).state.messages < wanted:
        await asyncio.sleep(0.05)
    return round(time.perf_counter() - began, 2)


async def declare(settings: Settings) -> None:
    """The streams, before inventory starts."""
    bus = await Bus.connect(settings, name="bench")
    await topology.declare(bus.js)
    await bus.close()


async def measure(server: Server, token: str, count: int) -> dict[str, Any]:
    results: dict[str, Any] = {}
    bus = await Bus.connect(server.settings, name="bench")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.address, headers=headers, timeout=60, trust_env=False) as client:
        await prepare(client)
        first = cameras_csv(count, credentials=True, interval_s=30)
        results["new, from CSV"] = await timed(client, server, first)
        results["published after"] = {"seconds": await published(bus, count + FACILITIES)}
        changed = cameras_csv(count, credentials=False, interval_s=60)
        results["dry run, every row changed"] = await timed(client, server, changed, dry_run=True)
        results["every row changed"] = await timed(client, server, changed)
        results["as_of, all pages"] = await read_history(client)
        results["list, p95"] = await read_lists(client)
        results["revert of changed rows"] = await take_back(client, server, results["every row changed"]["id"])
        others = first.replace(b"CAM-", b"XAM-").replace(b":554/", b":8554/")
        results["new, from XLSX"] = await timed(client, server, as_workbook(others))
        results["revert of new rows"] = await take_back(client, server, results["new, from XLSX"]["id"])
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
            issuer = token_issuer(folder / "keys")
            roles = frozenset({Role.PROVINCE_LEAD})
            token = issuer.issue(subject="bench", roles=roles, valid_for=timedelta(hours=1))
            settings = Settings(
                database_url=SecretStr(postgres.url("inventory")),
                nats_url=nats.url,
                jwks_file=folder / "keys" / JWKS,
                workers_public_key_file=folder / "keys" / WORKERS_PUBLIC,
            )
            asyncio.run(declare(settings))
            with serving(postgres, settings) as server:
                results = asyncio.run(measure(server, token, count))
        finally:
            nats.stop()
            postgres.stop()
    for step, figures in results.items():
        print(f"{step:28}", "  ".join(f"{key}={value}" for key, value in figures.items()))
    summary = {
        "rows": count,
        "seconds": results["new, from CSV"]["seconds"],
        "xlsx_s": results["new, from XLSX"]["seconds"],
        "dry_run_s": results["dry run, every row changed"]["seconds"],
        "peak_mb": max(figures.get("peak_mb", 0) for figures in results.values()),
        "writer_waited_s": max(figures.get("writer_waited_s", 0) for figures in results.values()),
        "as_of_s": results["as_of, all pages"]["seconds"],
        "list_p95_ms": results["list, p95"]["ms"],
        "revert_s": max(results[f"revert of {kind} rows"]["seconds"] for kind in ("changed", "new")),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
