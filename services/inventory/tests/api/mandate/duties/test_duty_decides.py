"""Every act of the table of duties over HTTP, with the token of each role: whoever owes a duty does none of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.inventory.tests.api.mandate.duties.conftest import Duty

type Refused = Callable[[httpx.Response], None]
LEAD, OPERATOR = Role.PROVINCE_LEAD, Role.OPERATOR
OTHERS = [role for role in Role if role not in {LEAD, Role.DECIDER}]


def acts_of(duty: Duty) -> dict[str, tuple[str, str, Any]]:
    """Method, path and body of every act, also by ways around."""
    facility, camera = f"/v1/facilities/{duty.facility['id']}", f"/v1/cameras/{duty.camera['id']}"
    directive = duty.letter.directives["1742"]
    obligation = {
        "code": "NV-X",
        "name": "«x»",
        "kind": "connection",
        "directive_id": directive["id"],
        "responsible_agency_id": duty.letter.operator["id"],
    }
    exception = {
        "facility_id": duty.facility["id"],
        "why": "Chủ tịch đã đồng ý",
        "approved_by": "Chủ tịch",
        "decided_on": "2021-05-07",
    }
    away = {"number": "99/UBND", "issued_on": "2021-05-07", "issuer_id": directive["issuer_id"], "subject": "Thôi"}
    assignment = {
        "unit_id": duty.facility["unit_id"],
        "agency_id": duty.letter.operator["id"],
        "valid_from": "2021-01-01",
    }
    alone = {"unit_id": duty.province_id, "two_persons": False, "valid_from": "2021-01-01", "why": "Một người"}
    inspection = {
        "facility_id": duty.facility["id"],
        "inspected_on": "2021-05-08",
        "agency_id": duty.letter.lead["id"],
    }
    enough = {"facility_id": duty.facility["id"], "area": "gate", "verdict": "covered", "cameras_needed": 0}
    one_obligation = {"id": duty.obligation["id"], "etag": duty.obligation["etag"], "valid_to": "2021-05-09"}
    one_facility = {"id": duty.facility["id"], "etag": duty.facility["etag"], "status": "closed"}
    return {
        "waive": ("POST", f"{duty.path}/transitions", {"to": "waived", "reason": "bận"}),
        "deadline": ("POST", f"{duty.path}/deadlines", {"due_before": "2027-01-01", "reason": "xin thêm"}),
        "directive": ("POST", "/v1/directives", away),
        "directive_changed": ("PATCH", f"/v1/directives/{directive['id']}", {"subject": "Khác"}),
        "obligation": ("POST", "/v1/obligations", obligation),
        "obligation_ended": ("PATCH", duty.path, {"valid_to": "2021-05-09"}),
        "obligations_in_bulk": ("PATCH", "/v1/obligations/bulk", [one_obligation]),
        "exception": ("POST", "/v1/plan-exceptions", exception),
        "closing": ("PATCH", facility, {"status": "closed"}),
        "another_type": ("PATCH", facility, {"type": "hotel"}),
        "less_proof": ("PATCH", f"/v1/destinations/{duty.centre['id']}", {"required_proof": "acknowledged"}),
        "inspection": ("POST", "/v1/inspections", inspection),
        "sufficiency": ("POST", "/v1/coverages", enough),
        "closing_by_transition": ("POST", f"{facility}/transitions", {"to": "closed", "reason": "hết"}),
        "suspending": ("POST", f"{facility}/transitions", {"to": "suspended", "reason": "nghỉ"}),
        "ending": ("PATCH", facility, {"valid_to": "2021-05-09"}),
        "closing_in_bulk": ("PATCH", "/v1/facilities/bulk", [one_facility]),
        "moving_a_camera": ("PATCH", camera, {"facility_id": duty.elsewhere["id"]}),
        "switching_off": ("PATCH", camera, {"enabled": False}),
        "assignment": ("POST", "/v1/operator-assignments", assignment),
        "approval_rule": ("POST", "/v1/approval-rules", alone),
    }


def why(method: str) -> dict[str, str]:
    """The reason of a change; a verb has its own in its body."""
    return {"reason": "hết việc"} if method == "PATCH" else {}


@pytest.mark.parametrize("role", OTHERS)
async def test_duty_is_decided_by_nobody_but_the_lead_and_who_is_named(
    duty: Duty, role: Role, refused: Refused
) -> None:
    for name, (method, path, body) in acts_of(duty).items():
        answer = await duty.call(role, method, path, body, **why(method))
        assert answer.status_code == 403, (name, answer.text)
        if role is OPERATOR:
            refused(answer)
    shown = (await duty.province.client.get(duty.path)).json()
    assert (shown["status"], shown["settled_by"], len(shown["deadlines"])) == ("open", None, 1)
    assert (await duty.province.client.get(f"/v1/facilities/{duty.facility['id']}")).json()["status"] == "active"


@pytest.mark.parametrize("role", [LEAD, Role.DECIDER])
async def test_duty_is_decided_by_the_lead_and_by_who_is_named(duty: Duty, role: Role) -> None:
    for name in (
        "deadline", "approval_rule", "less_proof", "inspection", "sufficiency", "another_type", "switching_off",
        "suspending", "waive",
    ):  # fmt: skip
        method, path, body = acts_of(duty)[name]
        answer = await duty.call(role, method, path, body, **why(method))
        assert answer.status_code in {200, 201}, (name, answer.text)
    shown = (await duty.province.client.get(duty.path)).json()
    assert (shown["status"], shown["settled_by"]) == ("waived", f"test-{role}")


async def test_duty_of_the_lead_is_not_settled_by_the_lead(duty: Duty) -> None:
    owed = await duty.letter.obligation(code="NV-STTTT", responsible_agency_id=duty.letter.lead["id"])
    path = f"/v1/obligations/{owed['id']}"
    for verb, body in (
        ("transitions", {"to": "waived", "reason": "a"}), ("deadlines", {"due_before": "2027-01-01", "reason": "bận"}),
    ):  # fmt: skip
        answer = await duty.call(LEAD, "POST", f"{path}/{verb}", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "owes_the_duty"), answer.text
        assert "'decider'" in answer.json()["detail_vi"]
        assert (await duty.call(Role.DECIDER, "POST", f"{path}/{verb}", body)).status_code == 200


@pytest.mark.parametrize(
    ("noun", "column", "value"),
    [
        ("facilities", "status", "closed"),
        ("facilities", "valid_to", "2021-05-09"),
        ("cameras", "enabled", "false"),
        ("obligations", "note", "khác"),
        ("directives", "subject", "Thôi"),
        ("plan-exceptions", "why", "Thôi"),
    ],
)
async def test_duty_is_not_decided_by_a_file(duty: Duty, noun: str, column: str, value: str) -> None:
    await duty.province.plan_exception(duty.facility["id"])
    exported = (await duty.call(LEAD, "GET", f"/v1/exports/{noun}.csv")).text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(exported)))
    rows[0][column] = value
    changed = io.StringIO()
    writer = csv.DictWriter(changed, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    headers = duty.headers(OPERATOR) | {"Content-Type": "text/csv"}
    answer = await duty.province.client.post(
        f"/v1/imports/{noun}", content=changed.getvalue().encode(), headers=headers, params={"reason": "hết"}
    )
    assert answer.status_code == 403, answer.text
    assert "decide" in answer.text
    assert "đơn vị chủ trì" in answer.text


async def test_duty_to_survey_and_to_propose_is_judged_by_another(duty: Duty, refused: Refused) -> None:
    body = {"code": "KS-1", "facility_id": duty.facility["id"]}
    survey = await duty.province.post("/v1/surveys", body)
    proposal = await duty.province.post("/v1/installation-proposals", {**body, "code": "DX-1"})
    for path, change in (
        (f"/v1/surveys/{survey['id']}/transitions", {"to": "approved"}),
        (f"/v1/surveys/{survey['id']}/transitions", {"to": "returned", "reason": "sai"}),
        (f"/v1/installation-proposals/{proposal['id']}/transitions", {"to": "approved"}),
        (f"/v1/installation-proposals/{proposal['id']}/transitions", {"to": "funded"}),
    ):
        refused(await duty.call(OPERATOR, "POST", path, change))
    decision = {"decision_number": "1/QĐ", "decision_date": "2021-05-08"}
    refused(await duty.call(OPERATOR, "PATCH", f"/v1/installation-proposals/{proposal['id']}", decision))


async def test_duty_is_not_decided_by_a_token_that_also_owes(duty: Duty, keys_folder: Any, refused: Refused) -> None:
    from vonggac.auth.keys import token_issuer

    both = token_issuer(keys_folder).issue(
        subject="both", roles=frozenset({LEAD, OPERATOR}), valid_for=timedelta(hours=1), now=datetime.now(UTC)
    )
    headers = {"Authorization": f"Bearer {both}", "If-Match": "*"}
    answer = await duty.province.client.post(
        f"{duty.path}/transitions", json={"to": "waived", "reason": "bận"}, headers=headers
    )
    refused(answer)
    assert "decides none" in answer.json()["detail"]
