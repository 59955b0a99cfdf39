"""A series of days is what each of its days is, to the millisecond, whoever moved, came or went meanwhile."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from services.reporting.tests.reports.availability.test_moves import FIRST, LAST, NOW, fed
from services.reporting.tests.witness.midnights import APART, end_of, made
from services.reporting.tests.witness.midnights import FIRST as FIRST_DAY
from services.reporting.tests.witness.test_two_witnesses import feed

from reporting.domain.instants import VIETNAM, millis
from reporting.domain.ledger import midnight
from reporting.domain.segments import Period, Step, series
from reporting.reports.accounts import Question
from reporting.reports.availability import series as summed
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.reports.availability.series import series_totals
from reporting.storage import plan
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.reports.totals import Group, Totals
    from vonggac.database import Database

WORLDS = 3
GROUPINGS = ("by_unit", "by_agency", "by_type", "by_facility")


def figures(totals: Totals) -> dict[str, Any]:
    def of(group: Group) -> dict[str, Any]:
        return asdict(group)

    return {"total": of(totals.total)} | {name: [of(one) for one in getattr(totals, name)] for name in GROUPINGS}


async def agree(database: Database, questions: Sequence[Question], scope: plan.Scope, monkeypatch: Any) -> int:
    """How many days were not read one by one."""
    alone: list[Question] = []

    async def one_by_one(session: Any, question: Question, asked: plan.Scope) -> Totals:
        alone.append(question)
        return await totals_of(session, question, asked)

    monkeypatch.setattr(summed, "totals_of", one_by_one)
    async with snapshot(database) as session:
        found = [(one, figures(totals)) async for one, totals in series_totals(session, questions, scope)]
        assert [one for one, _ in found] == list(questions)
        for one, its in found:
            assert its == figures(await totals_of(session, one, scope)), one.period
    return len(questions) - len(alone)


def by_day(period: Period, now: int, zone: Any = VIETNAM) -> list[Question]:
    return [Question(one, now, 15_000) for one in series(period, Step.DAY, zone)]


@pytest.mark.parametrize("to_and_fro", [False, True])
async def test_a_series_is_its_days_when_cameras_and_units_move(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch, to_and_fro: bool
) -> None:
    successor, second = uuid4(), uuid4()
    await fed(ingest, province, successor, second, to_and_fro=to_and_fro)
    await Bookkeeper(database, 0, 15_000).keep(millis(LAST))
    span = Period(millis(FIRST - timedelta(days=2)), millis(NOW))
    questions = by_day(span, millis(NOW))
    scopes = [plan.Scope(), plan.Scope(unit_id=successor), plan.Scope(unit_id=province.unit)]
    for scope in (*scopes, plan.Scope(facility_id=second)):
        assert await agree(database, questions, scope, monkeypatch) == len(questions) - 1, "one day is open"
    part = Period(span.start + 3_600_000, span.end)
    assert await agree(database, by_day(part, millis(NOW)), plan.Scope(), monkeypatch) > 0
    elsewhere = by_day(span, millis(NOW), ZoneInfo("Europe/Berlin"))
    assert await agree(database, elsewhere, plan.Scope(), monkeypatch) == 0


@pytest.mark.timeout(120)
async def test_a_series_is_its_days_over_chaos(
    ingest: Ingest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [made(number) for number in range(WORLDS)]
    for one, _ in worlds:
        await feed(ingest, database, one)
    now = end_of(WORLDS)
    await Bookkeeper(database, 0, 15_000).keep(now)
    questions = by_day(Period(midnight(FIRST_DAY - 2), midnight(FIRST_DAY + APART * WORLDS)), now)
    for scope in (plan.Scope(), *(plan.Scope(unit_id=one.unit) for one, _ in worlds)):
        assert await agree(database, questions, scope, monkeypatch) > len(questions) - 3


async def test_where_too_much_changed_the_days_are_read_one_by_one(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fed(ingest, province, uuid4(), uuid4())
    await Bookkeeper(database, 0, 15_000).keep(millis(LAST))
    monkeypatch.setattr(summed, "MOST_APART", 0)
    questions = by_day(Period(millis(FIRST), millis(LAST)), millis(NOW))
    assert await agree(database, questions, plan.Scope(), monkeypatch) == 0
