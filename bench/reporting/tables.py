"""How fast the tables of a province and month leave the service: `python -m bench.reporting.tables`.

Fills a real PostgreSQL, writes the ledger, starts `python -m reporting` beside it and downloads over a socket, as an
analyst does: `facts` as CSV (a row for each camera, centre and day), and `deliveries` (one for each camera and centre)
as CSV, Parquet and XLSX. `peak_mb` is the service's highest memory while it wrote the facts, above what it had before.
Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.records.compliance import DAYS, fill
from bench.reporting.downloads import Analyst
from bench.reporting.service import memory_mb, service
from reporting.domain.instants import millis
from reporting.migrations import SCRIPTS
from reporting.reports.availability.bookkeeping import bookkeeper_of
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, ensure_keys, token_issuer
from vonggac.database import Database, migrate
from vonggac.embedded import PostgresServer, free_port


def measure(url: str, keys: Path, period: dict[str, str], times: int) -> dict[str, Any]:
    """The figures over a filled database whose ledger is written."""
    token = token_issuer(keys).issue(subject="bench", roles=frozenset({Role.AUTHORITY}), valid_for=timedelta(hours=2))
    with service(url, keys) as (address, process_id):
        analyst = Analyst(address, token, period)
        analyst.download("deliveries", "csv")
        before, _ = memory_mb(process_id)
        facts = analyst.median("facts", "csv", times)
        _, peak = memory_mb(process_id)
        csv, parquet, xlsx = (analyst.median("deliveries", form, times) for form in ("csv", "parquet", "xlsx"))
    return {
        "facts_rows": facts.rows,
        "facts_csv_bytes": facts.size,
        "facts_csv_s": round(facts.seconds, 2),
        "deliveries_rows": csv.rows,
        "deliveries_csv_bytes": csv.size,
        "deliveries_csv_s": round(csv.seconds, 2),
        "parquet_bytes": parquet.size,
        "xlsx_bytes": xlsx.size,
        "csv_rows_per_s": round(facts.rows / facts.seconds),
        "parquet_s": round(parquet.seconds, 2),
        "xlsx_s": round(xlsx.seconds, 2),
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
