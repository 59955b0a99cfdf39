"""What is due of a facility that had no cameras, submitted its proposal in time, and installed them years later."""

from typing import Any


async def due(field: Any, **query: Any) -> dict[str, dict[str, Any]]:
    query = {"facility_id": field.facility["id"], **query}
    answer = await field.client.get("/v1/due-obligations", params=query)
    assert answer.status_code == 200, answer.text
    return {one["code"]: one["facilities"][0] for one in answer.json()["items"]}


async def test_duty_time_keeps_the_proposal_of_a_facility_that_installed_cameras(field: Any) -> None:
    await field.prepare(decision_number="12/QĐ-UBND", decision_date="2020-03-29")
    issued = {"number": "1742/UBND-VX", "issued_on": "2021-05-07", "subject": "Kết nối camera"}
    directive = await field.province.post("/v1/directives", issued | {"issuer_id": field.agencies["lead"]["id"]})
    common = {"directive_id": directive["id"], "responsible_agency_id": field.agencies["operator"]["id"]}
    common |= {"due_before": "2021-05-10", "due_after_days": 15}
    for code, kind, with_cameras in (("A", "survey_and_plan", True), ("C", "proposal", False)):
        one = {"code": code, "name": code, "kind": kind, "with_cameras": with_cameras}
        await field.province.post("/v1/obligations", common | one)
    await field.survey_approved()
    assert (await due(field))["C"]["due_state"] == "overdue"
    body = {
        "code": "DX-01",
        "facility_id": field.facility["id"],
        "areas": [{"area": "gate", "cameras": 1}],
        "line": "40 Mbps",
        "power": "Điện lưới",
        "estimated_cost_vnd": 1,
        "lead_time_days": 5,
        "proposed_connection": "VPN",
        "signed_on": "2021-05-09",
        "document_number": "15/TTr-STTTT",
    }
    proposal = await field.province.post("/v1/installation-proposals", body)
    await field.move(f"/v1/installation-proposals/{proposal['id']}", "submitted")
    before = await due(field)
    assert (list(before), before["C"]["due_state"], before["C"]["done_at"]) == (["C"], "done", "2021-05-08T17:00:00Z")
    await field.province.camera(facility_id=field.facility["id"], valid_from="2026-11-25")
    after = await due(field, at="2026-12-01T08:00:00+07:00")
    assert (after["C"]["due_state"], after["C"]["done_at"]) == ("done", "2021-05-08T17:00:00Z")
    assert (after["A"]["due_state"], after["A"]["own_deadline"]) == ("open", True)
    assert (after["A"]["since"], after["A"]["due_before"]) == ("2026-11-24T17:00:00Z", "2026-12-10T17:00:00Z")
