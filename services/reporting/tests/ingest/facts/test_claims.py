"""Changes of deliveries are chained per worker, in any order of arrival."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reporting.domain.evidence.claims import Claim, resolve
from reporting.domain.evidence.lives import Life
from reporting.domain.instants import millis, moment
from reporting.domain.partition import DeliveryDurations, DeliveryLine, account
from reporting.domain.segments import Period
from reporting.ingest import gaps
from reporting.ingest.facts import claims
from reporting.storage import history
from reporting.storage.lives import Watch
from reporting.storage.upkeep import housekeeping
from vonggac.events.forwarder import DeliveryObservedV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

START = datetime(2026, 11, 24, tzinfo=UTC)


def changes_of(province: Province, worker: str, count: int) -> list[DeliveryObservedV1]:
    camera = province.camera()
    planned = camera.deliveries[0]
    states = ("connecting", "sending", "acknowledged", "backing_off")
    events: list[Any] = [
        province.change(
            planned,
            camera,
            number + 1,
            START + timedelta(seconds=number),
            states[number % 4],
            worker=worker,
            held_since=START,
        )
        for number in range(count)
    ]
    return [event.data for event in events]


def watch_of(worker: str, until: int) -> Watch:
    return Watch({worker: [Life(0, until)]}, {}, [])


async def stored(database: Database, one: DeliveryObservedV1, worker: str) -> list[Claim]:
    async with database.transaction() as session:
        found = await history.claims(
            session,
            [one.delivery_id],
            millis(START) - 1,
            millis(START) + 10**9,
            watch_of(worker, millis(START) + 10**9),
        )
    return [Claim(*row) for row in found[one.delivery_id]]


@pytest.mark.parametrize("seed", range(4))
async def test_each_change_ends_where_the_next_begins(database: Database, province: Province, seed: int) -> None:
    chance, worker = random.Random(seed), f"forwarder-{seed}"
    changes = changes_of(province, worker, 20)
    arriving = [*changes, *chance.choices(changes, k=10)]
    chance.shuffle(arriving)
    while arriving:
        batch, arriving = arriving[: (size := chance.randint(1, 6))], arriving[size:]
        async with database.transaction() as session:
            await claims.record(session, batch)
    found = await stored(database, changes[0], worker)
    assert [claim.sequence for claim in found] == list(range(1, 21))
    assert [claim.ends_at for claim in found] == [millis(one.observed_at) for one in changes[1:]] + [None]


async def test_times_come_back_to_the_millisecond(database: Database, province: Province) -> None:
    """They are read as doubles."""
    chance, worker = random.Random(7), "forwarder-7"
    camera = province.camera()
    planned = camera.deliveries[0]
    times = sorted({chance.randrange(0, 2**42) for _ in range(2000)})
    events: list[Any] = [
        province.change(planned, camera, number, moment(at), "sending", worker=worker, held_since=moment(at))
        for number, at in enumerate(times, start=1)
    ]
    async with database.transaction() as session:
        await claims.record(session, [event.data for event in events])
        found = (await history.claims(session, [planned.id], 0, 2**43, watch_of(worker, 2**43)))[planned.id]
    assert [Claim(*row).observed_at for row in found] == times
    assert {Claim(*row).held_since for row in found} == set(times)
    assert [Claim(*row).ends_at for row in found] == [*times[1:], None]


async def test_folding_failed_attempts_changes_no_figure(database: Database, province: Province) -> None:
    camera, worker = province.camera(), "forwarder-1"
    planned = camera.deliveries[0]
    said: list[tuple[str, str | None]] = [("connecting", None), ("acknowledged", None)]
    said += [("backing_off", "refused"), ("connecting", "refused")] * 10 + [("backing_off", "timeout")]
    said += [("connecting", "timeout"), ("acknowledged", None)]
    events = [
        province.change(
            planned, camera, number + 1, START + timedelta(seconds=number), state, cause=cause, worker=worker
        )
        for number, (state, cause) in enumerate(said)
    ]
    changes: list[Any] = [event.data for event in events]
    async with database.transaction() as session:
        await claims.record(session, changes)
    before = await by_cause(database, changes[0], worker)
    async with database.transaction() as session:
        gone = await housekeeping.fold_attempts(session, since=START, until=START + timedelta(hours=1))
    assert gone == 20
    assert await by_cause(database, changes[0], worker) == before
    async with database.transaction() as session:
        assert await housekeeping.fold_attempts(session, since=START, until=START + timedelta(hours=1)) == 0


async def test_folding_failed_attempts_goes_over_no_gap_in_what_their_worker_said(
    start: Start, ingest: Ingest, database: Database, province: Province
) -> None:
    camera, worker = province.camera(), "forwarder-1"
    (planned, _), end = camera.deliveries, START + timedelta(minutes=12)
    said = [(1, 0, "acknowledged"), (2, 1, "backing_off"), (3, 2, "connecting")]
    # The fact between the third and the fourth never comes.
    said += [(5, 5, "backing_off"), (6, 6, "connecting"), (7, 10, "acknowledged")]
    facts = [
        province.change(
            planned,
            camera,
            number,
            START + timedelta(minutes=minute),
            state,
            worker=worker,
            held_since=START,
            cause=None if state == "acknowledged" else "refused",
        ).model_copy(update={"publisher": worker, "publishersequence": number})
        for number, minute, state in said
    ]
    events = [*province.base(), province.stated("camera", camera), *facts, province.alive(end, worker)]
    await province.feed(ingest, *events, *province.probes(camera, START, end), province.prober_alive(end))

    async def seen() -> Any:
        async with start() as client:
            asked = {"from": START.isoformat(), "to": end.isoformat()}
            (line,) = (await client.get("/v1/compliance", params=asked)).json()["cameras"]
        return line["deliveries"][0]["seconds"]

    async with database.transaction() as session:
        await gaps.give_up(session, datetime.now(UTC) + 2 * gaps.GIVEN_UP_AFTER)
    before = await seen()
    assert (before["connected"], before["not_connected"], before["unknown"]) == (180.0, 360.0, 180.0)
    async with database.transaction() as session:
        await housekeeping.fold_attempts(session, since=START, until=end)
    assert await seen() == before


async def by_cause(database: Database, one: DeliveryObservedV1, worker: str) -> DeliveryDurations:
    period = Period(millis(START), millis(START) + 60_000)
    segments = resolve(await stored(database, one, worker), {worker: [Life(0, period.end)]})
    return account(period, [], [DeliveryLine(None, "acknowledged", True, segments)], []).deliveries[0]
