"""The metrics page is made beside the event loop's other work."""

import asyncio
import gc
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from vonggac.http.exposition import exposition


class Watched(Collector):
    """Tells in which thread it was collected, and in which one the page was written."""

    def __init__(self) -> None:
        self.collected_in: list[str] = []
        self.written_in: list[str] = []
        self.searching: list[bool] = []

    def collect(self) -> Iterator[Metric]:
        self.collected_in.append(threading.current_thread().name)
        self.searching.append(gc.isenabled())
        family = GaugeMetricFamily("cameras", "Cameras.", labels=("camera_id",))
        family.add_metric(["gate"], _Value(self))
        yield family


class _Value(float):
    """Tells when it is written."""

    def __new__(cls, watched: Watched) -> "_Value":
        made = super().__new__(cls, 3.0)
        made.watched = watched
        return made

    watched: Watched

    def __float__(self) -> float:
        self.watched.written_in.append(threading.current_thread().name)
        self.watched.searching.append(gc.isenabled())
        return 3.0


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def registry(watched: Watched) -> CollectorRegistry:
    made = CollectorRegistry(auto_describe=False)
    made.register(watched)
    watched.collected_in.clear()
    watched.searching.clear()
    return made


async def test_the_page_is_collected_in_the_event_loop_and_written_in_a_thread(
    watched: Watched, registry: CollectorRegistry
) -> None:
    page = await exposition(registry)
    assert 'cameras{camera_id="gate"} 3.0' in page.decode()
    assert watched.collected_in == [threading.current_thread().name]
    assert set(watched.written_in)
    assert threading.current_thread().name not in watched.written_in


async def test_nothing_looks_for_garbage_while_the_page_is_made(watched: Watched, registry: CollectorRegistry) -> None:
    assert gc.isenabled()
    await asyncio.gather(exposition(registry), exposition(registry))
    assert watched.searching
    assert not any(watched.searching)
    assert gc.isenabled()


async def test_a_collector_that_fails_leaves_the_search_for_garbage_as_it_was() -> None:
    class Broken(Collector):
        def collect(self) -> Iterator[Metric]:
            msg = "no such camera"
            raise LookupError(msg)

    registry = CollectorRegistry()
    registry._collector_to_names[Broken()] = []
    with pytest.raises(LookupError):
        await exposition(registry)
    assert gc.isenabled()
