"""What reporting's figures cost: `python -m bench.reporting.report`.

A seeded simulation fills a real PostgreSQL with days of cameras; the ledger is written from it by its own command's
code; then one process is asked as a client asks, in five rounds each. Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bench.reporting.ingest_beside_reports import ingest_rate
from bench.reporting.oracle import compare
from bench.reporting.simulated_province import fill, move, sizes, succeed
from bench.reporting.tables import measure as measure_files
from reporting.app import create_app
from reporting.domain.instants import VIETNAM, millis
from reporting.migrations import SCRIPTS
from reporting.reports.availability.bookkeeping import bookkeeper_of
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, ensure_keys, token_issuer
from vonggac.database import Database, migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port

ROUNDS = 5
MOVERS = 100
"""One in so many cameras moves to another facility, last of all, and then every facility gets another unit: what that
costs is measured by itself."""
MOVED = ("compliance_s", "year_to_now_s")
FILES = ("facts_rows", "csv_rows_per_s", "parquet_s", "xlsx_s", "peak_mb")
"""Of the month: `facts` as CSV, `deliveries` as Parquet and XLSX, in a process of its own."""


def periods(now: datetime, days: int) -> dict[str, dict[str, str]]:
    """A month and a year of whole local days that are closed, and periods that reach now: from a midnight, and 30 times
    24 hours."""
    closed = (now - timedelta(hours=6)).astimezone(VIETNAM).date()
    month, year = closed - timedelta(days=min(30, days - 2)), closed - timedelta(days=min(365, days - 2))
    return {
        "compliance_s": {"from": month.isoformat(), "to": closed.isoformat()},
        "year_s": {"from": year.isoformat(), "to": closed.isoformat()},
        "month_to_now_s": {"from": month.isoformat()},
        # A day less: before six o'clock two days are open, and a period has at most 366.
        "year_to_now_s": {"from": max(year, closed - timedelta(days=364)).isoformat()},
        "days_30_to_now_s": {"from": (now - timedelta(days=min(30, days - 2))).isoformat()},
    }


def series_of(now: datetime, days: int) -> dict[str, dict[str, str]]:
    """Series: the hours of a closed day and those of today, in total; the days of a month, by unit."""
    month = periods(now, days)["compliance_s"]
    closed = date.fromisoformat(month["to"])
    return {
        "series_closed_day_s": {
            "from": (closed - timedelta(days=1)).isoformat(),
            "to": month["to"],
            "every": "hour",
            "by": "total",
        },
        "series_today_s": {"from": now.astimezone(VIETNAM).date().isoformat(), "every": "hour", "by": "total"},
        "series_month_s": {**month, "every": "day"},
    }


async def write_ledger(settings: Settings, now: datetime) -> dict[str, float]:
    """Seconds of writing all days from nothing."""
    database = Database(settings.database_url.get_secret_value())
    try:
        started = time.perf_counter()
        days = await bookkeeper_of(database, settings).rebuild(millis(now))
        return {"ledger_days": days, "ledger_rebuild_s": round(time.perf_counter() - started, 1)}
    finally:
        await database.close()


@asynccontextmanager
async def client_of(settings: Settings, keys: Path) -> Any:
    issuer = token_issuer(keys)
    issued = issuer.issue(subject="bench", roles=frozenset({Role.AUTHORITY}), valid_for=timedelta(hours=4))
    transport = httpx.ASGITransport(app=create_app(settings))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://reporting", headers={"Authorization": f"Bearer {issued}"}, timeout=900
    ) as client:
        yield client


async def seconds_of(ask: Callable[[], Awaitable[object]]) -> float:
    """The median of five; the first connection and the plan of the statements are made before."""
    await ask()
    measured = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await ask()
        measured.append(time.perf_counter() - started)
    return statistics.median(measured)


async def measure(settings: Settings, keys: Path, spans: dict[str, dict[str, str]]) -> dict[str, float]:
    """The figures of one process that answers."""
    result: dict[str, float] = {}
    async with client_of(settings, keys) as client:

        async def get(path: str, given: dict[str, str]) -> httpx.Response:
            answer: httpx.Response = await client.get(path, params=given)
            assert answer.status_code == 200, answer.text[:500]
            return answer

        for name, given in spans.items():
            wanted = {"by": "unit", **given}
            result[name] = round(await seconds_of(partial(get, "/v1/availability", wanted)), 3)
    return result


def run(arguments: argparse.Namespace, folder: Path, postgres: PostgresServer, nats: NatsServer) -> dict[str, float]:
    now = datetime.now(UTC).replace(microsecond=0)
    for name in ("reporting", "ingest", "oracle"):
        postgres.create_database(name)
        migrate(SCRIPTS, postgres.url(name))
    ensure_keys(folder / "keys")
    url = postgres.url("reporting")
    started = time.perf_counter()
    rows = fill(url, arguments.cameras, arguments.days, now)
    result: dict[str, float] = {"cameras": arguments.cameras, "days": arguments.days, **rows}
    result["generated_s"] = round(time.perf_counter() - started, 1)
    changes = sum(rows.values())
    result["bytes_per_change"] = round(sizes(url, *rows) / changes)
    settings = Settings(database_url=SecretStr(url), jwks_file=folder / "keys" / JWKS)
    result |= asyncio.run(write_ledger(settings, now))
    ledger = sizes(url, "ledger_camera")
    result["ledger_bytes_per_camera_day"] = round(ledger / arguments.cameras / max(1, result["ledger_days"]), 1)
    spans = periods(now, arguments.days)
    result |= asyncio.run(measure(settings, folder / "keys", spans | series_of(now, arguments.days)))
    files = measure_files(url, folder / "keys", spans["compliance_s"], arguments.times)
    result |= {name: files[name] for name in FILES}
    result["moved_cameras"] = move(url, MOVERS, now)
    result |= asyncio.run(measure(settings, folder / "keys", {f"moved_{name}": spans[name] for name in MOVED}))
    result["succeeded_cameras"] = succeed(url, now)
    result |= asyncio.run(measure(settings, folder / "keys", {f"succeeded_{name}": spans[name] for name in MOVED}))
    beside = Settings(
        database_url=SecretStr(postgres.url("ingest")), nats_url=nats.url, jwks_file=folder / "keys" / JWKS
    )
    result["ingest_per_s"] = asyncio.run(ingest_rate(beside, folder / "keys", arguments.cameras))
    result |= asyncio.run(compare(postgres.url("oracle"), arguments.worlds))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=368, help="days of history, up to now")
    parser.add_argument("--times", type=int, default=ROUNDS, help="how often each file is made")
    parser.add_argument("--worlds", type=int, default=4, help="worlds of chaos to compare with the witness")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, nats = PostgresServer(folder / "pg", free_port()), NatsServer(folder / "nats", free_port())
        postgres.start()
        nats.start()
        try:
            result = run(arguments, folder, postgres, nats)
        finally:
            nats.stop()
            postgres.stop()
    for key, value in result.items():
        print(f"{key:>28}  {value:,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
