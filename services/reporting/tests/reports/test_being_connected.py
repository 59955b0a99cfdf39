"""What was found wrong of a camera while it was being connected is out of scope: in figures, ledger and connections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.reports.accounts import CameraAccount, Question, accounts
from reporting.reports.availability.accounts import ledgered_accounts
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.reports.mandate.connections import first_connected
from reporting.storage import plan
from reporting.storage.snapshot import snapshot

if TYPE_CHECKING:
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

PLANNED = datetime(2026, 11, 20, 3, tzinfo=UTC)
"""Ten in the morning in the province: the camera has its first deliveries."""
END = PLANNED + timedelta(hours=4)
ALIVE_MS = 15_000
MINUTE = 60_000


def after(minutes: float) -> datetime:
    return PLANNED + timedelta(minutes=minutes)


def new_camera(province: Province, code: str = "CAM-01", **given: Any) -> CameraV1:
    return province.camera(code, changed_at=PLANNED, created_at=PLANNED, **given)


def found(province: Province, camera: CameraV1, *spells: tuple[float, float, str | None]) -> list[CloudEvent[Payload]]:
    """Probes from one minute to another: down for a cause, or up."""
    return [
        each
        for since, until, cause in spells
        for each in province.probes(camera, after(since), after(until), "down" if cause else "up", cause=cause)
    ]


async def feed(ingest: Ingest, province: Province, *events: CloudEvent[Payload]) -> None:
    await province.feed(ingest, *province.base(), *events, *province.watched(END))


async def accounted(database: Database, since: datetime = PLANNED, until: datetime = END) -> dict[str, CameraAccount]:
    """By the code of the camera."""
    question = Question(Period(millis(since), millis(until)), millis(END + timedelta(days=2)), ALIVE_MS)
    async with snapshot(database) as session:
        cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), question.period))
        return {one.camera.code: one async for each in accounts(session, question, cameras, list) for one in each}


def minutes(one: CameraAccount) -> dict[str, float]:
    time = one.account.camera
    return {name: getattr(time, name) / MINUTE for name in ("up", "down", "out_of_scope", "unknown")}


async def test_a_wrong_login_before_the_first_picture_is_out_of_scope_and_shown_apart(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = new_camera(province)
    events = found(province, camera, (0, 6, "auth_failed"), (6, 8, "timeout"), (8, 10, "frozen"), (10, 240, None))
    await feed(ingest, province, province.stated("camera", camera), *events)
    one = (await accounted(database))["CAM-01"]
    assert minutes(one) == {"up": 230, "down": 2, "out_of_scope": 8, "unknown": 0}
    shown = [(at.start, at.end, at.value.reason.value) for at in one.camera.out_of_scope]
    spans = [(millis(after(0)), millis(after(6))), (millis(after(8)), millis(after(10)))]
    assert shown == [(*span, "being_connected") for span in spans]


async def test_a_camera_that_is_down_again_later_is_down(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = new_camera(province)
    events = found(province, camera, (0, 1, "auth_failed"), (1, 2, None), (2, 20, "auth_failed"), (20, 240, None))
    await feed(ingest, province, province.stated("camera", camera), *events)
    assert minutes((await accounted(database))["CAM-01"]) == {"up": 221, "down": 18, "out_of_scope": 1, "unknown": 0}


@pytest.mark.parametrize(
    ("spells", "seen"),
    [
        ([(0, 240, "auth_failed")], {"up": 0, "down": 240, "out_of_scope": 0, "unknown": 0}),
        ([(0, 31, "frozen"), (31, 240, None)], {"up": 209, "down": 31, "out_of_scope": 0, "unknown": 0}),
        ([(0, 30, "frozen"), (30, 240, None)], {"up": 210, "down": 0, "out_of_scope": 30, "unknown": 0}),
    ],
    ids=["never up", "up a minute too late", "up in time"],
)
async def test_nothing_is_taken_out_of_a_camera_that_did_not_come_up_in_time(
    ingest: Ingest, database: Database, province: Province, spells: list[Any], seen: dict[str, float]
) -> None:
    camera = new_camera(province)
    await feed(ingest, province, province.stated("camera", camera), *found(province, camera, *spells))
    assert minutes((await accounted(database))["CAM-01"]) == seen


async def test_it_is_down_until_a_probe_finds_it_up(ingest: Ingest, database: Database, province: Province) -> None:
    camera = new_camera(province)
    await feed(ingest, province, province.stated("camera", camera), *found(province, camera, (0, 20, "auth_failed")))
    meanwhile = await accounted(database, until=after(20))
    assert minutes(meanwhile["CAM-01"]) == {"up": 0, "down": 20, "out_of_scope": 0, "unknown": 0}
    await province.feed(ingest, *found(province, camera, (20, 240, None)))
    afterwards = await accounted(database, until=after(20))
    assert minutes(afterwards["CAM-01"]) == {"up": 0, "down": 0, "out_of_scope": 20, "unknown": 0}


async def test_another_plan_does_not_begin_it_anew(ingest: Ingest, database: Database, province: Province) -> None:
    camera = new_camera(province)
    without = camera.model_copy(update={"revision": 2, "changed_at": after(40), "deliveries": ()})
    again = camera.model_copy(update={"revision": 3, "changed_at": after(60)})
    events = [province.stated("camera", one) for one in (camera, without, again)]
    await feed(ingest, province, *events, *found(province, camera, (0, 80, "auth_failed"), (80, 240, None)))
    assert minutes((await accounted(database))["CAM-01"]) == {"up": 160, "down": 80, "out_of_scope": 0, "unknown": 0}


async def test_it_begins_with_the_first_delivery_and_not_with_the_camera(
    ingest: Ingest, database: Database, province: Province
) -> None:
    camera = new_camera(province)
    alone = camera.model_copy(update={"deliveries": ()})
    planned = camera.model_copy(update={"revision": 2, "changed_at": after(60)})
    events = [province.stated("camera", one) for one in (alone, planned)]
    await feed(ingest, province, *events, *found(province, camera, (0, 85, "auth_failed"), (85, 240, None)))
    assert minutes((await accounted(database))["CAM-01"]) == {"up": 155, "down": 60, "out_of_scope": 25, "unknown": 0}
    late = await accounted(database, after(70), END)
    assert minutes(late["CAM-01"]) == {"up": 155, "down": 0, "out_of_scope": 15, "unknown": 0}


@pytest.mark.parametrize(("holds_from", "down"), [(20, 20), (26, 25)])
async def test_time_before_the_rule_came_keeps_its_account(
    ingest: Ingest, database: Database, province: Province, holds_from: float, down: float
) -> None:
    camera = new_camera(province)
    events = found(province, camera, (0, 25, "auth_failed"), (25, 240, None))
    await feed(ingest, province, province.stated("camera", camera), *events)
    async with database.transaction() as session:
        await session.execute(text("insert into accounting_rule values (6, :at)"), {"at": after(holds_from)})
    seen = {"up": 215, "down": down, "out_of_scope": 25 - down, "unknown": 0}
    assert minutes((await accounted(database))["CAM-01"]) == seen


async def by_ledger(database: Database, period: Period, now: int) -> CameraAccount:
    question = Question(period, now, ALIVE_MS)
    async with snapshot(database) as session:
        cameras = await plan.cameras(session, await plan.places(session, plan.Scope(), period))
        (one,) = [one async for each in ledgered_accounts(session, question, cameras, list) for one in each]
    return one


async def test_the_ledger_has_it_also_after_a_late_probe_found_the_camera_up(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """The late probe makes an excused while a down one, on the day that is closed."""
    camera = new_camera(province)
    events = [
        *province.probes(camera, after(0), after(20), "down", cause="auth_failed", every_s=300),
        *province.probes(camera, after(20), after(240), every_s=300),
    ]
    await feed(ingest, province, province.stated("camera", camera), *events)
    bookkeeper, now = Bookkeeper(database, 0, ALIVE_MS), millis(PLANNED + timedelta(days=3))
    await bookkeeper.keep(now)
    period = Period(millis(PLANNED - timedelta(days=1)), millis(PLANNED + timedelta(days=1)))
    day = 24 * 60
    before = minutes(await by_ledger(database, period, now))
    assert before == {"up": 220, "down": 0, "out_of_scope": 20 + day, "unknown": day - 240}
    await province.feed(ingest, province.probe(camera, after(7.5), every_s=300))
    assert await bookkeeper.correct(now) == 1
    seen = minutes(await by_ledger(database, period, now))
    assert seen == {"up": 222.5, "down": 10, "out_of_scope": 7.5 + day, "unknown": day - 240}


async def test_a_probe_after_midnight_takes_time_out_of_the_closed_day_before(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """The camera is planned ten minutes before a local midnight and comes up ten minutes after it."""
    planned_at, midnight = datetime(2026, 11, 20, 16, 50, tzinfo=UTC), datetime(2026, 11, 20, 17, tzinfo=UTC)
    camera = province.camera("CAM-01", changed_at=planned_at, created_at=planned_at)
    came_up = midnight + timedelta(minutes=10)
    wrong = province.probes(camera, planned_at, came_up, "down", cause="auth_failed")
    events = [*province.base(), province.stated("camera", camera), *wrong]
    await province.feed(ingest, *events, *province.watched(midnight + timedelta(hours=2)))
    bookkeeper, now = Bookkeeper(database, 0, ALIVE_MS), millis(midnight + timedelta(minutes=1))
    await bookkeeper.keep(now)
    day_before = Period(millis(midnight - timedelta(days=1)), millis(midnight))
    assert minutes(await by_ledger(database, day_before, now))["down"] == 10
    await province.feed(ingest, *province.probes(camera, came_up, came_up + timedelta(minutes=5)))
    assert await bookkeeper.correct(millis(came_up)) == 1
    seen = minutes(await by_ledger(database, day_before, now))
    assert seen == {"up": 0, "down": 0, "out_of_scope": 24 * 60, "unknown": 0}


async def test_a_facility_is_not_connected_while_one_of_its_cameras_is_being_connected(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """Else a wrong password at one camera would fulfil the duty of the whole facility."""
    good, bad = new_camera(province), new_camera(province, "CAM-02")
    events = [province.stated("camera", one) for one in (good, bad)]
    events += [*found(province, good, (0, 240, None)), *found(province, bad, (0, 25, "auth_failed"), (25, 240, None))]
    for camera in (good, bad):
        since = after(0) if camera is good else after(25)
        for planned in camera.deliveries:
            events.append(province.change(planned, camera, 1, since, "acknowledged", held_since=since))
    await feed(ingest, province, *events)
    async with snapshot(database) as session:
        since_when = await first_connected(session, [province.facility], millis(END), ALIVE_MS, {})
    assert since_when == {province.facility: millis(after(25))}
