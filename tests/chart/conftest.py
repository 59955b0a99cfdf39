"""The chart is rendered by the real helm; where there is none, its tests are skipped with one line."""

import pytest
from tests.chart.rendering import MISSING, find_helm


@pytest.fixture(autouse=True, scope="session")
def _helm_is_there(request: pytest.FixtureRequest) -> None:
    if find_helm() is None:
        pytest.skip(MISSING)
