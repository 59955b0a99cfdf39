"""Prometheus metrics of one forwarder process, read from what runs at the moment of the scrape: the hot path counts
nothing for them.

Labels are stable: camera and destination ids. The state is a gauge of its own, never a label on a counter, so that
`rate()` survives a change of state.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from forwarder.domain.camera_pull import PullState
from forwarder.domain.serving.served_delivery import responsibility
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.delivery import DeliverySupervisor
from vonggac.events.forwarder import DeliveryState, Responsibility

_BY_DELIVERY = ("camera_id", "destination_id")
_BYTES, _SECONDS = "buffer_full", "too_late"
"""Why media is left out: too many bytes wait, or the oldest waits for too long."""
_RECEIVING = frozenset({DeliveryState.SENDING, DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED})


class Metrics(Collector):
    """One registry. `relays` and `process` are set when the process has connected to the bus."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.relays: Callable[[], Iterable[CameraRelay]] = tuple
        self.jobs_turned_away: Callable[[], int] = int
        self.jobs_passed_on: Callable[[], int] = int
        self.jobs_unreadable: Callable[[], Mapping[str, int]] = dict
        self.handed_over: Callable[[], Mapping[str, int]] = dict
        self.remux_processes_died: Callable[[], int] = int
        self.centre_connections: Callable[[], int] = int
        self.centres_turned_away: Callable[[], Mapping[str, int]] = dict
        self.queued_media_bytes: Callable[[], int] = int
        self.deliveries_paused: Callable[[], int] = int
        self.gop_caches_dropped: Callable[[], int] = int
        self.read_back_hints: Callable[[], Mapping[str, int]] = dict
        self.observations_waiting: Callable[[], int] = int
        self.observations_oldest_age_s: Callable[[], float] = float
        self.observations_dropped: Callable[[], int] = int
        self.observations_refused: Callable[[], int] = int
        self.observations_republished: Callable[[], int] = int
        self.clock_skew = Gauge(
            "vonggac_forwarder_clock_skew_seconds",
            "This machine's clock minus the NATS server's; what is published is corrected.",
            registry=self.registry,
        )
        self.clock_error = Gauge(
            "vonggac_forwarder_clock_error_seconds", "How far the corrected clock may be off.", registry=self.registry
        )
        self.registry.register(self)

    def collect(self) -> Iterator[Metric]:
        relays = list(self.relays())
        yield GaugeMetricFamily("vonggac_forwarder_cameras_held", "Cameras this process holds.", value=len(relays))
        yield CounterMetricFamily(
            "vonggac_forwarder_jobs_turned_away",
            "Jobs put back because this process holds as many cameras as it may.",
            value=self.jobs_turned_away(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_jobs_passed_on",
            "Jobs adopted by the worker that holds their camera already.",
            value=self.jobs_passed_on(),
        )
        unreadable = CounterMetricFamily(
            "vonggac_forwarder_jobs_unreadable",
            "Jobs put back for a newer release (not_understood), or copied to DEAD_LETTERS (dead_lettered).",
            labels=("outcome",),
        )
        for outcome, count in self.jobs_unreadable().items():
            unreadable.add_metric([outcome], count)
        yield unreadable
        handed_over = CounterMetricFamily(
            "vonggac_forwarder_cameras_handed_over",
            "Cameras handed over to other forwarders: prepared there, unprepared, or given back to the queue.",
            labels=("way",),
        )
        for way, count in self.handed_over().items():
            handed_over.add_metric([way], count)
        yield handed_over
        yield CounterMetricFamily(
            "vonggac_forwarder_remux_processes_died",
            "Processes unpacking media that died, or hung and were ended.",
            value=self.remux_processes_died(),
        )
        yield GaugeMetricFamily(
            "vonggac_forwarder_queued_media_bytes",
            "Media that waits in this process for all destinations, GOP caches included.",
            value=self.queued_media_bytes(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_deliveries_paused",
            "Times a delivery left media out because the process held too much.",
            value=self.deliveries_paused(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_gop_caches_dropped",
            "GOP caches dropped because the process held too much.",
            value=self.gop_caches_dropped(),
        )
        yield from self._centres()
        yield from self._observations()
        yield from self._read_back_hints()
        yield from _cameras(relays)
        yield from _deliveries([(relay, delivery) for relay in relays for delivery in relay.deliveries.values()])

    def _centres(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "vonggac_forwarder_centre_connections",
            "Connections at the ports for centres that pull, with those that other forwarders pass on.",
            value=self.centre_connections(),
        )
        turned_away = CounterMetricFamily(
            "vonggac_forwarder_centres_turned_away",
            "Connections and requests that were turned away at the ports for centres that pull.",
            labels=("reason",),
        )
        for reason, count in self.centres_turned_away().items():
            turned_away.add_metric([reason], count)
        yield turned_away

    def _read_back_hints(self) -> Iterator[Metric]:
        hints = CounterMetricFamily(
            "vonggac_forwarder_read_back_hints",
            "Read-backs asked for before their time, by what gave reason.",
            labels=("reason",),
        )
        for reason, count in self.read_back_hints().items():
            hints.add_metric([reason], count)
        yield hints

    def _observations(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "vonggac_forwarder_observations_waiting",
            "Reports kept in memory until NATS has stored them.",
            value=self.observations_waiting(),
        )
        yield GaugeMetricFamily(
            "vonggac_forwarder_observations_oldest_age_seconds",
            "For how long the oldest of these has waited.",
            value=self.observations_oldest_age_s(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_observations_dropped",
            "Reports lost because NATS was away for too long.",
            value=self.observations_dropped(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_observations_refused",
            "Reports that NATS does not store; they are in DEAD_LETTERS.",
            value=self.observations_refused(),
        )
        yield CounterMetricFamily(
            "vonggac_forwarder_observations_republished",
            "Reports published again because NATS had forgotten them.",
            value=self.observations_republished(),
        )


def _cameras(relays: list[CameraRelay]) -> Iterator[Metric]:
    live = GaugeMetricFamily(
        "vonggac_forwarder_camera_live", "1 while the camera's media flows.", labels=("camera_id",)
    )
    pulls = CounterMetricFamily(
        "vonggac_forwarder_camera_pulls", "Attempts to play the camera since it was taken.", labels=("camera_id",)
    )
    lost = CounterMetricFamily(
        "vonggac_forwarder_camera_packets_lost",
        "RTP packets lost on their way here over UDP, in the present session.",
        labels=("camera_id",),
    )
    for relay in relays:
        live.add_metric([str(relay.camera.id)], float(relay.pull.state is PullState.LIVE))
        pulls.add_metric([str(relay.camera.id)], relay.puller.attempts)
        if relay.puller.reception is not None:
            lost.add_metric([str(relay.camera.id)], relay.puller.reception.lost)
    yield from (live, pulls, lost)


def _deliveries(pairs: list[tuple[CameraRelay, DeliverySupervisor]]) -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "vonggac_forwarder_delivery_state", "1 for the present state of a delivery.", labels=(*_BY_DELIVERY, "state")
    )
    waiting = GaugeMetricFamily(
        "vonggac_forwarder_delivery_waiting_for_centre",
        "1 while a centre that pulls has no session, with what it does.",
        labels=(*_BY_DELIVERY, "cause"),
    )
    written = CounterMetricFamily(
        "vonggac_forwarder_delivery_bytes_written", "Media bytes handed to the transport.", labels=_BY_DELIVERY
    )
    acknowledged = CounterMetricFamily(
        "vonggac_forwarder_delivery_bytes_acknowledged",
        "Media bytes that the destination's kernel acknowledged.",
        labels=_BY_DELIVERY,
    )
    packets = CounterMetricFamily(
        "vonggac_forwarder_delivery_packets", "RTP and RTCP packets handed to the transport.", labels=_BY_DELIVERY
    )
    frames = CounterMetricFamily(
        "vonggac_forwarder_delivery_frames",
        "Pictures handed to the transport to their last packet.",
        labels=_BY_DELIVERY,
    )
    dropped = CounterMetricFamily(
        "vonggac_forwarder_delivery_packets_dropped",
        "Packets left out because the destination was too slow.",
        labels=(*_BY_DELIVERY, "reason"),
    )
    groups = CounterMetricFamily(
        "vonggac_forwarder_delivery_groups_dropped",
        "Groups of pictures left out because the destination was too slow.",
        labels=(*_BY_DELIVERY, "reason"),
    )
    sessions = CounterMetricFamily(
        "vonggac_forwarder_delivery_sessions", "Sessions opened at the destination.", labels=_BY_DELIVERY
    )
    for relay, delivery in pairs:
        labels = [str(relay.camera.id), str(delivery.plan.destination_id)]
        counts = delivery.slot.counts
        state.add_metric([*labels, delivery.delivery.state.value], 1)
        if delivery.delivery.state is DeliveryState.WAITING_FOR_CENTRE:
            waiting.add_metric([*labels, str(delivery.delivery.cause)], 1)
        written.add_metric(labels, counts.bytes_written)
        acknowledged.add_metric(labels, counts.bytes_acknowledged)
        packets.add_metric(labels, counts.packets_sent)
        frames.add_metric(labels, counts.frames_sent)
        dropped.add_metric([*labels, _BYTES], counts.packets_dropped - counts.packets_late)
        dropped.add_metric([*labels, _SECONDS], counts.packets_late)
        groups.add_metric([*labels, _BYTES], counts.groups_dropped - counts.groups_late)
        groups.add_metric([*labels, _SECONDS], counts.groups_late)
        sessions.add_metric(labels, delivery.slot.sessions)
    yield from (state, waiting, written, acknowledged, packets, frames, dropped, groups, sessions)
    yield from _unserved(pairs)
    yield from _reported(pairs)
    yield from _proofs(pairs)


def _unserved(pairs: list[tuple[CameraRelay, DeliverySupervisor]]) -> Iterator[Metric]:
    """Only of deliveries whose centre pulls and waits."""
    unserved = GaugeMetricFamily(
        "vonggac_forwarder_delivery_not_served",
        "1 while a centre that pulls receives nothing for a reason of ours.",
        labels=_BY_DELIVERY,
    )
    for relay, supervisor in pairs:
        serving, delivery = supervisor.serving, supervisor.delivery
        if serving is None or delivery.state is not DeliveryState.WAITING_FOR_CENTRE:
            continue
        if responsibility(delivery, serving.asking, serving.now) is Responsibility.US:
            unserved.add_metric([str(relay.camera.id), str(supervisor.plan.destination_id)], 1)
    yield unserved


def _reported(pairs: list[tuple[CameraRelay, DeliverySupervisor]]) -> Iterator[Metric]:
    """Only of destinations that receive now and report."""
    lost = GaugeMetricFamily(
        "vonggac_forwarder_delivery_reported_lost_ratio",
        "Part of the video packets that the destination reports as lost lately (RTCP).",
        labels=_BY_DELIVERY,
    )
    jitter = GaugeMetricFamily(
        "vonggac_forwarder_delivery_reported_jitter_seconds",
        "Jitter of the video as the destination reports it (RTCP).",
        labels=_BY_DELIVERY,
    )
    for relay, supervisor in pairs:
        reported = supervisor.slot.counts.reported
        if reported is not None and supervisor.delivery.state in _RECEIVING:
            labels = [str(relay.camera.id), str(supervisor.plan.destination_id)]
            lost.add_metric(labels, reported.lost)
            jitter.add_metric(labels, reported.jitter_s)
    yield from (lost, jitter)


def _proofs(pairs: list[tuple[CameraRelay, DeliverySupervisor]]) -> Iterator[Metric]:
    """Only of deliveries that were proven once, by this worker or one that held the camera before."""
    verified = GaugeMetricFamily(
        "vonggac_forwarder_delivery_verified_timestamp_seconds",
        "When a picture was last read back from the destination, bit for bit, in Unix time.",
        labels=_BY_DELIVERY,
    )
    delay = GaugeMetricFamily(
        "vonggac_forwarder_delivery_delay_seconds",
        "From that picture's coming in from the camera to its return from the destination.",
        labels=_BY_DELIVERY,
    )
    for relay, supervisor in pairs:
        labels, delivery = [str(relay.camera.id), str(supervisor.plan.destination_id)], supervisor.delivery
        if delivery.verified_at is not None and delivery.delay_s is not None:
            verified.add_metric(labels, delivery.verified_at.timestamp())
            delay.add_metric(labels, delivery.delay_s)
    yield from (verified, delay)
