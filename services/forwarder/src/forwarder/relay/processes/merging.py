"""The children's metrics as those of one process: same names, same labels.

What has labels is of one camera or delivery, which one child holds at a time. What has none is summed. A child that
died takes its counts along, so what it had counted is remembered: a counter must not fall.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

type Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]
"""Name, documentation, type, and samples of (name, labels, value)."""


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
        self._past: dict[str, float] = {}
        self.registry.register(self)

    def take(self, child: int, families: Iterable[Any]) -> None:
        """What a child told last, as `families_of` gave it."""
        self._latest[child] = [(name, text, kind, samples) for name, text, kind, samples in families]

    def gone(self, child: int) -> None:
        """A child has ended: its gauges are no more, what it counted stays counted."""
        for _, _, kind, samples in self._latest.pop(child, []):
            for name, labels, value in samples:
                if kind == "counter" and not labels:
                    self._past[name] = self._past.get(name, 0.0) + value

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
        metrics: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for families in self._latest.values():
            for family, text, kind, samples in families:
                metrics.setdefault(family, Metric(family, text, kind))
                merged = values.setdefault(family, {})
                for name, labels, value in samples:
                    key = (name, tuple(sorted(labels.items())))
                    # While a camera changes hands both may speak of it.
                    merged[key] = max(merged.get(key, value), value) if labels else merged.get(key, 0.0) + value
        for family, metric in metrics.items():
            for (name, pairs), value in values[family].items():
                past = self._past.get(name, 0.0) if not pairs else 0.0
                metric.add_sample(name, dict(pairs), value + past)
            yield metric
