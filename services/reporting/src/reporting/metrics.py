"""Prometheus metrics of reporting. Labels are closed lists: consumers, kinds and outcomes."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

CLOCK_SKEW = Gauge(
    "vonggac_reporting_clock_skew_seconds",
    "This machine's clock minus the NATS server's; reports are of the server's time.",
    registry=registry,
)
CLOCK_ERROR = Gauge(
    "vonggac_reporting_clock_error_seconds", "How far the corrected clock may be off.", registry=registry
)
EVENTS = Counter(
    "vonggac_reporting_events",
    "Events handled, by kind; outcome `repeated` were handled before.",
    ("kind", "outcome"),
    registry=registry,
)
OBSERVATIONS = Counter(
    "vonggac_reporting_camera_observations",
    "Observations of cameras: placed, of them late (out of order); repeated; beyond (older than the window).",
    ("outcome",),
    registry=registry,
)
EVENTS_NEWER = Counter(
    "vonggac_reporting_events_newer",
    "Events of a newer release, each time they were put back.",
    ("consumer",),
    registry=registry,
)
EVENTS_MISPLACED = Counter(
    "vonggac_reporting_events_misplaced",
    "Events of a type, a thing or a worker that does not belong on their subject; each is a dead letter.",
    ("consumer",),
    registry=registry,
)
EVENTS_REPLAYED = Counter(
    "vonggac_reporting_events_replayed",
    "Events handled again because the tables were behind their consumer: after a start or a restore.",
    ("consumer",),
    registry=registry,
)
FACTS_LOST = Counter(
    "vonggac_reporting_facts_lost",
    "Facts that publishers numbered and that never came.",
    registry=registry,
)
REGISTER_GAPS = Gauge(
    "vonggac_reporting_register_gaps",
    "Stretches of time for which revisions of a camera, facility or destination never came; they are unknown.",
    registry=registry,
)
CORRECTED = Counter(
    "vonggac_reporting_corrected_facts",
    "Facts dated after they were stored, and revisions of inventory dated earlier than they can be of, by kind.",
    ("kind",),
    registry=registry,
)
CLOCK_STEPS = Counter(
    "vonggac_reporting_clock_steps",
    "How often the clock of the NATS server was set back; the time that it showed twice is unknown.",
    registry=registry,
)
STREAMS_LOST = Counter(
    "vonggac_reporting_streams_lost",
    "How often a stream, a bucket or a consumer of it was gone, emptied or set back, by its owner's facts.",
    ("stream",),
    registry=registry,
)
STREAM_LOST_AT = Gauge(
    "vonggac_reporting_stream_lost_timestamp_seconds",
    "When a stream, a bucket or a consumer of it stood again that was gone, emptied or set back: the last, Unix time.",
    ("stream",),
    registry=registry,
)
REFUSED = Counter(
    "vonggac_reporting_refused_facts",
    "Facts that are no evidence, by reason: `clock`, of a time that the NATS server's clock showed twice.",
    ("reason",),
    registry=registry,
)
BATCH_SECONDS = Histogram(
    "vonggac_reporting_batch_seconds",
    "Time from a batch to its commit.",
    ("consumer",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=registry,
)
PENDING = Gauge(
    "vonggac_reporting_pending_events",
    "Events in the stream that the consumer has not handled yet.",
    ("consumer",),
    registry=registry,
)
OLDEST_PENDING = Gauge(
    "vonggac_reporting_oldest_pending_age_seconds",
    "For how long the oldest of these events has been in the stream; 0 when there is none.",
    ("consumer",),
    registry=registry,
)
LATE_DAYS = Counter(
    "vonggac_reporting_late_days",
    "Days of cameras whose figures changed because evidence came after the lateness horizon.",
    registry=registry,
)
REPORT_SECONDS = Histogram(
    "vonggac_reporting_report_seconds",
    "Time to compute a compliance report.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
    registry=registry,
)
HOUSEKEEPING = Counter(
    "vonggac_reporting_housekeeping_rows", "Rows that housekeeping removed.", ("table",), registry=registry
)
WATCH_SECONDS = Histogram(
    "vonggac_reporting_watch_seconds",
    "Time to notice what is new: outages, faults of sites, overdue obligations.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10),
    registry=registry,
)
NOTICES = Counter("vonggac_reporting_notices", "Notices written, by type of event.", ("type",), registry=registry)
NOTICES_PUBLISHED = Counter("vonggac_reporting_notices_published", "Notices that NATS has stored.", registry=registry)
WEBHOOK_ATTEMPTS = Counter(
    "vonggac_reporting_webhook_attempts", "Attempts to deliver a notice to a webhook.", ("outcome",), registry=registry
)
WEBHOOKS_WAITING = Gauge(
    "vonggac_reporting_webhooks_waiting", "Deliveries to webhooks that wait for an attempt.", registry=registry
)
WEBHOOKS_DROPPED = Counter(
    "vonggac_reporting_webhooks_dropped",
    "Deliveries dropped because too many waited for one webhook; they can be sent again.",
    registry=registry,
)
URGES = Counter("vonggac_reporting_urges", "Parties urged, by level.", ("level",), registry=registry)
URGE_SENDINGS = Counter(
    "vonggac_reporting_urge_sendings", "Attempts to send a digest through a channel.", ("outcome",), registry=registry
)
REGIME_REPORTS = Counter(
    "vonggac_reporting_regime_reports", "Reports that regimes froze at their cut-off.", registry=registry
)
REGIME_SENDINGS = Counter(
    "vonggac_reporting_regime_sendings",
    "Attempts to send a message of a regime's report through a channel.",
    ("outcome",),
    registry=registry,
)
PRESENT_AS_OF = Gauge(
    "vonggac_reporting_present_as_of_timestamp_seconds",
    "The moment of which the present is that GET /v1/present answers, as a Unix time.",
    registry=registry,
)
PRESENT_SECONDS = Histogram(
    "vonggac_reporting_present_seconds",
    "Time to account the present anew: `whole`, or what was `touched`.",
    ("what",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
PRESENT_CAMERAS = Counter(
    "vonggac_reporting_present_accounted_cameras", "Cameras accounted anew for the present.", registry=registry
)
PRESENT_CHECKED = Counter(
    "vonggac_reporting_present_checked_cameras",
    "Cameras of the present that were accounted although nothing had touched them, to compare.",
    registry=registry,
)
PRESENT_DIFFERENCES = Counter(
    "vonggac_reporting_present_differences",
    "Cameras that stood otherwise in memory than in the account; stays 0.",
    registry=registry,
)
PRESENT_LISTENERS = Gauge(
    "vonggac_reporting_present_listeners", "Open streams of GET /v1/present/events.", registry=registry
)
PRESENT_LISTENERS_ENDED = Counter(
    "vonggac_reporting_present_listeners_ended",
    "Streams of GET /v1/present/events that this process ended, by reason.",
    ("reason",),
    registry=registry,
)
