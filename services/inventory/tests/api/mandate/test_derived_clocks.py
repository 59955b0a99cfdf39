"""Both clocks of what follows from several nouns: on record at an instant, in force on a day, each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

EARLY, LATE = {"valid_to": "2021-06-30"}, {"valid_from": "2021-07-01"}
IN_MAY, IN_JULY = "2021-05-31", "2021-07-31"


async def items(letter: Letter, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await letter.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_whether_a_facility_has_enough_cameras_is_asked_of_an_instant_and_a_day(letter: Letter) -> None:
    province = letter.province
    facility = await province.facility()
    path = f"/v1/facilities/{facility['id']}/sufficiency"
    await province.camera(facility_id=facility["id"], area="gate", **EARLY)
    await province.camera(facility_id=facility["id"], area="yard", **LATE)
    verdict = {"facility_id": facility["id"], "area": "corridor", "verdict": "not_applicable", "reason": "Nhà trệt"}
    last = await province.post("/v1/coverages", verdict | EARLY)

    async def missing(**query: str) -> set[str]:
        answer = await letter.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return {"gate", "yard", "corridor"} & set(answer.json()["missing"])

    assert await missing() == set()
    assert await missing(valid_on=IN_MAY) == {"yard"}
    assert await missing(valid_on=IN_JULY) == {"gate", "corridor"}
    await province.remove(f"/v1/coverages/{last['id']}")
    assert await missing() == {"corridor"}
    assert await missing(as_of=last["changed_at"]) == set()
    assert await missing(as_of=facility["changed_at"]) == {"gate", "yard", "corridor"}
    assert await missing(as_of=last["changed_at"], valid_on=IN_JULY) == {"gate", "corridor"}


@pytest.mark.parametrize("what", ["sufficiency", "connections"])
async def test_a_facility_that_was_not_there_then_is_refused(letter: Letter, what: str) -> None:
    before = letter.directives["1742"]["changed_at"]
    facility = await letter.province.facility(**LATE)
    path = f"/v1/facilities/{facility['id']}/{what}"
    never = await letter.client.get(path, params={"as_of": before})
    assert never.status_code == 404
    refused = await letter.client.get(path, params={"valid_on": IN_MAY})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_in_force")
    assert (await letter.client.get(path, params={"valid_on": IN_JULY})).status_code == 200
    await letter.province.remove(f"/v1/facilities/{facility['id']}")
    assert (await letter.client.get(path)).status_code == 410
    assert (await letter.client.get(path, params={"as_of": facility["changed_at"]})).status_code == 200


async def test_connections_are_those_of_an_instant_and_of_a_day(letter: Letter) -> None:
    province = letter.province
    facility = await province.facility()
    early = await province.destination(code="A", **EARLY)
    await province.destination(code="B", **LATE)
    camera = await province.camera(facility_id=facility["id"])
    exception = await province.plan_exception(facility["id"])
    path = f"/v1/facilities/{facility['id']}/connections"

    async def shown(**query: str) -> list[tuple[str, str, bool]]:
        names = ("destination_code", "plan", "forwarded")
        return [tuple(one[name] for name in names) for one in await items(letter, path, **query)]

    assert await shown() == [("A", "excepted", True), ("B", "excepted", True)]
    assert await shown(valid_on=IN_MAY) == [("A", "excepted", True)]
    assert await shown(as_of=camera["changed_at"]) == [("A", "none", False), ("B", "none", False)]
    switched = await province.change(f"/v1/destinations/{early['id']}", json={"enabled": False})
    await province.remove(f"/v1/plan-exceptions/{exception['id']}")
    await province.change(f"/v1/facilities/{facility['id']}", json={"status": "closed"})
    assert await shown() == [("A", "none", False), ("B", "none", False)]
    assert await shown(as_of=exception["changed_at"]) == [("A", "excepted", True), ("B", "excepted", True)]
    then = {"as_of": switched.json()["changed_at"]}
    assert await shown(**then) == [("A", "excepted", False), ("B", "excepted", True)]
    assert await shown(**then, valid_on=IN_JULY) == [("B", "excepted", True)]


async def test_a_chain_leaves_out_what_was_not_in_force(letter: Letter) -> None:
    path = f"/v1/directives/{letter.directives['1407']['id']}"
    changed = await letter.province.change(path, json=EARLY)
    chain = f"/v1/directives/{letter.directives['1742']['id']}/chain"

    async def numbers(**query: str) -> list[str]:
        return [one["number"].partition("/")[0] for one in await items(letter, chain, **query)]

    assert await numbers(valid_on=IN_MAY) == ["1742", "1407", "597"]
    assert await numbers(valid_on=IN_JULY) == ["1742", "597"]
    assert await numbers(valid_on=IN_JULY, as_of=letter.directives["1742"]["changed_at"]) == ["1742", "1407", "597"]
    assert changed.status_code == 200
    refused = await letter.client.get(f"{path}/chain", params={"valid_on": IN_JULY})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_in_force")


async def test_what_is_due_is_what_was_in_force(letter: Letter) -> None:
    province = letter.province
    early, late = await province.facility(**EARLY), await province.facility(**LATE)
    both = {early["id"], late["id"]}
    await letter.obligation(code="A", **EARLY)
    duty = await letter.obligation(code="B", kind="inspection", every_days=7, due_before=None, **LATE)

    async def due(**query: str) -> dict[str, set[str]]:
        found = await items(letter, "/v1/due-obligations", **query)
        return {one["code"]: set(one["facility_ids"]) for one in found}

    async def inspected(**query: str) -> dict[str, int]:
        found = await items(letter, "/v1/due-inspections", **query)
        return {one["facility_id"]: one["every_days"] for one in found}

    assert await due() == {"A": both, "B": both}
    assert await due(valid_on=IN_MAY) == {"A": {early["id"]}}
    assert await due(valid_on=IN_JULY) == {"B": {late["id"]}}
    assert await inspected(valid_on=IN_MAY) == {early["id"]: 15}
    assert await inspected(valid_on=IN_JULY) == {late["id"]: 7}
    assert await inspected(valid_on=IN_JULY, as_of=late["changed_at"]) == {late["id"]: 15}
    assert (await inspected(as_of=duty["changed_at"])) == dict.fromkeys(both, 7)


async def test_cameras_not_in_force_count_for_no_obligation(letter: Letter) -> None:
    facility = await letter.province.facility()
    await letter.province.camera(facility_id=facility["id"], **LATE)
    await letter.obligation(code="A", with_cameras=True)
    (now,) = await items(letter, "/v1/due-obligations")
    (then,) = await items(letter, "/v1/due-obligations", valid_on=IN_MAY)
    assert (now["facility_ids"], then["facility_ids"]) == ([facility["id"]], [])


async def test_the_workload_is_of_the_visits_in_force(letter: Letter) -> None:
    province = letter.province
    team = await province.post("/v1/teams", {"code": "VT", "name": "Tổ 1", "agency_id": letter.lead["id"]})
    facility = await province.facility()
    body = {"facility_id": facility["id"], "team_id": team["id"], "purpose": "survey"}
    body |= {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T10:00:00+07:00"}
    first = await province.post("/v1/visits", body | EARLY)
    await province.post("/v1/visits", body | LATE)
    days = {"first_day": "2021-05-08", "last_day": "2021-05-08"}

    async def planned(**query: str) -> list[int]:
        return [one["planned"] for one in await items(letter, "/v1/team-workload", **days, **query)]

    assert await planned() == [2]
    assert await planned(valid_on=IN_MAY) == [1]
    assert await planned(as_of=first["changed_at"]) == [1]
    assert await planned(as_of=first["changed_at"], valid_on=IN_JULY) == []


async def test_attachments_and_differences_are_those_of_then(letter: Letter) -> None:
    province = letter.province
    facility = await province.facility()
    photo = {"sha256": "ab" * 32, "name": "a.jpg", "media_type": "image/jpeg", "size_bytes": 9}
    survey = await province.post("/v1/surveys", {"code": "KS", "facility_id": facility["id"]})
    one = f"/v1/surveys/{survey['id']}"
    assert (await province.change(one, json={"attachments": [photo]})).status_code == 200
    path = f"{one}/attachments"
    assert len(await items(letter, path, valid_on=IN_MAY)) == 1
    assert await items(letter, path, as_of=survey["changed_at"]) == []
    plans = [await province.post("/v1/connection-plans", {"facility_id": facility["id"]}) for _ in range(2)]
    first, second = (f"/v1/connection-plans/{plan['id']}" for plan in plans)
    assert (await province.change(second, json={"note": "Đổi sau"})).status_code == 200

    async def differs(**query: str) -> Any:
        answer = await letter.client.get(f"{first}/difference", params={"to": plans[1]["id"], **query})
        return [each["field"] for each in answer.json()["changed"]] if answer.status_code == 200 else answer.status_code

    assert "note" in await differs()
    assert "note" not in await differs(as_of=plans[1]["changed_at"])
    assert "note" in await differs(valid_on=IN_MAY)
    assert await differs(as_of=plans[0]["changed_at"]) == 404


async def test_who_is_in_office_is_asked_of_the_day_in_force(letter: Letter) -> None:
    province = letter.province
    facility = await province.facility()
    person = {"facility_id": facility["id"], "full_name": "Trần Văn Mẫu", "position": "Hiệu trưởng"}
    await province.post("/v1/focal-points", person | {"phone": "0233 3852 123", "valid_from": "2021-05-01", **EARLY})
    one = f"/v1/facilities/{facility['id']}"
    for query, missing in (({}, True), ({"valid_on": IN_MAY}, False), ({"valid_on": IN_JULY}, True)):
        shown = (await letter.client.get(one, params=query)).json()
        assert shown["focal_point_missing"] is missing, query
        found = await items(letter, "/v1/facilities", without_focal_point=True, **query)
        assert bool(found) is missing, query


async def test_a_camera_is_shown_with_the_deliveries_in_force(letter: Letter) -> None:
    province = letter.province
    wanted = await province.destination()
    camera = await province.camera()
    (delivery,) = camera["deliveries"]
    assert (await province.change(f"/v1/deliveries/{delivery['id']}", json=EARLY)).status_code == 200
    one = f"/v1/cameras/{camera['id']}"
    for query, count in (({}, 1), ({"valid_on": IN_MAY}, 1), ({"valid_on": IN_JULY}, 0)):
        assert len((await letter.client.get(one, params=query)).json()["deliveries"]) == count
        assert len(await items(letter, "/v1/cameras", destination_id=wanted["id"], **query)) == count
