"""A fact that was numbered and never came is unknown time; one that comes late is none."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from services.reporting.tests.stage.province import received
from sqlalchemy import select, text

from reporting.domain.evidence.lives import Life, without_gaps
from reporting.domain.instants import millis
from reporting.ingest.gaps import GIVEN_UP_AFTER, Gap, Known, Numbered, give_up, new_gaps, record, without
from reporting.storage.tables import publisher_gap
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.conftest import Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.bus import Bus, Received
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

T0 = datetime(2026, 11, 24, 8, tzinfo=UTC)
WORKER = "forwarder-000000000001"


def at(sequence: int) -> datetime:
    return T0 + timedelta(seconds=sequence)


def numbered(*sequences: int) -> list[Numbered]:
    return [Numbered(sequence, at(sequence), at(sequence)) for sequence in sequences]


def gap(first: int, last: int, before: int, after: int, since: int | None = None) -> Gap:
    return Gap(first, last, at(before), at(after), at(after if since is None else since))


def test_a_gap_lies_between_the_facts_around_it() -> None:
    found, known = new_gaps(None, numbered(3, 4, 8, 6))
    assert found == [gap(5, 5, 4, 6), gap(7, 7, 6, 8)]
    assert known == Known(*numbered(3, 8))
    assert new_gaps(known, numbered(2, 8)) == ([], Known(*numbered(2, 8)))
    assert new_gaps(known, numbered(11))[0] == [gap(9, 10, 8, 11)]


def test_a_fact_that_is_older_than_the_oldest_known_reveals_what_is_missing_between() -> None:
    probe, newest = Numbered(7, at(7), at(5)), Numbered(9, at(9), at(9))
    found, known = new_gaps(Known(probe, newest), numbered(1, 4, 8, 11))
    assert sorted(found) == [gap(2, 3, 1, 4), gap(5, 6, 4, 7, 5), gap(10, 10, 9, 11)]
    assert known == Known(*numbered(1, 11))
    # Of a publisher whose oldest fact was not kept, nobody knows what came before.
    assert new_gaps(Known(None, newest), numbered(1, 10)) == ([], Known(None, *numbered(10)))


def test_a_fact_that_took_long_came_after_the_gap_all_the_same() -> None:
    assert gap(5, 5, 4, 16, 6).span == (at(4), at(6))
    assert gap(5, 5, 4, 16, 2).span == (at(4), at(4))
    # By a clock that was set back.
    assert gap(5, 5, 4, 1, 0).span == (at(1), at(4))


def test_what_comes_late_closes_its_part_of_the_gap() -> None:
    whole = gap(5, 9, 4, 10)
    assert without(whole, numbered(7)) == [gap(5, 6, 4, 7), gap(8, 9, 7, 10)]
    assert without(whole, numbered(5, 6, 9, 20, 1)) == [gap(7, 8, 6, 9)]
    assert without(whole, numbered(*range(1, 20))) == []
    assert without(whole, numbered(1)) == [whole]


@given(
    st.dictionaries(st.integers(2, 30), st.tuples(st.integers(-5, 40), st.integers(0, 9)), min_size=1),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_gaps_are_the_same_in_whatever_order_facts_come(
    came: dict[int, tuple[int, int]], size: int, chance: random.Random
) -> None:
    """Also where a clock went back meanwhile, and of probes that took their time."""
    facts = [Numbered(number, at(said), at(said - lasted)) for number, (said, lasted) in came.items()]
    known, missing = None, list[Gap]()
    whole, _ = new_gaps(None, facts)
    chance.shuffle(facts)
    for start in range(0, len(facts), size):
        batch = facts[start : start + size]
        found, known = new_gaps(known, batch)
        missing = [left for gap in missing for left in without(gap, batch)] + found
    assert sorted(missing) == whole
    assert sorted(one.span for one in missing) == sorted(one.span for one in whole)


@given(st.lists(st.sets(st.integers(1, 30), min_size=1), min_size=1, max_size=6))
def test_after_all_batches_exactly_what_never_came_is_missing(batches: Sequence[set[int]]) -> None:
    known, missing = None, list[Gap]()
    for batch in batches:
        found, known = new_gaps(known, numbered(*batch))
        missing = [left for gap in missing for left in without(gap, numbered(*batch))] + found
    came = set().union(*batches)
    assert {each for gap in missing for each in range(gap.first, gap.last + 1)} == {
        each for each in range(min(came), max(came) + 1) if each not in came
    }


def test_a_gap_ends_a_life_and_another_begins_after_it() -> None:
    lives = [Life(0, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(40, 60)]) == [Life(0, 40), Life(60, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(50, 50)]) == [Life(0, 50), Life(51, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(90, 250)]) == [Life(0, 90), Life(250, 300)]


def published(event: CloudEvent[Payload], sequence: int, publisher: str = WORKER) -> CloudEvent[Payload]:
    return event.model_copy(update={"publisher": publisher, "publishersequence": sequence})


@pytest.mark.server
async def test_lost_facts_of_a_forwarder_are_unknown_counted_and_shown(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    camera = province.camera()
    half, end = T0 + timedelta(minutes=30), T0 + timedelta(hours=1)
    facts = [province.change(planned, camera, 1, T0, "acknowledged") for planned in camera.deliveries]
    facts += [province.alive(T0 + timedelta(minutes=minute)) for minute in range(10)]
    # Two facts are lost between the 10th and the 30th minute; what they said, nobody knows.
    later = [province.alive(half + timedelta(minutes=minute)) for minute in range(31)]
    facts_published = [published(event, number) for number, event in enumerate(facts, 1)]
    facts_published += [published(event, number) for number, event in enumerate(later, len(facts) + 3)]
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, *province.probes(camera, T0, end), *province.watched(T0), province.prober_alive(end))
    await province.feed(ingest, *reversed(facts_published))
    assert (await seconds(start, end))["connected"] == [3600.0, 3600.0]
    async with database.transaction() as session:
        assert (await give_up(session, datetime.now(UTC)))[0] == 0
        assert (await give_up(session, datetime.now(UTC) + 2 * GIVEN_UP_AFTER))[0] == 2
        assert (await give_up(session, datetime.now(UTC) + 3 * GIVEN_UP_AFTER))[0] == 0
    seen = await seconds(start, end)
    assert seen["connected"] == [540.0, 540.0]
    [shown] = seen["lost"]
    assert (shown["publisher"], shown["first"], shown["last"]) == (WORKER, len(facts) + 1, len(facts) + 2)
    # The facts come after all, as with a replayed dead letter: nothing is missing any more.
    late = [province.alive(T0 + timedelta(minutes=10 + number)) for number in range(2)]
    await province.feed(ingest, *(published(event, len(facts) + 1 + number) for number, event in enumerate(late)))
    assert await seconds(start, end) == {"connected": [3600.0, 3600.0], "lost": []}


@pytest.mark.server
async def test_what_is_left_of_a_lost_gap_is_written_anew_from_its_own_beginning(
    database: Database, province: Province
) -> None:
    async def said(*facts: tuple[int, int]) -> int | None:
        batch = [received(published(province.alive(at(second)), sequence)) for sequence, second in facts]
        async with database.transaction() as session:
            return await record(session, batch, at(30))

    assert await said((1, 10), (5, 20)) is None
    await lose(database)
    # The third one was said by a clock that was five seconds behind: the second is missing since then.
    assert await said((3, 5)) == millis(at(5))
    assert await said((2, 12)) == millis(at(5))
    assert await said((4, 15)) == millis(at(5))


@pytest.mark.server
@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 2), (5, 6)), ((5, 6), (1, 2)), ((3, 6), (1, 5))],
    ids=["the-earlier", "the-later", "both-amid-the-other"],
)
async def test_two_replicas_that_first_meet_a_publisher_miss_what_neither_of_them_has(
    database: Database, province: Province, first: tuple[int, int], second: tuple[int, int]
) -> None:
    """`first` commits first, and the other transaction has begun by then."""

    def batch(sequences: tuple[int, int]) -> list[Received]:
        return [received(published(province.alive(at(one)), one)) for one in sequences]

    async def other_replica() -> None:
        async with database.transaction() as session:
            await record(session, batch(second), at(30))

    async def waits() -> bool:
        async with database.transaction() as session:
            return bool(await session.scalar(text("select count(*) from pg_locks where not granted")))

    async with database.transaction() as session:
        await record(session, batch(first), at(30))
        other = asyncio.create_task(other_replica())
        await eventually(waits)
    await other
    async with database.transaction() as session:
        rows = await session.execute(select(publisher_gap.c.first, publisher_gap.c.last))
        missing = {each for row in rows for each in range(row.first, row.last + 1)}
    came = {*first, *second}
    assert missing == {each for each in range(1, max(came)) if each not in came}


@pytest.mark.server
async def test_of_a_forwarder_whose_whole_life_is_within_a_loss_nothing_counts(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    camera = province.camera()
    facts = [province.alive(T0, awake_since=T0)]
    facts += [province.change(planned, camera, 1, at(6), "acknowledged") for planned in camera.deliveries]
    # It died soon: of its signs of life only the first one was stored.
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, *(published(event, n) for event, n in zip(facts, (1, 3, 4), strict=True)))
    await lose(database)
    assert (await seconds(start, at(60)))["connected"] == [0.0, 0.0]


PROBER, OTHER = "prober-000000000001", "prober-000000000002"


async def lose(database: Database) -> None:
    async with database.transaction() as session:
        await give_up(session, datetime.now(UTC) + 2 * GIVEN_UP_AFTER)


async def parts(start: Start, end: datetime, code: str = "CAM-01") -> dict[str, float]:
    async with start() as client:
        period = {"from": T0.isoformat(), "to": end.isoformat()}
        lines = (await client.get("/v1/compliance", params=period)).json()["cameras"]
    (line,) = (one for one in lines if one["code"] == code)
    return {name: line["seconds"][name] for name in ("up", "down", "unknown")}


@pytest.mark.server
@pytest.mark.parametrize("backwards", [False, True])
async def test_a_lost_probe_makes_the_time_until_the_next_one_unknown(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus, *, backwards: bool
) -> None:
    camera, end = province.camera(), at(180)
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    # The second one found the camera down; what it said, nobody knows.
    probes = [published(province.probe(camera, at(60 * n), every_s=60), n + 1, PROBER) for n in range(4) if n != 1]
    for probe in reversed(probes) if backwards else probes:
        await province.feed(ingest, probe)
    assert await parts(start, end) == {"up": 180.0, "down": 0.0, "unknown": 0.0}
    await lose(database)
    assert await parts(start, end) == {"up": 60.0, "down": 0.0, "unknown": 120.0}
    # It comes after all.
    down = province.probe(camera, at(60), "down", cause="timeout", every_s=60)
    await province.feed(ingest, published(down, 2, PROBER))
    assert await parts(start, end) == {"up": 120.0, "down": 60.0, "unknown": 0.0}


@pytest.mark.server
@pytest.mark.parametrize("verdict", ["up", "down"])
async def test_a_lost_probe_on_demand_that_found_something_else_makes_the_time_until_the_next_one_unknown(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus, verdict: str
) -> None:
    """What it found shows in the next one: with that its verdict begins. One that found the same is not missed."""
    cameras, end = [province.camera(code) for code in ("CAM-01", "CAM-02")], at(180)
    await province.feed(ingest, *province.base(), *(province.stated("camera", camera) for camera in cameras))
    said: dict[str, Any] = {"cause": None if verdict == "up" else "timeout", "duration_ms": 2000, "every_s": 60}
    found = [
        province.probe(camera, at(second), verdict, **said, since=at(since))
        for second, first, other in ((2, 2, 2), (62, 62, 2), (122, 62, 2))
        for camera, since in zip(cameras, (first, other), strict=True)
    ]
    facts = [*found[:2], province.prober_alive(at(20), PROBER), *found[2:], province.prober_alive(end, PROBER)]
    # Both were probed on demand between 20 s and 62 s; only of the first one that found something else.
    numbers = [n if n < 4 else n + 2 for n in range(1, len(facts) + 1)]
    await province.feed(ingest, *(published(event, n, PROBER) for event, n in zip(facts, numbers, strict=True)))
    await lose(database)
    known = await parts(start, end)
    begins = 62 if verdict == "up" else 60
    assert known["unknown"] - (2 if verdict == "up" else 0) == begins - 20
    assert known[verdict] == 180 - known["unknown"]
    assert (await parts(start, end, "CAM-02"))[verdict] == (178 if verdict == "up" else 180)


@pytest.mark.server
async def test_a_loss_concerns_no_camera_that_was_probed_on_time_meanwhile(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    cameras = [province.camera(code) for code in ("CAM-01", "CAM-02", "CAM-03")]
    end = at(600)
    await province.feed(ingest, *province.base(), *(province.stated("camera", camera) for camera in cameras))
    # One prober loses four facts between 290 s and 310 s; one of them was of the first camera. The last camera's time
    # ends before.
    said = [province.probe(cameras[0], at(t), every_s=60) for t in range(0, 600, 60) if t != 300]
    said += [province.probe(cameras[1], at(t), every_s=60) for t in range(5, 290, 60)]
    said += [province.prober_alive(at(t), PROBER) for t in (290, 310, 600)]
    said += [province.probe(cameras[2], at(t), every_s=60) for t in range(0, 180, 60)]
    said.sort(key=lambda event: event.time)
    numbers = [n + (1 if event.time <= at(290) else 5) for n, event in enumerate(said)]
    facts = [published(event, n, PROBER) for event, n in zip(said, numbers, strict=True)]
    # The second one was handed to another prober.
    facts += [
        published(province.probe(cameras[1], at(t), every_s=60, worker=OTHER), n, OTHER)
        for n, t in enumerate(range(305, 600, 60), 1)
    ]
    await province.feed(ingest, *facts)
    await lose(database)
    assert await parts(start, end) == {"up": 530.0, "down": 0.0, "unknown": 70.0}
    assert await parts(start, end, "CAM-02") == {"up": 595.0, "down": 0.0, "unknown": 5.0}
    assert await parts(start, end, "CAM-03") == {"up": 240.0, "down": 0.0, "unknown": 360.0}


@pytest.mark.server
async def test_a_lost_read_back_accuses_no_centre(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    camera, end = province.camera(), at(300)
    (planned, _) = camera.deliveries
    base = [*province.base(), province.destination("national", proof="verified", revision=2)]
    await province.feed(ingest, *base, province.stated("camera", camera))
    await province.feed(ingest, *province.probes(camera, T0, end, every_s=30), *province.watched(end))
    await province.feed(ingest, province.change(planned, camera, 1, T0, "acknowledged"))
    failed = [province.read_back(planned, camera, at(60 * n), "unreachable", cause="refused") for n in range(5)]
    for n, event in enumerate(failed):
        # The one of the second minute is lost.
        if n != 2:
            await province.feed(ingest, published(event, n + 1, PROBER))

    async def not_connected() -> float:
        async with start() as client:
            period = {"from": T0.isoformat(), "to": end.isoformat()}
            [line] = (await client.get("/v1/compliance", params=period)).json()["cameras"]
        return float(line["deliveries"][0]["seconds"]["not_connected"])

    assert await not_connected() == 300.0
    await lose(database)
    assert await not_connected() == 180.0


@pytest.mark.server
async def test_what_was_said_before_a_loss_does_not_come_back_in_a_report_of_a_later_day(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    camera, later, end = province.camera(), T0 + timedelta(hours=6), T0 + timedelta(hours=7)
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    facts = [province.change(planned, camera, 1, T0, "acknowledged") for planned in camera.deliveries]
    facts += [province.alive(T0 + timedelta(minutes=10 * number)) for number in range(43)]
    numbers = [number for number in range(1, len(facts) + 2) if number != 10]
    await province.feed(ingest, *(published(event, number) for event, number in zip(facts, numbers, strict=True)))
    await lose(database)
    assert (await seconds(start, end))["connected"] == [3600.0, 3600.0]
    assert (await seconds(start, end, later))["connected"] == [0.0, 0.0]
    # Said anew, it holds again.
    anew = [province.change(planned, camera, 2, later, "acknowledged") for planned in camera.deliveries]
    await province.feed(ingest, *(published(event, len(facts) + 2 + number) for number, event in enumerate(anew)))
    assert (await seconds(start, end, later))["connected"] == [3600.0, 3600.0]


@pytest.mark.server
async def test_a_lost_read_back_takes_back_what_far_matches_prove_in_a_report_of_hours_later(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    """The loss is older than what is read of those who watched: a part says what the whole says."""
    camera, again, end = province.camera(), T0 + timedelta(hours=6), T0 + timedelta(hours=7)
    demand = [province.destination(role, proof="verified", revision=2) for role in ("national", "provincial")]
    await province.feed(ingest, *province.base(), *demand, province.stated("camera", camera))
    await province.feed(ingest, *province.watched(end))
    await province.feed(ingest, *(province.change(one, camera, 1, T0, "acknowledged") for one in camera.deliveries))
    read_backs = [province.read_back(one, camera, when) for when in (T0, again) for one in camera.deliveries]
    later, over = T0 + timedelta(hours=4), T0 + timedelta(hours=5)
    # Of the prober: the one of ten minutes later is lost, as a heartbeat after it shows.
    seen = [*read_backs[:2], province.prober_alive(at(600)), *read_backs[2:]]
    for event, number in zip(seen, (1, 2, 4, 5, 6), strict=True):
        await province.feed(ingest, published(event, number, PROBER))
    assert (await seconds(start, over, later))["connected"] == [3600.0, 3600.0]
    await lose(database)
    assert (await seconds(start, again))["connected"] == [0.0, 0.0]
    assert (await seconds(start, over, later))["connected"] == [0.0, 0.0]


async def seconds(start: Start, end: datetime, since: datetime = T0) -> dict[str, Any]:
    async with start() as client:
        period = {"from": since.isoformat(), "to": end.isoformat()}
        [line] = (await client.get("/v1/compliance", params=period)).json()["cameras"]
        lost = (await client.get("/v1/lost-facts")).json()["items"]
    return {"connected": [one["seconds"]["connected"] for one in line["deliveries"]], "lost": lost}
