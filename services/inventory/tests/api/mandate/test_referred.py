"""What a list or a record within another one names stays: without it, that other one could not be changed any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter


async def refused(letter: Letter, path: str, named: str) -> None:
    answer = await letter.province.remove(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "referred_to"), answer.text
    assert named in answer.json()["detail"]
    assert (await letter.client.get(path)).status_code == 200


async def test_a_facility_that_an_obligation_names_stays(letter: Letter) -> None:
    facility, other = await letter.province.facility(), await letter.province.facility()
    named = [facility["id"], other["id"]]
    duty = await letter.obligation(facility_ids=named)
    path = f"/v1/facilities/{facility['id']}"
    await refused(letter, path, duty["code"])
    bulk = [{"id": facility["id"], "etag": await letter.province.etag(path)}]
    answer = await letter.client.post("/v1/facilities/bulk/remove", json=bulk, params={"reason": "nhập nhầm"})
    assert answer.status_code == 409
    # It can be settled, and no longer names it.
    waived = await letter.do(f"/v1/obligations/{duty['id']}/transitions", {"to": "waived", "reason": "đã đóng"})
    assert waived.status_code == 200, waived.text
    await letter.province.change(f"/v1/obligations/{duty['id']}", json={"facility_ids": [other["id"]]})
    assert (await letter.province.remove(path)).status_code == 204


async def test_an_agency_whose_people_surveyed_stays(letter: Letter) -> None:
    agency = await letter.province.agency(role="steering_committee")
    body: dict[str, Any] = {"code": "KS-1", "facility_id": (await letter.province.facility())["id"]}
    body["participants"] = [{"full_name": "Trần Văn Mẫu", "agency_id": agency["id"], "present_on": "2021-05-08"}]
    survey = await letter.province.post("/v1/surveys", body)
    await refused(letter, f"/v1/agencies/{agency['id']}", survey["code"])


async def test_an_agency_that_gave_its_word_on_a_plan_stays(letter: Letter) -> None:
    await letter.province.destination(code="TT-QG")
    agency = await letter.province.agency(role="steering_committee")
    connection = {"camera_code": "C-1", "address": "10.1.1.1", "bandwidth_kbps": 2048, "destination_codes": ["TT-QG"]}
    body = {"facility_id": (await letter.province.facility())["id"], "connections": [connection]}
    body |= {"connect_by": "2021-05-09", "responsible_lead": "Mẫu", "responsible_operator": "Ân"}
    plan = await letter.province.post("/v1/connection-plans", body)
    one = f"/v1/connection-plans/{plan['id']}"
    assert (await letter.do(f"{one}/transitions", {"to": "proposed"})).status_code == 200
    word = {"agency_id": agency["id"], "kind": "consulted", "given_by": "Bà An", "given_on": "2021-05-08"}
    word |= {"document": "12/BB", "document_file": "van-thu/12-BB.pdf"}
    assert (await letter.do(f"{one}/consents", word)).status_code == 200
    await refused(letter, f"/v1/agencies/{agency['id']}", plan["code"])


async def test_a_directive_that_set_a_deadline_stays(letter: Letter) -> None:
    duty = await letter.obligation()
    body = {"number": "60/CĐ", "issued_on": "2021-05-11", "issuer_id": letter.lead["id"], "subject": "Gia hạn"}
    later = await letter.province.post("/v1/directives", body)
    deadline = {"due_before": "2021-05-20", "reason": "mưa lũ", "directive_id": later["id"]}
    assert (await letter.do(f"/v1/obligations/{duty['id']}/deadlines", deadline)).status_code == 200
    await refused(letter, f"/v1/directives/{later['id']}", duty["code"])


async def test_a_unit_that_another_one_followed_stays(letter: Letter) -> None:
    earlier = await letter.province.unit(code="45", level="province", valid_to="2025-06-30")
    follows = [{"unit_id": earlier["id"], "kind": "merged"}]
    later = await letter.province.unit(code="44", level="province", valid_from="2025-07-01", succeeds=follows)
    await refused(letter, f"/v1/units/{earlier['id']}", later["code"])
