"""Schemathesis asks every operation of three services what it likes: no 5xx, and no answer that the document lacks.

`VONGGAC_SEEDS=5` asks with five seeds instead of one.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.clients.asking import ask_cases
from tests.clients.conftest import Services
from tests.clients.generated import document

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    # Schemathesis chooses mutations with `random`.
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),
]

type Operation = Any
"""One of Schemathesis' operations, generic over what we do not use."""

SERVICES = ("prober", "forwarder", "reporting")
EXAMPLES = 8
SEEDS = range(int(os.environ.get("VONGGAC_SEEDS", "1")))
SECONDS_PER_OPERATION = 0.5
"""Bounded also where the machine is slow: what was asked until then counts."""
ANSWER_WITHIN_S = 60.0
"""A file is verified in a process of its own, which may take seconds to start: as long as reporting gives it."""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
LEFT_OUT = {
    "probe_now": "it would resolve host names that somebody made up",
    "stream_events": "its answer has no end",
}


def operations() -> Iterator[tuple[str, Operation]]:
    for service in SERVICES:
        schema = schemathesis.openapi.from_dict(json.loads(document(service).read_text("utf-8")))
        for found in schema.get_all_operations():
            operation: Operation = found.ok()  # type: ignore[union-attr]
            if operation.definition.raw["operationId"] not in LEFT_OUT:
                yield service, operation


OPERATIONS = list(operations())


@pytest.mark.parametrize("number", SEEDS)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    ("service", "operation"), OPERATIONS, ids=[f"{service} {one.label}" for service, one in OPERATIONS]
)
def test_every_answer_is_in_the_document(
    services: Services, service: str, operation: Operation, mode: GenerationMode, number: int
) -> None:
    base_url = services.addresses[service]
    headers = {"Authorization": f"Bearer {services.token}"}

    def ask(case: Any) -> None:
        answer = case.call(base_url=base_url, headers=headers, timeout=ANSWER_WITHIN_S)
        case.validate_response(answer, checks=CHECKS)

    cases = operation.as_strategy(mode)
    ask_cases(cases, ask, number=number, examples=EXAMPLES, seconds=SECONDS_PER_OPERATION)
