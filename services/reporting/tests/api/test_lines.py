"""Intervals, outages, the overview and maintenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from vonggac.events.inventory import RemovedV1, UnitV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(hours=1)).isoformat()}


HOUR = timedelta(hours=1)
SOON = datetime.now(UTC).replace(microsecond=0) + HOUR


def minutes(count: float) -> datetime:
    return DAY + timedelta(minutes=count)


async def test_a_cameras_intervals_fill_the_period(client: Client, ingest: Ingest, province: Province) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(
        ingest,
        *province.probes(camera, minutes(10), minutes(20)),
        *province.probes(camera, minutes(20), minutes(30), "down", cause="auth_failed"),
        *province.watched(minutes(60)),
    )
    answer = (await client.get(f"/v1/cameras/{camera.id}/intervals", params=PERIOD)).json()
    found = [(one["state"], one["cause"], one["seconds"]) for one in answer["intervals"]]
    assert found == [
        ("unknown", None, 600.0),
        ("up", None, 600.0),
        ("down", "auth_failed", 630.0),
        ("unknown", None, 1770.0),
    ]
    assert answer["intervals"][0]["start"] == "2026-11-20T07:00:00+07:00"


async def test_a_deliverys_intervals_fill_the_period(client: Client, ingest: Ingest, province: Province) -> None:
    camera = province.camera()
    planned = camera.deliveries[0]
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(
        ingest,
        province.change(planned, camera, 1, minutes(0), "connecting"),
        province.change(planned, camera, 2, minutes(1), "acknowledged"),
        *province.watched(minutes(40)),
    )
    answer = (await client.get(f"/v1/deliveries/{planned.id}/intervals", params=PERIOD)).json()
    found = [(one["state"], one["seconds"]) for one in answer["intervals"]]
    assert found == [("connecting", 60.0), ("acknowledged", 2340.0), ("unknown", 1200.0)]


@pytest.mark.parametrize("noun", ["cameras", "deliveries"])
async def test_an_unknown_thing_has_no_intervals(client: Client, noun: str) -> None:
    answer = await client.get(f"/v1/{noun}/{uuid4()}/intervals")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_outages_are_listed_newest_first_with_their_repair_time(
    client: Client, ingest: Ingest, province: Province
) -> None:
    first, second = province.camera("CAM-01"), province.camera("CAM-02")
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in (first, second)))
    facts = province.probes(first, minutes(0), minutes(10)) + province.probes(second, minutes(0), minutes(30))
    facts += province.probes(first, minutes(10), minutes(15), "down", cause="timeout")
    facts += province.probes(first, minutes(15), minutes(20), "down", cause="refused")
    facts += province.probes(first, minutes(20), minutes(60))
    facts += province.probes(second, minutes(30), minutes(60), "down", cause="dns")
    await province.feed(ingest, *facts, *province.watched(minutes(61)))
    answer = (await client.get("/v1/outages", params=PERIOD)).json()
    assert [(one["camera_code"], one["seconds"], one["causes"]) for one in answer["items"]] == [
        ("CAM-02", 1800.0, ["dns"]),
        ("CAM-01", 600.0, ["timeout", "refused"]),
    ]
    assert (answer["count"], answer["mean_repair_seconds"], answer["longest_seconds"]) == (2, 600.0, 1800.0)
    only = (await client.get("/v1/outages", params={**PERIOD, "camera": str(first.id), "limit": "1"})).json()
    assert [one["camera_code"] for one in only["items"]] == ["CAM-01"]


async def test_the_overview_counts_cameras_and_workers(client: Client, ingest: Ingest, province: Province) -> None:
    camera, now = province.camera(), datetime.now(UTC)
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    facts = [province.change(planned, camera, 1, now, "acknowledged") for planned in camera.deliveries]
    await province.feed(ingest, province.probe(camera, now), *facts, *province.watched(now))
    answer = (await client.get("/v1/overview")).json()
    assert answer["cameras"]["both"] == answer["cameras"]["compliant"] == 1
    assert answer["workers"] == {"probers": 1, "forwarders": 1}


async def test_an_outage_is_confirmed_on_both_sides_of_a_midnight(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """One probe finds another cause than the others, and what it found goes on over midnight."""
    camera, midnight, minute = province.camera(), DAY, timedelta(minutes=1)
    evening = midnight - 4 * minute
    down = [("timeout", evening), ("refused", evening + 5 * minute), ("refused", evening + 10 * minute)]
    down += [("timeout", at + 5 * HOUR) for at in (evening - 10 * minute, evening - 5 * minute)]
    down += [("refused", evening + 5 * HOUR)]
    facts = [province.probe(camera, at, "down", cause=cause, every_s=300) for cause, at in down]
    facts += [province.probe(camera, evening + more * minute, every_s=300) for more in (-5, 15, 280, 305)]
    await province.feed(
        ingest, *province.base(), province.stated("camera", camera), *facts, *province.watched(midnight + 9 * HOUR)
    )
    later = midnight + 5 * HOUR
    spans = ((midnight - HOUR, midnight), (midnight, midnight + HOUR), (later - HOUR, later), (later, later + HOUR))
    for start, end in spans:
        found = (await client.get("/v1/outages", params={"from": start.isoformat(), "to": end.isoformat()})).json()
        assert (found["count"], found["unconfirmed"]) == (1, 0), start
        assert [one["began_before"] for one in found["items"]] == [start in {midnight, later}]


async def test_an_outage_begins_where_maintenance_ends_also_at_the_first_moment_of_the_period(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, up = province.camera(), DAY + HOUR / 2
    facts = province.probes(camera, DAY - HOUR, up, "down", cause="timeout", every_s=300)
    facts += province.probes(camera, up, DAY + HOUR, every_s=300)
    window = province.window(DAY - 2 * HOUR, DAY, camera_id=camera.id)
    register = (province.stated("camera", camera), province.stated("maintenance_window", window))
    await province.feed(ingest, *province.base(), *register, *facts, *province.watched(DAY + HOUR))
    found = (await client.get("/v1/outages", params=PERIOD)).json()
    assert [(one["began_before"], one["seconds"]) for one in found["items"]] == [(False, 1800.0)]
    assert (found["count"], found["mean_repair_seconds"]) == (1, 1800.0)


async def test_a_silent_forwarders_deliveries_are_unknown(client: Client, ingest: Ingest, province: Province) -> None:
    camera, then = province.camera(), datetime.now(UTC) - timedelta(minutes=2)
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(
        ingest,
        *(province.change(one, camera, 1, then, "acknowledged") for one in camera.deliveries),
        *province.watched(then),
    )
    answer = (await client.get("/v1/overview")).json()
    assert (answer["cameras"]["both"], answer["cameras"]["connection_unknown"]) == (0, 1)
    assert answer["workers"]["forwarders"] == 0


async def test_maintenance_of_the_register_is_listed_with_who_agreed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    moved = camera.model_copy(update={"revision": 2, "facility_id": province.facility, "name": "Cổng phụ"})
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in (camera, moved)))
    of_camera = province.window(SOON, SOON + 2 * HOUR, camera_id=camera.id)
    of_facility = province.window(SOON, SOON + HOUR, facility_id=province.facility)
    of_another = province.window(SOON, SOON + HOUR, camera_id=uuid4())
    windows = (of_camera, of_facility, of_another)
    await province.feed(ingest, *(province.stated("maintenance_window", one) for one in windows))
    listed = (await client.get("/v1/maintenance", params={"camera": str(camera.id)})).json()["items"]
    assert {one["id"] for one in listed} == {str(of_camera.id), str(of_facility.id)}
    by_code = (await client.get("/v1/maintenance", params={"facility": "KCL-01"})).json()["items"]
    assert [one["id"] for one in by_code] == [str(of_facility.id)]
    assert {(one["approved_by"], one["reason"]) for one in listed} == {("lead", "thay nguồn")}


async def test_maintenance_takes_a_period_as_every_other_route_does(
    client: Client, ingest: Ingest, province: Province
) -> None:
    begin = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    window = province.window(begin, begin + 2 * HOUR, camera_id=uuid4())
    await province.feed(ingest, province.stated("maintenance_window", window))
    berlin = {"from": "2026-10-25", "to": "2026-10-25T02:45", "time_zone": "Europe/Berlin"}
    (listed,) = (await client.get("/v1/maintenance", params=berlin)).json()["items"]
    assert (listed["from"], listed["to"]) == ("2026-10-25T02:30:00+02:00", "2026-10-25T03:30:00+01:00")
    table = await client.get("/v1/maintenance", params=berlin | {"format": "csv"})
    assert "2026-10-25T02:30:00.000+02:00" in table.text
    assert (await client.get("/v1/maintenance", params={"from": "2026-10-24", "to": "2026-10-25"})).json()[
        "items"
    ] == []
    for wrong in ({"from": "24/10/2026"}, {"time_zone": "Mars/Phobos"}, {"from": "2026-10-25", "to": "2026-10-25"}):
        refused = await client.get("/v1/maintenance", params=wrong)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, next(iter(wrong)))


async def test_maintenance_that_ends_when_the_period_begins_is_not_of_it(
    client: Client, ingest: Ingest, province: Province
) -> None:
    begin, end = DAY + HOUR, DAY + 2 * HOUR
    over = province.window(begin, end, camera_id=uuid4())
    cancelled = province.window(end, end + HOUR, camera_id=uuid4())
    cut = {"ends_at": end, "cancelled_at": begin, "cancelled_by": "phó"}
    states = (over, cancelled.model_copy(update=cut))
    await province.feed(ingest, *(province.stated("maintenance_window", one) for one in states))

    async def listed(start: datetime, until: datetime) -> list[str]:
        period = {"from": start.isoformat(), "to": until.isoformat()}
        return [one["id"] for one in (await client.get("/v1/maintenance", params=period)).json()["items"]]

    assert await listed(end, end + HOUR) == [str(cancelled.id)], "cancelled before it began, at the first moment"
    assert await listed(end - timedelta(milliseconds=1), end) == [str(over.id)]
    assert await listed(begin - HOUR, begin) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0)])
async def test_the_newest_revision_of_a_window_holds_in_any_order(
    client: Client, ingest: Ingest, province: Province, order: tuple[int, ...]
) -> None:
    window = province.window(SOON, SOON + HOUR, camera_id=uuid4())
    change = {"revision": 2, "ends_at": SOON, "cancelled_at": SOON - HOUR / 2, "cancelled_by": "phó"}
    states = (window, window.model_copy(update=change))
    for which in order:
        await province.feed(ingest, province.stated("maintenance_window", states[which]))
    (listed,) = (await client.get("/v1/maintenance")).json()["items"]
    assert listed["to"] == listed["from"]
    assert listed["cancelled_by"] == "phó"


@pytest.mark.parametrize(("path", "field"), [
    ("/v1/outages", "camera"),
    ("/v1/late-evidence", "camera"),
    ("/v1/maintenance", "camera"),
    ("/v1/maintenance", "facility"),
])  # fmt: skip
async def test_an_id_that_nobody_knows_has_no_empty_list(client: Client, path: str, field: str) -> None:
    """No outage of a camera that is not there would read as a camera that never failed."""
    for more in ({}, {"format": "csv"}):
        refused = await client.get(path, params={field: str(uuid4()), **more})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


async def test_a_code_that_is_used_again_means_the_unit_that_has_it_now(
    client: Client, ingest: Ingest, province: Province
) -> None:
    new, at = uuid4(), minutes(1)
    state: dict[str, Any] = {"revision": 1, "changed_at": at, "created_at": at}
    gone = RemovedV1(noun="unit", id=province.unit, revision=2, removed_at=at)
    unit = UnitV1(id=new, code="465", name="Xã Lao Bảo", **state)
    there = province.facility_state(id=uuid4(), code="KCL-02", unit_id=new)
    await province.feed(ingest, *province.base())
    await province.feed(ingest, province.stated("unit", gone), province.stated("unit", unit))
    await province.feed(ingest, province.stated("facility", there))
    answer = await client.get("/v1/compliance", params={**PERIOD, "unit": "465"})
    assert [one["code"] for one in answer.json()["by_facility"]] == ["KCL-02"]
    assert [one["id"] for one in answer.json()["by_unit"]] == [str(new)]
