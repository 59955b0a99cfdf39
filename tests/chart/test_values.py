"""Any values that the schema allows render to valid manifests or are refused by a check; and every value counts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.chart.drawing import BOUNDS, WITH, another, leaves, nested, sets_of_values
from tests.chart.rendering import (
    INSTALLATIONS,
    Json,
    RefusedValuesError,
    merged,
    rendered,
)
from tests.chart.validity import Validity
from tests.unit.day import choose_of_day, is_every_case

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(600)]

SETS = 60 if is_every_case() else 20
TRIED = 160
LEAVES_OF_THE_DAY = 90


def test_generated_sets_render_to_valid_manifests_or_are_refused_by_a_check(
    record_property: Callable[[str, object], None],
) -> None:
    validity, done = Validity(), {"rendered": 0, "refused": 0}

    @settings(
        max_examples=TRIED, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(sets_of_values())
    def holds(values: Json) -> None:
        if done["rendered"] == SETS:
            return
        try:
            text = rendered(values)
        except RefusedValuesError as refused:
            if "Error: execution error at (vonggac/templates/checks.yaml:" not in str(refused):
                raise
            done["refused"] += 1
            return
        assert validity.mistakes_in(text) == []
        done["rendered"] += 1

    holds()
    assert done["rendered"] == SETS, done
    record_property("values_sets", done["rendered"])


@pytest.fixture(scope="module")
def usual() -> list[str]:
    return [rendered(base) for base in INSTALLATIONS]


@pytest.fixture(scope="module")
def validity() -> Validity:
    return Validity()


@pytest.mark.parametrize(
    ("path", "node"),
    choose_of_day(list(leaves()), LEAVES_OF_THE_DAY, purpose="values"),
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_every_value_is_used_and_valid(usual: list[str], validity: Validity, path: tuple[str, ...], node: Json) -> None:
    value: Any = another(path, node)
    refusals = []
    for base, before in zip(INSTALLATIONS, usual, strict=True):
        try:
            beside = WITH.get(".".join(path), {})
            text = rendered(merged(merged(base, beside), nested(path, value)))
            assert validity.mistakes_in(text) == []
            if text != before:
                return
        except RefusedValuesError as refused:
            refusals.append(str(refused).strip().partition("Error: ")[2])
    where = ".".join(path)
    if where in BOUNDS and refusals and all(where in refused for refused in refusals):
        return
    pytest.fail(f"{where}: {value!r} changes nothing; refused: {refusals}")
