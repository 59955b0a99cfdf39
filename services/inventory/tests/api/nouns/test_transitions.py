"""A noun with states moves as its table says; 409 names what is allowed, and what a transition still needs."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest_asyncio
from services.inventory.tests.conftest import serving

from inventory.api.nouns import router_of
from inventory.app import create_app
from inventory.domain.states import REASON, StateMachine
from inventory.nouns.places import FACILITY
from inventory.settings import Settings
from inventory.storage.store import WriteTransaction
from vonggac.auth import Role, add_routes
from vonggac.bus import Bus
from vonggac.events.inventory import FacilityStatus as Status

MACHINE = StateMachine(
    noun="facility",
    states=Status,
    initial=Status.PLANNED,
    transitions={
        Status.PLANNED: {Status.APPROVED: ("decision",)},
        Status.APPROVED: {Status.ACTIVE: ()},
        Status.ACTIVE: {Status.SUSPENDED: (REASON,)},
        Status.SUSPENDED: {Status.CLOSED: ()},
        Status.CLOSED: {},
    },
    vietnamese={status: status.value for status in Status},
    guards={"decision": "the decision has a number"},
    vietnamese_guards={"decision": "quyết định có số"},
)


async def guards(_transaction: WriteTransaction, facility: Any, _target: Status) -> list[str]:
    return ["decision"] if facility.decision_number else []


MOVING = replace(FACILITY, path="moving-facilities", machine=MACHINE, guards=guards, check=None)


@pytest_asyncio.fixture
async def client(settings: Settings, token_for: Callable[[Role], str], bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    add_routes(app, [router_of(MOVING)])
    # The policy knows the facilities; what is made of them here needs the same rights.
    for (method, path), entry in list(app.state.policy.items()):
        moved = path.replace("/v1/facilities", "/v1/moving-facilities")
        app.state.policy.setdefault((method, moved), entry)
    async with serving(app, token_for(Role.PROVINCE_LEAD)) as started:
        yield started


async def move(province: Any, made: dict[str, Any], **body: Any) -> httpx.Response:
    one = f"/v1/moving-facilities/{made['id']}"
    headers = {"If-Match": await province.etag(one)}
    answer: httpx.Response = await province.client.post(f"{one}/transitions", json=body, headers=headers)
    return answer


async def test_a_transition_that_is_not_in_the_table_is_refused_with_those_that_are(province: Any) -> None:
    made = await province.facility(status="planned")
    answer = await move(province, made, to="closed")
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_allowed")
    assert "allowed: approved" in answer.json()["detail"]


async def test_a_state_is_no_transition_to_itself(province: Any) -> None:
    made = await province.facility(status="active")
    answer = await move(province, made, to="active", reason="bấm hai lần")
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_allowed")
    assert "allowed: suspended" in answer.json()["detail"]


async def test_a_guard_is_named_until_it_holds(province: Any) -> None:
    made = await province.facility(status="planned")
    refused = await move(province, made, to="approved")
    assert (refused.status_code, "the decision has a number" in refused.json()["detail"]) == (409, True)
    await province.change(f"/v1/facilities/{made['id']}", json={"decision_number": "12/QĐ"})
    assert (await move(province, made, to="approved")).json()["status"] == "approved"


async def test_a_transition_that_will_be_asked_about_needs_its_reason(province: Any) -> None:
    made = await province.facility(status="active")
    refused = await move(province, made, to="suspended")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "reason")
    done = await move(province, made, to="suspended", reason="sửa mái")
    assert (done.status_code, done.json()["status"]) == (200, "suspended")


async def test_a_patch_of_the_status_is_a_transition_too(province: Any) -> None:
    made = await province.facility(status="planned")
    answer = await province.change(f"/v1/moving-facilities/{made['id']}", json={"status": "closed"})
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_allowed")


async def test_without_if_match_nothing_moves(province: Any) -> None:
    made = await province.facility(status="approved", decision_number="12/QĐ", decision_date="2021-05-07")
    answer = await province.client.post(f"/v1/moving-facilities/{made['id']}/transitions", json={"to": "active"})
    assert (answer.status_code, answer.json()["code"]) == (428, "if_match_required")


async def test_what_a_guard_needs_may_come_with_the_change(province: Any) -> None:
    made = await province.facility(status="planned")
    body = {"status": "approved", "decision_number": "12/QĐ"}
    answer = await province.change(f"/v1/moving-facilities/{made['id']}", json=body)
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")


async def test_what_a_guard_needs_does_not_go_with_the_change(province: Any) -> None:
    made = await province.facility(status="planned", decision_number="12/QĐ")
    body = {"status": "approved", "decision_number": None}
    answer = await province.change(f"/v1/moving-facilities/{made['id']}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_not_allowed")


async def test_a_refused_transition_is_said_in_vietnamese_too(province: Any) -> None:
    made = await province.facility(status="planned")
    (error,) = (await move(province, made, to="closed")).json()["errors"]
    assert error["field"] == "status"
    assert error["message_vi"] == "đang «planned», không chuyển thành «closed» được; chỉ chuyển được thành: «approved»"
