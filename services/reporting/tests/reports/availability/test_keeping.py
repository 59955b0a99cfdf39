"""The ledger as the service and its command keep it, and the tables as the migrations make them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from services.reporting.tests.api.compliance.test_compliance import DAY, one_day
from sqlalchemy import create_engine, text

from reporting.domain.instants import millis
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.storage.availability import ledger
from reporting.storage.availability.tables import metadata
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Start
    from services.reporting.tests.stage.province import Province

    from reporting.domain.instants import Millis
    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database

HOUR = 3_600_000


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reporting", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


async def scalar(database: Database, query: str) -> Any:
    async with database.transaction() as session:
        return await session.scalar(text(query))


async def test_the_running_service_closes_days_that_are_old_enough(
    start: Start,
    settings: Settings,
    ingest: Ingest,
    database: Database,
    province: Province,
    bus: Bus,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await one_day(ingest, province)
    monkeypatch.setattr("reporting.app.LEDGER_EVERY_S", 0.05)
    async with start(settings) as client:
        await eventually(lambda: scalar(database, "select closed_until from ledger_state"), what="days are closed")
        (line,) = (await client.get("/v1/availability", params={"from": "2026-11-20", "to": "2026-11-22"})).json()[
            "items"
        ]
    assert line["milliseconds"]["down"] == 45 * 60_000


async def test_facts_within_the_horizon_change_open_figures_without_a_trace(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """The day of the facts is over, and the horizon is not."""
    good, *_ = await one_day(ingest, province)
    end = millis(DAY + timedelta(days=1))
    bookkeeper = Bookkeeper(database, 48 * HOUR, 15_000)
    await bookkeeper.keep(end)
    before = await scalar(database, "select count(*) from ledger_camera where day >= '2026-11-20'")
    assert before == 0
    late = province.probe(good, DAY + timedelta(hours=3, seconds=7), "down", cause="timeout", every_s=300)
    await province.feed(ingest, late)
    assert await scalar(database, "select count(*) from ledger_mark") == 0
    await bookkeeper.keep(end + 96 * HOUR)
    assert await scalar(database, "select count(*) from late_evidence") == 0
    assert await scalar(database, "select max(down) from ledger_camera") >= 45 * 60_000


async def test_one_command_writes_the_ledger_from_runs_and_claims(
    settings: Settings, ingest: Ingest, database: Database, province: Province
) -> None:
    await one_day(ingest, province)
    await Bookkeeper(database, 6 * HOUR, 15_000).keep(millis(datetime.now(UTC)))
    query = "select md5(string_agg(l::text, ';' order by camera_id, day)) from ledger_camera l"
    written = await scalar(database, query)
    given = {"DATABASE_URL": settings.database_url.get_secret_value(), "JWKS_FILE": str(settings.jwks_file)}
    environment = {**os.environ, **{f"VONGGAC_REPORTING_{name}": value for name, value in given.items()}}
    done = await asyncio.to_thread(run, environment, "ledger", "rebuild")
    assert done.returncode == 0, done.stderr
    assert "days written to the ledger" in done.stdout
    assert await scalar(database, query) == written
    assert (await asyncio.to_thread(run, environment, "migrate", "rebuild")).returncode == 2


ROWS = "select md5(string_agg(l::text, ';' order by camera_id, day)) from ledger_camera l"
WAITING = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


async def kept_beside_a_rebuild(database: Database) -> tuple[Bookkeeper, Millis, str]:
    """Some of the days are written; the moment at which all can be, and what they come to then."""
    now, keeper = millis(datetime.now(UTC)), Bookkeeper(database, 6 * HOUR, 15_000)
    await keeper.rebuild(now)
    right = await scalar(database, ROWS)
    await keeper.rebuild(millis(DAY + timedelta(hours=30)))
    return keeper, now, right


async def test_a_rebuild_while_the_running_service_writes_leaves_no_day_out(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_day(ingest, province)
    keeper, now, right = await kept_beside_a_rebuild(database)
    rebuilding: list[asyncio.Task[int]] = []
    write = ledger.close

    async def done_or_waiting() -> bool:
        return rebuilding[0].done() or bool(await scalar(database, WAITING))

    async def writes(*given: Any) -> None:
        if not rebuilding:
            rebuilding.append(asyncio.create_task(keeper.rebuild(now)))
            await eventually(done_or_waiting)
        await write(*given)

    monkeypatch.setattr(ledger, "close", writes)
    await keeper.keep(now)
    await rebuilding[0]
    await keeper.keep(now)
    assert await scalar(database, ROWS) == right


async def test_a_ledger_that_is_forgotten_before_the_running_service_writes_is_begun_anew(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_day(ingest, province)
    keeper, now, right = await kept_beside_a_rebuild(database)
    close, forgotten = Bookkeeper._close, list[bool]()

    async def closes(self: Bookkeeper, *given: Any) -> bool:
        if not forgotten:
            forgotten.append(True)
            async with database.transaction() as session:
                await ledger.empty_ledger(session)
        return await close(self, *given)

    monkeypatch.setattr(Bookkeeper, "_close", closes)
    await keeper.keep(now)
    await keeper.keep(now)
    assert await scalar(database, ROWS) == right


async def test_marks_are_gone_through_once_and_not_for_every_camera(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a flushed outbox there are tens of thousands of both."""
    cameras, marks = [province.camera(f"CAM-{number}") for number in range(40)], 4000
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in cameras))
    now, keeper = millis(datetime.now(UTC)), Bookkeeper(database, 6 * HOUR, 15_000)
    await keeper.keep(now)
    names, compared = UUID.__str__, 0

    def counted(self: UUID) -> str:
        nonlocal compared
        compared += 1
        return names(self)

    async with database.transaction() as session:
        await session.execute(
            text(
                "insert into ledger_mark (camera_id, day, what, noticed_at) select id, date '2026-11-20', 'probe', "
                "now() from (select id from camera union all select gen_random_uuid() from generate_series(1, :marks)) "
                "of_any"
            ),
            {"marks": marks},
        )
    monkeypatch.setattr(UUID, "__str__", counted)
    assert await keeper.correct(now) == 0
    monkeypatch.undo()
    assert await scalar(database, "select count(*) from ledger_mark") == 0
    assert marks <= compared < 4 * marks


def test_the_migrations_make_the_tables_that_the_code_knows(reporting_url: str) -> None:
    known = {name for name in metadata.tables if name.startswith(("ledger_", "late_", "availability_"))}
    assert known
    engine = create_engine(reporting_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
    engine.dispose()
    assert [one for one in found if "ledger" in str(one) or "camera" in str(one) or "delivery" in str(one)] == []
