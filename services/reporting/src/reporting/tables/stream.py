"""Rows on their way into a file: read, written and sent portion by portion, in constant memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from itertools import batched

from reporting.tables.csv_file import Dialect
from reporting.tables.formats import Format, TableFile, new_file
from reporting.tables.stamp import Stamp
from reporting.tables.table import Row, Rows, Table, Woven

ROWS_AT_ONCE = 8192
"""Rows written together: enough for Arrow's loops to pay, few enough to stay in a processor's cache."""
MOST_WRITES = 4
"""So many times as many rows at most are handed to a thread."""

type Portions = AsyncGenerator[Rows]
"""Rows as they are read, some hundreds or thousands at a time."""


async def file_of(
    table: Table, stamp: Stamp, form: Format, dialect: Dialect, portions: Portions
) -> AsyncGenerator[bytes]:
    """Yield the bytes of the file. While a portion is written the next one is read, and no more; closing it closes
    `portions`."""
    file = new_file(table, stamp, form, dialect)
    writing: asyncio.Task[bytes] | None = None
    try:
        async with aclosing(portions):
            yield file.begin()
            async for rows in _gathered(portions):
                if writing is not None and (piece := await _written(writing)):
                    yield piece
                # Arrow lets other threads run meanwhile, and so the event loop.
                writing = asyncio.create_task(asyncio.to_thread(_write, file, rows))
        if writing is not None and (piece := await _written(writing)):
            yield piece
        pieces = file.end()
        while (last := await asyncio.to_thread(_next, pieces)) is not None:
            yield last
    finally:
        if writing is not None:
            await asyncio.wait({writing})
        file.close()


async def _written(writing: asyncio.Task[bytes]) -> bytes:
    """Wait for what a thread writes. Whoever stops waiting leaves it at work: the file is closed after it."""
    await asyncio.wait({writing})
    return writing.result()


def _write(file: TableFile, rows: Rows) -> bytes:
    if isinstance(rows, Woven):
        return file.write(rows)
    return b"".join([file.write(piece) for piece in batched(rows, ROWS_AT_ONCE)])


async def _gathered(portions: Portions) -> AsyncIterator[Rows]:
    """Yield the same rows, some times `ROWS_AT_ONCE` at a time: of all that is there, so writing outlasts reading."""
    waiting: list[Row] = []
    async for portion in portions:
        if isinstance(portion, Woven):
            if waiting:
                yield waiting
                waiting = []
            yield portion
            continue
        waiting += portion
        while len(waiting) >= ROWS_AT_ONCE:
            whole = min(len(waiting) // ROWS_AT_ONCE, MOST_WRITES) * ROWS_AT_ONCE
            rows, waiting = waiting[:whole], waiting[whole:]
            yield rows
    if waiting:
        yield waiting


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


async def in_portions(rows: Iterable[Row]) -> Portions:
    """Rows that are in memory already."""
    for piece in batched(rows, ROWS_AT_ONCE):
        yield piece
