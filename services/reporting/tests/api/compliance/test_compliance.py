"""GET /v1/compliance: JSON and CSV say the same, and what is wrong is named."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from reporting.api.compliance_schemas import ComplianceReport
from reporting.tables.catalogue.cameras import CAMERAS
from vonggac.auth import Role

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.database import Database
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": "2026-11-20T07:00:00+07:00", "to": "2026-11-21T07:00:00+07:00"}


async def one_day(ingest: Ingest, province: Province, **facility: Any) -> list[CameraV1]:
    """A good camera, one with the outage of R08 and a provincial centre that refuses for an hour, and one unseen."""
    good, failing, unseen = (province.camera(code) for code in ("CAM-01", "CAM-02", "CAM-03"))
    down, up_again = DAY + timedelta(hours=2), DAY + timedelta(hours=2, minutes=45)
    end = DAY + timedelta(days=1)
    await province.feed(
        ingest, *province.base(**facility), *(province.stated("camera", one) for one in (good, failing, unseen))
    )
    facts = province.probes(good, DAY, end, every_s=300)
    facts += province.probes(failing, DAY, down, every_s=300)
    facts += province.probes(failing, down, up_again, "down", cause="timeout", every_s=300)
    facts += province.probes(failing, up_again, end, every_s=300)
    for camera in (good, failing):
        facts += [province.change(planned, camera, 1, DAY, "acknowledged") for planned in camera.deliveries]
    provincial = failing.deliveries[1]
    refused, accepted = DAY + timedelta(hours=10), DAY + timedelta(hours=11)
    facts.append(province.change(provincial, failing, 2, refused, "backing_off", cause="refused"))
    facts.append(province.change(provincial, failing, 3, accepted, "acknowledged"))
    await province.feed(ingest, *facts, *province.watched(end))
    return [good, failing, unseen]


async def read(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params={**PERIOD, **parameters})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    ComplianceReport.model_validate(document)
    return document


async def test_the_day_of_the_outage_is_96_875_percent(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    document = await read(client)
    good, failing, unseen = document["cameras"]
    assert good["availability"]["measured_percent"] == 100.0
    assert failing["availability"]["measured_percent"] == 96.875
    assert failing["seconds"]["down"] == 2700.0
    assert failing["seconds"]["non_compliant"] == 2700.0 + 3600.0
    assert failing["seconds"]["national_only"] == 3600.0
    assert failing["deliveries"][1]["not_connected_by_cause"] == {"refused": 3600.0}
    assert unseen["availability"] == {
        "measured_percent": None,
        "strict_percent": 0.0,
        "lenient_percent": 100.0,
        "coverage_percent": 0.0,
    }
    assert document["period"] == {
        "from": "2026-11-20T07:00:00.000+07:00",
        "to": "2026-11-21T07:00:00.000+07:00",
        "seconds": 86400.0,
        "time_zone": "Asia/Ho_Chi_Minh",
        "current": False,
    }


async def test_groups_are_the_sums_of_their_cameras(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    document = await read(client)
    total = document["totals"]
    for name, length in total["seconds"].items():
        assert length == pytest.approx(sum(camera["seconds"][name] for camera in document["cameras"]), abs=1e-6)
    for grouping in ("by_unit", "by_agency", "by_type", "by_facility"):
        (group,) = document[grouping]
        assert {key: group[key] for key in total} == total
    assert (document["by_type"][0]["code"], document["by_type"][0]["name"]) == ("school", "Trường học")
    assert total["facilities"] == {"total": 1, "with_cameras": 1, "without_cameras": 0}


async def test_json_and_csv_agree(client: Client, ingest: Ingest, province: Province) -> None:
    good, *_ = await one_day(ingest, province)
    await province.feed(ingest, province.read_back(good.deliveries[0], good, DAY, delay_s=1.25))
    document = await read(client)
    rows = table((await client.get("/v1/compliance", params={**PERIOD, "format": "csv"})).content)
    assert len(rows) == len(document["cameras"]) == 3
    for row, camera in zip(rows, document["cameras"], strict=True):
        assert row["camera_id"] == camera["id"]
        assert (row["state"] or None) == camera["state"]
        assert (row["cause"] or None, row["state_since"] or None) == (camera["cause"], camera["since"])
        for name, length in camera["seconds"].items():
            assert int(row[f"{name}_ms"]) == length * 1000
        for kind in ("availability", "compliance"):
            for name, percent in camera[kind].items():
                cell = row[f"{kind}_{name}"]
                assert (float(cell) if cell else None) == percent
        assert (row["period_from"], row["period_to"]) == (document["period"]["from"], document["period"]["to"])
        assert row["rule_version"] == document["rule"]["version"]
    assert rows[1]["availability_measured_percent_rounded"] == "96.88"


async def test_json_and_the_table_of_deliveries_agree(client: Client, ingest: Ingest, province: Province) -> None:
    good, *_ = await one_day(ingest, province)
    await province.feed(ingest, province.read_back(good.deliveries[0], good, DAY, delay_s=1.25))
    document = await read(client)
    lines = [(camera, delivery) for camera in document["cameras"] for delivery in camera["deliveries"]]
    given = {**PERIOD, "format": "csv", "table": "deliveries"}
    rows = table((await client.get("/v1/compliance", params=given)).content)
    assert len(rows) == len(lines) == 6
    for row, (camera, delivery) in zip(rows, lines, strict=True):
        assert (row["camera_id"], row["delivery_id"]) == (camera["id"], delivery["id"])
        for name, length in delivery["seconds"].items():
            assert int(row[f"{name}_ms"]) == length * 1000
        assert (row["verified_at"] or None) == delivery["verified_at"]
        assert (float(row["delay"]) if row["delay"] else None) == delivery["delay_s"]
        assert (row["state"] or None) == delivery["state"]
        assert row["destination_role"] == delivery["destination"]["role"]


def table(content: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter))


async def test_the_excel_form_has_semicolons_and_decimal_commas(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await one_day(ingest, province)
    given = {**PERIOD, "dialect": "excel-vi"}
    answer = await client.get("/v1/compliance", params=given, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = table(answer.content, ";")
    assert list(rows[0]) == [column.heading for column in CAMERAS.written]
    assert rows[1]["Tỷ lệ hoạt động đo được (%)"] == "96,875"
    assert rows[1]["Mất (ms)"] == "2700000"


async def test_a_name_that_looks_like_a_formula_is_made_harmless(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await one_day(ingest, province, name="=HYPERLINK(1)")
    rows = table((await client.get("/v1/compliance", params={**PERIOD, "format": "csv"})).content)
    assert rows[0]["facility_name"] == "'=HYPERLINK(1)"


async def test_a_camera_without_deliveries_has_a_row(client: Client, ingest: Ingest, province: Province) -> None:
    camera = province.camera(deliveries=())
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    given = {**PERIOD, "format": "csv", "table": "deliveries"}
    (row,) = table((await client.get("/v1/compliance", params=given)).content)
    assert (row["camera_id"], row["delivery_id"]) == (str(camera.id), "")
    assert (await read(client))["cameras"][0]["seconds"]["non_compliant"] == 86400.0


async def test_filters_take_codes_and_ids(client: Client, ingest: Ingest, province: Province) -> None:
    await one_day(ingest, province)
    for name, given in (
        ("unit", "465"),
        ("unit", str(province.unit)),
        ("agency", "SYT"),
        ("facility", "KCL-01"),
        ("type", "school"),
    ):
        document = await read(client, **{name: given})
        assert len(document["cameras"]) == 3
        assert document["filters"][name] == given
    assert (await read(client, type="hotel"))["cameras"] == []


@pytest.mark.parametrize(("parameters", "field", "says"), [
    ({"from": "yesterday"}, "from", "ISO 8601"),
    ({"to": "2999-01-01"}, "to", "in the future"),
    ({"from": "2026-11-21", "to": "2026-11-20"}, "from", "earlier than to"),
    ({"from": "2020-01-01", "to": "2026-11-20"}, "from", "366 days"),
    ({"unit": "999"}, "unit", "no unit"),
    ({"type": "palace"}, "type", "hotel"),
    ({"format": "pdf"}, "format", "json"),
])  # fmt: skip
async def test_a_wrong_parameter_is_named(client: Client, parameters: dict[str, str], field: str, says: str) -> None:
    answer = await client.get("/v1/compliance", params=parameters)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert says in error["message"]


async def test_a_plus_sign_that_was_not_encoded_and_a_bare_date_are_understood(client: Client) -> None:
    answer = await client.get("/v1/compliance?from=2026-11-20T07:00:00+07:00&to=2026-11-21")
    assert answer.json()["period"]["seconds"] == 17 * 3600
    assert answer.json()["period"]["to"] == "2026-11-21T00:00:00.000+07:00"


async def test_a_file_needs_the_right_to_export(start: Start, client: Client) -> None:
    async with start(role=Role.FACILITY, scope=(f"facility:{uuid4()}",)) as facility:
        assert (await facility.get("/v1/compliance")).status_code == 200
        refused = await facility.get("/v1/compliance", params={"format": "csv"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "export" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/compliance", "/v1/overview", "/v1/outages", "/v1/maintenance"])
async def test_without_a_token_nothing_is_shown(client: Client, path: str) -> None:
    assert (await client.get(path, headers={"Authorization": ""})).status_code == 401


async def test_agreed_maintenance_is_taken_out_of_the_figures(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    _, failing, _ = await one_day(ingest, province)
    start, end = DAY + timedelta(hours=2), DAY + timedelta(hours=3)
    window = province.window(start, end, facility_id=province.facility)
    await province.feed(ingest, province.stated("maintenance_window", window))
    line = (await read(client))["cameras"][1]
    assert line["id"] == str(failing.id)
    assert (line["seconds"]["down"], line["seconds"]["maintenance"]) == (0.0, 3600.0)
    assert line["availability"]["measured_percent"] == 100.0


async def test_duty_maintenance_that_nobody_agreed_to_is_shown_apart_and_excuses_nothing(
    client: Client, ingest: Ingest, database: Database, province: Province
) -> None:
    _, failing, _ = await one_day(ingest, province)
    before = (await read(client))["cameras"][1]
    assert before["seconds"]["down"] > 0
    start, end = DAY + timedelta(hours=2), DAY + timedelta(hours=3)
    declared = {"facility_id": province.facility, "agreed": False, "agreed_by": "viettel", "declared_by": "viettel"}
    ahead = province.window(start, end, **declared)
    afterwards = province.window(start, end, **declared, agreed_at=end)
    await province.feed(
        ingest, province.stated("maintenance_window", ahead), province.stated("maintenance_window", afterwards)
    )
    assert (await read(client))["cameras"][1]["seconds"] == before["seconds"]
    period = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=1)).isoformat()}
    for agreed, count in (("true", 0), ("false", 2)):
        items = (await client.get("/v1/maintenance", params=period | {"agreed": agreed})).json()["items"]
        assert [(one["agreed"], one["approved_by"], one["declared_by"]) for one in items] == [
            (False, None, "viettel")
        ] * count
    confirmed = ahead.model_copy(update={"agreed": True, "agreed_by": "lead", "revision": 2})
    await province.feed(ingest, province.stated("maintenance_window", confirmed))
    line = (await read(client))["cameras"][1]
    assert (line["id"], line["seconds"]["down"], line["seconds"]["maintenance"]) == (str(failing.id), 0.0, 3600.0)


async def test_a_blind_verifier_makes_nobody_non_compliant(client: Client, ingest: Ingest, province: Province) -> None:
    """Acknowledged where verified is demanded: unknown while nobody reads back, not connected while that fails."""
    good, *_ = await one_day(ingest, province)
    await province.feed(ingest, province.destination("national", proof="verified", revision=2))
    line = (await read(client))["cameras"][0]
    assert line["deliveries"][0]["required_proof"] == "verified"
    assert (line["seconds"]["connection_unknown"], line["seconds"]["compliance_unknown"]) == (86400.0, 86400.0)
    assert (line["deliveries"][0]["seconds"]["unknown"], line["seconds"]["non_compliant"]) == (86400.0, 0.0)
    tried = [
        province.read_back(good.deliveries[0], good, DAY + timedelta(hours=2), "not_checkable"),
        province.read_back(good.deliveries[0], good, DAY + timedelta(hours=3), "unreachable", cause="timeout"),
        province.read_back(good.deliveries[0], good, DAY + timedelta(hours=3, seconds=30), "mismatch"),
        province.read_back(good.deliveries[0], good, DAY + timedelta(hours=3, seconds=45), "verified"),
    ]
    await province.feed(ingest, *reversed(tried))
    line = (await read(client))["cameras"][0]
    assert line["deliveries"][0]["not_connected_by_cause"] == {"mismatch": 15.0, "timeout": 30.0}
    assert (line["seconds"]["provincial_only"], line["seconds"]["non_compliant"]) == (45.0, 45.0)
    assert line["seconds"]["connection_unknown"] == 86400.0 - 45.0


async def test_matches_connect_where_they_are_demanded_and_mismatch_and_stopped_do_not(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, end = province.camera(), DAY + timedelta(days=1)
    await province.feed(ingest, *province.base(), province.destination("national", proof="verified", revision=2))
    await province.feed(ingest, province.stated("camera", camera), *province.probes(camera, DAY, end, every_s=300))
    national, provincial = camera.deliveries
    wrong, right = DAY + timedelta(hours=6), DAY + timedelta(hours=7)
    await province.feed(
        ingest,
        province.change(national, camera, 1, DAY, "verified"),
        *(province.read_back(national, camera, at) for at in (DAY, wrong - timedelta(minutes=1), right, end)),
        *(province.read_back(national, camera, wrong + timedelta(minutes=n), "mismatch") for n in range(60)),
        province.change(provincial, camera, 1, DAY, "verified"),
        province.change(provincial, camera, 2, end - timedelta(hours=2), "stopped", cause="stopped"),
        *province.watched(end),
    )
    line = (await read(client))["cameras"][0]
    assert line["seconds"]["both"] == 86400.0 - 60.0 - 3600.0 - 7200.0
    assert line["deliveries"][0]["seconds"]["unknown"] == 60.0
    assert [delivery["not_connected_by_cause"] for delivery in line["deliveries"]] == [
        {"mismatch": 3600.0},
        {"stopped": 7200.0},
    ]


async def test_the_newest_read_back_that_matched_is_shown_in_whatever_order_they_come(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, *_ = await one_day(ingest, province)
    national, provincial = camera.deliveries
    late = DAY + timedelta(hours=3)
    await province.feed(ingest, province.read_back(national, camera, late, delay_s=0.5))
    await province.feed(ingest, province.read_back(national, camera, DAY, delay_s=2.0))
    await province.feed(ingest, province.read_back(national, camera, late + timedelta(hours=1), "mismatch"))
    warned = province.change(provincial, camera, 2, late, "verified", verified_at=late, delay_s=0.75)
    await province.feed(ingest, warned)
    until_now = {"from": PERIOD["from"]}
    cameras = (await client.get("/v1/compliance", params=until_now)).json()["cameras"]
    assert [(one["verified_at"], one["delay_s"]) for one in cameras[0]["deliveries"]] == [
        ("2026-11-20T10:00:00.000+07:00", 0.5),
        ("2026-11-20T10:00:00.000+07:00", 0.75),
    ]
    unseen = cameras[2]["deliveries"][0]
    assert (unseen["verified_at"], unseen["delay_s"]) == (None, None)
    as_file = await client.get("/v1/compliance", params={**until_now, "format": "csv", "table": "deliveries"})
    shown = [(row["verified_at"], row["delay"]) for row in table(as_file.content)]
    assert shown[:2] == [("2026-11-20T10:00:00.000+07:00", "0.5"), ("2026-11-20T10:00:00.000+07:00", "0.75")]
    assert set(shown[2:]) == {("", "")}
