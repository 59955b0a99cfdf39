"""Which connections of the pool do the work."""

import asyncio
import ctypes
import sys

import pytest
from sqlalchemy import text

from vonggac.database import Database

LARGE_ROW = text("select repeat('x', 8000000)")


class _Allocated(ctypes.Structure):
    """`struct mallinfo2` of glibc: bytes."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    ))  # fmt: skip


async def _backend(database: Database) -> int:
    async with database.transaction() as session:
        found = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
        # Held for long enough that those that run beside it get another.
        await session.execute(text("select pg_sleep(0.05)"))
        return int(found)


async def test_after_a_burst_one_connection_does_the_work_of_one(database_url: str) -> None:
    database = Database(database_url)
    try:
        assert len(set(await asyncio.gather(*(_backend(database) for _ in range(8))))) == 8
        assert len({await _backend(database) for _ in range(8)}) == 1
    finally:
        await database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="mallinfo2 is glibc's")
async def test_large_rows_one_after_the_other_leave_one_buffer(database_url: str) -> None:
    read = ctypes.CDLL(None).mallinfo2
    read.restype = _Allocated
    database = Database(database_url)
    try:
        await asyncio.gather(*(_backend(database) for _ in range(8)))
        before = read()
        for _ in range(8):
            async with database.transaction() as session:
                await session.execute(LARGE_ROW)
        after = read()
        grown = after.hblkhd + after.uordblks - before.hblkhd - before.uordblks
        assert grown < 3 * 8_000_000
    finally:
        await database.close()


async def test_what_one_service_of_a_test_has_compiled_the_next_one_needs_not_and_no_connection_is_shared(
    database_url: str,
) -> None:
    first, second = Database(database_url), Database(database_url)
    try:
        assert await _backend(first) != await _backend(second)
        ours, theirs = first.engine.sync_engine, second.engine.sync_engine
        assert ours.pool is not theirs.pool
        assert ours.dialect is theirs.dialect
        assert ours._compiled_cache is theirs._compiled_cache
    finally:
        await first.close()
        await second.close()
