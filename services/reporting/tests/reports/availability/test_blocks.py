"""A day is found by the blocks that hold its time: of a year of changes, what came after it is not read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from reporting.domain.instants import millis
from reporting.storage.history import stored
from reporting.storage.lives import Watch

if TYPE_CHECKING:
    from vonggac.database import Database

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
CHANGES, DELIVERIES = 40_000, 20
EVERY = timedelta(days=360) / CHANGES
_FILL = """
    insert into delivery_change (delivery_id, worker_id, sequence, held_since, observed_at, ends_at, state, attempt)
    select md5((n % :deliveries)::text)::uuid, 'forwarder-000000000001', n, :first, :first + n * :every,
           :first + (n + :deliveries) * :every, 'acknowledged', 0
    from generate_series(1, :changes) n
"""
_BLOCKS = """
    select heap_blks_hit + heap_blks_read as touched, pg_relation_size(relid) / 8192 as pages
    from pg_statio_user_tables where relname = 'delivery_change'
"""


async def test_a_day_of_last_year_reads_no_change_that_came_after_it(database: Database) -> None:
    given = {"first": FIRST, "every": EVERY, "changes": CHANGES, "deliveries": DELIVERIES}
    async with database.transaction() as session:
        await session.execute(text(_FILL), given)
        deliveries = (await session.execute(text("select distinct delivery_id from delivery_change"))).scalars().all()
        for index in ("ends_at", "begins_at"):
            await session.execute(text(f"select brin_summarize_new_values('ix_delivery_change_{index}')"))
        await session.execute(text("analyze delivery_change"))
    before, _ = await _blocks(database)
    day = FIRST + timedelta(days=20)
    async with database.transaction() as session:
        found = await stored(session, (), deliveries, millis(day), millis(day + timedelta(days=1)), Watch({}, {}, []))
        await session.execute(text("select pg_stat_force_next_flush()"))
    after, pages = await _blocks(database)
    assert len(found.changes[0]) == round(timedelta(days=1) / EVERY) + DELIVERIES
    assert after - before < pages / 2


async def _blocks(database: Database) -> Any:
    """Blocks of the table that were touched so far, and how many it has."""
    async with database.transaction() as session:
        await session.execute(text("select pg_stat_force_next_flush()"))
    async with database.transaction() as session:
        return (await session.execute(text(_BLOCKS))).one()
