"""How long the compliance report of a whole province and month takes: `python -m bench.records.compliance`.

Fills a real PostgreSQL with cameras, their runs and their deliveries' changes, then asks reporting's own API in
process: JSON with all cameras, the totals alone, and CSV. Prints a table and, last, one JSON line.
"""

import argparse
import asyncio
import json
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from reporting.app import create_app
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, ensure_keys, token_issuer
from vonggac.database import migrate
from vonggac.embedded import PostgresServer, free_port

DAYS = 30

FILL = """
insert into unit select gen_random_uuid(), 1, 'D' || n, 'Huyện ' || n from generate_series(1, 10) n;
insert into agency select gen_random_uuid(), 1, 'A' || n, 'Cơ quan ' || n, 'managing' from generate_series(1, 5) n;
insert into destination
    (id, revision, code, name, role, required_proof, enabled, removed, changed_at, valid_from) values
    (gen_random_uuid(), 1, 'D1', 'Bộ TT&TT', 'national', 'acknowledged', true, false, 'epoch', 'epoch'),
    (gen_random_uuid(), 1, 'D2', 'IOC', 'provincial', 'acknowledged', true, false, 'epoch', 'epoch');
insert into facility (id, revision, code, name, type, status, unit_id, managing_agency_id, restricted, removed,
                      changed_at, valid_from)
    select gen_random_uuid(), 1, 'F' || n, 'Cơ sở ' || n, 'hotel', 'active',
           (select id from unit where code = 'D' || (1 + n % 10)),
           (select id from agency where code = 'A' || (1 + n % 5)),
           false, false, 'epoch', 'epoch'
    from generate_series(1, greatest(1, :cameras / 20)) n;
insert into camera (id, revision, code, name, facility_id, enabled, removed, changed_at, valid_from)
    select gen_random_uuid(), 1, 'C' || lpad(n::text, 6, '0'), 'Camera hành lang ' || n, f.id, true, false, 'epoch',
           'epoch'
    from generate_series(1, :cameras) n join facility f on f.code = 'F' || (1 + n % greatest(1, :cameras / 20));
insert into delivery (camera_id, revision, id, destination_id, destination_code, required_proof, enabled, valid_from)
    select c.id, 1, gen_random_uuid(), d.id, d.code, 'acknowledged', true, 'epoch' from camera c, destination d;
insert into worker_life values
    ('forwarder-000000000001', :start, :now, 'forwarder'), ('prober-000000000001', :start, :now, 'prober'),
    ('*', :start, :now, 'probing');

create temporary table outage as
    select c.id as camera_id, n, :start + (n + random() * 0.8) * :slot as down_at, 'timeout' as cause
    from camera c, generate_series(0, :outages - 1) n;
alter table outage add column up_at timestamptz;
update outage set down_at = date_trunc('milliseconds', down_at);
update outage set up_at = date_trunc('milliseconds', down_at + random() * interval '40 minutes' + interval '1 minute');

insert into camera_run
    select camera_id, down_at, up_at, 'down', cause, up_at from outage
    union all
    select camera_id, coalesce(lag(up_at) over chain, :start), down_at, 'up', null, down_at
    from outage window chain as (partition by camera_id order by n);
insert into camera_state
    select c.id, coalesce(max(o.up_at), :start), :now + interval '2 minutes', 'up', null, :now, null, ''
    from camera c left join outage o on o.camera_id = c.id group by c.id;

insert into delivery_change
    select delivery_id, 'forwarder-000000000001', row_number() over chain, :start, at,
           lead(at) over chain, state, cause, 0
    from (
        select id as delivery_id, :start as at, 'acknowledged' as state, null as cause from delivery
        union all
        select d.id, o.down_at, 'waiting_for_camera', o.cause from delivery d join outage o using (camera_id)
        union all
        select d.id, o.up_at, 'connecting', null from delivery d join outage o using (camera_id)
        union all
        select d.id, o.up_at + interval '1 second', 'acknowledged', null from delivery d join outage o using (camera_id)
    ) as said window chain as (partition by delivery_id order by at);
"""


def fill(url: str, cameras: int, outages: int, now: datetime) -> dict[str, int]:
    """Rows per table that matters."""
    engine = create_engine(url)
    start = now - timedelta(days=DAYS)
    given = {"cameras": cameras, "outages": outages, "now": now, "start": start, "slot": timedelta(days=DAYS) / outages}
    with engine.begin() as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                used = {name: value for name, value in given.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
        counts = {
            table: int(connection.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - our own names
            for table in ("camera_run", "delivery_change")
        }
    engine.dispose()
    return counts


async def measure(url: str, keys: Path, now: datetime) -> dict[str, Any]:
    """Seconds of each way to ask, the best of three."""
    settings = Settings(database_url=SecretStr(url), jwks_file=keys / JWKS)
    app = create_app(settings)
    issued = token_issuer(keys).issue(subject="bench", roles=frozenset({Role.AUTHORITY}), valid_for=timedelta(hours=1))
    period = {"from": (now - timedelta(days=DAYS)).isoformat(), "to": now.isoformat()}
    result: dict[str, Any] = {}
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {issued}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://reporting", headers=headers, timeout=300
    ) as client:
        for name, path, extra in (
            ("totals", "/v1/overview", {}),
            ("json", "/v1/compliance", {}),
            ("csv", "/v1/compliance", {"format": "csv"}),
        ):
            seconds = []
            for _ in range(3):
                started = time.perf_counter()
                answer = await client.get(path, params={**period, **extra})
                assert answer.status_code == 200, answer.text
                seconds.append(time.perf_counter() - started)
            result[f"{name}_seconds"] = round(min(seconds), 2)
            result[f"{name}_bytes"] = len(answer.content)
        rows = answer.content.count(b"\r\n") - 1
    result["csv_rows_per_second"] = round(rows / result["csv_seconds"])
    result["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    parser.add_argument("--outages", type=int, default=2, help="outages of each camera in the 30 days")
    arguments = parser.parse_args()
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        postgres = PostgresServer(Path(folder) / "pg", free_port())
        postgres.start()
        try:
            postgres.create_database("reporting")
            url = postgres.url("reporting")
            migrate(SCRIPTS, url)
            ensure_keys(Path(folder) / "keys")
            counts = fill(url, arguments.cameras, arguments.outages, now)
            result = {"cameras": arguments.cameras, "days": DAYS, **counts}
            result |= asyncio.run(measure(url, Path(folder) / "keys", now))
        finally:
            postgres.stop()
    for name, value in result.items():
        print(f"{name:>24}  {value:,}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
