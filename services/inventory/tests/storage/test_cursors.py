"""A cursor of the server is closed whatever happens while its rows are read."""

import gc
import warnings

import pytest
from sqlalchemy import Integer, Select, column, func, select

from inventory.storage.queries.cursors import open_cursor
from vonggac.database import Database


class LeftError(Exception):
    """The caller has gone."""


async def test_who_leaves_amid_the_rows_leaves_no_cursor_open(inventory_url: str) -> None:
    database = Database(inventory_url)

    async def leave_amid() -> None:
        numbers: Select[int] = select(column("number", Integer)).select_from(
            func.generate_series(1, 5000).alias("number")
        )
        async with database.transaction() as session, open_cursor(session, numbers) as found:
            async for rows in found.partitions(100):
                assert len(rows) == 100
                raise LeftError

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(LeftError):
            await leave_amid()
        gc.collect()
    await database.close()
    assert [str(each.message) for each in warned if "while still open" in str(each.message)] == []
