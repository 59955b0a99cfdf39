"""Schemathesis follows the links of the four documents: what an answer leads to is there, and gone after its removal.

`VONGGAC_SCENARIOS=50` runs more of each.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
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

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

SCENARIOS = int(os.environ.get("VONGGAC_SCENARIOS", "8"))
STEPS = 6
CHECKS = [
    not_a_server_error, response_schema_conformance, status_code_conformance, use_after_free,
    ensure_resource_availability,
]  # fmt: skip
ROOMS = [
    ("inventory", "/v1/agencies"),
    ("inventory", "/v1/units"),
    ("inventory", "/v1/directives"),
    ("inventory", "/v1/destinations"),
    ("prober", "/v1/scans"),
    ("prober", "/v1/cameras"),
    ("reporting", "/v1/webhooks"),
    ("reporting", "/v1/urging/rules"),
]
"""Service, and the paths of which the scenarios are made: an operation of elsewhere is no link's end."""
HARD_TO_MAKE = {"/v1/directives", "/v1/destinations", "/v1/webhooks"}
"""Their bodies name what stands elsewhere: few generated ones are taken, so that there may be no link to follow."""


def add_one(described: dict[str, Any], address: str, room: str, authorization: dict[str, str]) -> None:
    """What the document has as its example, so that there is something to follow a link to."""
    route = described["paths"][room].get("post")
    if route is None or room == "/v1/scans":
        return
    example = route["requestBody"]["content"]["application/json"]["example"]
    httpx.post(f"{address}{room}", json=example, headers=authorization, timeout=20, trust_env=False)


@pytest.mark.parametrize(("service", "room"), ROOMS, ids=lambda part: part)
def test_what_a_link_leads_to_is_there(
    services: Services, inventory: str, token_for: Callable[[Role], str], service: str, room: str
) -> None:
    address = {**services.addresses, "inventory": inventory}[service]
    authorization = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}
    described = json.loads(document(service).read_text("utf-8"))
    add_one(described, address, room, authorization)
    schema = schemathesis.openapi.from_dict(described)
    machine: Any = schema.include(path_regex=f"^{re.escape(room)}(/|$)").as_state_machine()
    followed: Counter[int] = Counter()

    class Walk(machine):  # type: ignore[misc] # made from the document
        def before_call(self, case: Any) -> None:
            case.headers.pop("Authorization", None)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"base_url": address, "headers": authorization}

        def validate_response(self, response: Any, case: Any, *_checks: Any, **given: Any) -> None:
            if not (response.status_code == 503 and service == "inventory"):
                case.validate_response(response, checks=CHECKS, transport_kwargs=given, recorder=self.recorder)

        def step(self, input: Any) -> Any:  # noqa: A002 # its name there
            done = super().step(input)
            if input.transition is not None and input.applied_parameters:
                followed[done.response.status_code // 100] += 1
            return done

    Walk.run(
        settings=settings(
            max_examples=SCENARIOS, stateful_step_count=STEPS, deadline=None, database=None, derandomize=True,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )
    )  # fmt: skip
    assert followed[2] > 0 or room in HARD_TO_MAKE, f"no link led to an answer of 2xx: {dict(followed)}"
