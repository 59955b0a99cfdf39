"""Schemathesis asks every shape of inventory's operations what it likes: no 5xx, whatever is sent.

Which nouns stand for all, tests/clients/shapes.py says. Inventory runs without NATS here, as it may: what is made up
must reach no prober. `VONGGAC_EVERY_CASE=1` asks every operation of every noun, `VONGGAC_SEEDS=5` with five seeds
instead of one, `VONGGAC_SECONDS_PER_OPERATION` longer than half a second.
"""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance
from tests.clients.asking import ask_cases
from tests.clients.generated import document
from tests.clients.shapes import choose_by_shape

from vonggac.auth import Role

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

type Operation = Any
SEEDS = range(int(os.environ.get("VONGGAC_SEEDS", "1")))
SECONDS_PER_OPERATION = float(os.environ.get("VONGGAC_SECONDS_PER_OPERATION", "0.5"))
EXAMPLES = 20
CHECKS = [not_a_server_error, response_schema_conformance]


def operations() -> Iterator[Operation]:
    schema = schemathesis.openapi.from_dict(json.loads(document("inventory").read_text("utf-8")))
    for found in schema.get_all_operations():
        yield found.ok()  # type: ignore[union-attr]


OPERATIONS = choose_by_shape(list(operations()), lambda operation: (operation.method, operation.path))


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.label for one in OPERATIONS])
def test_nothing_that_is_sent_is_an_error_of_ours(
    inventory: str, token_for: Callable[[Role], str], operation: Operation, mode: GenerationMode, number: int
) -> None:
    headers = {"Authorization": f"Bearer {token_for(Role.PROVINCE_LEAD)}"}

    def ask(case: Any) -> None:
        answer = case.call(base_url=inventory, headers=headers)
        if not (answer.status_code == 503 and answer.json()["code"] == "bus_unavailable"):
            case.validate_response(answer, checks=CHECKS)

    cases = operation.as_strategy(mode)
    ask_cases(cases, ask, number=number, examples=EXAMPLES, seconds=SECONDS_PER_OPERATION)
