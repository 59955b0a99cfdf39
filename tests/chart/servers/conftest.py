"""Servers of the chart for a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chart.servers.bundled import Bundled, started


@pytest.fixture
def bundled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bundled]:
    """Started; as many as the test asks for."""
    with started(tmp_path, getattr(request, "param", 1)) as servers:
        yield servers
