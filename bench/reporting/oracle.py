"""How far the ledger is from the second witness: seeded worlds of chaos, each around a local midnight."""

from typing import Any

import psycopg
from pydantic import SecretStr
from services.reporting.tests.witness.accounting import account
from services.reporting.tests.witness.midnights import CAMERAS, PERIODS, Asked, end_of, made, period_of
from services.reporting.tests.witness.test_two_witnesses import feed
from sqlalchemy import make_url

from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.ingest.handlers import Ingest
from reporting.reports.accounts import Question
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.settings import Settings
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.database import Database


async def compare(url: str, worlds: int) -> dict[str, float]:
    """Cameras and deliveries compared, and the sum of all differences in milliseconds."""
    database, cases, difference = Database(url), 0, 0
    ingest = Ingest(database, Settings(database_url=SecretStr(url)))
    now = end_of(worlds)
    try:
        for number in range(worlds):
            await feed(ingest, database, made(number)[0])
        await Bookkeeper(database, 0, 15_000).keep(now)
        with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(False)) as connection:
            for number in range(worlds):
                one, day = made(number)
                for which in PERIODS:
                    period = period_of(day, which)
                    asked: Any = Asked(
                        one.unit,
                        one.register,
                        one.facts,
                        one.numbers,
                        one.stored,
                        one.windows,
                        one.twice,
                        one.after,
                        period,
                    )
                    cameras, deliveries, _ = account(connection, asked)
                    async with snapshot(database) as session:
                        places = await plan.places(session, plan.Scope(unit_id=one.unit), period)
                        found = await plan.cameras(session, places)
                        question = Question(period, now, 15_000)
                        async for portion in ledgered_accounts(session, question, found, list):
                            for each in portion:
                                cases += 1 + len(each.camera.deliveries)
                                difference += _camera(each, cameras) + _deliveries(each, deliveries)
    finally:
        await database.close()
    assert cases >= worlds * CAMERAS
    return {"oracle_cases": cases, "oracle_diff_ms": difference}


def _camera(each: Any, witnessed: dict[str, dict[str, int]]) -> int:
    lengths = dict(zip(DURATION_NAMES, each.account.camera.lengths, strict=True))
    return sum(abs(length - witnessed[each.camera.id][name]) for name, length in lengths.items())


def _deliveries(each: Any, witnessed: dict[str, dict[str, int]]) -> int:
    total, length = 0, each.account.camera.period
    for planned, parts in zip(each.camera.deliveries, each.account.deliveries, strict=True):
        known = witnessed.get(planned.id, {**dict.fromkeys(LEDGER_NAMES, 0), "out_of_scope": length})
        total += sum(abs(getattr(parts, name) - known[name]) for name in LEDGER_NAMES)
    return total
