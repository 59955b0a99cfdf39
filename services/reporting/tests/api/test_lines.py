"""Intervals, outages, the overview and maintenance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Province, Start

    from reporting.ingest.handlers import Ingest

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(hours=1)).isoformat()}


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


def window(**given: Any) -> dict[str, Any]:
    soon = datetime.now(UTC) + timedelta(hours=1)
    return {"from": soon.isoformat(), "to": (soon + timedelta(hours=2)).isoformat(), "reason": "thay nguồn"} | given


async def test_maintenance_agreed_beforehand_is_kept_with_who_agreed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    of_camera = await client.post("/v1/maintenance", json=window(camera_id=str(camera.id)))
    of_facility = await client.post("/v1/maintenance", json=window(facility_id=str(province.facility)))
    assert (of_camera.status_code, of_facility.status_code) == (201, 201)
    assert of_camera.json()["approved_by"] == f"test-{Role.PROVINCE_LEAD}"
    listed = (await client.get("/v1/maintenance", params={"camera_id": str(camera.id)})).json()["items"]
    assert {one["id"] for one in listed} == {of_camera.json()["id"], of_facility.json()["id"]}


@pytest.mark.parametrize(("given", "field", "says"), [
    ({"from": "2026-11-20T00:00:00+07:00", "to": "2999-01-01T00:00:00Z"}, "from", "agreed beforehand"),
    ({"to": "2026-11-20T00:00:00+07:00"}, "to", "later than from"),
    ({"from": "2999-01-01T00:00:00"}, "from", "timezone"),
    ({"reason": ""}, "reason", "at least 1"),
    ({"camera_id": None}, "camera_id", "facility_id must be given"),
    ({"camera_id": "00000000-0000-4000-8000-000000000000"}, "camera_id", "no camera"),
])  # fmt: skip
async def test_maintenance_that_cannot_be_agreed_is_refused(
    client: Client, ingest: Ingest, province: Province, given: dict[str, Any], field: str, says: str
) -> None:
    camera = province.camera()
    await province.feed(ingest, province.stated("camera", camera))
    answer = await client.post("/v1/maintenance", json=window(camera_id=str(camera.id)) | given)
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["field"] == field
    assert says in error["message"]
    assert (await client.get("/v1/maintenance")).json()["items"] == []


async def test_cancelled_maintenance_never_counts_and_keeps_its_line(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, province.stated("camera", camera))
    made = (await client.post("/v1/maintenance", json=window(camera_id=str(camera.id)))).json()
    cancelled = await client.delete(f"/v1/maintenance/{made['id']}")
    assert cancelled.json()["to"] == cancelled.json()["from"] == made["from"]
    assert cancelled.json()["cancelled_by"] == f"test-{Role.PROVINCE_LEAD}"
    again = await client.delete(f"/v1/maintenance/{made['id']}")
    assert (again.status_code, again.json()["code"]) == (409, "maintenance_over")
    assert (await client.delete(f"/v1/maintenance/{uuid4()}")).status_code == 404


async def test_only_who_may_add_can_agree_on_maintenance(start: Start, client: Client) -> None:
    async with start(role=Role.READER) as reader:
        refused = await reader.post("/v1/maintenance", json=window(camera_id=str(uuid4())))
        assert refused.status_code == 403
        assert (await reader.delete(f"/v1/maintenance/{uuid4()}")).status_code == 403
