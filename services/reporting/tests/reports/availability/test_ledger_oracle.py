"""The ledger, the direct account and the second witness agree, to the millisecond, over seeded chaos.

Worlds of chaos lie around a local midnight each, days apart, so that most days are written without a row.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import batched, chain
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from services.reporting.tests.stage.province import received
from services.reporting.tests.witness.accounting import account
from services.reporting.tests.witness.midnights import APART, CAMERAS, FIRST, PERIODS, Asked, end_of, made, period_of
from services.reporting.tests.witness.test_two_witnesses import batches, event_of, feed, give_up_lost
from sqlalchemy import make_url, text

from reporting.domain.ledger import DAY, cut, midnight
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.reports.availability import accounts as ledgered
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.storage import plan
from reporting.storage.availability import ledger
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.witness.world import World

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

WORLDS = 4


@pytest.fixture
def bookkeeper(database: Database) -> Bookkeeper:
    return Bookkeeper(database, 0, 15_000)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cameras that moved are read from the ledger, however few."""
    monkeypatch.setattr(ledgered, "TOGETHER", 1)
    monkeypatch.setattr(ledgered, "LONG", 0)


def now() -> int:
    return end_of(WORLDS)


async def by_ledger(
    database: Database, scope: plan.Scope, period: Period, *, direct: bool = False
) -> list[CameraAccount]:
    question = Question(period, now(), 15_000)
    account_of = accounts if direct else ledgered_accounts
    async with snapshot(database) as session:
        if not direct:
            assert cut(period, (await ledger.state(session)).closed_until) is not None
        cameras = await plan.cameras(session, await plan.places(session, scope, period))
        return [one async for portion in account_of(session, question, cameras, list) for one in portion]


def same(found: Sequence[CameraAccount], expected: Sequence[CameraAccount]) -> None:
    assert [one.camera.id for one in found] == [one.camera.id for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.account == other.account, one.camera.id
        assert dict(one.places) == dict(other.places), one.camera.id


def witnessed(connection: psycopg.Connection[Any], one: World, period: Period, found: list[CameraAccount]) -> None:
    asked: Any = Asked(
        one.unit, one.register, one.facts, one.numbers, one.stored, one.windows, one.twice, one.after, period
    )
    cameras, deliveries, causes = account(connection, asked)
    for each in found:
        assert dict(zip(DURATION_NAMES, each.account.camera.lengths, strict=True)) == cameras[each.camera.id]
        for planned, line in zip(each.camera.deliveries, each.account.deliveries, strict=True):
            lengths = {name: getattr(line, name) for name in LEDGER_NAMES}
            there = each.account.camera.period
            assert sum(lengths.values()) == there
            nothing = {**dict.fromkeys(LEDGER_NAMES, 0), "out_of_scope": there}
            assert lengths == deliveries.get(planned.id, nothing)
            assert line.by_cause == causes.get(planned.id, {})


def connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))


async def rows(database: Database) -> list[Any]:
    """Everything that stands in the ledger."""
    async with database.transaction() as session:
        cameras = await session.execute(text("select * from ledger_camera order by camera_id, day"))
        return [tuple(row) for row in cameras]


@pytest.mark.timeout(180)
async def test_the_ledger_the_direct_account_and_the_oracle_agree(
    ingest: Ingest, database: Database, bookkeeper: Bookkeeper, reporting_url: str
) -> None:
    worlds = [made(number) for number in range(WORLDS)]
    for one, _ in worlds:
        await feed(ingest, database, one)
    # Day by day, as it is written in service.
    for day in range(FIRST - 1, FIRST + APART * WORLDS):
        await replace(bookkeeper, horizon_ms=now() - midnight(day)).keep(now())
    await bookkeeper.keep(now())
    with connected(reporting_url) as connection:
        for one, day in worlds:
            for which in PERIODS:
                period, scope = period_of(day, which), plan.Scope(unit_id=one.unit)
                found = await by_ledger(database, scope, period)
                same(found, await by_ledger(database, scope, period, direct=True))
                witnessed(connection, one, period, found)
    written = await rows(database)
    assert await bookkeeper.rebuild(now()) > 0
    assert await rows(database) == written
    assert len(written) < CAMERAS * WORLDS * 5, "a row stands only where something changed"


@pytest.mark.timeout(180)
async def test_sums_of_every_group_add_up_and_are_those_of_their_cameras(
    ingest: Ingest, database: Database, bookkeeper: Bookkeeper
) -> None:
    worlds = [made(number) for number in range(2)]
    for one, _ in worlds:
        await feed(ingest, database, one)
    await bookkeeper.keep(now())
    for one, day in worlds:
        for scope in (plan.Scope(unit_id=one.unit), plan.Scope()):
            period = period_of(day, "parts")
            async with snapshot(database) as session:
                found = await totals_of(session, Question(period, now(), 15_000), scope)
            expected = await by_ledger(database, scope, period, direct=True)
            lengths = [sum(each) for each in zip(*(one.account.camera.lengths for one in expected), strict=True)]
            assert list(found.total.durations.lengths) == lengths
            assert found.total.cameras.total == sum(each.camera.stands_here for each in expected)
            for groups in (found.by_unit, found.by_agency, found.by_type, found.by_facility):
                assert [sum(each) for each in zip(*(one.durations.lengths for one in groups), strict=True)] == lengths
                for group in groups:
                    parts = group.durations
                    assert parts.period == (
                        parts.up + parts.down + parts.maintenance + parts.unknown + parts.out_of_scope
                    )


@pytest.mark.timeout(180)
async def test_what_comes_late_is_written_anew_and_agrees_with_the_oracle(
    ingest: Ingest, database: Database, bookkeeper: Bookkeeper, reporting_url: str
) -> None:
    """Half of the facts, and of the register, come after their days were closed."""
    one, day = made(1)
    one.chance.shuffle(one.register)
    early, late = one.register[::2], one.register[1::2]
    facts = list(batched(one.arriving(), len({publisher for publisher, _ in one.numbers.values()})))
    await ingest.inventory([received(event_of(fact)) for fact in early])
    for batch in batches(chain.from_iterable(facts[::2])):
        await ingest.observations([received(event_of(fact, one)) for fact in batch])
    await bookkeeper.keep(now())
    for batch in batches(chain.from_iterable(facts[1::2])):
        await ingest.observations([received(event_of(fact, one)) for fact in batch])
    await give_up_lost(database)
    await ingest.inventory([received(event_of(fact)) for fact in late])
    changed = await bookkeeper.correct(now())
    assert changed > 0
    assert await bookkeeper.correct(now()) == 0
    period, scope = period_of(day, "whole"), plan.Scope(unit_id=one.unit)
    found = await by_ledger(database, scope, period)
    same(found, await by_ledger(database, scope, period, direct=True))
    with connected(reporting_url) as connection:
        witnessed(connection, one, period, found)
    async with database.transaction() as session:
        noted = (await session.execute(text("select change, what from late_evidence"))).all()
    assert len(noted) == changed
    for change, what in noted:
        parts = ("up", "down", "maintenance", "unknown", "out_of_scope")
        assert sum(change.get(name, 0) for name in parts) == 0, "a day stays as long as it is"
        assert what
    written = await rows(database)
    await bookkeeper.rebuild(now())
    assert await rows(database) == written


def test_a_period_of_less_than_a_day_has_no_use_of_the_ledger() -> None:
    assert cut(Period(midnight(FIRST) + 1, midnight(FIRST + 2) - 1), FIRST + 9) is None
    assert cut(Period(midnight(FIRST), midnight(FIRST + 2)), None) is None
    found = cut(Period(midnight(FIRST), midnight(FIRST + 5) + DAY // 2), FIRST + 3)
    assert found == (FIRST, FIRST + 3, (Period(midnight(FIRST + 3), midnight(FIRST + 5) + DAY // 2),), FIRST + 3)
