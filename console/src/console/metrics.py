"""Prometheus metrics of the console, beside those that every HTTP process has."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """In a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.listeners = Gauge("vonggac_console_listeners", "Pages that are updated live now.", registry=self.registry)
        self.bucket_ratio = Gauge(
            "vonggac_console_bucket_ratio",
            "Share of its bound that a bucket of the console takes.",
            ["bucket"],
            registry=self.registry,
        )
        self.policy_reports = Counter(
            "vonggac_console_policy_reports",
            "What a browser refused to run on our pages, as it reported; always 0.",
            registry=self.registry,
        )
