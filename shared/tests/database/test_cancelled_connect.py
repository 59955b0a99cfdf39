"""A cancelled connect leaves nothing half open at PostgreSQL."""

import asyncio
import gc

from sqlalchemy import text

from vonggac.database import Database


async def test_cancelled_connects_leave_no_backend_behind(database_url: str) -> None:
    watching = Database(database_url)
    gc.disable()
    try:
        async with watching.engine.connect() as watcher:
            for number in range(40):
                database = Database(database_url)
                connecting = asyncio.create_task(database.check())
                await asyncio.sleep(number * 0.0005)
                connecting.cancel()
                await asyncio.gather(connecting, return_exceptions=True)
                await database.close()
            # A backend that waits for a password is "starting"; it would stay for a minute.
            waiting = text(
                "select count(*) from pg_stat_activity where backend_type = 'client backend'"
                " and coalesce(state, 'starting') = 'starting'"
                " and backend_start < clock_timestamp() - interval '0.2 s'"
            )
            await watcher.execute(text("select pg_sleep(0.3)"))
            assert await watcher.scalar(waiting) == 0
    finally:
        gc.enable()
        await watching.close()
