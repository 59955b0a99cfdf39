"""Migrations beside a reader and a writer: neither waits a second for a lock, and nothing that is written is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command

from inventory.domain.text import order_key
from inventory.migrations import SCRIPTS as INVENTORY
from reporting.migrations import SCRIPTS as REPORTING
from vonggac.database import migrate
from vonggac.database.migrations import config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LONGEST_S = 1.0
FILL_INVENTORY = """
create function uuid_of(kind text, n bigint) returns uuid immutable language sql as $$ select md5(kind || n)::uuid $$;
insert into districts (id, revision, created_at, changed_at, code, name, search)
  values (uuid_of('d', 0), 1, now(), now(), '461', 'Đông Hà', 'dong ha');
insert into agencies (id, revision, created_at, changed_at, code, name, search, role)
  values (uuid_of('a', 0), 1, now(), now(), 'SYT', 'Sở Y tế', 'so i te', 'managing');
insert into destinations (id, revision, created_at, changed_at, code, name, search, role, url_template, required_proof,
                          enabled)
  select uuid_of('t', n), 1, now(), now(), 'TT-' || n, 'Trung tâm', 'tt', 'national', 'rtsp://10.9.0.1/{camera_code}',
         'acknowledged', true from generate_series(0, 1) as n;
insert into facilities (id, revision, created_at, changed_at, code, name, search, type, status, district_id,
                        managing_agency_id, restricted)
  select uuid_of('f', n), 1, now(), now(), 'KCL-' || n, 'Trường số ' || n, 'truong so ' || n, 'school', 'active',
         uuid_of('d', 0), uuid_of('a', 0), false from generate_series(0, %(cameras)s / 10) as n;
insert into cameras (id, revision, created_at, changed_at, code, name, search, facility_id, enabled, url, transport,
                     forward_audio, probe_interval_s, probe_timeout_s)
  select uuid_of('c', n), 2, now() - interval '2 days', now() - interval '1 day', 'CAM-' || n, 'Ðông Hà ' || n,
         'cam ðong ha ' || n, uuid_of('f', n / 10), true, 'rtsp://10.1.1.1/' || n, 'tcp', false, 60, 15
  from generate_series(0, %(cameras)s - 1) as n;
insert into deliveries (id, revision, created_at, changed_at, camera_id, destination_id, enabled, url)
  select uuid_of('l' || t, n), 1, now(), now(), uuid_of('c', n), uuid_of('t', t), true, 'rtsp://10.9.0.1/' || t || n
  from generate_series(0, %(cameras)s - 1) as n, generate_series(0, 1) as t;
insert into changes (changed_at, changed_by, request_id, noun, thing_id, action, after)
  select c.created_at + interval '1 day' * age, 'lead', 'r', 'camera', c.id, 'changed',
         jsonb_build_object('code', c.code, 'name', c.name || age, 'enabled', true, 'facility_id', c.facility_id)
  from cameras c, generate_series(0, 1) as age;
"""
FILL_REPORTING = """
create function uuid_of(kind text, n bigint) returns uuid immutable language sql as $$ select md5(kind || n)::uuid $$;
insert into worker values ('prober-1', 'prober', now()), ('forwarder-1', 'forwarder', now());
insert into facility select uuid_of('f', n), 1, 'KCL-' || n, 'Trường', 'school', 'active', uuid_of('d', 0),
  uuid_of('a', 0), false from generate_series(0, %(cameras)s / 10) as n;
insert into camera select uuid_of('c', n), 1, 'CAM-' || n, 'Cổng', uuid_of('f', n / 10), true
  from generate_series(0, %(cameras)s - 1) as n;
insert into delivery select uuid_of('l' || t, n), uuid_of('c', n), uuid_of('t', t), 'TT-' || t, 'acknowledged', true
  from generate_series(0, %(cameras)s - 1) as n, generate_series(0, 1) as t;
insert into camera_state select uuid_of('c', n), now() - interval '1 hour', now(), 'up', null, now(), null,
  decode(repeat(repeat('00', 18), 30), 'hex') from generate_series(0, %(cameras)s - 1) as n;
insert into camera_run select uuid_of('c', n), now() - interval '1 day' * r,
  now() - interval '1 day' * r + interval '1 h',
  'down', 'timeout', now() from generate_series(0, %(cameras)s - 1) as n, generate_series(2, 6) as r;
insert into delivery_change select uuid_of('l' || t, n), 'forwarder-1', s, now(), now() - interval '1 day' * s, null,
  'acknowledged', null, 0
  from generate_series(0, %(cameras)s - 1) as n, generate_series(0, 1) as t, generate_series(1, 3) as s;
insert into inbox select uuid_of('e', n), now() from generate_series(1, %(cameras)s * 10) as n;
"""


@dataclass(frozen=True)
class Service:
    scripts: Path
    fill: str
    reads: Sequence[Sequence[str]]
    """Transactions of statements; `%(n)s` is the number of a camera."""
    writes: Sequence[Sequence[str]]


CAMERA_CHANGES = (
    (
        "update cameras set name = 'Đổi lần ' || %(round)s, revision = revision + 1, changed_at = now() "
        "where id = uuid_of('c', %(n)s)"
    ),
    (
        "insert into changes (changed_at, changed_by, request_id, noun, thing_id, action, after) "
        "select now(), 'lead', 'w', 'camera', id, 'changed', jsonb_build_object('code', code, 'name', name, "
        "'enabled', true, 'facility_id', facility_id) from cameras where id = uuid_of('c', %(n)s)"
    ),
)
NEW_CHANGE = (
    "insert into delivery_change (delivery_id, worker_id, sequence, held_since, observed_at, state, attempt) values "
    "(uuid_of('l0', %(n)s), 'forwarder-1', 1000000 + %(round)s, now(), now(), 'acknowledged', 0)"
)
SERVICES = {
    "inventory": Service(
        INVENTORY,
        FILL_INVENTORY,
        reads=(
            ("select count(*), max(name) from cameras",),
            ("select count(*) from facilities",),
            ("select id, url from deliveries where camera_id = uuid_of('c', %(n)s)",),
            ("select count(*) from changes where thing_id = uuid_of('c', %(n)s)",),
        ),
        writes=(
            CAMERA_CHANGES,
            ("update facilities set name = name where id = uuid_of('f', %(n)s / 10)",),
            ("update deliveries set url = url where camera_id = uuid_of('c', %(n)s)",),
        ),
    ),
    "reporting": Service(
        REPORTING,
        FILL_REPORTING,
        reads=(
            ("select count(*), max(name) from camera",),
            ("select id, enabled from delivery where camera_id = uuid_of('c', %(n)s)",),
            ("select started_at, ends_at from camera_run where camera_id = uuid_of('c', %(n)s)",),
            ("select sequence, state from delivery_change where delivery_id = uuid_of('l0', %(n)s)",),
            ("select max(received_at) from inbox",),
        ),
        writes=(
            ("update camera set name = name where id = uuid_of('c', %(n)s)",),
            ("update camera_state set ends_at = now() where camera_id = uuid_of('c', %(n)s)",),
            (NEW_CHANGE,),
            ("insert into inbox values (gen_random_uuid(), now())",),
        ),
    ),
}


@dataclass
class Waits:
    """How long each transaction took, and how long one was seen to wait for a lock."""

    took_s: list[float] = field(default_factory=list)
    locked_s: list[float] = field(default_factory=lambda: [0.0])


def use_tables(
    url: str, transactions: Sequence[Sequence[str]], cameras: int, name: str, stop: Event, waits: Waits
) -> None:
    """Transactions one after the other, of one camera each, until `stop`."""
    with psycopg.connect(url, application_name=name, autocommit=True) as connection:
        turn = 0
        while not stop.wait(0.005):
            values = {"n": turn * 7919 % cameras, "round": turn}
            began = monotonic()
            with connection.transaction():
                for statement in transactions[turn % len(transactions)]:
                    connection.execute(statement.encode(), values)
            waits.took_s.append(monotonic() - began)
            turn += 1


WAITING = b"""
select coalesce(extract(epoch from max(clock_timestamp() - waitstart)), 0) from pg_locks
where not granted and pid in (select pid from pg_stat_activity where application_name in ('reader', 'writer'))
"""


def watch_locks(url: str, stop: Event, waits: Waits) -> None:
    """Ask PostgreSQL how long reader and writer wait for locks: a busy machine makes statements long, and no wait."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.wait(0.02):
            row = connection.execute(WAITING).fetchone()
            assert row is not None
            waits.locked_s.append(float(row[0]))


@contextmanager
def in_use(url: str, service: Service, cameras: int) -> Iterator[Waits]:
    """Reader and writer at the tables."""
    stop, waits = Event(), Waits()
    with ThreadPoolExecutor(3) as pool:
        running = [
            pool.submit(use_tables, url, service.reads, cameras, "reader", stop, waits),
            pool.submit(use_tables, url, service.writes, cameras, "writer", stop, waits),
            pool.submit(watch_locks, url, stop, waits),
        ]
        try:
            yield waits
        finally:
            stop.set()
    for one in running:
        one.result()


READ_NAMES = {
    "cameras": b"select name, name_order, search from cameras",
    "cameras_history": b"select name, name_order, search from cameras_history",
}
SIZES = [200, pytest.param(20_000, marks=(pytest.mark.slow, pytest.mark.timeout(900)))]


@pytest.mark.parametrize("cameras", SIZES)
@pytest.mark.parametrize("name", SERVICES)
def test_lock_held_by_migrations_makes_no_reader_and_no_writer_wait_a_second(
    name: str, cameras: int, database_url: str
) -> None:
    service = SERVICES[name]
    command.upgrade(config(service.scripts, database_url), "0001")
    url = database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in service.fill.split(";\n"):
            if statement.strip():
                connection.execute((statement.replace("%(cameras)s", str(cameras))).encode())
        connection.execute("vacuum analyze")
    began = monotonic()
    with in_use(url, service, cameras) as waits:
        migrate(service.scripts, database_url)
    figures = {
        "migrated_s": monotonic() - began,
        "longest_lock_s": max(waits.locked_s),
        "longest_transaction_s": max(waits.took_s),
        "transactions": len(waits.took_s),
    }
    print(name, cameras, figures)  # noqa: T201 # with -s, for docs/operations/upgrade.md
    assert len(waits.took_s) > 20
    assert max(waits.locked_s) <= LONGEST_S, figures
    check_filled(name, url, cameras)


def check_filled(name: str, url: str, cameras: int) -> None:
    """Nothing that was written meanwhile is lost, and every row is filled."""
    with psycopg.connect(url) as connection:
        if name == "reporting":
            assert connection.execute("select distinct length(tail) from camera_state").fetchall() == [(30 * 26,)]
            assert connection.execute("select count(*) from delivery where revision = 1").fetchall() == [(2 * cameras,)]
            return
        same = (
            "select count(*) from cameras c join cameras_history h "
            "on h.id = c.id and h.recorded_to is null and (h.revision, h.name) = (c.revision, c.name)"
        )
        assert connection.execute(same).fetchall() == [(cameras,)]
        apart = (
            "select count(*) from (select id, recorded_to, lead(recorded_from) over (partition by id order by "
            "recorded_from) as next from cameras_history) h where recorded_to is distinct from next"
        )
        assert connection.execute(apart).fetchall() == [(0,)], "states of a camera follow each other without a hole"
        for table in ("cameras", "cameras_history"):
            found = connection.execute(READ_NAMES[table]).fetchall()
            assert len(found) >= cameras
            assert [row for row in found if row[1] != order_key(row[0])] == []
            assert [row for row in found if "ð" in row[2]] == []
