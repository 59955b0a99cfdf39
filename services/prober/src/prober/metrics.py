"""Prometheus metrics of one prober process. Labels are closed lists; a series per camera only when set."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from prober.domain.result import ProbeResult
from vonggac.bus import Outgoing
from vonggac.events.prober import DeliveryVerifiedV1, Verdict

PHASES = (
    "dns",
    "connect",
    "tls",
    "options",
    "describe",
    "setup",
    "play",
    "keyframe",
    "measure",
    "forwarder_keyframe",
    "decode",
    "teardown",
)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LAG_SECONDS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_READ_BACK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)


class Metrics:
    """One registry and what is counted in it."""

    def __init__(self, *, per_camera: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.probes = Counter(
            "vonggac_prober_probes",
            "Probes by verdict and cause (`none` beside `up`).",
            ("verdict", "cause"),
            registry=self.registry,
        )
        self.probes_by_kind = Counter(
            "vonggac_prober_probes_by_kind",
            "Probes by kind (deep, light or forwarder_keyframe).",
            ("kind",),
            registry=self.registry,
        )
        self.findings = Counter(
            "vonggac_prober_findings", "What probes found beside their cause.", ("finding",), registry=self.registry
        )
        self.phases = _Phases(_phases(self.registry))
        self.lateness = Histogram(
            "vonggac_prober_job_lateness_seconds",
            "From when a probe was due to when it began; without cameras that do not answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.clock_skew, self.clock_error = _clock_gauges(self.registry)
        self.loop_lag, self.decoder_deaths = _own_trouble(self.registry)
        self.running = Gauge("vonggac_prober_probes_running", "Probes going on now.", registry=self.registry)
        self.jobs = Counter(
            "vonggac_prober_jobs", "Fetched jobs by what became of them.", ("outcome",), registry=self.registry
        )
        self.read_backs = ReadBackMetrics(self.registry)
        self.demands = _demands(self.registry)
        self.live_viewers = Gauge(
            "vonggac_prober_live_viewers", "People who view live pictures of centres now.", registry=self.registry
        )
        self.scans = Counter(
            "vonggac_prober_scans",
            "Ended ONVIF scans by state (finished, cancelled, failed).",
            ("state",),
            registry=self.registry,
        )
        self.scanned = Counter(
            "vonggac_prober_scanned_addresses",
            "Scanned addresses by outcome: `onvif`, or the cause why there is no device.",
            ("outcome",),
            registry=self.registry,
        )
        self.onvif_probe = Histogram(
            "vonggac_prober_onvif_probe_duration_seconds",
            "Time of one ONVIF probe of a scan (one address, one port).",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.space = SpaceMetrics(self.registry)
        self.observations = ObservationMetrics()
        self.registry.register(self.observations)
        self.success = _Success()
        if per_camera:
            self.registry.register(self.success)

    def count_probe(self, camera_id: str, result: ProbeResult, *, interval_s: float) -> None:
        """Count one finished probe."""
        judgement = result.judgement
        self.probes_by_kind.labels(result.kind.value).inc()
        for finding in judgement.findings:
            self.findings.labels(finding.value).inc()
        self.probes.labels(judgement.verdict.value, judgement.cause.value if judgement.cause else "none").inc()
        phases = self.phases
        for step in result.steps:
            phases[step.name if step.name in PHASES else "other"].observe(step.duration_ms / 1000)
        phases["total"].observe(result.duration_s)
        self.success.put(camera_id, up=judgement.verdict is Verdict.UP, holds_s=2 * interval_s)


class _Phases(dict[str, Histogram]):
    """The series of each phase, from its first observation on: finding one by its label costs twice what it counts."""

    def __init__(self, family: Histogram) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, phase: str) -> Histogram:
        series = self[phase] = self._family.labels(phase)
        return series


def _demands(registry: CollectorRegistry) -> Counter:
    return Counter(
        "vonggac_prober_demands",
        "Probes, scans, read-backs and views on demand by kind and outcome: admitted, or the limit that forbade it.",
        ("kind", "outcome"),
        registry=registry,
    )


def _own_trouble(registry: CollectorRegistry) -> tuple[Histogram, Counter]:
    """How late the event loop is, and decoding processes that died."""
    lag = Histogram(
        "vonggac_prober_loop_lag_seconds",
        "How late the event loop is, ten times a second; a probe during more than 0.5 s accuses nobody.",
        buckets=_LAG_SECONDS,
        registry=registry,
    )
    deaths = Counter(
        "vonggac_prober_decoder_deaths",
        "Decoding processes that a keyframe (or something else) ended; each costs one probe.",
        registry=registry,
    )
    return lag, deaths


class ObservationMetrics(Collector):
    """What waits to be published, and what became of it: as its queue has it at each scrape."""

    def __init__(self) -> None:
        self._outgoing: Outgoing | None = None

    def follow(self, outgoing: Outgoing) -> None:
        """Show this queue from now on."""
        self._outgoing = outgoing

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        queue = self._outgoing
        yield GaugeMetricFamily(
            "vonggac_prober_observations_waiting",
            "Reports kept in memory until NATS has stored them.",
            value=queue.waiting if queue else 0,
        )
        yield GaugeMetricFamily(
            "vonggac_prober_observations_oldest_age_seconds",
            "For how long the oldest of these has waited.",
            value=queue.oldest_age_s if queue else 0,
        )
        yield CounterMetricFamily(
            "vonggac_prober_observations_dropped",
            "Reports lost because NATS was away for too long.",
            value=queue.dropped if queue else 0,
        )
        yield CounterMetricFamily(
            "vonggac_prober_observations_refused",
            "Reports that NATS does not store; they are in DEAD_LETTERS.",
            value=queue.refused if queue else 0,
        )
        yield CounterMetricFamily(
            "vonggac_prober_observations_republished",
            "Reports published again because NATS had forgotten them.",
            value=queue.republished if queue else 0,
        )


class SpaceMetrics:
    """What the streams take of the NATS server's disk."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ratio = Gauge(
            "vonggac_prober_bus_storage_ratio",
            "Share of the space for streams that is taken; 0 when the space is not stated.",
            registry=registry,
        )
        self._left_out = Gauge(
            "vonggac_prober_values_left_out",
            "Thumbnails and failure histories left out for want of space since the start.",
            registry=registry,
        )

    def show(self, ratio: float | None, left_out: int) -> None:
        """Both as they are now."""
        self._ratio.set(ratio or 0.0)
        self._left_out.set(left_out)


def _phases(registry: CollectorRegistry) -> Histogram:
    """Of a probe."""
    return Histogram(
        "vonggac_prober_probe_duration_seconds",
        "Time of each phase of a probe, and of the whole (`total`).",
        ("phase",),
        buckets=_SECONDS,
        registry=registry,
    )


def _clock_gauges(registry: CollectorRegistry) -> tuple[Gauge, Gauge]:
    """Skew and error."""
    skew = Gauge(
        "vonggac_prober_clock_skew_seconds",
        "This machine's clock minus the NATS server's; what is published is corrected.",
        registry=registry,
    )
    error = Gauge("vonggac_prober_clock_error_seconds", "How far the corrected clock may be off.", registry=registry)
    return skew, error


class ReadBackMetrics:
    """Counts of verify jobs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._verdicts = Counter(
            "vonggac_prober_verifications",
            "Read-backs of deliveries by verdict and cause (`none` where there is none).",
            ("verdict", "cause"),
            registry=registry,
        )
        self._duration = Histogram(
            "vonggac_prober_verification_duration_seconds",
            "Time of a read-back until its verdict.",
            ("verdict",),
            buckets=_READ_BACK_SECONDS,
            registry=registry,
        )
        self._delay = Histogram(
            "vonggac_prober_verification_delay_seconds",
            "From a picture's coming from the camera to its return from the destination.",
            buckets=_READ_BACK_SECONDS,
            registry=registry,
        )
        self.lateness = Histogram(
            "vonggac_prober_verification_lateness_seconds",
            "From when a read-back was due to when it began.",
            buckets=_READ_BACK_SECONDS,
            registry=registry,
        )
        self.running = Gauge("vonggac_prober_verifications_running", "Cameras read back now.", registry=registry)
        self.jobs = Counter(
            "vonggac_prober_verify_jobs",
            "Fetched verify jobs by what became of them.",
            ("outcome",),
            registry=registry,
        )

    def count(self, fact: DeliveryVerifiedV1) -> None:
        """Count one read-back of one delivery."""
        self._verdicts.labels(fact.verdict.value, fact.cause.value if fact.cause else "none").inc()
        self._duration.labels(fact.verdict.value).observe(fact.duration_ms / 1000)
        if fact.delay_s is not None:
            self._delay.observe(fact.delay_s)


class _Success(Collector):
    """The last probe's outcome per camera, as blackbox_exporter has it.

    A camera that another replica probes now drops out after two intervals instead of standing still for ever.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[bool, float]] = {}

    def put(self, camera_id: str, *, up: bool, holds_s: float) -> None:
        self._last[camera_id] = (up, time.monotonic() + holds_s)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = time.monotonic()
        self._last = {camera: (up, until) for camera, (up, until) in self._last.items() if until > now}
        family = GaugeMetricFamily(
            "vonggac_prober_probe_success", "1 when the last probe found the camera up.", labels=["camera_id"]
        )
        for camera, (up, _) in self._last.items():
            family.add_metric([camera], float(up))
        yield family
