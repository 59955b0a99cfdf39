"""Obligations: deadlines with history, done or late to the microsecond, due by the clock (R05, R06)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.conftest import Letter

IN_TIME, AT_MIDNIGHT = "2021-05-09T23:59:59.999999+07:00", "2021-05-10T00:00:00+07:00"


async def path_of(letter: Letter, **given: Any) -> str:
    return f"/v1/obligations/{(await letter.obligation(**given))['id']}"


async def test_before_the_tenth_of_may_is_until_midnight_in_the_province(letter: Letter) -> None:
    made = await letter.obligation()
    assert made["due_before"] == "2021-05-09T17:00:00Z"
    assert made["status"] == "open"
    (first,) = made["deadlines"]
    assert (first["due_before"], first["directive_id"]) == (made["due_before"], made["directive_id"])


@pytest.mark.parametrize(
    ("completed_at", "right", "wrong"), [(IN_TIME, "done", "done_late"), (AT_MIDNIGHT, "done_late", "done")]
)
async def test_the_instant_of_completion_decides_between_done_and_late(
    letter: Letter, completed_at: str, right: str, wrong: str
) -> None:
    path = await path_of(letter)
    refused = await letter.do(f"{path}/transitions", {"to": wrong, "completed_at": completed_at})
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
    assert (await letter.client.get(path)).json()["status"] == "open"
    done = await letter.do(f"{path}/transitions", {"to": right, "completed_at": completed_at})
    assert (done.status_code, done.json()["status"]) == (200, right)
    assert done.json()["settled_by"].startswith("test-")


async def test_a_later_deadline_is_another_entry_and_the_first_stays(letter: Letter) -> None:
    path = await path_of(letter)
    body = {
        "due_before": "2021-05-18",
        "reason": "UBND tỉnh cho gia hạn",
        "directive_id": letter.directives["1407"]["id"],
    }
    answer = await letter.do(f"{path}/deadlines", body)
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert [one["due_before"] for one in shown["deadlines"]] == ["2021-05-09T17:00:00Z", "2021-05-17T17:00:00Z"]
    assert (shown["due_before"], shown["deadlines"][1]["reason"]) == ("2021-05-17T17:00:00Z", "UBND tỉnh cho gia hạn")
    done = await letter.do(f"{path}/transitions", {"to": "done", "completed_at": AT_MIDNIGHT})
    assert done.json()["status"] == "done"


async def test_a_deadline_is_never_overwritten(letter: Letter) -> None:
    path = await path_of(letter)
    answer = await letter.province.change(path, json={"due_before": "2021-06-12"})
    assert (answer.status_code, answer.json()["code"]) == (409, "deadline_stands")
    assert "/deadlines" in answer.json()["detail"]
    assert (await letter.client.get(path)).json()["due_before"] == "2021-05-09T17:00:00Z"
    renamed = await letter.province.change(path, json={"name": "Kết nối", "due_before": "2021-05-10"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "Kết nối")


async def test_waiving_needs_a_reason_and_keeps_who_and_why(letter: Letter) -> None:
    path = await path_of(letter)
    refused = await letter.do(f"{path}/transitions", {"to": "waived"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    waived = (await letter.do(f"{path}/transitions", {"to": "waived", "reason": "Cơ sở đóng cửa"})).json()
    assert (waived["status"], waived["settled_reason"]) == ("waived", "Cơ sở đóng cửa")
    opened = (await letter.do(f"{path}/transitions", {"to": "open", "reason": "Mở lại"})).json()
    assert (opened["status"], opened["settled_by"], opened["settled_reason"]) == ("open", None, None)


async def test_a_transition_that_is_not_allowed_names_those_that_are(letter: Letter) -> None:
    path = await path_of(letter)
    await letter.do(f"{path}/transitions", {"to": "waived", "reason": "?"})
    refused = await letter.do(f"{path}/transitions", {"to": "done", "completed_at": IN_TIME})
    assert refused.status_code == 409
    assert refused.json()["detail"].endswith("allowed: open")


async def test_what_was_settled_is_not_settled_over_it(letter: Letter) -> None:
    path = await path_of(letter)
    done = (await letter.do(f"{path}/transitions", {"to": "done", "completed_at": IN_TIME})).json()
    again = await letter.do(
        f"{path}/transitions", {"to": "done", "completed_at": "2021-05-01T00:00:00Z", "reason": "?"}
    )
    assert (again.status_code, again.json()["code"]) == (409, "transition_not_allowed")
    assert (await letter.client.get(path)).json() == done


async def test_status_is_no_field(letter: Letter) -> None:
    path = await path_of(letter)
    answer = await letter.province.change(path, json={"status": "done"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "status")


@pytest.mark.parametrize(
    ("verb", "body"), [("deadlines", {"due_before": None, "reason": "?"}), ("transitions", {"to": "open"})]
)
async def test_verbs_need_the_etag(letter: Letter, verb: str, body: dict[str, Any]) -> None:
    path = await path_of(letter)
    assert (await letter.client.post(f"{path}/{verb}", json=body)).status_code == 428
    stale = await letter.client.post(f"{path}/{verb}", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412


async def due_states(letter: Letter, **query: str) -> dict[str, str]:
    answer = await letter.client.get("/v1/due-obligations", params=query)
    assert answer.status_code == 200, answer.text
    return {one["code"]: one["due_state"] for one in answer.json()["items"]}


async def test_what_is_due_follows_from_the_clock(letter: Letter) -> None:
    await letter.obligation(code="A")
    await letter.obligation(code="B", kind="proposal", due_before=None)
    assert await due_states(letter, at="2021-05-01T00:00:00Z") == {"A": "open", "B": "open"}
    assert await due_states(letter, at="2021-05-09T16:59:59Z") == {"A": "due_soon", "B": "open"}
    assert await due_states(letter, at="2021-05-09T17:00:00Z", due_state="overdue") == {"A": "overdue"}
    assert await due_states(letter, due_state="overdue") == {"A": "overdue"}
    assert await due_states(letter, at="2021-05-01T00:00:00Z", soon_days="30") == {"A": "due_soon", "B": "open"}


async def test_what_is_due_names_the_facilities_that_it_is_about(letter: Letter) -> None:
    province = letter.province
    with_camera, without = await province.facility(), await province.facility(type="hotel")
    closed = await province.facility(status="planned")
    await province.camera(facility_id=with_camera["id"])
    await letter.obligation(code="A", with_cameras=True)
    await letter.obligation(code="B", with_cameras=False)
    await letter.obligation(code="C", facility_types=["hotel"])
    await letter.obligation(code="D", unit_id=with_camera["unit_id"])
    await letter.obligation(code="E", facility_ids=[without["id"], closed["id"]])
    answer = (await letter.client.get("/v1/due-obligations")).json()["items"]
    assert {one["code"]: one["facility_ids"] for one in answer} == {
        "A": [with_camera["id"]],
        "B": [without["id"]],
        "C": [without["id"]],
        "D": [with_camera["id"]],
        "E": [without["id"]],
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"directive_id": "00000000-0000-4000-8000-000000000000"}, "directive_id"),
        ({"responsible_agency_id": "00000000-0000-4000-8000-000000000000"}, "responsible_agency_id"),
        ({"unit_id": "00000000-0000-4000-8000-000000000000"}, "unit_id"),
        ({"facility_ids": ["00000000-0000-4000-8000-000000000000"]}, "facility_ids"),
        ({"due_before": "2021-05-10T00:00:00"}, "due_before"),
        ({"due_before": 1620579600}, "due_before"),
        ({"kind": "prayer"}, "kind"),
    ],
)
async def test_an_obligation_that_does_not_fit_is_refused_by_field(
    letter: Letter, given: dict[str, Any], field: str
) -> None:
    body = {"code": "X", "name": "?", "kind": "other", "directive_id": letter.directives["1742"]["id"]}
    body |= {"responsible_agency_id": letter.lead["id"]}
    answer = await letter.client.post("/v1/obligations", json=body | given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_what_has_not_happened_yet_is_not_completed(letter: Letter) -> None:
    path = await path_of(letter)
    refused = await letter.do(f"{path}/transitions", {"to": "done_late", "completed_at": "2999-05-10T00:00:00+07:00"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "completed_at")
    assert (await letter.client.get(path)).json()["status"] == "open"


async def test_a_deadline_is_set_by_a_directive_on_record(letter: Letter) -> None:
    path = await path_of(letter)
    body = {"due_before": "2021-05-18", "reason": "gia hạn", "directive_id": letter.directives["1407"]["issuer_id"]}
    refused = await letter.do(f"{path}/deadlines", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "directive_id")
    assert len((await letter.client.get(path)).json()["deadlines"]) == 1


async def test_what_is_owed_in_a_unit_is_owed_in_the_one_that_follows_it(letter: Letter) -> None:
    province = letter.province
    facility = await province.facility()
    await letter.obligation(code="D", unit_id=facility["unit_id"])
    follows = [{"unit_id": facility["unit_id"], "kind": "merged"}]
    after = await province.unit(name="Xã mới", valid_from="2025-07-01", succeeds=follows)
    moved = await province.change(f"/v1/facilities/{facility['id']}", json={"unit_id": after["id"]})
    assert moved.status_code == 200, moved.text
    (item,) = (await letter.client.get("/v1/due-obligations")).json()["items"]
    assert item["facility_ids"] == [facility["id"]]
