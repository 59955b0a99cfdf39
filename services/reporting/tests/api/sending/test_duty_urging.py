"""Whoever is urged does not decide who is urged, by what target it is measured, or what was issued about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from vonggac.auth import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.reporting.tests.conftest import Client

OWING = (Role.OPERATOR, Role.MANAGING_AGENCY, Role.FACILITY)
ONE = uuid4()
ACTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "an urge quiets the rules": ("POST", "/v1/urges", {"agency_id": str(ONE), "level": 3, "reason": "tự nhắc"}),
    "a rule is switched off": ("PUT", f"/v1/urging/rules/{ONE}", {"enabled": False}),
    "a rule is added": ("POST", "/v1/urging/rules", {}),
    "a rule is removed": ("DELETE", f"/v1/urging/rules/{ONE}", {}),
    "a channel is switched off": ("PATCH", f"/v1/urging/channels/{ONE}", {"enabled": False}),
    "a channel is added": ("POST", "/v1/urging/channels", {}),
    "a channel is removed": ("DELETE", f"/v1/urging/channels/{ONE}", {}),
    "a target is lowered": ("POST", "/v1/availability-targets/availability", {"percent": 10}),
    "a paper is issued": ("POST", "/v1/issued-papers", {"number": "05/BC-STTTT"}),
    "a paper gets its file": ("PUT", f"/v1/issued-papers/{ONE}/file", {}),
}


@pytest.mark.parametrize("what", ACTS)
async def test_who_owes_a_duty_decides_nothing_of_how_it_is_urged_and_measured(
    what: str, client: Client, token_for: Callable[..., str]
) -> None:
    method, path, body = ACTS[what]
    for role in OWING:
        headers = {"Authorization": f"Bearer {token_for(role)}"}
        refused = await client.request(method, path, json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), (role, refused.text)
        assert "'decide'" in refused.json()["detail"], (role, refused.text)
        assert "thuộc quyền của đơn vị chủ trì" in refused.json()["detail_vi"], (role, refused.text)
    answer = await client.request(method, path, json=body)
    assert answer.status_code != 403, answer.text
