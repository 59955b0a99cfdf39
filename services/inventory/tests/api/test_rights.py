"""Every route wants a token and its own right."""

from collections.abc import Callable
from typing import Any

import pytest

from inventory.settings import Settings
from vonggac.auth import Role

ROUTES = [
    ("GET", "/v1/cameras", None),
    ("POST", "/v1/agencies", {"code": "A", "name": "n", "role": "lead"}),
    ("PATCH", "/v1/cameras/{id}", {}),
    ("DELETE", "/v1/cameras/{id}", None),
    ("PUT", "/v1/cameras/{id}/secret", {"username": "u", "password": "p"}),
    ("POST", "/v1/imports/cameras", None),
    ("GET", "/v1/exports/cameras.csv", None),
]
ALLOWED = {
    Role.PROVINCE_LEAD: {"GET", "POST", "PATCH", "DELETE", "PUT", "import", "export"},
    Role.DECIDER: {"GET", "POST", "PATCH", "export"},
    Role.OPERATOR: {"GET", "POST", "PATCH", "PUT", "import", "export"},
    Role.AUTHORITY: {"GET", "export"},
    Role.MANAGING_AGENCY: set(),
    Role.FACILITY: set(),
    Role.READER: {"GET", "export"},
    Role.VIEWER: set(),
    Role.SERVICE: {"GET", "export"},
}
NOBODY = "00000000-0000-0000-0000-000000000000"


def kind(method: str, path: str) -> str:
    return next((word for word in ("import", "export") if word in path), method)


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_do_what_it_may_and_no_more(
    province: Any, token_for: Callable[[Role], str], role: Role
) -> None:
    headers = {"Authorization": f"Bearer {token_for(role)}"}
    for method, path, body in ROUTES:
        answer = await province.client.request(method, path.format(id=NOBODY), json=body, headers=headers)
        denied = answer.status_code == 403
        assert denied is (kind(method, path) not in ALLOWED[role]), (method, path, answer.text)


async def test_no_route_answers_without_a_token(province: Any, settings: Settings) -> None:
    document = (await province.client.get("/openapi.json")).json()
    calls = [(method, path) for path, methods in document["paths"].items() for method in methods]
    assert len(calls) > 40
    for method, path in calls:
        url = path.split("{")[0] + (NOBODY if "{" in path else "") + path.partition("}")[2]
        answer = await province.client.request(method, url, headers={"Authorization": ""})
        assert answer.status_code == 401, (method, path)


async def test_every_route_is_described(province: Any) -> None:
    document = (await province.client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
