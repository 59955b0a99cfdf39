"""Connection plans through the API: agreed by both sides, never changed, and what is forwarded under them (R04)."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vonggac.auth import Role


def one(plan: dict[str, Any]) -> str:
    return f"/v1/connection-plans/{plan['id']}"


async def connections(field: Any) -> list[tuple[str, str, str, bool]]:
    answer = await field.client.get(f"/v1/facilities/{field.facility['id']}/connections")
    assert answer.status_code == 200, answer.text
    names = ("camera_code", "destination_code", "plan", "forwarded")
    return [tuple(item[name] for name in names) for item in answer.json()["items"]]


@pytest.fixture
async def ready(field: Any) -> Any:
    """A surveyed facility with one camera and two destinations."""
    await field.prepare()
    await field.province.destination(code="BTTTT")
    await field.province.destination(code="IOC", role="provincial")
    await field.province.camera(code="QT-01-C01", facility_id=field.facility["id"])
    await field.survey_approved()
    return field


async def make(field: Any, *pairs: tuple[str, str]) -> dict[str, Any]:
    both = (("QT-01-C01", "BTTTT"), ("QT-01-C01", "IOC"))
    made: dict[str, Any] = await field.province.post("/v1/connection-plans", field.plan_body(*(pairs or both)))
    return made


async def test_a_camera_is_forwarded_only_under_an_agreed_plan(ready: Any) -> None:
    nothing = [("QT-01-C01", "BTTTT", "none", False), ("QT-01-C01", "IOC", "none", False)]
    assert await connections(ready) == nothing
    plan = await make(ready, ("QT-01-C01", "IOC"))
    assert (plan["version"], plan["status"], plan["code"].endswith("-PA1")) == (1, "draft", True)
    assert await connections(ready) == nothing
    await ready.agree(plan)
    assert await connections(ready) == [nothing[0], ("QT-01-C01", "IOC", "agreed", True)]


@pytest.mark.parametrize("noun", ["cameras", "destinations"])
async def test_another_code_than_an_agreed_plan_names_switches_off_and_needs_a_reason(ready: Any, noun: str) -> None:
    await ready.agree(await make(ready))
    (thing, *_) = (await ready.client.get(f"/v1/{noun}", params={"sort": "code"})).json()["items"]
    path, headers = f"/v1/{noun}/{thing['id']}", {"If-Match": thing["etag"]}
    refused = await ready.client.patch(path, json={"code": "KHAC"}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason"), refused.text
    assert {each[3] for each in await connections(ready)} == {True}
    done = await ready.client.patch(path, json={"code": "KHAC"}, headers=headers, params={"reason": "đánh số lại"})
    assert done.status_code == 200
    assert False in {each[3] for each in await connections(ready)}
    again = {"If-Match": done.headers["etag"]}
    assert (await ready.client.patch(path, json={"code": thing["code"]}, headers=again)).status_code == 200


async def test_an_exception_needs_a_reason_and_is_flagged(ready: Any) -> None:
    await ready.province.let_writers_approve(ready.facility)
    body = {"facility_id": ready.facility["id"], "approved_by": "Giám đốc Sở", "decided_on": "2021-05-08"}
    refused = await ready.client.post("/v1/plan-exceptions", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "why")
    made = await ready.province.post("/v1/plan-exceptions", body | {"why": "Chờ phương án của Tập đoàn"})
    assert {each[2:] for each in await connections(ready)} == {("excepted", True)}
    twice = await ready.client.post("/v1/plan-exceptions", json=body | {"why": "Lại"})
    assert twice.status_code == 409
    assert (await ready.province.remove(f"/v1/plan-exceptions/{made['id']}")).status_code == 204
    assert {each[2:] for each in await connections(ready)} == {("none", False)}


async def test_a_plan_is_agreed_only_with_everybodys_word(
    ready: Any, as_role: Callable[[Role], httpx.AsyncClient]
) -> None:
    plan = await make(ready)
    agencies = {role: agency["id"] for role, agency in ready.agencies.items()}
    early = await ready.consent(one(plan), agencies["lead"], "agreed")
    assert (early.status_code, early.json()["code"]) == (409, "closed")
    await ready.move(one(plan), "proposed")
    for role, lacks in (("lead", "Sở TT&TT"), ("operator", "Viettel"), ("managing", "managing agency")):
        refused = await ready.try_move(one(plan), "agreed")
        assert refused.status_code == 409
        assert lacks in refused.json()["detail"]
        assert (await ready.consent(one(plan), agencies[role], "agreed")).status_code == 200
    weak = await ready.consent(one(plan), agencies["operator"], "consulted")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "kind")
    body = {"agency_id": agencies["lead"], "kind": "agreed", "given_by": "Ai đó", "given_on": "2021-05-08"}
    operator = as_role(Role.OPERATOR)
    forged = await operator.post(f"{one(plan)}/consents", json=body, headers={"If-Match": "*"})
    assert (forged.status_code, forged.json()["code"]) == (403, "not_the_lead")
    assert forged.json()["detail_vi"] == "ý kiến của cơ quan chủ trì do người phụ trách cấp tỉnh ghi"
    assert (await ready.move(one(plan), "agreed"))["agreed_at"] is not None


async def test_a_facility_without_an_approved_survey_gets_no_agreed_plan(field: Any) -> None:
    await field.prepare()
    await field.province.destination(code="IOC")
    plan = await field.province.post("/v1/connection-plans", field.plan_body(("QT-01-C01", "IOC")))
    await field.move(one(plan), "proposed")
    await field.consents(one(plan))
    refused = await field.try_move(one(plan), "agreed")
    assert (refused.status_code, "approved survey" in refused.json()["detail"]) == (409, True)


async def test_an_agreed_version_never_changes_and_says_what_to_do(ready: Any) -> None:
    plan = await make(ready)
    await ready.agree(plan)
    changed = await ready.try_change(one(plan), {"note": "thêm"})
    assert (changed.status_code, changed.json()["code"]) == (409, "closed")
    assert "new version" in changed.json()["detail"]
    assert (await ready.province.remove(one(plan))).status_code == 409
    by_hand = await ready.try_move(one(plan), "superseded")
    assert (by_hand.status_code, "newer version" in by_hand.json()["detail"]) == (409, True)


async def test_a_new_version_replaces_the_agreed_one_when_it_is_agreed_itself(ready: Any) -> None:
    first = await make(ready)
    await ready.agree(first)
    made = await ready.client.post(f"{one(first)}/versions")
    second = made.json()
    assert (made.status_code, second["version"], second["status"]) == (201, 2, "draft")
    assert second["connections"] == first["connections"]
    narrower = ready.plan_body(("QT-01-C01", "IOC"))["connections"]
    await ready.change(one(second), {"connections": narrower, "connect_by": "2021-05-15"})
    assert {each[2] for each in await connections(ready)} == {"agreed"}
    await ready.agree(second)
    versions = (await ready.client.get("/v1/connection-plans", params={"sort": "version"})).json()["items"]
    assert [(each["version"], each["status"]) for each in versions] == [(1, "superseded"), (2, "agreed")]
    assert [each[2] for each in await connections(ready)] == ["none", "agreed"]
    difference = (await ready.client.get(f"{one(first)}/difference", params={"to": second["id"]})).json()
    assert (difference["added"], difference["removed"]) == ([], [])
    assert {(each["camera_code"], each["field"]) for each in difference["changed"]} == {
        (None, "connect_by"),
        ("QT-01-C01", "destination_codes"),
    }


async def test_taking_a_plan_back_needs_a_reason_and_forgets_the_consents(ready: Any) -> None:
    plan = await make(ready)
    await ready.move(one(plan), "proposed")
    await ready.consents(one(plan))
    closed = await ready.try_change(one(plan), {"note": "thêm"})
    assert (closed.status_code, "back to draft" in closed.json()["detail"]) == (409, True)
    assert (await ready.try_move(one(plan), "draft")).status_code == 422
    assert (await ready.move(one(plan), "draft", "Sai kênh"))["consents"] == []
    rejected = await ready.move(one(plan), "rejected", "Cơ sở sắp đóng")
    assert rejected["status"] == "rejected"
    assert (await ready.try_move(one(plan), "proposed")).status_code == 409


async def test_plans_that_do_not_fit_are_refused(ready: Any) -> None:
    unknown = await ready.client.post("/v1/connection-plans", json=ready.plan_body(("QT-01-C01", "TW")))
    assert unknown.status_code == 422
    assert "there are: BTTTT, IOC" in unknown.text
    login = ready.plan_body(("QT-01-C01", "IOC"))
    login["connections"][0]["address"] = "rtsp://admin:Mat-Khau-1@10.20.1.5/ch1"
    refused = await ready.client.post("/v1/connection-plans", json=login)
    assert (refused.status_code, "Mat-Khau-1" in refused.text) == (422, False)
    other = await make(ready)
    ready.facility = await ready.province.facility()
    plan = await ready.province.post("/v1/connection-plans", ready.plan_body(("C9", "IOC")))
    compared = await ready.client.get(f"{one(plan)}/difference", params={"to": other["id"]})
    assert (compared.status_code, compared.json()["errors"][0]["field"]) == (422, "to")


def proposal(field: Any, **given: Any) -> dict[str, Any]:
    return {
        "code": "DX-01",
        "facility_id": field.facility["id"],
        "areas": [{"area": "gate", "cameras": 1}],
        "line": "Viettel, 40 Mbps",
        "power": "Điện lưới",
        "estimated_cost_vnd": 45_000_000,
        "lead_time_days": 5,
        "proposed_connection": "NVR qua VPN",
    } | given


async def test_a_proposal_goes_from_draft_to_connected_and_is_refused_until_each_step_is_due(
    ready: Any, as_role: Callable[[Role], httpx.AsyncClient]
) -> None:
    made = await ready.province.post("/v1/installation-proposals", proposal(ready, line=None))
    path = f"/v1/installation-proposals/{made['id']}"

    async def refused(to: str, says: str, client: httpx.AsyncClient | None = None) -> None:
        answer = await ready.try_move(path, to, client=client)
        assert answer.status_code == 409, answer.text
        assert says in answer.json()["detail"]

    await refused("submitted", "line, power")
    await ready.change(path, {"line": "Viettel, 40 Mbps"})
    await ready.move(path, "submitted")
    await refused("approved", "decision_number")
    closed = await ready.try_change(path, {"estimated_cost_vnd": 1})
    assert (closed.status_code, closed.json()["code"]) == (409, "closed")
    await ready.change(path, {"decision_number": "1800/QĐ-UBND", "decision_date": "2021-05-12"})
    forbidden = await ready.try_move(path, "approved", client=as_role(Role.OPERATOR))
    assert (forbidden.status_code, "province lead" in forbidden.json()["detail"]) == (403, True)
    await ready.move(path, "approved")
    await refused("funded", "funding_source")
    await ready.change(path, {"funding_source": "Ngân sách tỉnh"})
    await ready.move(path, "funded")
    await refused("installed", "installed_on")
    await ready.change(path, {"installed_on": "2021-05-16"})
    await ready.move(path, "installed")
    await refused("connected", "agreed plan")
    await ready.agree(await make(ready))
    assert (await ready.move(path, "connected"))["status"] == "connected"
    assert (await ready.try_change(path, {"note": "thêm"})).status_code == 409
    assert (await ready.province.remove(path)).status_code == 409


async def test_a_returned_proposal_may_change_again(ready: Any) -> None:
    made = await ready.province.post("/v1/installation-proposals", proposal(ready))
    path = f"/v1/installation-proposals/{made['id']}"
    await ready.move(path, "submitted")
    assert (await ready.try_move(path, "returned")).status_code == 422
    await ready.move(path, "returned", "Giá cao")
    assert (await ready.change(path, {"estimated_cost_vnd": 40_000_000}))["estimated_cost_vnd"] == 40_000_000
