"""The past stays: what the register says today changes no second before today."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reporting.api.compliance_schemas import ComplianceReport
from vonggac.events.inventory import DestinationRole, RemovedV1

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(hours=10)).isoformat()}
AFTER = DAY + timedelta(hours=30)


def hour(count: float) -> datetime:
    return DAY + timedelta(hours=count)


async def bad_camera(ingest: Ingest, province: Province) -> CameraV1:
    """Down for four of the ten hours."""
    camera = province.camera()
    facts = province.probes(camera, DAY, hour(3), every_s=300)
    facts += province.probes(camera, hour(3), hour(7), "down", cause="timeout", every_s=300)
    facts += province.probes(camera, hour(7), hour(10), every_s=300)
    facts += [province.change(planned, camera, 1, DAY, "acknowledged") for planned in camera.deliveries]
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *facts)
    await province.feed(ingest, *province.watched(hour(10)))
    return camera


async def read(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params={**PERIOD, **parameters})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    ComplianceReport.model_validate(document)
    del document["generated_at"]
    return document


def changed(state: Any, revision: int, at: datetime, **changes: Any) -> Any:
    return state.model_copy(update={"revision": revision, "changed_at": at, **changes})


@pytest.mark.parametrize(
    "change", ["disabled", "deleted", "moved", "closed", "suspended", "another_evidence", "off", "exchanged"]
)
async def test_what_is_changed_today_changes_no_second_before_today(
    client: Client, ingest: Ingest, province: Province, change: str
) -> None:
    camera = await bad_camera(ingest, province)
    before, outages = await read(client), (await client.get("/v1/outages", params=PERIOD)).json()
    assert before["totals"]["availability"]["measured_percent"] == 60.0
    assert outages["count"] == 1
    place = changed(province.facility_state(), 1, AFTER, id=uuid4(), code="KCL-02", created_at=AFTER)
    events = {
        "disabled": [province.stated("camera", changed(camera, 2, AFTER, enabled=False))],
        "deleted": [province.stated("camera", RemovedV1(id=camera.id, noun="camera", revision=2, removed_at=AFTER))],
        "moved": [
            province.stated("facility", place),
            province.stated("camera", changed(camera, 2, AFTER, facility_id=place.id)),
        ],
        "closed": [province.stated("facility", changed(province.facility_state(), 2, AFTER, status="closed"))],
        "suspended": [province.stated("facility", changed(province.facility_state(), 2, AFTER, status="suspended"))],
        "another_evidence": [province.destination("national", proof="verified", revision=2, changed_at=AFTER)],
        "off": [province.destination("national", enabled=False, revision=2, changed_at=AFTER)],
        "exchanged": [
            province.stated(
                "destination", changed(province.destination(one).data, 2, AFTER, role=DestinationRole(other))
            )
            for one, other in (("national", DestinationRole.PROVINCIAL), ("provincial", DestinationRole.NATIONAL))
        ],
    }
    await province.feed(ingest, *events[change])
    assert await read(client) == before
    assert (await client.get("/v1/outages", params=PERIOD)).json() == outages


async def test_what_was_switched_off_is_out_of_scope_from_then_on_with_who_and_why(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await bad_camera(ingest, province)
    off = changed(camera, 2, hour(5), enabled=False, changed_by="an", reason="sửa mái")
    await province.feed(ingest, province.stated("camera", off))
    (line,) = (await read(client))["cameras"]
    seconds = line["seconds"]
    assert (seconds["up"], seconds["down"], seconds["out_of_scope"]) == (3 * 3600.0, 2 * 3600.0, 5 * 3600.0)
    assert line["out_of_scope"] == [
        {
            "from": "2026-11-20T12:00:00.000+07:00",
            "to": "2026-11-20T17:00:00.000+07:00",
            "reason": "switched_off",
            "by": "an",
            "why": "sửa mái",
        }
    ]
    assert [one["seconds"]["out_of_scope"] for one in line["deliveries"]] == [5 * 3600.0] * 2
    content = (await client.get("/v1/compliance", params={**PERIOD, "format": "csv"})).content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(content, newline="")))
    assert (row["out_of_scope_reason"], row["out_of_scope_by"], row["out_of_scope_why"]) == (
        "switched_off",
        "an",
        "sửa mái",
    )
    assert row["out_of_scope_ms"] == "18000000"
    intervals = (await client.get(f"/v1/cameras/{camera.id}/intervals", params=PERIOD)).json()["intervals"]
    assert [(one["state"], one["cause"], one["seconds"]) for one in intervals] == [
        ("up", None, 3 * 3600.0),
        ("down", "timeout", 2 * 3600.0),
        ("out_of_scope", "switched_off", 5 * 3600.0),
    ]
    (outage,) = (await client.get("/v1/outages", params=PERIOD)).json()["items"]
    assert outage["seconds"] == 2 * 3600.0


async def test_a_camera_added_now_is_charged_nothing_before_it_existed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await bad_camera(ingest, province)
    young = province.camera("CAM-02", created_at=hour(8), changed_at=hour(8))
    younger = province.camera("CAM-03", created_at=AFTER, changed_at=AFTER)
    await province.feed(ingest, *(province.stated("camera", one) for one in (young, younger)))
    document = await read(client)
    assert [one["code"] for one in document["cameras"]] == ["CAM-01", "CAM-02"]
    seconds = document["cameras"][1]["seconds"]
    assert (seconds["out_of_scope"], seconds["unknown"]) == (8 * 3600.0, 2 * 3600.0)
    assert document["cameras"][1]["out_of_scope"][0]["reason"] == "not_yet"
    parts = ("up", "down", "maintenance", "unknown", "out_of_scope")
    assert sum(document["totals"]["seconds"][name] for name in parts) == document["totals"]["seconds"]["period"]


async def test_the_time_of_a_camera_that_moved_counts_where_it_stood(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, unit = await bad_camera(ingest, province), uuid4()
    other = changed(province.facility_state(), 1, DAY, id=uuid4(), code="KCL-02", unit_id=unit, created_at=DAY)
    moved = changed(camera, 2, hour(5), facility_id=other.id)
    await province.feed(ingest, province.stated("facility", other), province.stated("camera", moved))
    document = await read(client)
    (line,) = document["cameras"]
    assert (line["facility"]["code"], line["seconds"]["down"]) == ("KCL-02", 4 * 3600.0)
    downs = {one["code"]: one["seconds"]["down"] for one in document["by_facility"]}
    assert downs == {"KCL-01": 2 * 3600.0, "KCL-02": 2 * 3600.0}
    assert sorted(one["seconds"]["down"] for one in document["by_unit"]) == [2 * 3600.0, 2 * 3600.0]
    assert document["totals"]["seconds"]["period"] == 10 * 3600.0
    assert document["totals"]["cameras"]["total"] == 1
    (there,) = (await read(client, facility="KCL-01"))["cameras"]
    assert (there["seconds"]["down"], there["seconds"]["period"]) == (2 * 3600.0, 5 * 3600.0)
    assert there["seconds"]["out_of_scope"] == 0.0


async def test_an_outage_of_a_camera_that_moved_counts_where_it_stood_then(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, unit = await bad_camera(ingest, province), uuid4()
    other = changed(province.facility_state(), 1, DAY, id=uuid4(), code="KCL-02", unit_id=unit, created_at=DAY)
    moved = changed(camera, 2, hour(8), facility_id=other.id)
    await province.feed(ingest, province.stated("facility", other), province.stated("camera", moved))
    for by, here, there in (("facility", province.facility, other.id), ("unit", province.unit, unit)):
        asked = {**PERIOD, "by": by, "outages": "true"}
        lines = {one["id"]: one for one in (await client.get("/v1/availability", params=asked)).json()["items"]}
        counts = {key: (one["milliseconds"]["down"], one["outages"]["down_ms"]) for key, one in lines.items()}
        assert counts == {str(here): (14_400_000, 14_400_000), str(there): (0, 0)}
        assert (lines[str(here)]["outages"]["count"], lines[str(there)]["outages"]["count"]) == (1, 0)
    (outage,) = (await client.get("/v1/outages", params=PERIOD)).json()["items"]
    assert outage["facility_code"] == "KCL-01"


async def test_a_past_period_shows_no_state_of_now(client: Client, ingest: Ingest, province: Province) -> None:
    camera, now = await bad_camera(ingest, province), datetime.now(UTC)
    await province.feed(ingest, province.probe(camera, now, "down", cause="dns"), *province.watched(now))
    within = province.read_back(camera.deliveries[0], camera, hour(1), delay_s=1.0)
    await province.feed(ingest, within)
    document = await read(client)
    later = province.read_back(camera.deliveries[0], camera, AFTER, delay_s=1.0)
    await province.feed(ingest, later)
    assert await read(client) == document
    (line,) = document["cameras"]
    assert (line["state"], line["cause"], line["since"], line["compliant"]) == (None, None, None, None)
    assert {(one["state"], one["connected"], one["verified_at"]) for one in line["deliveries"]} == {(None, None, None)}
    counts = document["totals"]["cameras"]
    assert counts.pop("total") == 1
    assert set(counts.values()) == {None}
    rows = {}
    for table in ("cameras", "deliveries"):
        answer = await client.get("/v1/compliance", params={**PERIOD, "format": "csv", "table": table})
        rows[table] = next(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert {rows["cameras"][name] for name in ("state", "cause", "state_since", "compliant")} == {""}
    assert {rows["deliveries"][name] for name in ("state", "cause", "connected", "verified_at", "delay")} == {""}
    present = (await client.get("/v1/compliance")).json()
    assert present["period"]["current"] is True
    assert present["cameras"][0]["state"] == "down"
    assert present["totals"]["cameras"]["down"] == 1
    content = (await client.get("/v1/compliance", params={"format": "csv"})).content.decode("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(content, newline="")))
    assert (row["state"], row["confirmed_state"], row["compliant"]) == ("down", "unknown", "false")


@pytest.mark.parametrize("table", ["facts", "camera_days"])
async def test_a_facility_has_a_row_without_camera_only_for_the_days_on_which_it_had_none(
    client: Client, ingest: Ingest, province: Province, table: str
) -> None:
    """A camera that moves at noon of the second of three days is at the second facility from that day on."""
    first = datetime(2026, 11, 19, 17, tzinfo=UTC)
    second = province.facility_state(id=uuid4(), code="KCL-02")
    camera = province.camera()
    moved = {"revision": 2, "changed_at": first + timedelta(hours=36), "facility_id": second.id}
    await province.feed(ingest, *province.base(), province.stated("facility", second))
    await province.feed(ingest, *(province.stated("camera", one) for one in (camera, camera.model_copy(update=moved))))
    period = {"from": first.isoformat(), "to": (first + timedelta(days=3)).isoformat(), "format": "csv"}
    rows = csv.DictReader(io.StringIO((await client.get(f"/v1/tables/{table}", params=period)).text, newline=""))
    assert sorted({(row["day"], row["facility_code"], row["camera_code"]) for row in rows}) == [
        ("2026-11-20", "KCL-01", "CAM-01"), ("2026-11-20", "KCL-02", ""),
        ("2026-11-21", "KCL-01", ""), ("2026-11-21", "KCL-02", "CAM-01"),
        ("2026-11-22", "KCL-01", ""), ("2026-11-22", "KCL-02", "CAM-01"),
    ]  # fmt: skip
