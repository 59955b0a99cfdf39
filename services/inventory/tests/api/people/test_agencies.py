"""Agencies: who is above whom, for which territory, and who came after (mandate, 1.2; domain, 2.2)."""

from typing import Any


async def test_an_agency_has_a_parent_a_territory_and_a_successor(province: Any) -> None:
    unit = await province.unit(code="45", name="Tỉnh Quảng Trị", level="province")
    committee = await province.agency(code="UBND", role="peoples_committee", unit_id=unit["id"])
    newer = await province.agency(code="SKHCN", role="lead", parent_id=committee["id"], valid_from="2025-03-01")
    given = {"parent_id": committee["id"], "successor_id": newer["id"], "valid_to": "2025-02-28"}
    older = await province.agency(code="STTTT", role="lead", **given)
    assert {name: older[name] for name in given} == given
    below = await province.client.get("/v1/agencies", params={"parent_id": committee["id"]})
    assert [item["code"] for item in below.json()["items"]] == ["SKHCN", "STTTT"]
    assert (await province.remove(f"/v1/agencies/{committee['id']}")).status_code == 409


async def test_nobody_is_above_itself_over_any_number_of_steps(province: Any) -> None:
    first = await province.agency()
    second = await province.agency(parent_id=first["id"])
    third = await province.agency(parent_id=second["id"])
    for wrong in (first, third):
        answer = await province.change(f"/v1/agencies/{first['id']}", json={"parent_id": wrong["id"]})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "parent_id")


async def test_who_is_succeeded_has_ended_and_not_by_itself(province: Any) -> None:
    first, second = await province.agency(), await province.agency()
    one = f"/v1/agencies/{first['id']}"
    followed = await province.change(one, json={"successor_id": second["id"]})
    assert (followed.status_code, "valid_to" in followed.text) == (422, True)
    itself = await province.change(one, json={"successor_id": first["id"], "valid_to": "2025-02-28"})
    assert (itself.status_code, itself.json()["errors"][0]["field"]) == (409, "successor_id")


async def test_parents_go_out_and_in_by_their_codes(province: Any) -> None:
    first = await province.agency(code="UBND", role="peoples_committee")
    await province.agency(code="SYT", parent_id=first["id"])
    exported = await province.client.get("/v1/exports/agencies.csv")
    assert "parent_code" in exported.text
    headers = {"content-type": "text/csv"}
    answer = await province.client.post("/v1/imports/agencies", content=exported.content, headers=headers)
    assert (answer.status_code, answer.json()["unchanged"]) == (200, 2)
