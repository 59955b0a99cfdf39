"""Edits while reporting is away: what came is counted as it was, what never came is neither charged nor excused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reporting.api.compliance_schemas import ComplianceReport
from reporting.domain.instants import millis
from reporting.ingest import scope
from reporting.ingest.cleanup import keep_house
from reporting.reports.availability.bookkeeping import Bookkeeper
from reporting.storage.upkeep import reading
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.events.inventory import RemovedV1
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 20, tzinfo=UTC)
END = DAY + timedelta(hours=10)
AWAY = DAY + timedelta(hours=4)
"""Until then reporting had read the register."""
PERIOD = {"from": DAY.isoformat(), "to": END.isoformat()}
HOURS = 3600.0


def hour(count: float) -> datetime:
    return DAY + timedelta(hours=count)


def later(state: Any, revision: int, at: datetime, **given: Any) -> Any:
    return state.model_copy(update={"revision": revision, "changed_at": at, **given})


async def good_camera(ingest: Ingest, database: Database, province: Province, *, until: float = 10) -> CameraV1:
    """Up and at both centres until then, down and at none afterwards; the register was read until AWAY."""
    camera = province.camera()
    facts = province.probes(camera, DAY, hour(until), every_s=300)
    facts += province.probes(camera, hour(until), END, "down", cause="timeout", every_s=300)
    facts += [province.change(planned, camera, 1, DAY, "acknowledged") for planned in camera.deliveries]
    facts += [
        province.change(planned, camera, 2, hour(until), "waiting_for_camera", held_since=DAY, cause="timeout")
        for planned in camera.deliveries
    ]
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *facts, *province.watched(END))
    await read_register(database, AWAY)
    return camera


async def read_register(database: Database, at: datetime) -> None:
    async with database.transaction() as session:
        await reading.note(session, at)


async def read(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params={**PERIOD, **parameters})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    ComplianceReport.model_validate(document)
    return document


async def line_of(client: Client, **parameters: str) -> dict[str, Any]:
    document = await read(client, **parameters)
    [line] = document["cameras"]
    found: dict[str, Any] = line
    return found


async def test_edits_away_a_camera_that_was_switched_off_for_a_minute_is_out_of_scope_for_it(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    camera = await good_camera(ingest, database, province, until=5)
    off = later(camera, 2, hour(5), enabled=False, changed_by="an")
    on = later(camera, 3, hour(5) + timedelta(seconds=60))
    await province.feed(ingest, province.stated("camera", off), province.stated("camera", on))
    line = await line_of(client)
    assert (line["seconds"]["out_of_scope"], line["seconds"]["down"]) == (60.0, 5 * HOURS - 60)
    assert [one["seconds"]["not_connected"] for one in line["deliveries"]] == [5 * HOURS - 60] * 2
    assert line["register_unknown"] == []


LOST: dict[str, Callable[[Province, CameraV1, UUID], CloudEvent[Payload]]] = {
    "camera": lambda province, camera, _: province.stated("camera", later(camera, 4, hour(6))),
    "facility": lambda province, camera, _: province.stated("facility", later(province.facility_state(), 4, hour(6))),
    "moved": lambda province, camera, second: province.stated("camera", later(camera, 4, hour(6), facility_id=second)),
    "removed": lambda province, camera, _: province.stated(
        "camera", RemovedV1(id=camera.id, noun="camera", revision=4, removed_at=hour(6))
    ),
}


@pytest.mark.parametrize("which", LOST)
async def test_edits_away_that_never_came_are_neither_charged_nor_excused(
    client: Client, ingest: Ingest, database: Database, province: Province, settings: Settings, which: str
) -> None:
    """Revisions 2 and 3 were pushed out of the stream: it is unknown from the last reading to revision 4."""
    camera = await good_camera(ingest, database, province, until=5)
    second = province.facility_state(id=uuid4(), code="KCL-02")
    await province.feed(ingest, province.stated("facility", second))
    await province.feed(ingest, LOST[which](province, camera, second.id))
    line = await line_of(client)
    known, seconds = {"removed": 0.0}.get(which, 4 * HOURS), line["seconds"]
    assert (seconds["up"], seconds["unknown"], seconds["down"]) == (4 * HOURS, 2 * HOURS, known)
    assert (seconds["compliance_unknown"], seconds["connection_unknown"]) == (2 * HOURS, 2 * HOURS)
    assert seconds["out_of_scope"] == 4 * HOURS - known
    parts = [
        (one["seconds"]["connected"], one["seconds"]["unknown"], one["seconds"]["not_connected"])
        for one in line["deliveries"]
    ]
    assert parts == [(4 * HOURS, 2 * HOURS, known)] * 2
    assert [(one["from"][11:16], one["to"][11:16]) for one in line["register_unknown"]] == [("11:00", "13:00")]
    intervals = (await client.get(f"/v1/cameras/{camera.id}/intervals", params=PERIOD)).json()["intervals"]
    assert ("unknown", "revision_missing", 2 * HOURS) in [
        (one["state"], one["cause"], one["seconds"]) for one in intervals
    ]
    outages = (await client.get("/v1/outages", params=PERIOD)).json()["items"]
    assert [one["seconds"] for one in outages] == [4 * HOURS] * (which != "removed")
    assert await keep_house(database, settings, END) == 1


async def test_edits_away_of_a_destination_leave_only_its_deliveries_unknown(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    await good_camera(ingest, database, province, until=5)
    await province.feed(ingest, province.destination("national", revision=4, changed_at=hour(6)))
    line = await line_of(client)
    assert (line["seconds"]["up"], line["seconds"]["down"]) == (5 * HOURS, 5 * HOURS)
    assert [one["seconds"]["unknown"] for one in line["deliveries"]] == [2 * HOURS, 0.0]
    assert line["seconds"]["compliance_unknown"] == HOURS
    # Down all the same, so not connected to both whatever was demanded.
    assert line["seconds"]["non_compliant"] == 5 * HOURS


async def test_edits_away_that_come_late_are_counted_as_they_were(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    camera = await good_camera(ingest, database, province, until=5)
    await province.feed(ingest, province.stated("camera", later(camera, 4, hour(6))))
    await province.feed(ingest, province.stated("camera", later(camera, 3, hour(5.5), enabled=False)))
    assert (await line_of(client))["seconds"]["unknown"] == 1.5 * HOURS
    await province.feed(ingest, province.stated("camera", later(camera, 2, hour(4.5))))
    seconds = (await line_of(client))["seconds"]
    assert (seconds["unknown"], seconds["out_of_scope"], seconds["down"]) == (0.0, 0.5 * HOURS, 4.5 * HOURS)


async def test_edits_away_of_a_facility_leave_what_is_certain(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    """A camera that was switched off was so whatever became of its facility."""
    camera = await good_camera(ingest, database, province)
    await province.feed(ingest, province.stated("camera", later(camera, 2, hour(3), enabled=False)))
    await province.feed(ingest, province.stated("facility", later(province.facility_state(), 9, hour(6))))
    seconds = (await line_of(client))["seconds"]
    assert (seconds["unknown"], seconds["out_of_scope"]) == (0.0, 7 * HOURS)


async def test_edits_away_a_window_of_maintenance_holds_as_it_was_last_agreed(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    """Its newest state says all: it is never removed, and what has begun is only cut short."""
    camera = await good_camera(ingest, database, province, until=5)
    window = province.window(hour(6), hour(7), camera_id=camera.id)
    await province.feed(ingest, province.stated("window", later(window, 12, hour(6.5), ends_at=hour(6.5))))
    seconds = (await line_of(client))["seconds"]
    assert (seconds["maintenance"], seconds["unknown"], seconds["down"]) == (0.5 * HOURS, 0.0, 4.5 * HOURS)


async def test_edits_away_a_camera_made_anew_is_another_one(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    camera = await good_camera(ingest, database, province)
    removed = RemovedV1(id=camera.id, noun="camera", revision=2, removed_at=hour(5))
    anew = province.camera(created_at=hour(5.5), changed_at=hour(6), revision=3)
    await province.feed(ingest, province.stated("camera", removed), province.stated("camera", anew))
    first, second = sorted((await read(client))["cameras"], key=lambda one: one["id"] != str(camera.id))
    assert (first["seconds"]["up"], first["seconds"]["out_of_scope"]) == (5 * HOURS, 5 * HOURS)
    # Revisions 1 and 2 never came: switched on or off, nobody knows.
    assert [(one["from"][11:16], one["to"][11:16]) for one in second["register_unknown"]] == [("12:30", "13:00")]
    assert second["seconds"]["out_of_scope"] == 5.5 * HOURS


async def test_edits_away_in_closed_days_are_in_the_ledger_and_flagged(
    client: Client, ingest: Ingest, database: Database, province: Province, settings: Settings
) -> None:
    """The gap begins on a day that is closed: it is written anew, and the sums are as without a ledger."""
    camera = await good_camera(ingest, database, province, until=5)
    horizon = Bookkeeper(database, 0, 15_000)
    await horizon.keep(millis(hour(72)))
    await province.feed(ingest, province.stated("camera", later(camera, 4, hour(50))))
    assert await horizon.correct(millis(hour(72))) == 1
    spans = {"from": hour(-7).isoformat(), "to": hour(17 + 48).isoformat()}
    [line] = (await read(client, **spans))["cameras"]
    assert line["seconds"]["unknown"] == 15 * HOURS + 46 * HOURS + 7 * HOURS
    assert line["seconds"]["down"] == 0.0
    total = (await client.get("/v1/availability", params={**spans, "by": "unit"})).json()["items"]
    assert [one["milliseconds"]["unknown"] for one in total] == [1000 * line["seconds"]["unknown"]]


async def test_edits_away_what_waited_in_the_registers_outbox_is_unknown_since_the_reading_began(
    ingest: Ingest, database: Database, province: Province
) -> None:
    """It was changed before it was noted last, and came after it: so may have been what is missing."""
    for at in (hour(1), hour(1) + timedelta(seconds=10), hour(3), hour(3) + timedelta(seconds=15)):
        await read_register(database, at)
    async with database.transaction() as session:
        known = await reading.readings(session)
    assert [reading.read_until(known, hour(at)) for at in (0.5, 2, 4)] == [
        reading.NEVER,
        hour(1) + timedelta(seconds=10),
        hour(3) + timedelta(seconds=15),
    ]
    assert reading.read_until(known, hour(3) + timedelta(seconds=14)) == hour(3)


@pytest.mark.server
async def test_edits_away_the_bus_keeps_ten_states_and_the_tables_know_until_when_they_read(
    start: Start, database: Database, bus: Bus, province: Province
) -> None:
    """Reporting stops; a camera is switched off and on, another one changed a dozen times; it starts again."""
    now = datetime.now(UTC)
    began = now - timedelta(hours=1)
    cameras = [province.camera(f"CAM-{number}", changed_at=began, created_at=began) for number in range(2)]
    register = [*province.base(), *(province.stated("camera", one) for one in cameras)]
    facts = [fact for one in cameras for fact in province.probes(one, began, now)]
    await province.publish(bus, *register, *facts, *province.watched(now))

    async def known() -> bool:
        async with database.transaction() as session:
            return bool(await reading.readings(session))

    async with start():
        await eventually(known, within_s=30)
    async with database.transaction() as session:
        [noted] = await reading.readings(session)
    edits = [later(cameras[0], number, now - timedelta(minutes=30 - number), enabled=number != 2) for number in (2, 3)]
    edits += [later(cameras[1], number, noted.ended_at + timedelta(seconds=number)) for number in range(2, 15)]
    await province.publish(bus, *(province.stated("camera", one) for one in edits))
    assert topology.STATES_KEPT == 10
    info = await bus.js.stream_info(topology.INVENTORY, subjects_filter=subjects.inventory("camera", cameras[1].id))
    assert info.state.subjects == {subjects.inventory("camera", cameras[1].id): 10}
    jobs = await bus.js.stream_info(topology.PROBE_JOBS, subjects_filter=subjects.probe_job("*"))
    assert jobs.state.subjects == {subjects.probe_job(one.id): 1 for one in cameras}

    async def both() -> bool:
        async with database.transaction() as session:
            return await scope.count_missing(session) == 1

    async with start() as client:
        await eventually(both, within_s=30)
        period = {"from": began.isoformat(), "to": (now - timedelta(minutes=1)).isoformat()}
        lines = (await client.get("/v1/compliance", params=period)).json()["cameras"]
        assert [one["seconds"]["out_of_scope"] for one in lines] == [60.0, 0.0]
        assert [one["register_unknown"] for one in lines] == [[], []]
        until = {"from": began.isoformat(), "to": (noted.ended_at + timedelta(seconds=1)).isoformat()}
        [_, line] = (await client.get("/v1/compliance", params=until)).json()["cameras"]
        [stretch] = line["register_unknown"]
        assert datetime.fromisoformat(stretch["from"]) == noted.ended_at.replace(
            microsecond=noted.ended_at.microsecond // 1000 * 1000
        )
