"""A large row of arrays leaves nothing behind: its connection is made anew when it is next asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from services.reporting.tests.stage.province import received
from sqlalchemy import text

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.storage import plan
from reporting.storage.columns import LARGE_VALUES, columns

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

BACKEND = text("select pg_backend_pid()")
NUMBERS = "select array_agg(n), array_agg(n::text) from generate_series(1, %(count)s::int) as n"


async def read(database: Database, count: int) -> tuple[int, int]:
    """The backend that read `count` rows of two columns, and the one of the next transaction."""
    async with database.transaction() as session:
        numbers, _ = await columns(session, NUMBERS, {"count": count})
        assert list(numbers) == list(range(1, count + 1))
        # Within the transaction it is the same connection.
        before = (await session.execute(BACKEND)).scalar_one()
    async with database.transaction() as session:
        return before, (await session.execute(BACKEND)).scalar_one()


@pytest.mark.parametrize(("count", "anew"), [(0, False), (1000, False), (LARGE_VALUES, True)])
async def test_only_the_connection_of_a_large_row_is_made_anew(database: Database, count: int, anew: bool) -> None:
    before, after = await read(database, count)
    assert (before != after) is anew


async def test_a_large_plan_costs_its_connection_too(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime(2026, 11, 19, 17, tzinfo=UTC)
    camera = province.camera("CAM-1", changed_at=start, created_at=start)
    await ingest.inventory([received(one) for one in [*province.base(), province.stated("camera", camera)]])
    period = Period(millis(start), millis(start + timedelta(days=1)))
    for large, anew in (LARGE_VALUES, False), (1, True):
        monkeypatch.setattr("reporting.storage.columns.LARGE_VALUES", large)
        async with database.transaction() as session:
            assert await plan.cameras(session, await plan.places(session, plan.Scope(), period))
            before = (await session.execute(BACKEND)).scalar_one()
        async with database.transaction() as session:
            assert ((await session.execute(BACKEND)).scalar_one() != before) is anew
