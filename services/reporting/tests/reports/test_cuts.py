"""Cuts: the groups of any of them add up to the whole, and each is what the same filter gives, to the millisecond.

Over random histories of cameras that are made, moved, switched off and removed, at facilities that change their unit,
agency, type and status; said in any order, also after their days were closed.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from services.reporting.tests.stage.province import received

from reporting.domain.instants import millis
from reporting.domain.partition import DURATION_NAMES, LEDGER_NAMES, Durations
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.reports.availability import accounts as ledgered
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.reports.availability.lines import LineKind, group_lines
from reporting.reports.totals import Group, Totals
from reporting.storage import plan
from reporting.storage.snapshot import snapshot
from vonggac.events.inventory import AgencyRole, AgencyV1, EarlierUnit, FacilityType, RemovedV1, UnitV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

MIDNIGHT = datetime(2026, 11, 15, 17, tzinfo=UTC)
"""In Vietnam."""
DAYS = 6
NOW = MIDNIGHT + timedelta(days=DAYS, hours=3)
CAMERAS, FACILITIES, EDITS = 9, 4, 5
STATUSES = ("active", "active", "suspended", "closed")


class History:
    """One random history of a small province."""

    def __init__(self, province: Province, seed: int) -> None:
        self.chance, self.province = random.Random(seed), province
        self.units, self.agencies = [province.unit, uuid4()], [province.agency, uuid4()]
        self.facilities = [uuid4() for _ in range(FACILITIES)]
        self.register: list[CloudEvent[Payload]] = [*province.base()]
        self.facts: list[CloudEvent[Payload]] = [*province.watched(NOW)]
        self._name()
        for id_ in self.facilities:
            self._facility(id_)
        for number in range(CAMERAS):
            self._camera(number)

    def at(self) -> datetime:
        """Any millisecond, now and then a midnight."""
        if not self.chance.randrange(5):
            return MIDNIGHT + timedelta(days=self.chance.randrange(DAYS))
        return MIDNIGHT + timedelta(milliseconds=self.chance.randrange(DAYS * 86_400_000))

    def times(self, count: int) -> list[datetime]:
        return sorted(self.at() for _ in range(count))

    def _name(self) -> None:
        known: dict[str, Any] = {"revision": 1, "changed_at": MIDNIGHT, "created_at": MIDNIGHT}
        unit = UnitV1(id=self.units[1], code="466", name="Huyện Đakrông", **known)
        agency = AgencyV1(id=self.agencies[1], code="SGD", name="Sở GD", role=AgencyRole.MANAGING, **known)
        self.register += [self.province.stated("unit", unit), self.province.stated("agency", agency)]
        if self.chance.randrange(2):
            self._succeed(unit)

    def _succeed(self, unit: UnitV1) -> None:
        """The unit ends with a day of the period, and another one follows it."""
        at = MIDNIGHT + timedelta(hours=1)
        last_day = (MIDNIGHT + timedelta(days=1 + self.chance.randrange(DAYS - 1))).date()
        self.units.append(uuid4())
        ended = unit.model_copy(update={"revision": 2, "changed_at": at, "valid_to": last_day})
        known: dict[str, Any] = {"revision": 1, "changed_at": at, "created_at": at}
        follows = (EarlierUnit(unit_id=unit.id, kind="merged"),)
        commune = UnitV1(id=self.units[2], code="19603", name="Xã Hướng Hiệp", succeeds=follows, **known)
        self.register += [self.province.stated("unit", ended), self.province.stated("unit", commune)]

    def _facility(self, id_: UUID) -> None:
        state = self.province.facility_state(id=id_, code=f"KCL-{self.facilities.index(id_)}")
        for number, at in enumerate([state.changed_at, *self.times(self.chance.randrange(3))], start=1):
            given = {
                "unit_id": self.chance.choice(self.units),
                "managing_agency_id": self.chance.choice(self.agencies),
                "type": self.chance.choice([FacilityType.SCHOOL, FacilityType.HOTEL]),
                "status": self.chance.choice(STATUSES),
            }
            state = state.model_copy(update={"revision": number, "changed_at": at, **given})
            self.register.append(self.province.stated("facility", state))

    def _camera(self, number: int) -> None:
        times = self.times(1 + self.chance.randrange(EDITS))
        made = times[0] if self.chance.randrange(2) else MIDNIGHT - timedelta(days=2)
        state = self.province.camera(f"CAM-{number}", changed_at=made, created_at=made)
        state = state.model_copy(update={"facility_id": self.chance.choice(self.facilities)})
        self.register.append(self.province.stated("camera", state))
        for revision, at in enumerate(times[1:], start=2):
            given = {"facility_id": self.chance.choice(self.facilities), "enabled": self.chance.random() < 0.8}
            if self.chance.random() < 0.2:
                given["deliveries"] = state.deliveries[:1]
            state = state.model_copy(update={"revision": revision, "changed_at": at, **given})
            self.register.append(self.province.stated("camera", state))
        if self.chance.randrange(2):
            gone = RemovedV1(id=state.id, noun="camera", revision=len(times) + 1, removed_at=max(self.at(), times[-1]))
            self.register.append(self.province.stated("camera", gone))
        start = MIDNIGHT + timedelta(hours=self.chance.randrange(30))
        down = start + timedelta(hours=self.chance.randrange(90))
        self.facts += self.province.probes(state, start, down, every_s=3600)
        self.facts += self.province.probes(state, down, NOW, "down", cause="timeout", every_s=3600)
        for planned in state.deliveries:
            self.facts.append(self.province.change(planned, state, 1, start, "acknowledged", held_since=start))
            waits = self.province.change(
                planned, state, 2, down, "waiting_for_camera", held_since=start, cause="timeout"
            )
            self.facts.append(waits)

    def periods(self) -> list[Period]:
        midnight, hour = millis(MIDNIGHT), 3_600_000
        start, end = sorted(self.chance.sample(range(midnight, millis(NOW)), 2))
        whole = Period(midnight, midnight + DAYS * 24 * hour)
        return [whole, Period(start, end), Period(midnight + 7 * hour + 1, millis(NOW))]

    def filters(self) -> list[tuple[str, Any, plan.Scope]]:
        """Each cut, the key of a group of it, and the same as a filter."""
        found: list[tuple[str, Any, plan.Scope]] = [("by_unit", id_, plan.Scope(unit_id=id_)) for id_ in self.units]
        found += [("by_agency", id_, plan.Scope(agency_id=id_)) for id_ in self.agencies]
        found += [("by_type", one, plan.Scope(type=one)) for one in ("school", "hotel")]
        return found + [("by_facility", id_, plan.Scope(facility_id=id_)) for id_ in self.facilities]


async def feed(ingest: Ingest, database: Database, history: History) -> None:
    """Most of it, then the days are closed, then what comes late; what touched closed days is written anew."""
    register = history.register.copy()
    history.chance.shuffle(register)
    late = register[: len(register) // 4]
    await ingest.inventory([received(one) for one in register[len(late) :]])
    await ingest.observations([received(one) for one in history.facts])
    keeper = Bookkeeper(database, 0, 15_000)
    await keeper.keep(millis(MIDNIGHT) + 4 * 86_400_000)
    await ingest.inventory([received(one) for one in late])
    await keeper.correct(millis(NOW))
    await keeper.keep(millis(NOW))


def key_of(group: Group) -> Any:
    return group.id or group.code


def named(lengths: Any) -> dict[str, int]:
    return {name: length for name, length in zip(DURATION_NAMES, lengths, strict=True) if length}


async def directly(database: Database, question: Question, wanted: plan.Scope) -> tuple[Totals, list[CameraAccount]]:
    async with snapshot(database) as session:
        places = await plan.places(session, wanted, question.period)
        cameras = await plan.cameras(session, places)
        found = [one async for portion in accounts(session, question, cameras, list) for one in portion]
        again = [one async for portion in ledgered_accounts(session, question, cameras, list) for one in portion]
        assert [(one.camera.id, one.account) for one in again] == [(one.camera.id, one.account) for one in found]
    totals = Totals(places)
    totals.add(found)
    return totals, found


async def summed(database: Database, question: Question, wanted: plan.Scope) -> Totals:
    async with snapshot(database) as session:
        return await totals_of(session, question, wanted)


async def to_destinations(database: Database, question: Question, wanted: plan.Scope) -> dict[str, list[int]]:
    async with snapshot(database) as session:
        lines = await group_lines(session, question, wanted, LineKind.DESTINATION)
    return {line.key: [line.cameras, *(getattr(line.connection, name) for name in LEDGER_NAMES)] for line in lines}


def added(found: list[dict[str, list[int]]]) -> dict[str, list[int]]:
    whole: dict[str, list[int]] = {}
    for each in found:
        for key, line in each.items():
            whole[key] = [left + right for left, right in zip(whole.get(key, [0] * len(line)), line, strict=True)]
    return whole


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(6))
async def test_cuts_add_up_to_the_whole_and_each_group_is_what_its_filter_gives(
    ingest: Ingest, database: Database, province: Province, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgered, "TOGETHER", 1)
    monkeypatch.setattr(ledgered, "LONG", 0)
    history = History(province, seed)
    await feed(ingest, database, history)
    for period in history.periods():
        question = Question(period, millis(NOW), 15_000)
        whole, _ = await directly(database, question, plan.Scope())
        by_ledger = await summed(database, question, plan.Scope())
        centres = await to_destinations(database, question, plan.Scope())
        parts: dict[str, list[dict[str, list[int]]]] = {}
        for cut in ("by_unit", "by_agency", "by_type", "by_facility"):
            groups = getattr(whole, cut)
            assert getattr(by_ledger, cut) == groups, cut
            total = Durations()
            for group in groups:
                total.add(group.durations)
            assert total == whole.total.durations, cut
            assert sum(one.cameras.total for one in groups) == whole.total.cameras.total, cut
            assert sum(one.facilities for one in groups) == whole.total.facilities, cut
        for cut, key, wanted in history.filters():
            where = f"{cut} {key}"
            there = {key_of(one): one for one in getattr(whole, cut)}
            filtered, found = await directly(database, question, wanted)
            expected = there.get(key, Group(None, None, None))
            assert named(filtered.total.durations.lengths) == named(expected.durations.lengths), where
            assert filtered.total.cameras == expected.cameras, where
            assert filtered.total.facilities == expected.facilities, where
            lines = Durations()
            for one in found:
                lines.add(one.account.camera)
            assert lines == filtered.total.durations, where
            assert (await summed(database, question, wanted)).total == filtered.total, where
            parts.setdefault(cut, []).append(await to_destinations(database, question, wanted))
        for cut, each in parts.items():
            assert added(each) == centres, cut


async def test_cuts_of_the_report_and_its_filters_are_equal_where_a_camera_moved(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """As from outside: a camera moves after 1,133 s, and is removed 2,115 s later."""
    second = province.facility_state(id=uuid4(), code="KCL-02")
    camera = province.camera()
    moved = MIDNIGHT + timedelta(seconds=1133)
    gone = RemovedV1(id=camera.id, noun="camera", revision=3, removed_at=moved + timedelta(seconds=2115))
    there = camera.model_copy(update={"revision": 2, "changed_at": moved, "facility_id": second.id})
    register = [province.stated("facility", second), province.stated("camera", camera)]
    register += [province.stated("camera", there), province.stated("camera", gone)]
    await province.feed(ingest, *province.base(), *register, *province.probes(camera, MIDNIGHT, NOW, every_s=600))
    period = {"from": MIDNIGHT.isoformat(), "to": (MIDNIGHT + timedelta(hours=1)).isoformat()}
    whole = (await client.get("/v1/compliance", params=period)).json()
    assert whole["totals"]["seconds"]["period"] == 3600.0
    cut = {one["code"]: one["seconds"] for one in whole["by_facility"]}
    assert [cut[code]["period"] for code in ("KCL-01", "KCL-02")] == [1133.0, 2467.0]
    assert [cut[code]["out_of_scope"] for code in ("KCL-01", "KCL-02")] == [0.0, 3600.0 - 1133 - 2115]
    for code, seconds in cut.items():
        one = (await client.get("/v1/compliance", params={**period, "facility": code})).json()
        assert one["totals"]["seconds"] == seconds
        [line] = one["cameras"]
        assert line["seconds"] == seconds


async def test_time_before_a_camera_existed_counts_where_its_place_was_another_one_then(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """The place was a school until 900 s before the camera came."""
    made = MIDNIGHT + timedelta(seconds=1800)
    school = province.facility_state(type=FacilityType.SCHOOL)
    hotel = school.model_copy(
        update={"revision": 2, "changed_at": made - timedelta(seconds=900), "type": FacilityType.HOTEL}
    )
    camera = province.camera(changed_at=made, created_at=made)
    register = [*province.base(), *(province.stated("facility", one) for one in (school, hotel))]
    await province.feed(ingest, *register, province.stated("camera", camera))
    period = {"from": MIDNIGHT.isoformat(), "to": (MIDNIGHT + timedelta(hours=1)).isoformat()}
    whole = (await client.get("/v1/compliance", params=period)).json()
    cut = {one["code"]: one["seconds"] for one in whole["by_type"]}
    assert {code: seconds["period"] for code, seconds in cut.items()} == {"school": 900.0, "hotel": 2700.0}
    for code, seconds in cut.items():
        one = (await client.get("/v1/compliance", params={**period, "type": code})).json()
        assert one["totals"]["seconds"] == seconds
