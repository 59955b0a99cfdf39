"""A table on its way: a client that goes away stops the query."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
import uvicorn
from sqlalchemy import text

from reporting.app import create_app
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.database import Database
from vonggac.embedded import free_port
from vonggac.testing.waiting import eventually

GAPS = 200_000
FILL = text(
    "insert into publisher_gap (publisher_id, first, last, began_at, ended_at, noticed_at) "
    "select 'prober-' || n, n, n + 1, now(), now(), now() from generate_series(1, :gaps) n"
)
READING = text(
    "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
    "and state <> 'idle' and query like '%publisher_gap%'"
)


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[str]:
    """The service behind a real socket; gives its address."""
    port = free_port()
    config = uvicorn.Config(
        create_app(settings), host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="on"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_client_that_goes_away_stops_the_query(
    settings: Settings, database: Database, bus: Bus, token_for: Callable[[Role], str], form: str
) -> None:
    async with database.transaction() as session:
        await session.execute(FILL, {"gaps": GAPS})

    async def reading() -> bool:
        async with database.transaction() as session:
            return bool(await session.scalar(READING))

    async def done() -> bool:
        return not await reading()

    headers = {"Authorization": f"Bearer {token_for(Role.READER)}", "Accept-Encoding": "identity"}
    async with served(settings) as address, httpx.AsyncClient(base_url=address, headers=headers) as client:
        async with client.stream("GET", "/v1/tables/lost_facts", params={"format": form}) as answer:
            assert answer.status_code == 200
            # Kept: an iterator that is collected closes the connection.
            pieces = answer.aiter_raw()
            assert await anext(pieces)
            # The client reads no further: the rows wait in the database, in an open transaction.
            assert await eventually(reading)
        await eventually(done, what="the transaction ends")
        whole = await client.get("/v1/tables/lost_facts", params={"format": form}, timeout=60)
    lines = whole.text.count("\n")
    assert lines - GAPS in {1, 2}
