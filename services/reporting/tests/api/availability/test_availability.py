"""GET /v1/availability: figures by group and stretch of time, targets, and what came late."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.api.compliance.test_compliance import DAY, PERIOD, one_day

from reporting.api.availability.schemas import Availability
from reporting.domain.instants import millis
from reporting.reports.availability.bookkeeping import Bookkeeper
from vonggac.auth import Role
from vonggac.events import Cause, new_event
from vonggac.events.inventory import FacilityType, PlanBasis
from vonggac.events.prober import SiteObservedV1, SiteState

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database

MINUTE = 60_000
HOUR = 60 * MINUTE
LOCAL_DAYS = {"from": "2026-11-20", "to": "2026-11-22"}
"""Two whole days in Vietnam; the facts are of seven o'clock to seven o'clock."""
FIVE = ("up", "down", "maintenance", "unknown", "out_of_scope")
COMPLIANCE = ("compliant", "non_compliant", "compliance_unknown", "maintenance", "out_of_scope")
CONNECTION = (
    "both", "national_only", "provincial_only", "neither", "connection_unknown", "maintenance", "out_of_scope",
)  # fmt: skip


async def read(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/availability", params={**PERIOD, **parameters})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    Availability.model_validate(document)
    return document


@pytest.fixture
def bookkeeper(database: Database) -> Bookkeeper:
    return Bookkeeper(database, 6 * HOUR, 15_000)


def soon_after(end: datetime) -> int:
    return millis(end + timedelta(days=3))


async def test_the_outage_of_r08_is_96_875_percent_of_its_day_for_a_camera_and_for_all(
    client: Client, ingest: Ingest, province: Province
) -> None:
    good, failing, unseen = await one_day(ingest, province)
    document = await read(client, by="camera")
    assert [line["id"] for line in document["items"]] == [str(one.id) for one in (good, failing, unseen)]
    line = document["items"][1]
    assert line["availability"]["measured_percent"] == 96.875
    assert line["milliseconds"]["down"] == 45 * MINUTE
    assert line["facility_code"] == "KCL-01"
    (total,) = (await read(client))["items"]
    assert total["cameras"] == 3
    assert total["milliseconds"]["down"] == 45 * MINUTE
    assert total["milliseconds"]["unknown"] == 24 * HOUR


@pytest.mark.parametrize("by", ["total", "unit", "agency", "type", "facility", "camera", "delivery", "destination"])
@pytest.mark.parametrize("every", [None, "hour", "day", "week", "month"])
async def test_the_sums_of_every_grouping_and_series_are_the_period(
    client: Client, ingest: Ingest, province: Province, bookkeeper: Bookkeeper, by: str, every: str | None
) -> None:
    """R08: to the millisecond, with and without the ledger."""
    await one_day(ingest, province)
    series = {} if every is None else {"every": every}
    asked = {"by": by, "limit": "1000", **series, **LOCAL_DAYS}
    direct = await read(client, **asked)
    assert direct["closed_until"] is None
    await bookkeeper.keep(soon_after(DAY))
    document = await read(client, **asked)
    assert document["closed_until"] is not None
    assert document["items"] == direct["items"]
    whole = 0
    for line in document["items"]:
        length = millis(datetime.fromisoformat(line["end"])) - millis(datetime.fromisoformat(line["start"]))
        if (time := line["milliseconds"]) is not None:
            assert time["period"] == length * line["cameras"]
            for names in (FIVE, COMPLIANCE, CONNECTION):
                assert sum(time[name] for name in names) == time["period"]
        if (parts := line["delivery_milliseconds"]) is not None:
            assert sum(parts.values()) == length * line["cameras"]
            assert sum(line["not_connected_by_cause_ms"].values()) == parts["not_connected"]
        whole += length * line["cameras"]
    assert whole == 2 * 24 * HOUR * (6 if by in {"delivery", "destination"} else 3)


async def test_a_series_is_of_the_zone_that_is_named(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    document = await read(client, every="day", time_zone="UTC")
    assert [line["start"] for line in document["items"]] == ["2026-11-20T00:00:00Z"]
    assert (document["time_zone"], document["every"]) == ("UTC", "day")
    vietnam = await read(client, every="day")
    assert [line["start"] for line in vietnam["items"]] == ["2026-11-20T07:00:00+07:00", "2026-11-21T00:00:00+07:00"]


async def test_outages_of_a_site_are_one_and_say_how_long_repair_took(
    client: Client, ingest: Ingest, province: Province
) -> None:
    _, failing, _ = await one_day(ingest, province)
    began = DAY + timedelta(hours=2, minutes=1)
    fault = SiteObservedV1(
        facility_id=province.facility,
        state=SiteState.FAILING,
        cause=Cause.ROUTE,
        camera_ids=(failing.id,),
        began_at=began,
        ended_at=began + timedelta(minutes=30),
    )

    await province.feed(ingest, new_event(fault, source="/prober/1", subject="site", time=began))
    (line,) = (await read(client, by="facility", outages="true"))["items"]
    up = line["milliseconds"]["up"]
    assert line["outages"] == {
        "count": 1,
        "unconfirmed": 0,
        "site_faults": 1,
        "down_ms": 45 * MINUTE,
        "mttr_ms": 45 * MINUTE,
        "mtbf_ms": up,
        "longest_ms": 45 * MINUTE,
        "by_cause_ms": {"timeout": 45 * MINUTE},
    }


async def test_a_facility_without_cameras_has_its_line(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    empty = province.facility_state(id=uuid4(), code="KCL-02", type=FacilityType.HOTEL)
    await province.feed(ingest, province.stated("facility", empty))
    lines = {line["code"]: line for line in (await read(client, by="facility"))["items"]}
    assert (lines["KCL-02"]["cameras"], lines["KCL-02"]["facilities_without_cameras"]) == (0, 1)
    assert {line["code"] for line in (await read(client, by="type"))["items"]} == {"school", "hotel"}


async def test_exceptions_and_shared_devices_are_flagged(client: Client, ingest: Ingest, province: Province) -> None:
    camera = province.camera(shared_device_reason="one lens, two names")
    excepted = {"plan": PlanBasis.EXCEPTED, "plan_exception": "connected before plans"}
    deliveries = tuple(one.model_copy(update=excepted) for one in camera.deliveries)
    camera = camera.model_copy(update={"deliveries": deliveries})
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    line, other = (await read(client, by="delivery"))["items"]
    assert (line["plan"], line["plan_exception"]) == ("excepted", "connected before plans")
    assert other["shared_device_reason"] == "one lens, two names"
    (shown,) = (await client.get("/v1/compliance", params=PERIOD)).json()["cameras"]
    assert shown["shared_device_reason"] == "one lens, two names"
    assert {one["plan"] for one in shown["deliveries"]} == {"excepted"}


async def test_a_target_is_data_and_leaves_a_budget(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    assert (await read(client))["items"][0]["availability_budget"] is None
    given = {"percent": "95", "valid_from": "2026-11-01T00:00:00+07:00", "reason": "1742/UBND-VX"}
    answer = await client.post("/v1/availability-targets/availability", json=given)
    assert answer.status_code == 201, answer.text
    (_, failing, _) = (await read(client, by="camera"))["items"]
    assert failing["availability_budget"] == {
        "target_percent": "95.000000",
        "allowed_ms": 72 * MINUTE,
        "used_ms": 45 * MINUTE,
        "remaining_ms": 27 * MINUTE,
        "remaining_minutes": 27.0,
        "met": True,
    }
    refused = await client.post(
        "/v1/availability-targets/availability", json={**given, "valid_from": "2026-11-19T00:00:00+07:00"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "target_stands")
    assert "+07:00; another one" in refused.json()["detail"]
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = await client.post("/v1/availability-targets/availability", json={**given, "valid_from": ahead})
    assert later.status_code == 201
    known = (await client.get("/v1/availability-targets")).json()["items"]
    assert [one["percent"] for one in known] == ["95.000000", "95.000000"]


async def test_of_targets_that_are_set_at_once_one_stands(client: Client) -> None:
    given = {"percent": "95", "valid_from": "2026-11-01T00:00:00+07:00", "reason": "1742/UBND-VX"}
    path = "/v1/availability-targets/compliance"
    answers = await asyncio.gather(*(client.post(path, json=given) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


async def test_evidence_after_the_horizon_is_shown_and_changes_its_day(
    client: Client, ingest: Ingest, province: Province, bookkeeper: Bookkeeper
) -> None:
    good, _, unseen = await one_day(ingest, province)
    await bookkeeper.keep(soon_after(DAY))
    before = await read(client, by="camera", **LOCAL_DAYS)
    assert before["late_days"] == 0
    at = DAY + timedelta(hours=4)
    await province.feed(ingest, province.probe(unseen, at, every_s=300), province.probe(good, at, every_s=300))
    await bookkeeper.correct(soon_after(DAY))
    after = await read(client, by="camera", **LOCAL_DAYS)
    assert after["late_days"] == 1
    assert [line["milliseconds"]["up"] for line in after["items"]][2] == 10 * MINUTE
    (late,) = (await client.get("/v1/late-evidence", params=LOCAL_DAYS)).json()["items"]
    assert (late["camera_id"], late["day"], late["what"]) == (str(unseen.id), "2026-11-20", "probe")
    assert (late["change_ms"]["up"], late["change_ms"]["unknown"]) == (10 * MINUTE, -10 * MINUTE)
    rows = []
    for path in ("/v1/late-evidence", "/v1/tables/late_evidence"):
        file = await client.get(path, params={**LOCAL_DAYS, "format": "csv"})
        rows += [*csv.DictReader(io.StringIO(file.text, newline=""))]
    for row in rows:
        assert (row["change_id"], row["camera_id"], row["day"]) == (str(late["id"]), late["camera_id"], late["day"])
        changed = {name: int(value) for name, value in row.items() if name.endswith("_change_ms") and value != "0"}
        assert changed == {f"{name}_change_ms": value for name, value in late["change_ms"].items()}
    assert len(rows) == 2
    none = await client.get("/v1/late-evidence", params={**LOCAL_DAYS, "camera": str(good.id), "format": "csv"})
    assert len(none.text.splitlines()) == 1


async def test_a_reader_sets_no_target(start: Start, client: Client) -> None:
    async with start(role=Role.READER) as reader:
        answer = await reader.post("/v1/availability-targets/availability", json={"percent": "99", "reason": "none"})
    assert answer.status_code == 403


@pytest.mark.parametrize(("parameters", "field", "says"), [
    ({"time_zone": "Asia/Hanoi"}, "time_zone", "no zone"),
    ({"time_zone": "posixrules"}, "time_zone", "no zone"),
    ({"every": "minute"}, "every", "hour"),
    ({"by": "street"}, "by", "facility"),
    ({"every": "hour", "from": "2026-01-01", "to": "2026-11-01"}, "every", "at most 800"),
    ({"by": "delivery", "outages": "true"}, "outages", "not_connected_by_cause_ms"),
    ({"from": "2026-11-21", "to": "2026-11-20"}, "from", "earlier than to"),
    ({"each": "day"}, "each", "unknown"),
])  # fmt: skip
async def test_a_wrong_parameter_is_named(client: Client, parameters: dict[str, str], field: str, says: str) -> None:
    answer = await client.get("/v1/availability", params={**PERIOD, **parameters})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert says in error["message"]


async def test_every_camera_has_its_24_hour_strip_and_its_other_charts(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """A strip without a camera that is asked for is of the twelve longest down: the thirteenth is among the others."""
    cameras = [province.camera(f"CAM-{number:02d}") for number in range(1, 14)]
    down, up = DAY + timedelta(hours=5), DAY + timedelta(hours=5, minutes=20)
    facts = [
        *province.probes(cameras[0], DAY, down, every_s=300),
        *province.probes(cameras[0], down, up, "down", cause="black", every_s=300),
        *province.probes(cameras[12], DAY, up, every_s=300),
        *province.watched(DAY + timedelta(days=1, hours=1)),
    ]
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in cameras), *facts)

    async def drawn(name: str, **more: str) -> str:
        answer = await client.get(f"/v1/charts/{name}.svg", params={**PERIOD, **more})
        assert answer.status_code == 200, answer.text
        return answer.text

    assert "CAM-13" not in await drawn("strips"), "it was never down"
    last = await drawn("strips", camera=str(cameras[12].id))
    assert ("CAM-13" in last, "CAM-01" in last) == (True, False)
    assert "Hình đen" in await drawn("causes", camera=str(cameras[0].id))
    assert "Hình đen" not in await drawn("causes", camera=str(cameras[12].id))
    assert "Tổng số: 1<" in await drawn("progress", camera=str(cameras[12].id))
    for wrong in ({"camera": str(uuid4())}, {"camera": str(cameras[0].id), "report": str(uuid4())}):
        refused = await client.get("/v1/charts/strips.svg", params={**PERIOD, **wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "camera")
