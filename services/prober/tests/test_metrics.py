"""What is counted, with labels that stay few."""

from typing import Any

from prober.domain.result import Judgement, ProbeResult
from prober.metrics import PHASES, Metrics
from prober.probes.camera.prober import CameraProber, ProbeContext
from prober.probes.camera.target import Target
from vonggac.bus import Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.prober import Step, Verdict
from vonggac.net.tls import TlsPolicy
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

UP = ProbeResult(
    Judgement(Verdict.UP), 0.5, (Step(name="connect", duration_ms=3), Step(name="new phase", duration_ms=1))
)
DOWN = ProbeResult(Judgement(Verdict.DOWN, Cause.TIMEOUT, "late"), 5.0)


def test_probes_are_counted_by_verdict_and_cause() -> None:
    metrics = Metrics()
    for result in (UP, UP, DOWN):
        metrics.count_probe("camera", result, interval_s=60)
    sample = metrics.registry.get_sample_value
    assert sample("vonggac_prober_probes_total", {"verdict": "up", "cause": "none"}) == 2
    assert sample("vonggac_prober_probes_total", {"verdict": "down", "cause": "timeout"}) == 1
    assert sample("vonggac_prober_probe_duration_seconds_sum", {"phase": "total"}) == 6.0


def test_a_phase_of_tomorrow_makes_no_label_of_its_own() -> None:
    metrics = Metrics()
    metrics.count_probe("camera", UP, interval_s=60)
    assert metrics.registry.get_sample_value("vonggac_prober_probe_duration_seconds_count", {"phase": "other"}) == 1


async def test_every_step_of_a_probe_over_tls_is_a_phase(context: ProbeContext, simulate: Any) -> None:
    gate = (await simulate({"id": "gate", "tls": True})).cameras["gate"]
    trust = TlsPolicy(fingerprint_sha256=gate.certificate_sha256)
    result = await CameraProber(context).probe_address(Target(gate.url(), None, 5.0, tls=trust))
    assert isinstance(result, ProbeResult)
    steps = {step.name for step in result.steps}
    assert "tls" in steps
    assert steps <= set(PHASES)


async def test_what_waits_and_what_is_lost_on_the_way_to_nats_is_shown(bus: Bus) -> None:
    metrics = Metrics()

    def shown(*names: str) -> list[float | None]:
        return [metrics.registry.get_sample_value(f"vonggac_prober_observations_{name}") for name in names]

    assert shown("waiting", "dropped_total", "refused_total", "republished_total") == [0, 0, 0, 0]
    outgoing = Outgoing(bus, max_queued=3)
    metrics.observations.follow(outgoing)
    for number in range(5):
        outgoing.queue_value(topology.CAMERA_STATUS, f"c{number}", b"{}")
    assert shown("waiting", "dropped_total") == [3, 2]
    outgoing.queue_value(topology.THUMBNAILS, "c", b"larger than the server takes" * (1 << 16))
    async with running_beside(outgoing.run()):
        await eventually(lambda: outgoing.waiting == 0)
    assert shown("waiting", "refused_total") == [0, 1]


def test_by_default_there_is_no_series_per_camera() -> None:
    metrics = Metrics()
    metrics.count_probe("camera", UP, interval_s=60)
    assert metrics.registry.get_sample_value("vonggac_prober_probe_success", {"camera_id": "camera"}) is None


def test_a_series_per_camera_follows_its_last_probe_and_drops_out() -> None:
    metrics = Metrics(per_camera=True)
    metrics.count_probe("seen", UP, interval_s=60)
    metrics.count_probe("lost", DOWN, interval_s=60)
    metrics.count_probe("elsewhere now", UP, interval_s=0)
    sample = metrics.registry.get_sample_value
    assert sample("vonggac_prober_probe_success", {"camera_id": "seen"}) == 1
    assert sample("vonggac_prober_probe_success", {"camera_id": "lost"}) == 0
    assert sample("vonggac_prober_probe_success", {"camera_id": "elsewhere now"}) is None
