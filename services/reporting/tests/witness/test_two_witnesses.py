"""Two witnesses agree: reporting's account and an independent one, to the millisecond, over seeded chaos.

`VONGGAC_WITNESS_CASES` says over how many cameras (`make witnesses` takes 10,000), `VONGGAC_WITNESS_FIRST` from which
world on: other numbers are fresh chaos.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from services.reporting.tests.stage.province import received
from services.reporting.tests.witness.accounting import account
from services.reporting.tests.witness.chaos import LONGEST_INTERVAL, world
from services.reporting.tests.witness.storing import dated_at
from services.reporting.tests.witness.world import MINUTE, World
from sqlalchemy import insert, make_url

from reporting.domain.instants import millis, moment
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES
from reporting.domain.scope import Reason
from reporting.domain.segments import Period
from reporting.ingest import late
from reporting.ingest.gaps import GIVEN_UP_AFTER, give_up
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.storage import history, lives, plan
from reporting.storage.snapshot import snapshot
from reporting.storage.upkeep.tables import clock_step
from vonggac.bus.declared import topology
from vonggac.events import new_event
from vonggac.events.causes import Cause
from vonggac.events.prober import CameraObservedV1, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import Payload

CASES = int(os.environ.get("VONGGAC_WITNESS_CASES", "300"))
PER_WORLD = 25
PARTS = 12
FIRST_WORLD = int(os.environ.get("VONGGAC_WITNESS_FIRST", "0"))
WORLDS = range(FIRST_WORLD, FIRST_WORLD - (-CASES // PER_WORLD))
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(hours=3)
BATCH = 400


def made(number: int) -> World:
    return world(number, millis(FIRST + number * APART), PER_WORLD)


async def feed(ingest: Ingest, database: Database, one: World) -> None:
    """Everything as it arrives, in batches of one transaction."""
    register = [*one.register, *one.chance.choices(one.register, k=len(one.register) // 10)]
    one.chance.shuffle(register)
    # Two consumers: some of the register comes after what was observed of it.
    known = one.chance.choice([0, len(register) // 2, len(register)])
    most, known_events = one.chance.choice([BATCH, BATCH, 37]), dict[int, Any]()

    async def keep_register(states: Iterable[Payload]) -> None:
        for batch in batches(states, most):
            await ingest.inventory([received(event_of(fact)) for fact in batch])

    def again(fact: Payload) -> Any:
        """Half of those that come twice are the same event, which the inbox knows."""
        event = known_events.get(id(fact)) if one.chance.random() < 0.5 else None
        return event or known_events.setdefault(id(fact), event_of(fact, one))

    await note_step(database, one)
    await keep_register(register[:known])
    for number, batch in enumerate(batches(one.arriving(), most)):
        await ingest.observations([stored(again(fact), one, fact) for fact in batch])
        if number == 0:
            await keep_register(register[known:])
    await give_up_lost(database)


def stored(event: Any, one: World, fact: Payload) -> Any:
    at, sequence = one.stored.get(id(fact)), 2 * one.number + 1 + (id(fact) in one.after)
    return replace(received(event, sequence), stored_at=None if at is None else moment(at) + microseconds(fact))


async def note_step(database: Database, one: World) -> None:
    """As what stored the last fact before the clock was set back, and the first one after it, shows it."""
    if one.twice is None:
        return
    started, ended = (moment(at) for at in one.twice)
    last_before = 2 * one.number + 1
    async with database.transaction() as session:
        await session.execute(
            insert(clock_step).values(
                stream=topology.OBSERVATIONS,
                last_before=last_before,
                stored_at=ended,
                first_after=last_before + 1,
                started_at=started,
                ended_at=ended,
                noticed_at=ended,
            )
        )


async def give_up_lost(database: Database) -> None:
    """As housekeeping does, later."""
    async with database.transaction() as session:
        touched = await late.begun(session)
        _, since = await give_up(session, datetime.now(UTC) + 2 * GIVEN_UP_AFTER)
        await late.note_lives(session, touched, {"gap": since})
        await late.keep(session, touched)


def event_of(fact: Payload, one: World | None = None) -> Any:
    """As its publisher numbered it."""
    numbered = None if one is None else one.numbers.get(id(fact))
    said = with_microseconds(fact)
    if numbered is None:
        return new_event(said, source="/chaos", subject="chaos", time=FIRST)
    event = new_event(said, source="/chaos", subject="chaos", time=dated_at(said))
    return event.model_copy(update={"publisher": numbered[0], "publishersequence": numbered[1]})


def with_microseconds(fact: Payload) -> Payload:
    """As services date it. The witness counts in milliseconds."""
    return fact.model_copy(update={name: at + microseconds(fact) for name, at in fact if isinstance(at, datetime)})


def microseconds(fact: Payload) -> timedelta:
    first = next(at for _, at in fact if isinstance(at, datetime))
    return timedelta(microseconds=7919 * millis(first) % 1000)


def batches(facts: Iterable[Payload], most: int = BATCH) -> Iterable[list[Payload]]:
    batch: list[Payload] = []
    for fact in facts:
        batch.append(fact)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


async def reported(database: Database, one: World, period: Period) -> list[CameraAccount]:
    question = Question(period, millis(datetime.now(UTC)), 15_000)
    async with snapshot(database) as session:
        places = await plan.places(session, plan.Scope(unit_id=one.unit), period)
        cameras = await plan.cameras(session, places)
        return [each async for portion in accounts(session, question, cameras, list) for each in portion]


def came_up_too_late(one: World, camera_id: UUID) -> bool:
    """Whether a camera had a wrong login or a frozen picture while it was being connected, and no picture in time."""
    since = one.connecting[camera_id]
    probes = [fact for fact in one.facts if isinstance(fact, CameraObservedV1) and fact.camera_id == camera_id]
    first = [fact for fact in probes if since <= millis(fact.observed_at) <= since + 30 * MINUTE]
    found_up = any(fact.verdict is Verdict.UP for fact in probes if millis(fact.observed_at) <= since + 30 * MINUTE)
    return not found_up and any(fact.cause in {Cause.AUTH_FAILED, Cause.FROZEN} for fact in first)


@pytest.mark.timeout(60 + CASES)
async def test_both_accounts_agree_to_the_millisecond(ingest: Ingest, database: Database, reporting_url: str) -> None:
    compared, connecting, too_late = 0, 0, 0
    kinds: set[str] = set()
    with psycopg.connect(make_url(reporting_url).set(drivername="postgresql").render_as_string(False)) as connection:
        for number in WORLDS:
            one = made(number)
            await feed(ingest, database, one)
            cameras, deliveries, causes = account(connection, one)
            found = {each.camera.id: each for each in await reported(database, one, Period(*one.period))}
            nowhere = {name for name, sums in cameras.items() if sums["out_of_scope"] == sums["period"]}
            assert set(found) <= set(cameras), f"world {number}"
            assert set(cameras) - set(found) <= nowhere, f"world {number}"
            for camera_id, each in found.items():
                where = f"world {number}, camera {camera_id}"
                durations = dict(zip(DURATION_NAMES, each.account.camera.lengths, strict=True))
                assert durations == cameras[camera_id], where
                connecting += any(one.value.reason is Reason.BEING_CONNECTED for one in each.camera.out_of_scope)
                kinds.update(name for name, length in durations.items() if length)
                for planned, ledger in zip(each.camera.deliveries, each.account.deliveries, strict=True):
                    about = f"{where}, delivery {planned.id}"
                    lengths = {name: getattr(ledger, name) for name in LEDGER_NAMES}
                    switched_off = {**dict.fromkeys(LEDGER_NAMES, 0), "out_of_scope": durations["period"]}
                    assert lengths == deliveries.get(planned.id, switched_off), about
                    assert ledger.by_cause == causes.get(planned.id, {}), about
            compared += len(one.cameras)
            too_late += sum(came_up_too_late(one, camera_id) for camera_id in one.connecting)
    assert compared >= CASES
    assert kinds == set(DURATION_NAMES), "the chaos reaches every part of time"
    assert connecting > compared / 60, "so many cameras are being connected"
    assert too_late > compared / 60, "so many do not come up in time"


@pytest.mark.timeout(60 + CASES)
async def test_a_period_has_the_seconds_of_its_parts_wherever_it_is_cut(
    ingest: Ingest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where what was said long before a part is not read: here it is read as long as a probe holds."""
    monkeypatch.setattr(history, "MEMORY", 2 * LONGEST_INTERVAL)
    monkeypatch.setattr(lives, "MEMORY", 2 * LONGEST_INTERVAL)
    for number in WORLDS:
        one = made(number)
        await feed(ingest, database, one)
        start, end = one.period
        cuts = [start, *sorted(one.chance.sample(range(start + 1, end), PARTS - 1)), end]
        parts: dict[Any, list[int]] = {}
        for part in map(Period, cuts, cuts[1:]):
            for each in await reported(database, one, part):
                before = parts.get(each.camera.id, [0] * len(DURATION_NAMES))
                parts[each.camera.id] = [*map(sum, zip(before, each.account.camera.lengths, strict=True))]
        for each in await reported(database, one, Period(start, end)):
            # A part in which the camera was not in scope at all does not name it, and that may be every part.
            lengths = parts.get(each.camera.id, [0] * len(DURATION_NAMES))
            left_out = each.account.camera.period - lengths[0]
            whole = dict(zip(DURATION_NAMES, each.account.camera.lengths, strict=True))
            summed = dict(zip(DURATION_NAMES, lengths, strict=True))
            summed["period"] += left_out
            summed["out_of_scope"] += left_out
            assert summed == whole, f"world {number}, camera {each.camera.id}"


def test_the_same_seed_makes_the_same_chaos() -> None:
    assert made(3).facts == made(3).facts
    assert made(3).facts != made(4).facts
    assert moment(made(3).start) == FIRST + 3 * APART
