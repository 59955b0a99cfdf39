"""Schemathesis follows the links of the four documents: what an answer leads to is there, and gone after its removal.

`VONGGAC_SCENARIOS=50` runs more of each.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
)
from tests.clients.conftest import Services
from tests.clients.generated import document

from vonggac.auth import Role
from vonggac.http.openapi.inlined_parts import inline_repeated_parts

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

SCENARIOS = int(os.environ.get("VONGGAC_SCENARIOS", "16"))
STEPS = 6
ROUNDS = 5
CHECKS = [
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
    use_after_free,
    ensure_resource_availability,
]
STAYS = [use_after_free, ensure_resource_availability]
"""Not asked of scans: DELETE stops one, and what it found can be read until it expires."""
ROOMS = [
    ("inventory", "/v1/agencies"),
    ("inventory", "/v1/units"),
    ("inventory", "/v1/directives"),
    ("inventory", "/v1/destinations"),
    ("prober", "/v1/scans"),
    ("prober", "/v1/cameras"),
    ("reporting", "/v1/urging/rules"),
]
"""Service, and the paths of which the scenarios are made: an operation of elsewhere is no link's end.

Not reporting's webhooks: these services have no key to seal what they would sign with, so that none is made.
"""


def fill(inventory: str, reporting: str, authorization: dict[str, str]) -> None:
    """One record of each noun in ROOMS; what is there already stays."""
    rule = {
        "about": "obligation_due_soon",
        "every_hours": 24,
        "hours": 48,
        "level": 1,
        "name": "Hạn",
        "party": "responsible",
    }
    rules = f"{reporting}/v1/urging/rules"
    answer = httpx.post(rules, json=rule, headers=authorization, timeout=20, trust_env=False)
    assert answer.status_code == 201, answer.text
    with httpx.Client(base_url=inventory, headers=authorization, timeout=20, trust_env=False) as register:

        def add(path: str, **body: Any) -> None:
            answer = register.post(path, json={"code": "LINK", "name": "Liên kết"} | body)
            assert answer.status_code in (201, 409), answer.text

        add("/v1/agencies", role="lead")
        add("/v1/units", level="province")
        add("/v1/destinations", role="national", url_template="rtsp://10.9.0.1:8554/{camera_code}")
        issuer = register.get("/v1/agencies?code=LINK").json()["items"][0]["id"]
        body = {"issued_on": "2021-05-06", "issuer_id": issuer, "number": "1742/UBND-VX", "subject": "Camera"}
        answer = register.post("/v1/directives", json=body)
        assert answer.status_code in (201, 409), answer.text


@pytest.mark.parametrize(
    ("service", "rooms"),
    [("inventory", 4), ("prober", 1), ("forwarder", 1), ("reporting", 1)],
)
def test_the_links_of_every_list_lead_to_its_first_item(
    services: Services, inventory: str, token_for: Callable[[Role], str], service: str, rooms: int
) -> None:
    address = {**services.addresses, "inventory": inventory}[service]
    authorization = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    fill(inventory, services.addresses["reporting"], authorization)
    paths = inline_repeated_parts(json.loads(document(service).read_text("utf-8")))["paths"]
    by_id = {one["operationId"]: (path, method) for path, each in paths.items() for method, one in each.items()}
    followed = set()
    for path, each in paths.items():
        links = each.get("get", {}).get("responses", {}).get("200", {}).get("links", {})
        if "{" in path or not links:
            continue
        items = httpx.get(f"{address}{path}", headers=authorization, timeout=20, trust_env=False).json()["items"]
        for link in links.values() if items else ():
            target, method = by_id[link["operationId"]]
            for name, expression in link["parameters"].items():
                value = items[0]
                for part in expression.removeprefix("$response.body#/items/0/").split("/"):
                    value = value[part]
                target = target.replace(f"{{{name}}}", str(value))
            if method == "get":
                answer = httpx.get(f"{address}{target}", headers=authorization, timeout=20, trust_env=False)
                assert answer.status_code == 200, (path, target, answer.text)
                followed.add(path)
    assert len(followed) >= rooms, followed


@pytest.mark.parametrize(("service", "room"), ROOMS, ids=lambda part: part)
def test_what_a_link_leads_to_is_there(
    services: Services, inventory: str, token_for: Callable[[Role], str], service: str, room: str
) -> None:
    address = {**services.addresses, "inventory": inventory}[service]
    authorization = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    fill(inventory, services.addresses["reporting"], authorization)
    schema = schemathesis.openapi.from_dict(json.loads(document(service).read_text("utf-8")))
    checks = [check for check in CHECKS if room != "/v1/scans" or check not in STAYS]
    machine: Any = schema.include(path_regex=f"^{re.escape(room)}(/|$)").as_state_machine()
    followed: Counter[int] = Counter()
    broken: list[Exception] = []

    class Walk(machine):  # type: ignore[misc] # made from the document
        def before_call(self, case: Any) -> None:
            case.headers.pop("Authorization", None)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": address, "headers": authorization}

        def validate_response(self, response: Any, case: Any, *_checks: Any, **given: Any) -> None:
            if not (response.status_code == 503 and service == "inventory"):
                try:
                    case.validate_response(response, checks=checks, transport_kwargs=given, recorder=self.recorder)
                except Exception as error:
                    broken.append(error)
                    raise

        def step(self, input: Any) -> Any:  # noqa: A002 # its name there
            done = super().step(input)
            if input.transition is not None and input.applied_parameters:
                followed[done.response.status_code // 100] += 1
            return done

    # What Hypothesis draws for a seed differs with the modules that are loaded: a round may follow no link at all.
    for number in range(ROUNDS):
        Walk._hypothesis_internal_use_seed = number  # what its `seed` sets, once only
        # Which links there are depends on what was answered: Hypothesis may take that for data that is not repeatable.
        with suppress(FlakyStrategyDefinition):
            Walk.run(
                settings=settings(
                    max_examples=SCENARIOS,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
            )
        if followed or broken:
            break
    if broken:
        raise broken[0]
    assert followed, "no link was followed"
