"""Since when facilities were connected for good: days on which the ledger bars them are passed over, and nothing is
missed for it. The truth is the same search without a ledger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from services.reporting.tests.stage.province import AWAKE_SINCE, received

from reporting.domain.instants import millis
from reporting.domain.ledger import DAY, day_of, midnight
from reporting.domain.segments import Period
from reporting.reports import portions
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.mandate import connections
from reporting.reports.mandate.barred_days import NOTHING_BARRED, BarredDays
from reporting.reports.mandate.connections import first_connected
from reporting.storage.snapshot import snapshot
from vonggac.sufficiency import OTHER_PUBLIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.reporting.tests.stage.province import Province

    from reporting.domain.instants import Millis
    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

FACILITIES, DAYS = 14, 5
START = datetime(2026, 3, 1, 17, tzinfo=UTC)
"""A midnight of the province."""
ALIVE_MS = 15_000
MINUTE = timedelta(minutes=1)


async def take(ingest: Ingest, events: list[CloudEvent[Payload]]) -> None:
    states = [received(one, number) for number, one in enumerate(events) if ".inventory." in one.type]
    await ingest.inventory(states)
    facts = sorted((one for one in events if ".inventory." not in one.type), key=lambda one: one.time)
    for start in range(0, len(facts), 500):
        await ingest.observations([received(one, start) for one in facts[start : start + 500]])


def spells(chance: Random) -> list[tuple[datetime, timedelta]]:
    """Connected from then on for so long: mostly about midnights, and about ten minutes."""
    found, at = [], START + chance.randrange(60) * MINUTE
    while at < START + timedelta(days=DAYS):
        length = timedelta(seconds=chance.randrange(120, 780))
        found.append((at, length))
        free = at + length + MINUTE
        next_day = START + timedelta(days=(free - START).days + 1)
        near = next_day - timedelta(seconds=chance.randrange(0, 700))
        at = near if near > free and chance.random() < 0.7 else free + chance.randrange(30, 900) * MINUTE
    return found


def connected(
    province: Province, camera: CameraV1, times: list[tuple[datetime, timedelta]]
) -> list[CloudEvent[Payload]]:
    events = []
    for planned in camera.deliveries:
        events.append(province.change(planned, camera, 1, START, "connecting", held_since=START))
        for number, (at, length) in enumerate(times):
            for later, state in ((at, "acknowledged"), (at + length, "connecting")):
                sequence = 2 * number + (2 if state == "acknowledged" else 3)
                events.append(province.change(planned, camera, sequence, later, state, held_since=START))
    return events


def made(province: Province, chance: Random) -> tuple[list[CloudEvent[Payload]], list[UUID], dict[str, str | None]]:
    """Events, facilities and the areas of their cameras: up all the time, connected together or each by itself."""
    end, events = START + timedelta(days=DAYS, hours=5), province.base()
    facilities, areas = list[UUID](), dict[str, str | None]()
    for number in range(FACILITIES):
        facility_id = uuid4()
        facilities.append(facility_id)
        state = province.facility_state(id=facility_id, code=f"KCL-{number + 10}")
        events.append(province.stated("facility", state))
        if number % 5 == 0:
            # Suspended for a part of a day: its cameras do not count then.
            away = START + timedelta(days=1, hours=chance.randrange(24))
            for revision, at, status in ((2, away, "suspended"), (3, away + timedelta(hours=9), "active")):
                known: Any = {"id": facility_id, "code": state.code, "revision": revision, "changed_at": at}
                events.append(province.stated("facility", province.facility_state(status=status, **known)))
        together = spells(chance)
        for place in range(1 + number % 3):
            camera = province.camera(f"CAM-{number}-{place}", facility_id=facility_id)
            areas[str(camera.id)] = OTHER_PUBLIC if place == 2 else "corridor"
            events.append(province.stated("camera", camera))
            events += province.probes(camera, START, end, every_s=3_600)
            never = number % 7 == 3
            events += connected(
                province, camera, [] if never else together if chance.random() < 0.8 else spells(chance)
            )
    return [*events, *province.watched(end)], facilities, areas


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", range(3))
async def test_what_the_ledger_bars_is_passed_over_and_nothing_is_missed(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    events, facilities, areas = made(province, Random(seed))
    await take(ingest, events)
    begin, now = millis(START), millis(START + timedelta(days=DAYS, hours=3))
    await Bookkeeper(database, 0, ALIVE_MS).keep(now)
    read = list[tuple[Period, frozenset[UUID]]]()
    stretch = connections._stretch

    async def reads(session: Any, period: Period, wanted: set[UUID], grace: Millis, areas: Any) -> dict[UUID, Millis]:
        read.append((period, frozenset(wanted)))
        return await stretch(session, period, wanted, grace, areas)

    async def no_ledger(*_: Any) -> BarredDays:
        return NOTHING_BARRED

    async def found(until: Millis) -> Mapping[UUID, Millis]:
        async with snapshot(database) as session:
            return await first_connected(session, facilities, until, ALIVE_MS, areas)

    monkeypatch.setattr(connections, "_stretch", reads)
    # Of two cameras at least, so that portions grow and shrink.
    monkeypatch.setattr(connections, "FEWEST", 2)
    monkeypatch.setattr(portions, "FEW_ROWS", 100)
    ends = [now, *(midnight(day_of(begin) + day) + more for day in (1, 2, 4) for more in (0, 1, 300_000, 660_000))]
    barred = {until: await found(until) for until in ends}
    cost = sum(period.length * len(wanted) for period, wanted in read)
    read.clear()
    monkeypatch.setattr(connections, "barred_days", no_ledger)
    monkeypatch.setattr(connections, "FEWEST", 500)
    assert barred == {until: await found(until) for until in ends}
    assert 0 < len(barred[now]) < FACILITIES
    assert cost < sum(period.length * len(wanted) for period, wanted in read)


MIDNIGHT = START + timedelta(days=2)


@pytest.mark.parametrize(
    ("before_s", "length_s"), [(0, 600), (60, 640), (299, 660), (300, 600), (301, 601), (540, 640), (640, 640)]
)
async def test_ten_minutes_about_a_midnight_are_found(
    ingest: Ingest, database: Database, province: Province, before_s: int, length_s: int
) -> None:
    camera, end = province.camera(), START + timedelta(days=4)
    since = MIDNIGHT - timedelta(seconds=before_s)
    events = [*province.base(), province.stated("camera", camera)]
    events += connected(province, camera, [(since, timedelta(seconds=length_s))])
    found = await searched(ingest, database, province, [*events, *province.probes(camera, START, end, every_s=3_600)])
    assert found == {province.facility: millis(since)}


async def test_a_camera_that_counts_from_later_that_day_on_or_never_does_bars_nothing(
    ingest: Ingest, database: Database, province: Province
) -> None:
    since, end = MIDNIGHT + timedelta(hours=2), START + timedelta(days=4)
    came = since + timedelta(hours=5)
    good, later = province.camera(), province.camera("CAM-02")
    off, on = (
        later.model_copy(update={"revision": revision, "enabled": enabled, "changed_at": at})
        for revision, enabled, at in ((2, False, MIDNIGHT - timedelta(days=1, hours=3)), (3, True, came))
    )
    public = province.camera("CAM-03")
    events = [*province.base(), *(province.stated("camera", one) for one in (good, later, off, on, public))]
    events += connected(province, good, [(since, 20 * MINUTE)])
    for one in (later, public):
        events += connected(province, one, [])
    for one in (good, later, public):
        events += province.probes(one, START, end, every_s=3_600)
    areas = {str(public.id): OTHER_PUBLIC}
    assert await searched(ingest, database, province, events, areas) == {province.facility: millis(since)}


async def searched(
    ingest: Ingest,
    database: Database,
    province: Province,
    events: list[CloudEvent[Payload]],
    areas: Mapping[str, str | None] | None = None,
) -> Mapping[UUID, Millis]:
    """What is found with all days in the ledger but the last hours."""
    end = START + timedelta(days=4)
    await take(ingest, [*events, *province.watched(end)])
    await Bookkeeper(database, 0, ALIVE_MS).keep(millis(end))
    async with snapshot(database) as session:
        return await first_connected(session, [province.facility], millis(end), ALIVE_MS, areas or {})


async def test_a_facility_that_never_connects_is_read_for_the_open_days_alone(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, end = province.camera(), START + timedelta(days=40, hours=3)
    events = [*province.base(), province.stated("camera", camera), *connected(province, camera, [])]
    await take(ingest, [*events, *province.probes(camera, START, end, every_s=3_600), *province.watched(end)])
    await Bookkeeper(database, 0, ALIVE_MS).keep(millis(end))
    read = list[Period]()
    stretch = connections._stretch

    async def reads(session: Any, period: Period, *rest: Any) -> dict[UUID, Millis]:
        read.append(period)
        return await stretch(session, period, *rest)

    monkeypatch.setattr(connections, "_stretch", reads)
    async with snapshot(database) as session:
        found = await first_connected(session, [province.facility], millis(end), ALIVE_MS, {})
    assert found == {}
    # The first day began while nobody watched it as a whole.
    assert sum(period.length for period in read) <= 2 * DAY


async def test_a_camera_that_moved_to_a_facility_that_is_found_already_counts_where_it_stood(
    ingest: Ingest, database: Database, province: Province
) -> None:
    begin = AWAKE_SINCE
    moved, end = begin + timedelta(hours=60), begin + timedelta(hours=70)
    other = province.facility_state(id=uuid4(), code="KCL-02")
    good, bad, there = province.camera(), province.camera("CAM-02"), province.camera("CAM-03", facility_id=other.id)
    gone = bad.model_copy(update={"revision": 2, "facility_id": other.id, "changed_at": moved})
    events = [*province.base(), province.stated("facility", other)]
    events += [province.stated("camera", one) for one in (good, bad, there, gone)]
    for one, since in ((good, begin + timedelta(hours=30)), (there, begin + timedelta(hours=1))):
        events += [province.change(planned, one, 1, since, "acknowledged") for planned in one.deliveries]
    for one in (good, bad, there):
        events += province.probes(one, begin, end, every_s=3_600)
    await take(ingest, [*events, *province.watched(end)])
    async with snapshot(database) as session:
        found = await first_connected(session, [province.facility, other.id], millis(end), ALIVE_MS, {})
    assert found == {other.id: millis(begin + timedelta(hours=1)), province.facility: millis(moved)}


async def test_nobody_is_presumed_alive_at_the_end_of_a_stretch_of_the_past(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera, died = province.camera(), AWAKE_SINCE + timedelta(days=1, seconds=-12)
    since = died - timedelta(minutes=9, seconds=55)
    events = [*province.base(), province.stated("camera", camera), *province.watched(died)]
    events += [province.change(planned, camera, 1, since, "acknowledged") for planned in camera.deliveries]
    await take(ingest, [*events, *province.probes(camera, AWAKE_SINCE, died, every_s=3_600)])
    async with snapshot(database) as session:
        until = millis(AWAKE_SINCE + timedelta(hours=30))
        assert await first_connected(session, [province.facility], until, ALIVE_MS, {}) == {}
