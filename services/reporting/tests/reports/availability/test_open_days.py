"""A period that reaches into the open days, or to now: whole days from the ledger, and for the rest only the cameras
that something happened to since. All as if every camera had been accounted directly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.stage.province import received
from services.reporting.tests.witness.midnights import made
from services.reporting.tests.witness.test_two_witnesses import feed

from reporting.domain.instants import HOUR, millis
from reporting.domain.ledger import DAY, Day, day_of, midnight, within
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question, accounts, watch_of
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.availability import ledger
from reporting.storage.availability.touched import touched
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from services.reporting.tests.stage.province import Province
    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

EVERYTHING = plan.Scope()
AFTER_S = (1, 45, 200, 720, 3_600)
"""Seconds after the midnight of a world of chaos, which itself lasts some minutes."""


async def direct(session: AsyncSession, question: Question) -> tuple[Totals, list[CameraAccount]]:
    places = await plan.places(session, EVERYTHING, question.period)
    found, totals = list[CameraAccount](), Totals(places)
    async for portion in accounts(session, question, await plan.cameras(session, places), list):
        totals.add(portion)
        found += portion
    return totals, found


async def by_ledger(session: AsyncSession, question: Question) -> list[CameraAccount]:
    cameras = await plan.cameras(session, await plan.places(session, EVERYTHING, question.period))
    return [one async for portion in ledgered_accounts(session, question, cameras, list) for one in portion]


async def written_until(database: Database, day: Day) -> None:
    """The ledger as it stands shortly after the midnight that begins `day`."""
    bookkeeper = Bookkeeper(database, 0, 15_000)
    await bookkeeper.rebuild(midnight(day) + 1)


def same(found: Totals, expected: Totals) -> None:
    for name in ("by_facility", "by_unit", "by_agency", "by_type"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.total == expected.total


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
async def test_the_sum_up_to_now_is_that_of_every_camera(ingest: Ingest, database: Database, number: int) -> None:
    world, day = made(number)
    await feed(ingest, database, world)
    await written_until(database, day)
    for seconds in AFTER_S:
        now = midnight(day) + 1000 * seconds
        for start in (midnight(day - 2), midnight(day - 1) - 17 * 60_000 - 123, midnight(day - 1) + 1):
            question = Question(Period(start, now), now, 15_000)
            async with snapshot(database) as session:
                assert (await ledger.state(session)).closed_until == day
                expected, cameras = await direct(session, question)
                same(await totals_of(session, question, EVERYTHING), expected)
                found = await by_ledger(session, question)
                assert [one.account for one in found] == [one.account for one in cameras]
                assert [one.places for one in found] == [one.places for one in cameras]
                assert [one.now and one.now.camera.state for one in found] == [
                    one.now and one.now.camera.state for one in cameras
                ]


MIDNIGHT = datetime(2026, 11, 19, 17, tzinfo=UTC)
"""Of 20 November in Vietnam."""
NOW = MIDNIGHT + timedelta(hours=7)
HELD = MIDNIGHT - timedelta(days=2)
READ_BACK_AGAIN = MIDNIGHT + timedelta(hours=24, minutes=1)
LONG_S = 200_000.0


def quiet(province: Province, code: str, worker: str = "forwarder-000000000001", **given: Any) -> list[Any]:
    """A camera that is up and at both centres since two days, without a change: two read-backs around it agree."""
    camera = province.camera(code, changed_at=HELD, created_at=HELD, **given)
    said = [province.change(one, camera, 1, HELD, "verified", worker=worker) for one in camera.deliveries]
    said += [province.read_back(one, camera, at) for one in camera.deliveries for at in (HELD, READ_BACK_AGAIN)]
    return [camera, province.probe(camera, HELD, every_s=LONG_S), *said]


def happenings(province: Province) -> Mapping[str, Callable[[CameraV1], list[CloudEvent[Payload]]]]:
    """Whatever may happen to a camera after a midnight, one each."""
    later, end = MIDNIGHT + timedelta(hours=2), MIDNIGHT + timedelta(hours=3)

    def moved(camera: CameraV1, **given: Any) -> list[CloudEvent[Payload]]:
        return [province.stated("camera", camera.model_copy(update={"revision": 2, "changed_at": later, **given}))]

    return {
        "probe": lambda one: [province.probe(one, later, "down", cause="timeout", every_s=LONG_S)],
        "change": lambda one: [province.change(one.deliveries[0], one, 2, later, "stalled", cause="stalled")],
        "back": lambda one: [
            province.change(one.deliveries[1], one, 2, later, "stalled", cause="stalled"),
            province.change(one.deliveries[1], one, 3, end, "acknowledged"),
        ],
        "media": lambda one: [
            province.media(one, 1, HELD),
            province.media(one, 2, later, "stopped", cause="ended", stopped_at=later),
        ],
        "still": lambda one: [province.media(one, 1, end, still_since=later)],
        "off": lambda one: moved(one, enabled=False),
        "elsewhere": lambda one: moved(one, facility_id=province.unit),
        "window": lambda one: [province.stated("window", province.window(later, end, camera_id=one.id))],
        "dead": lambda _: [province.alive(later, "forwarder-000000000002")],
    }


@pytest.mark.parametrize("proof", ["acknowledged", "verified"])
async def test_only_cameras_that_something_happened_to_are_accounted_for_the_open_day(
    ingest: Ingest, database: Database, province: Province, proof: str
) -> None:
    happens = happenings(province)
    second = province.facility_state(id=province.unit, code="KCL-02", name="Trường Hải Lăng")
    register = [*province.base(), province.stated("facility", second)]
    if proof == "verified":
        register[-3:-1] = [province.destination(role, proof=proof) for role in ("national", "provincial")]
    facts = [province.alive(NOW), province.prober_alive(NOW)]
    later: list[CloudEvent[Payload]] = []
    for code in (*happens, "quiet", "still quiet"):
        worker = "forwarder-000000000002" if code == "dead" else "forwarder-000000000001"
        camera, *said = quiet(province, code, worker)
        register.append(province.stated("camera", camera))
        facts += said
        later += happens[code](camera) if code in happens else []
    off = province.camera("off for long", enabled=False, changed_at=HELD, created_at=HELD)
    register.append(province.stated("camera", off))
    nouns = ("camera", "window")
    await ingest.inventory([received(one) for one in register])
    await ingest.observations([received(one) for one in facts])
    await ingest.inventory([received(one) for one in later if one.subject.startswith(nouns)])
    await ingest.observations([received(one) for one in later if not one.subject.startswith(nouns)])
    day = day_of(millis(MIDNIGHT))
    await written_until(database, day)
    part = Period(midnight(day), millis(NOW))
    async with snapshot(database) as session:
        watch = await watch_of(session, Question(part, part.end, 15_000))
        known = await touched(session, part, watch)
        assert known is not None
        assert len(known.cameras) == len(happens), "all others stand as they stood"
        for start in (midnight(day - 1), midnight(day - 1) - 17 * 60_000):
            question = Question(Period(start, part.end), part.end, 15_000)
            expected, cameras = await direct(session, question)
            assert len(cameras) == len(happens) + 3
            same(await totals_of(session, question, EVERYTHING), expected)
        if proof == "acknowledged":
            assert expected.total.durations.both > 0
        await hours_agree(session, day, millis(NOW))
    # The same once the day is closed.
    await written_until(database, day + 1)
    async with snapshot(database) as session:
        await hours_agree(session, day, midnight(day + 1) + 1)


async def hours_agree(session: AsyncSession, day: Day, now: int) -> None:
    """The first hours of that day, and the times between; the last one may reach now."""
    closed = (await ledger.state(session)).closed_until
    for number, length in ((0, 1), (1, 1), (1, 3), (2, 1), (3, 1), (3, 4), (6, 1)):
        start = midnight(day) + number * HOUR
        question = Question(Period(start, start + length * HOUR), now, 15_000)
        assert within(question.period, closed) is not None
        expected, _ = await direct(session, question)
        same(await totals_of(session, question, EVERYTHING), expected)


async def test_a_centre_that_changes_makes_every_camera_be_accounted(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera, *said = quiet(province, "quiet")
    off = province.destination("national", revision=2, enabled=False, changed_at=MIDNIGHT + timedelta(hours=1))
    await ingest.inventory([received(one) for one in (*province.base(), province.stated("camera", camera), off)])
    await ingest.observations([received(one) for one in (*said, province.alive(NOW), province.prober_alive(NOW))])
    day = day_of(millis(MIDNIGHT))
    await written_until(database, day)
    question = Question(Period(midnight(day - 1), millis(NOW)), millis(NOW), 15_000)
    async with snapshot(database) as session:
        part = Period(midnight(day), millis(NOW))
        assert await touched(session, part, await watch_of(session, question)) is None
        expected, _ = await direct(session, question)
        found = await totals_of(session, question, EVERYTHING)
    same(found, expected)
    assert found.total.durations.provincial_only == 6 * 3_600_000


@pytest.mark.timeout(240)
async def test_a_period_that_ends_in_an_open_or_a_closed_day_is_the_account_of_every_camera(
    ingest: Ingest, database: Database
) -> None:
    world, day = made(2)
    await feed(ingest, database, world)
    now = midnight(day + 3)
    for closed in (day, day + 1, day + 2):
        await written_until(database, closed)
        for minutes in (1, 7, 300):
            for start in (midnight(day - 2), midnight(day - 1) - 17 * 60_000, midnight(day) - minutes * 60_000):
                period = Period(start, max(midnight(day) + minutes * 60_000, start + DAY + 1))
                question = Question(period, now, 15_000)
                async with snapshot(database) as session:
                    expected, cameras = await direct(session, question)
                    same(await totals_of(session, question, EVERYTHING), expected)
                    assert await by_ledger(session, question) == cameras
