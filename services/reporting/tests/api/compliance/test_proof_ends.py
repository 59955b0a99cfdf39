"""Centres that acknowledge and lie: what is counted lies between two read-backs that agree (decision 0101)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from services.reporting.tests.stage.province import Province

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.ingest.handlers import Ingest
from reporting.reports.accounts import Question, accounts
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.database import Database
from vonggac.events import CloudEvent, Payload, new_event
from vonggac.events.prober import DeliveryVerifiedV1

DAY = datetime(2026, 11, 19, 17, tzinfo=UTC)
"""A midnight in Vietnam."""
HOUR = 3_600_000
ALIVE = 15_000


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


@pytest.fixture
async def lying(ingest: Ingest, province: Province) -> Any:
    """A camera that is up, acknowledged by both centres from the beginning; the national one demands `verified`."""
    camera, end = province.camera(), at(1200)
    await province.feed(ingest, *province.base(), province.destination("national", proof="verified", revision=2))
    await province.feed(ingest, province.stated("camera", camera), *province.probes(camera, DAY, end, every_s=30))
    changes = [province.change(planned, camera, 1, DAY, "acknowledged") for planned in camera.deliveries]
    await province.feed(ingest, *changes, *province.watched(end))
    return camera


async def seconds(database: Database, start: float, end: float) -> list[dict[str, float]]:
    """Of both deliveries, national first: connected, not connected and unknown, and not connected by cause."""
    period = Period(millis(at(start)), millis(at(end)))
    async with snapshot(database) as session:
        places = await plan.places(session, plan.Scope(), period)
        cameras = await plan.cameras(session, places)
        question = Question(period, period.end, ALIVE)
        [one] = [each async for portion in accounts(session, question, cameras, list) for each in portion]
    return [
        {
            "connected": line.connected / 1000,
            "unknown": line.unknown / 1000,
            **{cause: length / 1000 for cause, length in sorted(line.by_cause.items())},
        }
        for line in one.account.deliveries
    ]


async def test_proof_ends_at_a_centre_that_acknowledges_and_discards(
    ingest: Ingest, database: Database, province: Province, lying: Any
) -> None:
    """It discards from 150 s to 400 s. Its kernel acknowledges, and its forwarder calls it verified until the third
    read-back failed."""
    national = lying.deliveries[0]
    good = [province.read_back(national, lying, at(when), delay_s=1) for when in (31, 91, 421, 481)]
    bad = [
        province.read_back(national, lying, at(when), "unreachable", cause="no_media", duration_s=10)
        for when in (161, 221, 281, 341)
    ]
    changes = [
        province.change(national, lying, 2, at(32), "verified"),
        province.change(national, lying, 3, at(290), "acknowledged"),
        province.change(national, lying, 4, at(421), "verified"),
    ]
    await province.feed(ingest, *reversed([*good, *changes, *bad]))
    connected, failed = (90 - 31) + (480 - 421), 420 - 151
    assert await seconds(database, 0, 500) == [
        {"connected": connected, "unknown": 500 - connected - failed, "no_media": failed},
        {"connected": 500, "unknown": 0},
    ]


@pytest.mark.parametrize(
    ("paused_s", "expected"),
    [
        (12.0, {"connected": 340.0, "unknown": 260.0}),
        (25.0, {"connected": 340.0, "unknown": 235.0, "no_keyframe": 25.0}),
    ],
)
async def test_proof_ends_where_a_centre_paused_before_a_match(
    ingest: Ingest, database: Database, province: Province, lying: Any, paused_s: float, expected: dict[str, float]
) -> None:
    national = lying.deliveries[0]
    matches = [province.read_back(national, lying, at(second)) for second in (120, 180, 240, 300, 330)]
    match = province.read_back(national, lying, at(360))
    late = match.model_copy(update={"data": match.data.model_copy(update={"paused_since": at(360 - paused_s)})})
    after = [province.read_back(national, lying, at(second)) for second in (420, 480, 490)]
    await province.feed(ingest, *matches, late, *after)
    [first, _] = await seconds(database, 0, 600)
    assert first == expected


@pytest.mark.parametrize("late_s", [0, 70])
async def test_a_mismatch_is_dated_by_the_read_backs_for_either_demand(
    ingest: Ingest, database: Database, province: Province, lying: Any, late_s: float
) -> None:
    """A forwarder that says so late, or never, changes no second of it."""
    facts = []
    for planned in lying.deliveries:
        facts += [province.read_back(planned, lying, at(when), delay_s=1) for when in (31, 91, 301, 361)]
        facts += [province.read_back(planned, lying, at(when), "mismatch", duration_s=20) for when in (160, 230)]
        if late_s:
            facts += [
                province.change(planned, lying, 2, at(160 + late_s), "mismatch", cause="mismatch"),
                province.change(planned, lying, 3, at(301 + late_s), "verified"),
            ]
    await province.feed(ingest, *facts)
    connected = (90 - 31) + (360 - 301)
    assert await seconds(database, 0, 400) == [
        {"connected": connected, "unknown": 400 - connected - 160, "mismatch": 160},
        {"connected": 240, "unknown": 0, "mismatch": 160},
    ]


async def test_proof_ends_with_the_last_match_before_a_session_broke(
    ingest: Ingest, database: Database, province: Province, lying: Any
) -> None:
    """A centre that buffers: nothing came back from 95 s on, its connection breaks at 130 s, the next match is of the
    new session."""
    national = lying.deliveries[0]
    read_backs = [province.read_back(national, lying, at(when), delay_s=1) for when in (31, 91, 141, 201)]
    broke = [
        province.change(national, lying, 2, at(130), "backing_off", cause="ended", last_acknowledged_at=at(129)),
        province.change(national, lying, 3, at(132), "connecting"),
        province.change(national, lying, 4, at(133), "acknowledged"),
    ]
    await province.feed(ingest, *read_backs, *broke)
    connected = (90 - 31) + (200 - 141)
    [line, _] = await seconds(database, 0, 220)
    assert line == {"connected": connected, "unknown": 220 - connected - 4, "ended": 3, "none": 1}


async def test_what_is_not_checkable_neither_ends_a_failure_nor_parts_two_matches(
    ingest: Ingest, database: Database, province: Province, lying: Any
) -> None:
    national = lying.deliveries[0]
    facts = [province.read_back(national, lying, at(when), delay_s=1) for when in (31, 91, 211, 241)]
    facts += [province.read_back(national, lying, at(when), "not_checkable") for when in (61, 170)]
    facts += [province.read_back(national, lying, at(150), "unreachable", cause="timeout")]
    await province.feed(ingest, *facts)
    [line, _] = await seconds(database, 0, 300)
    assert line == {"connected": (90 - 31) + (240 - 211), "unknown": 300 - 59 - 29 - 60, "timeout": 60}


async def test_a_match_that_comes_after_its_midnight_closed_has_that_day_written_anew(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """All probers were away over midnight and its horizon; two matches of one session agree across it."""
    camera, midnight = province.camera(), DAY + timedelta(days=1)
    end = midnight + timedelta(hours=9)
    await province.feed(ingest, *province.base(), province.destination("national", proof="verified", revision=2))
    await province.feed(ingest, province.stated("camera", camera), *province.watched(end))
    (national, provincial) = camera.deliveries
    await province.feed(
        ingest,
        *(province.change(planned, camera, 1, DAY, "acknowledged") for planned in (national, provincial)),
        province.read_back(national, camera, DAY + timedelta(hours=1)),
        province.read_back(national, camera, midnight - timedelta(hours=1)),
    )
    bookkeeper = Bookkeeper(database, 6 * HOUR, ALIVE)
    assert await bookkeeper.keep(millis(midnight) + 7 * HOUR) > 0
    await province.feed(ingest, province.read_back(national, camera, midnight + timedelta(hours=8)))
    assert await bookkeeper.correct(millis(end)) == 1
    period = Period(millis(DAY), millis(midnight))
    found: dict[str, int] = {}
    async with snapshot(database) as session:
        places = await plan.places(session, plan.Scope(), period)
        cameras = await plan.cameras(session, places)
        async for portion in ledgered_accounts(session, Question(period, millis(end), ALIVE), cameras, list):
            for one in portion:
                found |= {
                    planned.id: line.connected
                    for planned, line in zip(one.camera.deliveries, one.account.deliveries, strict=True)
                }
    assert found[str(national.id)] == 23 * HOUR


async def test_proof_ends_to_the_millisecond_where_one_fact_stands_for_several_read_backs(
    ingest: Ingest, database: Database, province: Province, lying: Any
) -> None:
    """Matches at 31, 91, 151 s; it fails at 211 and 216 s, the session ends at 300 s. The provincial one has a fact of
    each."""
    national, provincial = lying.deliveries
    good, bad = [31, 91, 151], [211, 216, 221]

    def said(planned: Any, when: int, verdict: str) -> DeliveryVerifiedV1:
        failed = {"cause": "no_media", "duration_s": 2} if verdict == "unreachable" else {"delay_s": 1}
        data = province.read_back(planned, lying, at(when), verdict, **failed).data
        assert isinstance(data, DeliveryVerifiedV1)
        return data

    def carried(read_back: DeliveryVerifiedV1, before: DeliveryVerifiedV1 | None, *, fact: bool) -> DeliveryVerifiedV1:
        return read_back.model_copy(update={"agreed": None if before is None else before.agreeing, "is_fact": fact})

    first = carried(said(national, 31, "verified"), None, fact=True)
    second = carried(said(national, 91, "verified"), first, fact=False)
    third = carried(said(national, 151, "verified"), second, fact=False)
    failed = carried(said(national, 211, "unreachable"), third, fact=True)
    again = carried(said(national, 216, "unreachable"), failed, fact=False)
    ended = carried(said(national, 221, "unreachable"), again, fact=False)
    assert failed.agreed is not None
    assert failed.agreed.count == len(failed.agreed.read_backs) == 2
    ends = province.change(national, lying, 2, at(300), "backing_off", cause="refused")
    ends = ends.model_copy(update={"data": ends.data.model_copy(update={"agreed": ended.agreeing})})
    stored: list[CloudEvent[Payload]] = [
        new_event(one, source="/prober/1", subject="x", time=one.observed_at) for one in (first, failed)
    ]
    whole = [
        *(province.read_back(provincial, lying, at(when), delay_s=1) for when in good),
        *(
            province.read_back(provincial, lying, at(when), "unreachable", cause="no_media", duration_s=2)
            for when in bad
        ),
        province.change(provincial, lying, 2, at(300), "backing_off", cause="refused"),
    ]
    demanding = province.destination("provincial", proof="verified", revision=2)
    await province.feed(ingest, demanding, ends, *reversed(stored), *whole)
    one, other = await seconds(database, 0, 400)
    assert one == other == {"connected": 150 - 31, "unknown": 400 - 119 - 91 - 100, "no_media": 91, "refused": 100}


async def test_proof_ends_where_it_did_for_facts_of_a_release_that_stored_each_read_back(
    ingest: Ingest, database: Database, province: Province, lying: Any
) -> None:
    event = province.read_back(lying.deliveries[0], lying, at(31), delay_s=1)
    fields = event.data.model_dump(mode="json")
    del fields["agreed"], fields["is_fact"]
    old = DeliveryVerifiedV1.model_validate(fields)
    assert old == event.data
    later = province.read_back(lying.deliveries[0], lying, at(91), delay_s=1)
    await province.feed(ingest, event.model_copy(update={"data": old}), later)
    assert (await seconds(database, 0, 120))[0] == {"connected": 59, "unknown": 61}
