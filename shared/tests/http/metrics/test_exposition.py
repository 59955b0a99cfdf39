"""The metrics page is made beside the event loop's other work."""

import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from vonggac.http.metrics.exposition import exposition


class Watched(Collector):
    """Shows in which thread it was collected, and in which one the page was written."""

    def __init__(self) -> None:
        self.collected_in: list[str] = []
        self.written_in: list[str] = []

    def collect(self) -> Iterator[Metric]:
        self.collected_in.append(threading.current_thread().name)
        family = GaugeMetricFamily("cameras", "Cameras.", labels=("camera_id",))
        family.add_metric(["gate"], _Value(self))
        yield family


class _Value(float):
    """Shows when it is written."""

    def __new__(cls, watched: Watched) -> "_Value":
        made = super().__new__(cls, 3.0)
        made.watched = watched
        return made

    watched: Watched

    def __float__(self) -> float:
        self.watched.written_in.append(threading.current_thread().name)
        return 3.0


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def registry(watched: Watched) -> CollectorRegistry:
    made = CollectorRegistry(auto_describe=False)
    made.register(watched)
    watched.collected_in.clear()
    return made


async def test_the_page_is_collected_in_the_event_loop_and_written_in_a_thread(
    watched: Watched, registry: CollectorRegistry
) -> None:
    page = await exposition(registry)
    assert 'cameras{camera_id="gate"} 3.0' in page.decode()
    assert watched.collected_in == [threading.current_thread().name]
    assert set(watched.written_in)
    assert threading.current_thread().name not in watched.written_in
