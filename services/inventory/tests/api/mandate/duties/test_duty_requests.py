"""Requests: who owes asks, what waits is seen, what is granted is carried out and stays on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

type Refused = Callable[[httpx.Response], None]
LEAD, OPERATOR = Role.PROVINCE_LEAD, Role.OPERATOR


def requests_of(duty: Duty, soon: Any) -> dict[str, dict[str, Any]]:
    """One of every act."""
    facility = duty.facility["id"]
    return {
        "settlement": {"obligation_id": duty.obligation["id"], "to": "waived"},
        "deadline": {"obligation_id": duty.obligation["id"], "due_before": "2021-06-01"},
        "exception": {"facility_id": facility},
        "maintenance": {"facility_id": facility, "starts_at": soon(24), "ends_at": soon(26)},
        "closing": {"facility_id": facility, "to": "closed"},
        "switching_off": {"camera_id": duty.camera["id"]},
    }


async def waiting(duty: Duty, role: Role = LEAD) -> list[dict[str, Any]]:
    answer = await duty.call(role, "GET", "/v1/decision-requests", status="waiting")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


@pytest.mark.parametrize(
    ("act", "effect"),
    [
        ("settlement", lambda duty: (duty.path, "status", "waived")),
        ("deadline", lambda duty: (duty.path, "due_before", "2021-05-31T17:00:00Z")),
        ("closing", lambda duty: (f"/v1/facilities/{duty.facility['id']}", "status", "closed")),
        ("switching_off", lambda duty: (f"/v1/cameras/{duty.camera['id']}", "enabled", False)),
    ],
)
async def test_duty_request_waits_is_granted_and_is_carried_out(duty: Duty, soon: Any, act: str, effect: Any) -> None:
    path, field, value = effect(duty)
    before = (await duty.province.client.get(path)).json()
    made = await duty.ask(OPERATOR, act=act, **requests_of(duty, soon)[act])
    assert made.status_code == 201, made.text
    assert (made.json()["status"], made.json()["asked_by"], made.json()["decided_by"]) == (
        "waiting", "test-operator", None,
    )  # fmt: skip
    assert [one["id"] for one in await waiting(duty)] == [made.json()["id"]]
    assert (await duty.province.client.get(path)).json() == before
    granted = await duty.decide(LEAD, made.json(), "granted", reason="đồng ý")
    assert granted.status_code == 200, granted.text
    assert (granted.json()["status"], granted.json()["decided_by"]) == ("granted", "test-province_lead")
    assert (await duty.province.client.get(path)).json()[field] == value
    assert await waiting(duty) == []
    history = await duty.call(LEAD, "GET", f"/v1/decision-requests/{made.json()['id']}/history")
    assert [(one["action"], one["changed_by"]) for one in history.json()["items"]] == [
        ("changed", "test-province_lead"), ("created", "test-operator"),
    ]  # fmt: skip


async def test_duty_request_for_an_exception_is_carried_out_in_the_name_of_who_granted(duty: Duty, soon: Any) -> None:
    made = await duty.ask(OPERATOR, act="exception", **requests_of(duty, soon)["exception"])
    assert (await duty.decide(LEAD, made.json(), "granted", reason="đến hết tháng")).status_code == 200
    [exception] = (await duty.province.client.get("/v1/plan-exceptions")).json()["items"]
    assert (exception["approved_by"], exception["why"]) == (
        "test-province_lead",
        "Đường truyền hỏng do bão; đến hết tháng",
    )


async def test_duty_request_that_is_refused_changes_nothing(duty: Duty, soon: Any) -> None:
    for act, body in requests_of(duty, soon).items():
        made = await duty.ask(OPERATOR, act=act, **body)
        assert made.status_code == 201, (act, made.text)
        nothing = await duty.decide(LEAD, made.json(), "refused")
        assert (nothing.status_code, nothing.json()["code"]) in {(422, "invalid"), (422, "validation_failed")}
        refused = await duty.decide(LEAD, made.json(), "refused", reason="không có căn cứ")
        assert (refused.json()["status"], refused.json()["decision_reason"]) == ("refused", "không có căn cứ")
        again = await duty.decide(LEAD, made.json(), "granted")
        assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    shown = (await duty.province.client.get(duty.path)).json()
    assert (shown["status"], len(shown["deadlines"])) == ("open", 1)


@pytest.mark.parametrize("role", [role for role in Role if role not in {LEAD, Role.DECIDER}])
async def test_duty_request_is_decided_by_nobody_who_owes(duty: Duty, soon: Any, role: Role) -> None:
    made = await duty.ask(OPERATOR, act="closing", **requests_of(duty, soon)["closing"])
    answer = await duty.decide(role, made.json(), "granted")
    assert answer.status_code == 403, answer.text
    assert [one["status"] for one in await waiting(duty)] == ["waiting"]


@pytest.mark.parametrize("role", [Role.MANAGING_AGENCY, Role.FACILITY])
async def test_duty_request_of_a_party_is_about_what_it_sees(duty: Duty, soon: Any, role: Role) -> None:
    other = await duty.province.facility()
    away = await duty.ask(role, act="closing", facility_id=other["id"], to="closed")
    assert (away.status_code, away.json()["errors"][0]["field"]) == (422, "facility_id")
    without = await duty.ask(role, act="settlement", **requests_of(duty, soon)["settlement"])
    assert (without.status_code, without.json()["code"]) == (403, "outside_scope")
    mine = await duty.ask(
        role, act="settlement", **requests_of(duty, soon)["settlement"], facility_id=duty.facility["id"]
    )
    assert mine.status_code == 201, mine.text
    assert [one["id"] for one in await waiting(duty, role)] == [mine.json()["id"]]


async def test_duty_request_is_withdrawn_by_who_asked_alone(duty: Duty, soon: Any) -> None:
    made = await duty.ask(OPERATOR, act="closing", **requests_of(duty, soon)["closing"])
    path = f"/v1/decision-requests/{made.json()['id']}/withdrawal"
    other = await duty.call(Role.FACILITY, "POST", path, {})
    assert (other.status_code, other.json()["code"]) == (403, "not_yours")
    back = await duty.call(OPERATOR, "POST", path, {"reason": "nhầm"})
    assert (back.status_code, back.json()["status"]) == (200, "withdrawn")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"act": "settlement"}, "obligation_id is missing"),
        ({"act": "closing", "to": "gone"}, "facility_id is missing"),
        ({"act": "approval"}, "nobody asks for this"),
        ({"act": "freezing"}, "nobody asks for this"),
        ({"act": "switching_off"}, "camera_id or delivery_id"),
    ],
)
async def test_duty_request_without_its_parts_is_refused(duty: Duty, body: dict[str, Any], says: str) -> None:
    answer = await duty.ask(OPERATOR, **body)
    assert answer.status_code == 422
    assert says in answer.text


async def test_duty_request_of_the_lead_s_own_duty_is_granted_by_the_decider(duty: Duty) -> None:
    owed = await duty.letter.obligation(code="NV-STTTT", responsible_agency_id=duty.letter.lead["id"])
    made = await duty.ask(LEAD, act="settlement", obligation_id=owed["id"], to="waived")
    own = await duty.decide(LEAD, made.json(), "granted")
    assert (own.status_code, own.json()["code"]) == (403, "own_request")
    assert (await duty.decide(Role.DECIDER, made.json(), "granted")).status_code == 200
