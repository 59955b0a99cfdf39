"""Heartbeats become intervals per worker, in any order of arrival."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reporting.domain.evidence.lives import Life
from reporting.domain.instants import millis
from reporting.ingest.facts import lives as ingest_lives
from reporting.storage import lives
from vonggac.events.forwarder import ForwarderAliveV1
from vonggac.events.prober import ProberAliveV1

if TYPE_CHECKING:
    from vonggac.database import Database

START = datetime(2026, 11, 24, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ms(seconds: float) -> int:
    return millis(at(seconds))


def beat(alive_s: float, since_s: float | None, worker: str = "forwarder-1") -> ForwarderAliveV1:
    since = None if since_s is None else at(since_s)
    return ForwarderAliveV1(worker_id=worker, started_at=START, alive_at=at(alive_s), cameras_held=1, awake_since=since)


async def stored(database: Database, worker: str = "forwarder-1") -> list[Life]:
    async with database.transaction() as session:
        watch = await lives.watch(session, ms(0), ms(10_000), 0)
    return watch.forwarders.get(worker, [])


@pytest.mark.parametrize("seed", range(3))
async def test_a_hole_is_a_hole_whatever_the_order(database: Database, seed: int) -> None:
    beats = [beat(5 * number, 0) for number in range(1, 9)]
    beats += [beat(200 + 5 * number, 200) for number in range(5)]
    chance = random.Random(seed)
    arriving = [*beats, *chance.choices(beats, k=10)]
    chance.shuffle(arriving)
    while arriving:
        batch, arriving = arriving[: (size := chance.randint(1, 5))], arriving[size:]
        async with database.transaction() as session:
            await ingest_lives.record(session, ingest_lives.signs_of_life(batch, 15_000))
    assert await stored(database) == [Life(ms(0), ms(40)), Life(ms(200), ms(220))]


async def test_heartbeats_that_do_not_say_since_when_leave_a_hole_when_they_cease(database: Database) -> None:
    for alive_s in (0, 10, 20, 150, 160):
        async with database.transaction() as session:
            await ingest_lives.record(session, ingest_lives.signs_of_life([beat(alive_s, None)], 15_000))
    assert await stored(database) == [Life(ms(-15), ms(20)), Life(ms(135), ms(160))]


async def test_the_probers_together_watch_over_the_end_of_one_of_them(database: Database) -> None:
    """Also when the period begins after that end."""
    facts = [
        ProberAliveV1(worker_id="p1", started_at=START, alive_at=at(600), probes_running=0, awake_since=START),
        ProberAliveV1(worker_id="p2", started_at=START, alive_at=at(900), probes_running=0, awake_since=at(550)),
    ]
    for fact in reversed(facts):
        async with database.transaction() as session:
            await ingest_lives.record(session, ingest_lives.signs_of_life([fact], 15_000))
    async with database.transaction() as session:
        watch = await lives.watch(session, ms(800), ms(10_000), 0)
    assert watch.probing == [Life(ms(0), ms(900))]


async def test_a_prober_that_lives_keeps_the_schedule_of_one_that_died(database: Database) -> None:
    facts = [
        ProberAliveV1(worker_id="p1", started_at=START, alive_at=at(60), probes_running=0, awake_since=START),
        ProberAliveV1(worker_id="p2", started_at=START, alive_at=at(90), probes_running=0, awake_since=at(50)),
    ]
    async with database.transaction() as session:
        await ingest_lives.record(session, ingest_lives.signs_of_life(facts, 15_000))
        watch = await lives.watch(session, ms(0), ms(10_000), 0)
    assert watch.probing == [Life(ms(0), ms(90))]
