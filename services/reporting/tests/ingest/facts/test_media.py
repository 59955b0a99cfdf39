"""Reports of media are chained per camera and worker, in any order of arrival, at a cost that does not grow."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from reporting.ingest.facts import media
from vonggac.events.forwarder import CameraMediaObservedV1

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.stage.province import Province

    from vonggac.database import Database

START = datetime(2026, 11, 24, tzinfo=UTC)
WORKER = "forwarder-000000000001"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def reports_of(province: Province, count: int, seed: int) -> list[CameraMediaObservedV1]:
    """A camera that comes, stands still and goes, in reports of which some have nothing new."""
    camera, chance = province.camera(), random.Random(seed)
    since = stopped = 0.0
    state = "flowing"
    events: list[Any] = []
    for number in range(count):
        if chance.random() < 0.6:
            state = "stopped" if state == "flowing" else "flowing"
            since, stopped = (number - 0.3, stopped) if state == "flowing" else (since, number - 0.4)
        still = number - 0.8 if state == "flowing" and chance.random() < 0.3 else None
        given: dict[str, Any] = {"media_since": at(since)} if state == "flowing" else {"media_stopped_at": at(stopped)}
        if still is not None:
            given["still_since"] = at(still)
            if chance.random() < 0.5:
                given["still_until"] = at(still + 0.5)
        events.append(province.media(camera, number + 1, at(number), state, held_since=START, **given))
    return [event.data for event in events]


async def chain(database: Database, camera: Any) -> list[Any]:
    async with database.transaction() as session:
        found = await session.execute(
            text(
                "select sequence, begins_at, ends_at, still_ends_at from camera_media "
                "where camera_id = :camera order by sequence"
            ),
            {"camera": camera},
        )
        return [tuple(row) for row in found]


async def record_all(database: Database, batches: Sequence[Sequence[CameraMediaObservedV1]]) -> None:
    for batch in batches:
        async with database.transaction() as session:
            await media.record(session, batch)


@pytest.mark.parametrize("seed", range(5))
async def test_reports_in_any_order_make_the_chain_of_all_at_once(
    database: Database, province: Province, seed: int
) -> None:
    reports = reports_of(province, 60, seed)
    await record_all(database, [reports])
    whole = await chain(database, reports[0].camera_id)
    async with database.transaction() as session:
        await session.execute(text("delete from camera_media"))
    chance = random.Random(seed)
    chance.shuffle(reports)
    batches = []
    while reports:
        size = chance.randrange(1, 5)
        batches.append([*reports[:size], *chance.sample(reports, 1)])
        reports = reports[size:]
    await record_all(database, batches)
    assert await chain(database, batches[0][0].camera_id) == whole


async def test_a_camera_that_came_and_went_a_thousand_times_costs_a_report_no_more(
    database: Database, province: Province
) -> None:
    reports = reports_of(province, 3_000, seed=1)
    late = reports.pop(1_500)
    newest = reports.pop()
    await record_all(database, [reports])
    async with database.transaction() as session:
        # Others have more, as in a province.
        await session.execute(
            text(
                "insert into camera_media (camera_id, worker_id, sequence, held_since, observed_at, state, dated_at) "
                "select gen_random_uuid(), 'another', sequence, held_since, observed_at, state, dated_at "
                "from camera_media cross join generate_series(1, 10)"
            )
        )
        await session.execute(text("analyze camera_media"))
    read = text("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'camera_media'")
    for one in (late, newest):
        async with database.transaction() as session:
            # What this connection has read before may not have been handed on yet.
            before = (await session.execute(read)).scalar_one()
            await media.record(session, [one])
            assert (await session.execute(read)).scalar_one() - before < 100
