"""Security of cameras, as declared and as observed, over HTTP."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING, Any

from services.reporting.tests.api.reports.test_frozen_register import frozen
from services.reporting.tests.stage.letter import Letter, may

from vonggac.events.inventory import DeclaredSecurity
from vonggac.events.inventory.surveys import ProposedCameras
from vonggac.events.prober import SecuritySigns

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events import CloudEvent, Payload

THEN = "2021-05-10T08:00:00+07:00"
SEEN = SecuritySigns(
    stream_at=may(10, 5), login_scheme="none", device_at=may(10, 5), device_asks_login=True, firmware="V5.7"
)


async def read(client: Client, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/v1/camera-security", params={"as_of": THEN, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def showing(event: CloudEvent[Payload], signs: SecuritySigns | None) -> CloudEvent[Payload]:
    return event.model_copy(update={"data": event.data.model_copy(update={"security": signs})})


async def test_camera_security_shows_what_is_declared_beside_what_was_observed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility, other = letter.facility("A"), letter.facility("B")
    declared = DeclaredSecurity(default_password_changed=False, firmware="V5.7", certificate="QCVN135-0001")
    open_one = letter.camera(facility, "A-C01", security=declared)
    silent = letter.camera(other, "B-C01")
    facts = [
        showing(one, SEEN) if one.type.endswith("camera_observed.v1") else one
        for one in letter.connected(open_one, may(10, 5), may(10, 7))
    ]
    things: list[tuple[str, Any]] = [("facility", facility), ("facility", other)]
    things += [("camera", open_one), ("camera", silent)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)
    page = await read(client)
    assert (page["cameras"], page["insecure_cameras"], len(page["items"])) == (2, 1, 14)
    assert page["by_verdict"] == {"in_order": 2, "insecure": 2, "noted": 1, "unknown": 9}
    found = {row["item"]: row for row in page["items"] if row["camera_code"] == "A-C01"}
    assert (found["default_password"]["verdict_vi"], found["default_password"]["basis_vi"]) == ("không đạt", "khai báo")
    assert (found["login"]["value"], found["login"]["basis_vi"]) == ("none", "quan sát")
    assert found["login"]["known_at"] == "2021-05-10T05:00:00+07:00"
    assert (found["firmware_version"]["value"], found["firmware_version"]["basis"]) == ("V5.7", "observed")
    assert {row["verdict_vi"] for row in page["items"] if row["camera_code"] == "B-C01"} == {"chưa rõ"}
    insecure = await read(client, verdict="insecure", limit=1)
    assert [row["item"] for row in insecure["items"]] == ["default_password"]
    assert insecure["next"]
    declared_only = await read(client, basis="declared")
    assert {row["item"] for row in declared_only["items"]} == {"default_password", "certificate"}
    of_one = await read(client, facility=str(other.id))
    assert of_one["cameras"] == 1
    before = await read(client, as_of="2021-05-10T04:00:00+07:00", item="login")
    assert {row["verdict"] for row in before["items"]} == {"unknown"}
    answer = await client.get("/v1/camera-security", params={"as_of": THEN, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 14
    assert {row["basis_name"] for row in rows} == {"khai báo", "quan sát", ""}


async def test_camera_security_is_the_same_when_facts_come_twice_or_late(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    camera = letter.camera(facility, "A-C01")
    facts = letter.connected(camera, may(10, 5), may(10, 7))
    probe = next(one for one in facts if one.type.endswith("camera_observed.v1"))
    mended = SecuritySigns(stream_at=may(10, 6), login_scheme="digest")
    things: list[tuple[str, Any]] = [("facility", facility), ("camera", camera)]
    base = [*letter.base(), *(letter.stated(noun, thing) for noun, thing in things)]
    await province.feed(ingest, *base, showing(probe, mended))
    again = showing(probe, SEEN).model_copy(update={"id": f"{probe.id}-late"})
    await province.feed(ingest, again)
    (row,) = (await read(client, item="login"))["items"]
    assert (row["value"], row["known_at"]) == ("digest", "2021-05-10T06:00:00+07:00")


async def test_camera_security_and_proposals_of_the_cut_off_are_frozen_with_a_report(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter, shown = Letter(province), SecuritySigns(stream_at=may(9, 5), login_scheme="none")
    facility = letter.facility("A")
    camera = letter.camera(facility, "A-C01", security=DeclaredSecurity(default_password_changed=True))
    silent = letter.camera(facility, "A-C02")
    proposal = letter.proposal(
        facility,
        may(8),
        "approved",
        areas=(ProposedCameras(area="gate", cameras=4, type="bullet"),),
        estimated_cost_vnd=60_000_000,
        lead_time_days=3,
        funding_source="Ngân sách tỉnh, liên hệ 0912345678",
        decision_number="1126/QĐ-UBND",
        decision_date=date(2021, 5, 9),
    )
    facts = [
        showing(one, shown) if one.type.endswith("camera_observed.v1") else one
        for one in letter.connected(camera, may(9, 5), may(9, 7))
    ]
    things: list[tuple[str, Any]] = [("facility", facility), ("camera", camera), ("camera", silent)]
    things.append(("installation_proposal", proposal))
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)

    body, report = await frozen(client)

    (row,) = report.tables["proposals"]
    assert (row["proposed_areas"], row["estimated_cost_vnd"], row["lead_time_days"]) == ("gate:4", 60_000_000, 3)
    assert (row["funding_source"], row["decision_number"]) == ("Ngân sách tỉnh, liên hệ ***", "1126/QĐ-UBND")
    known = {one["camera_code"]: one for one in report.tables["security"]}
    assert (known["A-C01"]["items_insecure"], known["A-C01"]["items_observed"]) == ("login", "login")
    assert known["A-C01"]["items_declared"] == "default_password"
    assert str(known["A-C02"]["items_unknown"]).count(" ") == 6, "seven items, none known"
    (finding,) = report.tables["security_findings"]
    assert (finding["security_item"], finding["security_basis"]) == ("login", "observed")
    answer = await client.get(f"/v1/reports/{body['id']}.csv")
    lines = {one["camera_code"]: one for one in csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))}
    assert lines["A-C01"]["cut_off_items_insecure"] == "login"
    for form in ("csv", "json"):
        file = (await client.get(f"/v1/reports/{body['id']}.{form}")).content
        verdict = await client.post("/v1/reports/verify", content=file)
        assert verdict.json()["unaltered"] is True, verdict.text
