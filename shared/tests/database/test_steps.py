"""Revisions in steps: killed and run again, and beside who holds a lock."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import psycopg
import pytest
from shared.tests.database.releases import command_of, release, wait_until
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from vonggac.database import migrate
from vonggac.database.steps import BATCH_S, FEWEST_ROWS, MOST_ROWS, next_rows

FILLED = """
def upgrade() -> None:
    op.execute("create table t (id bigint primary key, done int not null default 0)")
    op.execute("insert into t select generate_series(1, 100)")
"""
IN_BATCHES = """
def stop_half_way(ids):
    op.get_bind().exec_driver_sql("update t set done = done + 1 where id = any(%s)", (list(ids),))
    if STOPS and ids[-1] > 50:
        raise RuntimeError("killed")


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.run("column", lambda: op.execute("alter table t add column added int"))
    steps.run_in_batches("rows", stop_half_way, table="t", rows=7)
    steps.add_constraint("t", "ck_t_done", "check (done = 1)")
"""
WITH_INDEX = """
def upgrade() -> None:
    Steps(op, revision).create_index("ix_t_done", "t", "(done, id)", unique=True)
"""
IS_VALID = "select indisvalid from pg_index where indexrelid = 'ix_t_done'::regclass"
WITH_COLUMN = """
def upgrade() -> None:
    op.execute("alter table t add column added int")
"""


def run_sql(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


@contextmanager
def in_use(url: str, statement: str = "select count(*) from t") -> Iterator[None]:
    """A transaction that has read the table, and goes on."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())
        yield


def test_a_batch_has_as_many_rows_as_fit_into_its_time() -> None:
    assert next_rows(200, BATCH_S) == 200
    assert next_rows(200, BATCH_S / 100) == 400
    assert next_rows(200, BATCH_S * 2) == 100
    assert next_rows(1000, BATCH_S * 100) == 250
    assert next_rows(200, BATCH_S * 100) == FEWEST_ROWS
    assert next_rows(MOST_ROWS, 0) == MOST_ROWS
    assert next_rows(1, 10) == 1


def test_a_revision_that_is_killed_between_batches_goes_on_and_changes_each_row_once(
    tmp_path: Path, database_url: str
) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    killed = release(tmp_path / "killed", "0001", "0002", _0001=FILLED, _0002="STOPS = True\n" + IN_BATCHES)
    with pytest.raises(RuntimeError, match="killed"):
        migrate(killed, database_url)
    done = run_sql(database_url, "select count(*) from t where done = 1")[0][0]
    assert done in range(1, 51), "what was committed stays"
    whole = release(tmp_path / "whole", "0001", "0002", _0001=FILLED, _0002="STOPS = False\n" + IN_BATCHES)
    migrate(whole, database_url)
    assert run_sql(database_url, "select done, count(*) from t group by 1") == [(1, 100)]
    assert run_sql(database_url, "select to_regclass('migration_step')") == [(None,)]
    assert run_sql(database_url, "select convalidated from pg_constraint where conname = 'ck_t_done'") == [(True,)]


def test_an_index_that_a_killed_migration_left_invalid_is_made_again(tmp_path: Path, database_url: str) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    scripts = release(tmp_path / "this", "0001", "0002", _0001=FILLED, _0002=WITH_INDEX)
    written = "update t set done = 1 where id = 1"
    invalid = "select pid from pg_stat_activity, pg_index where query like 'create unique index%' and not indisvalid"
    with in_use(database_url, written):
        killed = subprocess.Popen(command_of(scripts, database_url))
        try:
            wait_until(lambda: run_sql(database_url, invalid) != [])
        finally:
            killed.kill()
            killed.wait()
        run_sql(database_url, f"select pg_terminate_backend(pid) from ({invalid}) as building")  # noqa: S608 # of our own
        wait_until(lambda: run_sql(database_url, invalid) == [])
    assert run_sql(database_url, IS_VALID) == [(False,)]
    migrate(scripts, database_url)
    assert run_sql(database_url, IS_VALID) == [(True,)]


CATCHES_UP = """
def find():
    found = op.get_bind().exec_driver_sql("select id from t where done = 0 order by id").scalars().all()
    sizes.append(len(found))
    return found


def change(ids):
    op.get_bind().exec_driver_sql("update t set done = 1 where id = any(%s)", (list(ids),))


sizes = []


def upgrade() -> None:
    steps = Steps(op, revision)
    steps.catch_up("last", find, change)
    steps.run("last", lambda: change(find()))
    assert sizes == [250, 0, 0], sizes
"""


def test_what_others_wrote_is_caught_up_with_before_a_lock_is_taken(tmp_path: Path, database_url: str) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    run_sql(database_url, "insert into t select generate_series(101, 250)")
    migrate(release(tmp_path / "this", "0001", "0002", _0001=FILLED, _0002=CATCHES_UP), database_url)
    assert run_sql(database_url, "select done, count(*) from t group by 1") == [(1, 250)]


def test_lock_held_by_a_long_reader_makes_nobody_wait_behind_the_migration(tmp_path: Path, database_url: str) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    scripts = release(tmp_path / "this", "0001", "0002", _0001=FILLED, _0002=WITH_COLUMN)
    waits = list[float]()
    with ThreadPoolExecutor(1) as pool:
        with in_use(database_url):
            migrating = pool.submit(migrate, scripts, database_url)
            until = monotonic() + 4
            with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as other:
                while monotonic() < until:
                    began = monotonic()
                    other.execute("select count(*) from t")
                    waits.append(monotonic() - began)
            assert not migrating.done()
        migrating.result(timeout=60)
    assert max(waits) <= 1, "who reads waits behind the migration no longer than it waits itself"
    assert max(waits) >= 0.1, "the migration did ask for the table"
    assert run_sql(database_url, "select count(added) from t") == [(0,)]


def test_a_lock_that_is_never_let_go_ends_the_migration_with_advice(tmp_path: Path, database_url: str) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    scripts = release(tmp_path / "this", "0001", "0002", _0001=FILLED, _0002=WITH_COLUMN)
    with in_use(database_url), pytest.raises(OperationalError, match="lock timeout"):
        migrate(scripts, database_url, lock_patience_s=1)
    migrate(scripts, database_url)


def test_two_that_migrate_at_the_same_time_do_it_once(tmp_path: Path, database_url: str) -> None:
    migrate(release(tmp_path / "before", "0001", _0001=FILLED), database_url)
    scripts = release(tmp_path / "this", "0001", "0002", _0001=FILLED, _0002=WITH_INDEX)
    both = [subprocess.Popen(command_of(scripts, database_url)) for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert run_sql(database_url, "select version_num from alembic_version") == [("0002",)]
