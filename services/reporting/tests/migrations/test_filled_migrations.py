"""Tables that an earlier release filled are brought to the newest revision: every row and every figure stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from services.reporting.tests.stage.province import received
from services.reporting.tests.witness.midnights import end_of, made, period_of
from services.reporting.tests.witness.test_two_witnesses import batches, event_of, feed
from sqlalchemy import Engine, MetaData, NullPool, create_engine, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from reporting.domain.compliance import RULE_OF_STATES
from reporting.domain.instants import moment
from reporting.ingest.handlers import Ingest
from reporting.migrations import SCRIPTS
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.reports.snapshot import chain, freezing
from reporting.storage import plan
from reporting.storage.availability import after_freezing
from reporting.storage.snapshot import snapshot
from reporting.storage.tables import metadata
from vonggac.database import Database, migrate
from vonggac.database.migrations import config
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from services.reporting.tests.conftest import Start
    from services.reporting.tests.witness.world import World

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.embedded import PostgresServer

BEFORE = "0018"
"""The newest revision of the earlier release."""
LATER: Mapping[str, Mapping[str, Any]] = {
    "calendar_feed": {"by_address": False},
    "camera": {"read_until": None, "unknown_from": None},
    "destination": {"mode": None, "read_until": None, "responsible": None, "unknown_from": None},
    "facility": {"address": None, "read_until": None, "unknown_from": None},
    "late_evidence": {"deliveries": {}},
    "publisher": {"oldest": None, "oldest_at": None, "oldest_since": None},
    "publisher_gap": {"before_at": None, "after_at": None, "after_since": None},
    "report_evidence": {"published_mark": None},
    "worker_life": {"clock_stepped_ms": None},
}
"""Columns that came later, and what they hold in rows of before."""
EMPTY = frozenset({"bus_clock"})
"""Tables that came later, and are filled by the next facts."""
FILLED = {
    "calendar_feed", "camera", "camera_media", "camera_run", "camera_state", "delivery", "delivery_change",
    "destination", "facility", "frozen_report", "inbox", "late_evidence", "ledger_camera", "ledger_state",
    "maintenance_window", "read_back_run", "read_back_state", "report_evidence", "report_mark", "site_fault", "unit",
    "urge_rule", "worker_life",
}  # fmt: skip
RULE = {
    "name": "Quá hạn",
    "about": "obligation_overdue",
    "party": "managing",
    "level": 1,
    "hours": 0,
    "every_hours": 24,
}
ALIVE_MS = 15_000


@pytest.fixture
def earlier_url(postgres_server: PostgresServer, superuser: Engine, reporting_template: str) -> Iterator[str]:
    """A database with the tables of the earlier release, still empty."""
    name = f"earlier_{uuid4().hex}"
    postgres_server.create_database(name, "reporting")
    url = postgres_server.url(name, "reporting")
    command.upgrade(config(SCRIPTS, url), BEFORE)
    yield url
    with superuser.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))


async def fill(start: Start, ingest: Ingest, database: Database, worlds: list[World]) -> None:
    """Evidence, a ledger, what people set up, a frozen report, and evidence that came too late for both."""
    first = worlds[0]
    for one in worlds[1:]:
        await feed(ingest, database, one)
    await ingest.inventory([received(event_of(fact)) for fact in first.register])
    early, late = first.facts[::2], first.facts[1::2]
    for batch in batches(early):
        await ingest.observations([received(event_of(fact)) for fact in batch])
    bookkeeper = Bookkeeper(database, 0, ALIVE_MS)
    await bookkeeper.keep(end_of(len(worlds)))
    period = period_of(made(0)[1], "whole")
    frozen = {"from": moment(period.start).isoformat(), "to": moment(period.end).isoformat()}
    async with start() as client:

        async def is_ready() -> bool:
            return bool((await client.get("/readyz")).status_code == 200)

        await eventually(is_ready)
        for path, body in (("calendar-feeds", {"name": "Lịch"}), ("urging/rules", RULE), ("reports", frozen)):
            answer = await client.post(f"/v1/{path}", json=body)
            assert answer.status_code == 201, answer.text
    for batch in batches(late):
        await ingest.observations([received(event_of(fact)) for fact in batch])
    assert await bookkeeper.correct(end_of(len(worlds))) > 0


FAILED = """
    select distinct on (delivery_id) delivery_id, observed_at, observed_at + interval '3 min', 'down', 'timeout',
           observed_at
    from delivery_change where state = 'acknowledged' order by delivery_id, observed_at
"""


WITHOUT_PICTURES = """
    update camera_media
    set picture_since = null, picture_cause = null, picture_judged = false, picture_ends_at = null, still_cause = null
"""
WITHOUT_DISPUTES = "delete from repetition_dispute"


async def count_by_the_rule_before(database: Database, worlds: int) -> None:
    """As an earlier release counted: until now by rule 3, with read-backs as it kept them, media without pictures."""
    async with database.transaction() as session:
        await session.execute(text(WITHOUT_PICTURES))
        await session.execute(text(WITHOUT_DISPUTES))
        for rule in (4, 6):
            since = text("insert into accounting_rule values (:rule, date_trunc('milliseconds', now()))")
            await session.execute(since, {"rule": rule})
        await session.execute(text(f"insert into read_back_run {FAILED}"))
        opened = f"insert into read_back_state select *, null, ''::bytea from ({FAILED}) as failed"  # noqa: S608
        await session.execute(text(opened))
    bookkeeper = Bookkeeper(database, 0, ALIVE_MS)
    await bookkeeper.rebuild(end_of(worlds))


def copied(source: Engine, target: Engine) -> set[str]:
    """Put into the tables of `target` all that it has columns for; returns which tables are filled."""
    there, filled = MetaData(), set[str]()
    there.reflect(target)
    with source.connect() as reading, target.begin() as writing:
        for table in there.sorted_tables:
            columns = (
                [metadata.tables[table.name].c[one.name] for one in table.c] if table.name in metadata.tables else []
            )
            rows = [row._asdict() for row in reading.execute(select(*columns))] if columns else []
            if table.name == "ledger_state":
                writing.execute(table.delete())
            if rows:
                writing.execute(insert(table), rows)
                filled.add(table.name)
            for column in table.c:
                if column.identity is not None:
                    last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
                    sequence = func.pg_get_serial_sequence(table.name, column.name)
                    writing.execute(select(func.setval(sequence, last)))
    return filled


def rows_of(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything that stands in the tables."""
    with engine.connect() as connection:
        return {
            name: sorted((row._asdict() for row in connection.execute(select(table))), key=repr)
            for name, table in metadata.tables.items()
        }


async def figures(database: Database, worlds: int) -> list[Any]:
    """Of each period: the sums of all groups, and the account of each camera, by the ledger and directly."""
    found: list[Any] = []
    for number in range(worlds):
        for which in ("whole", "parts"):
            period = period_of(made(number)[1], which)
            question = Question(period, end_of(worlds), ALIVE_MS)
            async with snapshot(database) as session:
                cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), period))
                totals = await totals_of(session, question, plan.Scope())
                by_ledger = [one async for each in ledgered_accounts(session, question, cameras, list) for one in each]
                directly: list[CameraAccount] = [
                    one async for each in accounts(session, question, cameras, list) for one in each
                ]
            assert [one.account for one in by_ledger] == [one.account for one in directly]
            found += [totals.total, totals.by_facility, totals.by_unit, totals.by_agency, totals.by_type, directly]
    return found


@pytest.mark.timeout(240)
async def test_what_an_earlier_release_stored_has_the_same_rows_and_figures_at_the_newest_revision(
    start: Start,
    bus: Bus,
    ingest: Ingest,
    database: Database,
    settings: Settings,
    reporting_url: str,
    earlier_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worlds = [made(number)[0] for number in range(2)]
    monkeypatch.setattr(freezing, "RULE_VERSION", RULE_OF_STATES)
    await fill(start, ingest, database, worlds)
    await count_by_the_rule_before(database, len(worlds))
    source, target = (create_engine(url, poolclass=NullPool) for url in (reporting_url, earlier_url))
    filled = copied(source, target)
    assert filled >= FILLED, sorted(FILLED - filled)

    migrate(SCRIPTS, earlier_url)

    wanted = rows_of(source)
    for name, values in LATER.items():
        wanted[name] = sorted(({**row, **values} for row in wanted[name]), key=repr)
    wanted.update((name, []) for name in EMPTY)
    found = rows_of(target)
    # Here it is when the service of this test read the register; there, when the last worker was heard of.
    del wanted["register_reading"]
    assert len(found.pop("register_reading")) == 1
    # What the rule counts by that came with this release: from now on.
    for name in ("accounting_rule", "delivery_session", "read_back_stretch"):
        del wanted[name]
    assert [row["version"] for row in found.pop("accounting_rule")] == [4, 6]
    assert (found.pop("delivery_session"), found.pop("read_back_stretch")) == ([], [])
    assert found == wanted
    with target.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    migrated = Database(earlier_url)
    try:
        assert await figures(migrated, len(worlds)) == await figures(database, len(worlds))
        await what_it_keeps_works(migrated, database, target, settings, worlds[0])
    finally:
        await migrated.close()


async def what_it_keeps_works(
    migrated: Database, database: Database, target: Engine, settings: Settings, one: World
) -> None:
    """Reports are what they were and flagged as they were; what was said is found, and taken once."""
    async with snapshot(migrated) as session, snapshot(database) as known:
        rows = (await session.execute(text("select number, id, version from frozen_report"))).all()
        for _, id_, version in rows:
            report, other = await chain.read(session, id_, version), await chain.read(known, id_, version)
            assert report is not None
            assert other is not None
            assert (report.sha256, report.tables) == (other.sha256, other.tables)
        numbers = [row.number for row in rows]
        assert await after_freezing.late(session, numbers) == await after_freezing.late(known, numbers)
        assert await after_freezing.late(session, numbers), "it was flagged before"
    before = rows_of(target)
    ingest = Ingest(migrated, settings)
    for batch in batches(one.facts):
        await ingest.observations([received(event_of(fact)) for fact in batch])
    for table in ("delivery_change", "camera_media", "camera_run", "read_back_run", "site_fault"):
        assert rows_of(target)[table] == before[table], f"{table}: what was said a second time is nothing new"
    for table in ("delivery_change", "camera_media"):
        with pytest.raises(IntegrityError, match=f"uq_{table}"), target.begin() as connection:
            connection.execute(text(f"insert into {table} select * from {table} limit 1"))  # noqa: S608
