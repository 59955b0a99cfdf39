"""What is stored of cameras is what the domain says, in any order and any batches."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from reporting.domain.evidence.lives import Life
from reporting.domain.instants import millis, moment
from reporting.domain.timeline import BY_FORWARDER, WINDOW, CameraState, Observation, Run, runs
from reporting.ingest.facts import runs as camera_runs
from reporting.ingest.facts.tail import STATE_CODES, pack_all, unpack_all
from reporting.storage import history
from reporting.storage.availability.cause_codes import CAUSE_CODES
from reporting.storage.lives import Watch
from reporting.storage.tables import camera_state
from vonggac.events import Cause

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

START = millis(datetime(2026, 11, 24, tzinfo=UTC))


ALWAYS = Watch({}, {}, [Life(0, 2**43)])


def observations(count: int, chance: random.Random) -> list[Observation]:
    """A camera that fails now and then, with gaps in between."""
    at, result = START, []
    for _ in range(count):
        at += chance.choice([20_000, 30_000, 31_000, 200_000])
        down = chance.random() < 0.3
        state, cause = (CameraState.DOWN, chance.choice(["timeout", "refused"])) if down else (CameraState.UP, None)
        result.append(Observation(at, 30_000, state, cause))
    return result


async def stored(database: Database, camera: UUID) -> list[Run]:
    async with database.transaction() as session:
        lines = await history.camera_lines(session, [camera], START - 1, START + 10**9, ALWAYS)
    return [Run(one.start, one.end, one.value.state, one.value.cause, 0) for one in lines.get(camera, [])]


def bare(found: list[Run]) -> list[Run]:
    """As they are read: those of one state and cause that touch are one."""
    result: list[Run] = []
    for run in found:
        before = result[-1] if result else None
        if before and before.ends_at == run.started_at and before.state == run.state and before.cause == run.cause:
            result[-1] = before._replace(ends_at=run.ends_at)
        else:
            result.append(run._replace(last_observed_at=0))
    return result


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_batches_give_the_runs_of_the_definition(database: Database, seed: int) -> None:
    chance, camera = random.Random(seed), uuid4()
    seen = observations(WINDOW, chance)
    arriving = [*seen, *chance.choices(seen, k=20)]
    chance.shuffle(arriving)
    while arriving:
        batch, arriving = arriving[: (size := chance.randint(1, 9))], arriving[size:]
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: batch})
    assert await stored(database, camera) == bare(runs(seen))


async def test_a_long_time_of_ordered_probes_is_few_rows(database: Database) -> None:
    camera = uuid4()
    steady = [Observation(START + number * 30_000, 30_000, CameraState.UP, None) for number in range(3 * WINDOW)]
    for one in steady:
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: [one]})
    assert await stored(database, camera) == bare(runs(steady))
    late = Observation(START + 3 * WINDOW * 30_000 - 45_000, 30_000, CameraState.DOWN, "timeout")
    async with database.transaction() as session:
        counts = await camera_runs.record(session, camera_runs.CAMERAS, {camera: [late]})
    assert counts.by_outcome == {"placed": 1, "late": 1, "repeated": 0, "beyond": 0}
    assert await stored(database, camera) == bare(runs(sorted([*steady, late], key=lambda one: one.at)))


async def test_many_changes_beyond_the_window_stay_stored(database: Database) -> None:
    camera, seen = uuid4(), observations(4 * WINDOW, random.Random(1742))
    for start in range(0, len(seen), 10):
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: seen[start : start + 10]})
    assert await stored(database, camera) == bare(runs(seen))


async def test_an_observation_older_than_the_window_ends_the_claim_of_the_one_before_it(database: Database) -> None:
    camera = uuid4()
    first = Observation(START, 30_000, CameraState.UP, None)
    later = [Observation(START + 600_000 + n * 30_000, 30_000, CameraState.UP, None) for n in range(2 * WINDOW)]
    async with database.transaction() as session:
        await camera_runs.record(session, camera_runs.CAMERAS, {camera: [first, *later]})
    beyond = [
        Observation(START + 10_000, 30_000, CameraState.DOWN, "timeout"),
        Observation(START + 570_000, 30_000, CameraState.DOWN, "refused"),
    ]
    async with database.transaction() as session:
        counts = await camera_runs.record(session, camera_runs.CAMERAS, {camera: beyond})
    assert counts.beyond_window == 2
    found = await stored(database, camera)
    assert [(run.started_at - START, run.ends_at - START, run.state.value) for run in found[:4]] == [
        (0, 10_000, "up"),
        (10_000, 70_000, "down"),
        (570_000, 600_000, "down"),
        (600_000, 600_000 + (2 * WINDOW + 1) * 30_000, "up"),
    ]


async def test_an_observation_older_than_the_window_changes_nothing_that_was_seen_again_since(
    database: Database,
) -> None:
    camera = uuid4()
    seen = [Observation(START + n * 30_000, 30_000, CameraState.UP, None) for n in range(3 * WINDOW)]
    late = Observation(START + 40_000, 30_000, CameraState.DOWN, "timeout")
    for batch in ([*seen[:2], *seen[4:]], [late]):
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: batch})
    found = await stored(database, camera)
    assert [(run.started_at - START, run.ends_at - START, run.state.value) for run in found[:3]] == [
        (0, 40_000, "up"),
        (40_000, 100_000, "down"),
        (120_000, (3 * WINDOW + 1) * 30_000, "up"),
    ]
    for seen_since in (Observation(START + 20_000, 30_000, CameraState.DOWN, "timeout"), late):
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: [seen_since]})
        assert await stored(database, camera) == found


async def test_observations_older_than_the_window_that_come_together_follow_one_another(database: Database) -> None:
    camera = uuid4()
    first = Observation(START, 30_000, CameraState.UP, None)
    later = [Observation(START + 900_000 + n * 30_000, 30_000, CameraState.UP, None) for n in range(2 * WINDOW)]
    beyond = [Observation(START + 300_000 + n * 30_000, 30_000, CameraState.UP, None) for n in range(5)]
    beyond[2] = beyond[2]._replace(state=CameraState.DOWN, cause="timeout")
    for batch in ([first, *later], beyond):
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: batch})
    found = [run for run in await stored(database, camera) if START < run.started_at < START + 900_000]
    down = [run for run in found if run.state is CameraState.DOWN]
    assert [(run.started_at - START, run.ends_at - START) for run in down] == [(360_000, 390_000)]
    assert sum(run.ends_at - run.started_at for run in found) == 4 * 30_000 + 60_000


async def test_replicas_that_take_the_same_cameras_at_once_lose_nothing(database: Database) -> None:
    cameras = {uuid4(): observations(WINDOW, random.Random(number)) for number in range(5)}

    async def replica(share: int) -> None:
        for start in range(share * 4, WINDOW, 8):
            batch = {camera: seen[start : start + 4] for camera, seen in cameras.items()}
            async with database.transaction() as session:
                await camera_runs.record(session, camera_runs.CAMERAS, batch)

    await asyncio.gather(replica(0), replica(1))
    for camera, seen in cameras.items():
        assert await stored(database, camera) == bare(runs(seen))


@pytest.mark.parametrize("late_s", [15, 45, 75, 105, 135])
@pytest.mark.parametrize("causes", [["refused", "timeout", "timeout", None], ["refused", "timeout", "timeout"]])
async def test_runs_that_another_release_stored_otherwise_are_no_conflict(
    database: Database, late_s: int, causes: list[str | None]
) -> None:
    """A release that read two causes as one had stored two runs of what is one by the tail."""
    camera = uuid4()
    seen = [
        Observation(START + n * 30_000, 30_000, CameraState.DOWN if cause else CameraState.UP, cause)
        for n, cause in enumerate(causes)
    ]
    read = [one._replace(cause=one.cause and "timeout") for one in seen]
    async with database.transaction() as session:
        await camera_runs.record(session, camera_runs.CAMERAS, {camera: seen})
        of_it = update(camera_state).where(camera_state.c.camera_id == camera)
        await session.execute(of_it.values(tail=pack_all(read)))
    late = Observation(START + late_s * 1000, 30_000, CameraState.DOWN, "timeout")
    last = Observation(START + 200_000, 30_000, CameraState.UP, None)
    for one in (late, last):
        async with database.transaction() as session:
            await camera_runs.record(session, camera_runs.CAMERAS, {camera: [one]})
    found = runs(sorted([*read, late, last], key=lambda one: one.at))
    assert states(await stored(database, camera)) == states(found)


def states(found: list[Run]) -> list[Run]:
    """Whatever the causes."""
    return bare([run._replace(cause=None) for run in found])


async def test_the_same_event_twice_is_handled_once(ingest: Ingest, database: Database, province: Province) -> None:
    camera = province.camera()
    at = datetime.now(UTC) - timedelta(minutes=5)
    event = province.probe(camera, at, "down", cause="timeout")
    await province.feed(ingest, event)
    await province.feed(ingest, event, province.probe(camera, at + timedelta(seconds=30)))
    await province.feed(ingest, event)
    assert [run.state.value for run in await stored_since(database, camera.id, at)] == ["down", "up"]


async def stored_since(database: Database, camera: UUID, at: datetime) -> list[Run]:
    async with database.transaction() as session:
        lines = await history.camera_lines(session, [camera], millis(at), millis(at) + 10**8, ALWAYS)
    return [Run(one.start, one.end, one.value.state, one.value.cause, 0) for one in lines[camera]]


def test_every_cause_has_a_number_of_its_own() -> None:
    assert set(CAUSE_CODES) == {*Cause, BY_FORWARDER}
    assert len(set(CAUSE_CODES.values())) == len(CAUSE_CODES)
    assert 0 not in CAUSE_CODES.values()


def test_a_tail_survives_packing() -> None:
    seen = tuple(
        Observation(START + number, 30_000 + number, state, cause, START - number)
        for number, (state, cause) in enumerate(
            (state, cause) for state in STATE_CODES for cause in (None, *CAUSE_CODES)
        )
    )
    assert unpack_all(pack_all(seen)) == seen
    assert moment(seen[0].at) == datetime(2026, 11, 24, tzinfo=UTC)
