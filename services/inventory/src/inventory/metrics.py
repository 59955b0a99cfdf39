"""Prometheus metrics of inventory; one registry per app."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class StreamMetrics:
    """Of the bus: clock, streams, lost jobs and dead letters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.clock_skew = Gauge(
            "vonggac_inventory_clock_skew_seconds",
            "This machine's clock minus the NATS server's; what is published is corrected.",
            registry=self.registry,
        )
        self.clock_error = Gauge(
            "vonggac_inventory_clock_error_seconds", "How far the corrected clock may be off.", registry=self.registry
        )
        self.reconciler_owner = Gauge(
            "vonggac_inventory_reconciler_owner", "1 while this process looks for lost jobs", registry=self.registry
        )
        self.jobs_republished = Counter(
            "vonggac_inventory_jobs_republished",
            "Lost jobs that were republished, by work queue",
            ["queue"],
            registry=self.registry,
        )
        self.dead_letters = Gauge(
            "vonggac_inventory_dead_letters",
            "Messages in DEAD_LETTERS, by the stream and the consumer that they come from",
            ["stream", "durable"],
            registry=self.registry,
        )
        self.stream_replicas = Gauge(
            "vonggac_inventory_stream_replicas",
            "Copies of a stream by what they are: current, behind, or offline; no sample without a leader",
            ["stream", "state"],
            registry=self.registry,
        )
        self.stream_bytes = Gauge(
            "vonggac_inventory_stream_bytes", "Size of a stream that has a bound", ["stream"], registry=self.registry
        )
        self.stream_max_bytes = Gauge(
            "vonggac_inventory_stream_max_bytes",
            "Bound of the stream: beyond it the oldest messages go",
            ["stream"],
            registry=self.registry,
        )


class Metrics(StreamMetrics):
    """Names begin with `vonggac_inventory_`; the labels `noun`, `kind` and `result` are closed lists."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox_backlog = Gauge(
            "vonggac_inventory_outbox_backlog", "Messages committed but not stored at NATS yet", registry=self.registry
        )
        self.outbox_age = Gauge(
            "vonggac_inventory_outbox_oldest_age_seconds", "Age of the oldest such message", registry=self.registry
        )
        self.published = Counter(
            "vonggac_inventory_outbox_published", "Messages that NATS has stored", registry=self.registry
        )
        self.published_again = Counter(
            "vonggac_inventory_outbox_published_again",
            "Messages published again because NATS had forgotten them",
            registry=self.registry,
        )
        self.publish_failures = Counter(
            "vonggac_inventory_outbox_failures", "Attempts to publish that failed", registry=self.registry
        )
        self.bus_connected = Gauge(
            "vonggac_inventory_bus_connected", "1 while NATS is connected", registry=self.registry
        )
        self.things = Gauge("vonggac_inventory_things", "Things on record", ["noun"], registry=self.registry)
        self.cameras_wanted = Gauge(
            "vonggac_inventory_cameras_wanted", "Cameras that shall be forwarded", registry=self.registry
        )
        self.backup_last_success = Gauge(
            "vonggac_inventory_backup_last_success_timestamp_seconds",
            "When the last complete backup ended, in Unix time; 0: there is none",
            registry=self.registry,
        )
        self.imports = Counter(
            "vonggac_inventory_imports",
            "Imports of files by result",
            ["kind", "result"],
            registry=self.registry,
        )
        self.import_bytes = Gauge(
            "vonggac_inventory_import_bytes", "Bytes of the files of imports that wait or run.", registry=self.registry
        )
        self.import_rows = Counter(
            "vonggac_inventory_import_rows",
            "Rows of files stored, by result",
            ["kind", "result"],
            registry=self.registry,
        )
        self.import_duration = Histogram(
            "vonggac_inventory_import_duration_seconds",
            "Time one import took",
            ["kind"],
            buckets=(0.1, 0.5, 1, 2, 5, 10, 15, 30, 60),
            registry=self.registry,
        )
