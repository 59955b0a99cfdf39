"""How fast the tables of a province and month leave the service: `python -m bench.reporting.tables`.

Fills a real PostgreSQL, writes the ledger, starts `python -m reporting` beside it and downloads over a socket, as an
analyst does: `facts` as CSV (a row for each camera, centre and day), and `deliveries` (one for each camera and centre)
as CSV, Parquet and XLSX. `peak_mb` is the service's highest memory while it wrote the facts, above what it had before.
Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bench.records.compliance import DAYS, fill
from reporting.domain.instants import millis
from reporting.migrations import SCRIPTS
from reporting.reports.availability.bookkeeping import bookkeeper_of
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, ensure_keys, token_issuer
from vonggac.database import Database, migrate
from vonggac.embedded import PostgresServer, free_port

CHUNK = 1 << 20


@contextmanager
def service(url: str, keys: Path) -> Iterator[tuple[str, int]]:
    """`python -m reporting` on a database that is filled, without a bus; its address and process id."""
    port = free_port()
    given = {
        "VONGGAC_REPORTING_DATABASE_URL": url,
        "VONGGAC_REPORTING_JWKS_FILE": str(keys / JWKS),
        "VONGGAC_REPORTING_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "VONGGAC_REPORTING_HOST": "127.0.0.1",
        "VONGGAC_REPORTING_PORT": str(port),
        "VONGGAC_REPORTING_LOG_LEVEL": "error",
    }
    process = subprocess.Popen([sys.executable, "-m", "reporting"], env={**os.environ, **given})
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/livez", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def memory_mb(process_id: int) -> tuple[float, float]:
    """Resident memory of a process: now, and the highest so far."""
    status = Path(f"/proc/{process_id}/status").read_text("ascii")
    now, peak = (float(re.findall(rf"{name}:\s+(\d+) kB", status)[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


class Analyst:
    """Downloads tables and counts."""

    def __init__(self, address: str, token: str, period: dict[str, str]) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=600)
        self._period = period

    def seconds(self, table: str, form: str) -> tuple[float, int, int]:
        """How long one file took, its bytes, and its lines."""
        started, size, lines = time.perf_counter(), 0, 0
        with self._client.stream("GET", f"/v1/tables/{table}", params={**self._period, "format": form}) as answer:
            assert answer.status_code == 200, answer.read()
            for piece in answer.iter_raw(CHUNK):
                size += len(piece)
                lines += piece.count(b"\n") if form == "csv" else 0
        return time.perf_counter() - started, size, lines

    def median(self, table: str, form: str, times: int) -> tuple[float, int, int]:
        """The median of several, after one that warms caches up."""
        self.seconds(table, form)
        found = [self.seconds(table, form) for _ in range(times)]
        return statistics.median(one[0] for one in found), found[0][1], found[0][2]


def measure(url: str, keys: Path, period: dict[str, str], times: int) -> dict[str, Any]:
    """The figures over a filled database whose ledger is written."""
    token = token_issuer(keys).issue(subject="bench", roles=frozenset({Role.READER}), valid_for=timedelta(hours=2))
    with service(url, keys) as (address, process_id):
        analyst = Analyst(address, token, period)
        analyst.seconds("deliveries", "csv")
        before, _ = memory_mb(process_id)
        facts_s, facts_bytes, lines = analyst.median("facts", "csv", times)
        _, peak = memory_mb(process_id)
        csv_s, csv_bytes, rows = analyst.median("deliveries", "csv", times)
        parquet_s, parquet_bytes, _ = analyst.median("deliveries", "parquet", times)
        xlsx_s, xlsx_bytes, _ = analyst.median("deliveries", "xlsx", times)
    return {
        "facts_rows": lines - 1,
        "facts_csv_bytes": facts_bytes,
        "facts_csv_s": round(facts_s, 2),
        "deliveries_rows": rows - 1,
        "deliveries_csv_bytes": csv_bytes,
        "deliveries_csv_s": round(csv_s, 2),
        "parquet_bytes": parquet_bytes,
        "xlsx_bytes": xlsx_bytes,
        "csv_rows_per_s": round((lines - 1) / facts_s),
        "parquet_s": round(parquet_s, 2),
        "xlsx_s": round(xlsx_s, 2),
        "peak_mb": round(peak - before),
        "resident_mb": round(peak),
    }


async def write_ledger(url: str, keys: Path, now: datetime) -> int:
    """Days written."""
    database = Database(url)
    try:
        settings = Settings(database_url=SecretStr(url), jwks_file=keys / JWKS)
        return await bookkeeper_of(database, settings).keep(millis(now))
    finally:
        await database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    parser.add_argument("--outages", type=int, default=2, help="outages of each camera in the 30 days")
    parser.add_argument("--times", type=int, default=5, help="how often each file is made")
    arguments = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    period = {"from": (now - timedelta(days=DAYS)).isoformat(), "to": now.isoformat()}
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        keys = Path(folder) / "keys"
        postgres = PostgresServer(Path(folder) / "pg", free_port())
        postgres.start()
        try:
            postgres.create_database("reporting")
            url = postgres.url("reporting")
            migrate(SCRIPTS, url)
            ensure_keys(keys)
            fill(url, arguments.cameras, arguments.outages, now)
            days = asyncio.run(write_ledger(url, keys, now))
            result = {"cameras": arguments.cameras, "days": DAYS, "ledger_days": days}
            result |= measure(url, keys, period, arguments.times)
        finally:
            postgres.stop()
    for name, value in result.items():
        print(f"{name:>24}  {value:,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
