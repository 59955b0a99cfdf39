"""Cameras that moved, one by one or with their whole unit: the ledger has their whole days, too.

All as if every camera had been accounted directly, for everybody and for who asks for one of the places alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from services.reporting.tests.stage.province import received

from reporting.domain.instants import TIME_ZONE, millis
from reporting.domain.ledger import day_of, midnight
from reporting.domain.segments import Period
from reporting.reports import accounts as direct_accounts
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.reports.availability import accounts as ledgered
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.availability.figures import totals_of
from reporting.reports.daily import CameraDays, daily
from reporting.reports.totals import Totals
from reporting.storage import plan
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from services.reporting.tests.stage.province import Province

    from reporting.domain.scope import Facility
    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

LAST = datetime(2026, 11, 19, 17, tzinfo=UTC)
"""The midnight in Vietnam before which every day is closed."""
FIRST = LAST - timedelta(days=10)
NOW = LAST + timedelta(hours=5)
SUCCESSION = FIRST + timedelta(days=4, hours=9)
MOVE = FIRST + timedelta(days=7)
"""A midnight."""
AT_MIDNIGHT = FIRST + timedelta(days=5)
TO_AND_FRO = FIRST + timedelta(days=6)
PERIODS = {
    "whole": (FIRST + timedelta(days=1), LAST - timedelta(days=1)),
    "parts": (FIRST + timedelta(days=1, hours=3), LAST - timedelta(hours=13)),
    "to now": (FIRST + timedelta(days=2, hours=7), NOW),
    "the day of the succession": (SUCCESSION - timedelta(hours=1), SUCCESSION + timedelta(days=2)),
}


async def fed(ingest: Ingest, province: Province, successor: UUID, second: UUID, *, to_and_fro: bool = False) -> None:
    """Five cameras with an outage each, on days of their own. Their unit is succeeded by another one; then one of them
    moves to the second facility, and one is switched off for a while. Two others may move `to_and_fro`."""
    register = [*province.base(), province.stated("facility", province.facility_state(id=second, code="KCL-02"))]
    facts: list[CloudEvent[Payload]] = [*province.watched(NOW)]
    cameras = [province.camera(f"CAM-{n}", changed_at=FIRST, created_at=FIRST) for n in range(5)]
    for number, one in enumerate(cameras):
        register.append(province.stated("camera", one))
        down = FIRST + timedelta(days=2 * number, hours=20 + number)
        facts += province.probes(one, FIRST, down, every_s=3600)
        facts += province.probes(one, down, down + timedelta(hours=7), "down", cause="timeout", every_s=3600)
        facts += province.probes(one, down + timedelta(hours=7), NOW, every_s=3600)
        for planned in one.deliveries:
            facts += [
                province.change(planned, one, 1, FIRST, "acknowledged", held_since=FIRST),
                province.change(planned, one, 2, down, "waiting_for_camera", held_since=FIRST, cause="timeout"),
                province.change(planned, one, 3, down + timedelta(hours=8), "acknowledged", held_since=FIRST),
            ]

    def changed(camera: Any, revision: int, at: datetime, **given: Any) -> None:
        update = {"revision": revision, "changed_at": at, **given}
        register.append(province.stated("camera", camera.model_copy(update=update)))

    facility = province.facility_state(revision=2, changed_at=SUCCESSION, unit_id=successor)
    register.append(province.stated("facility", facility))
    changed(cameras[1], 2, MOVE, facility_id=second)
    # Four times within one day, on which one of the two is down, and once more at the midnight of the last whole day.
    for one in cameras[3:] if to_and_fro else ():
        for number, at in enumerate((6, 7, 9, 23), start=2):
            changed(one, number, TO_AND_FRO + timedelta(hours=at), facility_id=(second, province.facility)[number % 2])
        changed(one, 6, LAST - timedelta(days=1), facility_id=second)
    # At a midnight, and once more on the day that begins there, within which it is switched off.
    for number, hour, given in (2, 0, {"facility_id": second}), (3, 2, {}), (4, 5, {"enabled": False}):
        if to_and_fro:
            changed(cameras[0], number, AT_MIDNIGHT + timedelta(hours=hour), **given)
    changed(cameras[2], 2, MOVE + timedelta(hours=3), enabled=False)
    changed(cameras[2], 3, MOVE + timedelta(hours=15))
    await ingest.inventory([received(one) for one in register])
    await ingest.observations([received(one) for one in facts])


def by_place(one: CameraAccount) -> dict[Facility, Any]:
    return dict(one.places)


@pytest.mark.parametrize("which", PERIODS)
async def test_the_ledger_has_cameras_that_moved(
    ingest: Ingest, database: Database, province: Province, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgered, "TOGETHER", 1)
    monkeypatch.setattr(ledgered, "LONG", 0)
    successor, second = province.national, province.provincial
    await fed(ingest, province, successor, second, to_and_fro=True)
    await Bookkeeper(database, 0, 15_000).keep(millis(LAST) + 1)
    start, end = map(millis, PERIODS[which])
    question = Question(Period(start, end), millis(NOW), 15_000)
    scopes = (plan.Scope(), plan.Scope(unit_id=province.unit), plan.Scope(unit_id=successor))
    moved = 0
    for scope in scopes:
        async with snapshot(database) as session:
            places = await plan.places(session, scope, question.period)
            cameras = await plan.cameras(session, places)
            expected = [one async for portion in accounts(session, question, cameras, list) for one in portion]
            found = [one async for portion in ledgered_accounts(session, question, cameras, list) for one in portion]
            assert [one.account for one in found] == [one.account for one in expected]
            assert [by_place(one) for one in found] == [by_place(one) for one in expected]
            assert [one.now for one in found] == [one.now for one in expected]
            sums, whole = await totals_of(session, question, scope), Totals(places)
        whole.add(expected)
        for name in ("by_facility", "by_unit", "by_agency", "by_type", "total"):
            assert getattr(sums, name) == getattr(whole, name), name
        moved += sum(len(one.places) > 1 for one in expected)
    assert moved > 0


async def test_each_day_of_cameras_that_moved_is_the_same_by_the_ledger_and_moment_by_moment(
    ingest: Ingest, database: Database, province: Province
) -> None:
    await fed(ingest, province, province.national, province.provincial)
    question = Question(Period(*map(millis, PERIODS["parts"])), millis(NOW), 15_000)

    async def every_day(scope: plan.Scope) -> list[CameraDays]:
        async with snapshot(database) as session:
            cameras = await plan.cameras(session, await plan.places(session, scope, question.period))
            return [one async for portion in daily(session, question, cameras, ZoneInfo(TIME_ZONE)) for one in portion]

    scopes = (plan.Scope(), plan.Scope(unit_id=province.unit), plan.Scope(unit_id=province.national))
    directly = [await every_day(scope) for scope in scopes]
    await Bookkeeper(database, 0, 15_000).keep(millis(LAST) + 1)
    for scope, expected in zip(scopes, directly, strict=True):
        found = await every_day(scope)
        assert [one.camera.id for one in found] == [one.camera.id for one in expected]
        for one, other in zip(found, expected, strict=True):
            assert dict(sorted(one.accounts.items())) == dict(sorted(other.accounts.items()))


def accounted_directly(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Period, int]]:
    """Filled with each period that is accounted directly from now on, and for how many cameras."""
    asked: list[tuple[Period, int]] = []

    def noted(session: Any, part: Question, cameras: Sequence[Any], make: Any) -> Any:
        asked.append((part.period, len(cameras)))
        return direct_accounts.accounts(session, part, cameras, make)

    monkeypatch.setattr(ledgered, "accounts", noted)
    return asked


async def whole_days_booked(ingest: Ingest, database: Database, province: Province) -> Question:
    """The cameras of `fed`, with the ledger of all their days; the question of these days."""
    await fed(ingest, province, province.national, province.provincial)
    await Bookkeeper(database, 0, 15_000).keep(millis(LAST) + 1)
    return Question(Period(midnight(day_of(millis(FIRST))), millis(LAST)), millis(NOW), 15_000)


async def test_a_sum_accounts_only_who_has_a_row_at_the_end_of_the_day_of_its_move(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await whole_days_booked(ingest, database, province)
    asked = accounted_directly(monkeypatch)
    async with snapshot(database) as session:
        found = await totals_of(session, question, plan.Scope())
    day = day_of(millis(SUCCESSION))
    assert asked == [(Period(midnight(day), midnight(day + 1)), 1)], "one of the five went down on that day"
    assert found.total.durations.period == 5 * question.period.length


async def test_of_cameras_that_moved_together_only_the_day_of_the_move_is_accounted(
    ingest: Ingest, database: Database, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await whole_days_booked(ingest, database, province)
    asked = accounted_directly(monkeypatch)
    monkeypatch.setattr(ledgered, "LONG", 0)
    async with snapshot(database) as session:
        cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), question.period))
        for together, expected in ((5, [(midnight(day_of(millis(SUCCESSION))), 5)]), (6, [(question.period.start, 5)])):
            monkeypatch.setattr(ledgered, "TOGETHER", together)
            asked.clear()
            assert [one async for one in ledgered_accounts(session, question, cameras, len)] == [5]
            assert [(part.start, count) for part, count in asked if count] == expected
