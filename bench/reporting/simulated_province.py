"""A simulated province in reporting's tables: cameras, their runs and their deliveries' changes over days, by a seed.

Most cameras fail about once a month; one in fifty flaps daily; once a month the forwarder is updated, and for twenty
seconds nobody vouches for any delivery. Written by PostgreSQL itself: a year of 20,000 cameras is millions of rows.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, create_engine, text

SEED = 0.1742
FLAPPING = 50
"""One in so many cameras fails daily."""

WATCHED_ON = timedelta(hours=3)
"""Probers and forwarders go on watching while the bench asks for periods up to now."""

_REGISTER = """
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
           (select id from agency where code = 'A' || (1 + n % 5)), false, false, 'epoch', 'epoch'
    from generate_series(1, greatest(1, :cameras / 20)) n;
insert into camera (id, revision, code, name, facility_id, enabled, removed, created_at, changed_at, valid_from)
    select gen_random_uuid(), 1, 'C' || lpad(n::text, 6, '0'), 'Camera hành lang ' || n, f.id, true, false, :start,
           :start, :start
    from generate_series(1, :cameras) n join facility f on f.code = 'F' || (1 + n % greatest(1, :cameras / 20));
insert into delivery (camera_id, revision, id, destination_id, destination_code, required_proof, enabled, valid_from,
                      plan)
    select c.id, 1, gen_random_uuid(), d.id, d.code, 'acknowledged', true, :start, 'agreed'
    from camera c, destination d;
insert into worker_life values ('prober-000000000001', :start, :until, 'prober'), ('*', :start, :until, 'probing');
insert into worker_life
    select 'forwarder-000000000001', began, least(:until, began + interval '30 days' - interval '20 seconds'),
           'forwarder'
    from generate_series(cast(:start as timestamptz), cast(:now as timestamptz), interval '30 days') as began
    where began < :now
"""

_OUTAGES = """
create temporary table outage as
    select camera_id, down_at, date_trunc('milliseconds', down_at + length) as up_at, cause
    from (
        select id as camera_id,
               date_trunc('milliseconds', cast(:start as timestamptz) + (slot + 0.9 * random()) * width) as down_at,
               least(width * 0.09, interval '1 minute' + random() * random() * interval '3 hours') as length,
               (array['timeout', 'refused', 'stalled', 'frozen'])[1 + (random() * 3.99)::int % 4] as cause
        from (
            select id, case when code % :flapping = 0 then interval '1 day' else interval '30 days' end as width
            from (select id, substr(code, 2)::int as code from camera) as numbered
        ) as one, generate_series(0, ceil(extract(epoch from cast(:now as timestamptz) - :start)
                                          / extract(epoch from width))::int - 1) as slot
    ) as begun
    where down_at + length < cast(:now as timestamptz) - interval '1 hour';
create index on outage (camera_id, down_at);
insert into camera_run
    select * from (
        select camera_id, down_at, up_at as ends_at, 'down', cause, up_at from outage
        union all
        select camera_id, coalesce(lag(up_at) over chain, :start), down_at, 'up', null, down_at
        from outage window chain as (partition by camera_id order by down_at)
    ) as run order by ends_at;
insert into camera_state
    select c.id, coalesce(max(o.up_at), :start), :until, 'up', null, :now, null, ''
    from camera c left join outage o on o.camera_id = c.id group by c.id;
insert into delivery_change
    (delivery_id, worker_id, sequence, held_since, observed_at, ends_at, state, cause, attempt)
    select delivery_id, 'forwarder-000000000001', row_number() over chain as number, :start, at,
           lead(at) over chain, state, cause, 0
    from (
        select id as delivery_id, began as at, 'acknowledged' as state, null as cause
        from delivery, generate_series(cast(:start as timestamptz), cast(:now as timestamptz) - interval '1 hour',
                                       interval '30 days') as began
        union all
        select d.id, o.down_at, 'waiting_for_camera', o.cause from delivery d join outage o using (camera_id)
        union all
        select d.id, o.up_at, 'acknowledged', null from delivery d join outage o using (camera_id)
    ) as said window chain as (partition by delivery_id order by at)
    order by at
"""
"""Runs and changes lie in the order in which they came, as those of a year do."""

_MOVES = """
create temporary table mover as
    select id, facility_id, cast(:now as timestamptz) - interval '15 days' as at from camera
    where substr(code, 2)::int % :movers = 0;
update camera set valid_to = mover.at from mover where camera.id = mover.id;
insert into camera (id, revision, code, name, facility_id, enabled, removed, created_at, changed_at, valid_from)
    select id, 2, camera.code, camera.name,
           (select f.id from facility f where f.id <> camera.facility_id order by f.code limit 1),
           true, false, created_at, mover.at, mover.at
    from camera join mover using (id);
update delivery set valid_to = mover.at from mover where delivery.camera_id = mover.id;
insert into delivery (camera_id, revision, id, destination_id, destination_code, required_proof, enabled, valid_from,
                      plan)
    select camera_id, 2, delivery.id, destination_id, destination_code, required_proof, enabled, mover.at, plan
    from delivery join mover on mover.id = delivery.camera_id
"""

_SUCCESSION = """
update facility set valid_to = cast(:now as timestamptz) - interval '15 days' where valid_to is null;
insert into facility (id, revision, code, name, type, status, unit_id, managing_agency_id, restricted, removed,
                      changed_at, valid_from)
    select id, revision + 1, code, name, type, status,
           (select u.id from unit u where u.id <> facility.unit_id order by u.code limit 1),
           managing_agency_id, restricted, removed, valid_to, valid_to
    from facility
"""


def fill(url: str, cameras: int, days: int, now: datetime) -> dict[str, int]:
    """Fill empty tables with so many days up to `now`; returns the rows of what changes state."""
    engine = create_engine(url)
    given = {"cameras": cameras, "now": now, "start": now - timedelta(days=days), "flapping": FLAPPING}
    given["until"] = now + WATCHED_ON
    with engine.begin() as connection:
        connection.execute(text("select setseed(:seed)"), {"seed": SEED})
        for statement in [*_REGISTER.split(";\n"), *_OUTAGES.split(";\n")]:
            _run(connection, statement, given)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
        rows = {name: _count(connection, name) for name in ("camera_run", "delivery_change")}
    engine.dispose()
    return rows


def move(url: str, movers: int, now: datetime) -> int:
    """Move one in so many cameras to another facility, fifteen days ago; returns how many."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in _MOVES.split(";\n"):
            _run(connection, statement, {"movers": movers, "now": now})
        moved = _count(connection, "mover")
        connection.execute(text("analyze camera, delivery"))
    engine.dispose()
    return moved


def succeed(url: str, now: datetime) -> int:
    """Have every facility be of another unit since fifteen days ago; returns how many cameras that concerns."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in _SUCCESSION.split(";\n"):
            _run(connection, statement, {"now": now})
        concerned = int(connection.scalar(text("select count(distinct id) from camera")) or 0)
        connection.execute(text("analyze facility"))
    engine.dispose()
    return concerned


def _run(connection: Connection, statement: str, given: dict[str, Any]) -> None:
    connection.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - our own names


def sizes(url: str, *tables: str) -> int:
    """Bytes of tables with their indexes."""
    engine = create_engine(url)
    with engine.connect() as connection:
        total = sum(
            int(connection.scalar(text("select pg_total_relation_size(cast(:name as regclass))"), {"name": name}) or 0)
            for name in tables
        )
    engine.dispose()
    return total
