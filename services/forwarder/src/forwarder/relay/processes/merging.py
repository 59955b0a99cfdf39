"""The children's metrics as those of one process: same names, same labels.

What has a `camera_id` is of one camera or delivery, which one child holds at a time. Everything else is summed. A child
that died takes its counts along, so what it had counted is remembered: a counter must not fall.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

type Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]
"""Name, documentation, type, and samples of (name, labels, value)."""
type Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""By name and sorted labels."""

_OF_CAMERA = "camera_id"


def families_of(registry: CollectorRegistry) -> list[Family]:
    """What a child tells of itself, ready for JSON."""
    return [
        (
            metric.name,
            metric.documentation,
            metric.type,
            [(sample.name, dict(sample.labels), sample.value) for sample in metric.samples],
        )
        for metric in registry.collect()
    ]


class Merged(Collector):
    """One registry for all children. `running` is how many there are, `restarts` how often one was started anew."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.running = 0
        self.restarts = 0
        self._latest: dict[int, list[Family]] = {}
        self._past: dict[str, tuple[str, Values]] = {}
        """By family, its documentation and what children that are gone had counted."""
        self.registry.register(self)

    def take(self, child: int, families: Iterable[Any]) -> None:
        """What a child told last, as `families_of` gave it."""
        self._latest[child] = [(name, text, kind, samples) for name, text, kind, samples in families]

    def unanswered(self, child: int) -> None:
        """A child says nothing: how things stand with it is not known, and what it had counted stays counted."""
        self._latest[child] = [family for family in self._latest.get(child, []) if family[2] == "counter"]

    def gone(self, child: int) -> None:
        """A child has ended: its gauges are no more, what it counted stays counted."""
        for family, text, kind, samples in self._latest.pop(child, []):
            if kind == "counter":
                _, counted = self._past.setdefault(family, (text, {}))
                _merge(counted, [sample for sample in samples if _OF_CAMERA not in sample[1]])

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "vonggac_forwarder_worker_processes", "Worker processes that run in this pod.", value=self.running
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_worker_process_restarts",
            "Worker processes started anew because one had ended.",
            value=self.restarts,
        )
        yield from self._merged()

    def _merged(self) -> Iterator[Metric]:
        metrics = {family: Metric(family, text, "counter") for family, (text, _) in self._past.items()}
        values = {family: dict(counted) for family, (_, counted) in self._past.items()}
        for families in self._latest.values():
            for family, text, kind, samples in families:
                metrics.setdefault(family, Metric(family, text, kind))
                _merge(values.setdefault(family, {}), samples)
        for family, metric in metrics.items():
            for (name, pairs), value in values[family].items():
                metric.add_sample(name, dict(pairs), value)
            yield metric


def _merge(values: Values, samples: Iterable[tuple[str, dict[str, str], float]]) -> None:
    for name, labels, value in samples:
        key = (name, tuple(sorted(labels.items())))
        # While a camera changes hands both may speak of it.
        of_camera = _OF_CAMERA in labels
        values[key] = max(values.get(key, value), value) if of_camera else values.get(key, 0.0) + value
