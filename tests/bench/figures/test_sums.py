"""The sums, each checked by hand: who measures again or changes a default changes them here too, knowingly."""

from dataclasses import replace

import pytest

from bench.figures.measured import Measured, Range
from bench.figures.sums import Defaults, Sums, defaults, update_steps

MEASURED = Measured(
    relay_ms=Range(0.6, 0.6),
    camera_mb=Range(0.1, 0.12),
    camera_tls_mb=Range(0.3, 0.3),
    forwarder_mb=Range(95, 95),
    deep_probe_ms=Range(10, 12),
    read_back_ms=Range(3, 3),
    proof_s=Range(2, 2),
    renewals_leader_cores=Range(0.12, 0.12),
    renewals_follower_cores=Range(0.04, 0.04),
    renewals_forwarder_cores=Range(0.1, 0.1),
    ingest_per_s=Range(5_000, 10_000),
)
USUAL = Defaults(
    max_cameras=200,
    verifications=32,
    verify_interval_s=60,
    deep_interval_s=60,
    probes=128,
    silent_share=0.5,
    window_s=2,
    cameras_per_forwarder=130,
    cameras_per_prober=1_500,
    proven_per_prober=800,
    forwarder_cpu_m=250,
    cpu_percent=70,
)
OF_20_000 = Sums(MEASURED, USUAL, 20_000)


def test_probers_for_the_proof_are_counted_by_time_and_not_by_cpu() -> None:
    assert OF_20_000.proven_at_most == 32 * 60 / 2 == 960
    assert OF_20_000.probers_of_proof == 21
    assert OF_20_000.proving_cores == Range(2, 2)
    assert replace(OF_20_000, cameras=960).probers_of_proof == 1
    assert replace(OF_20_000, cameras=961).probers_of_proof == 2


def test_probers_are_as_many_as_the_fuller_queue_asks_for() -> None:
    assert OF_20_000.probers == 25
    unproven = replace(OF_20_000, defaults=replace(USUAL, proven_per_prober=20_000))
    assert unproven.probers == 14
    assert OF_20_000.probed_at_most == 1_920


def test_the_memory_of_forwarders_without_a_camera_is_counted() -> None:
    assert OF_20_000.forwarders_full == 100
    assert OF_20_000.base_gb.most == pytest.approx(9.5)
    assert OF_20_000.cameras_gb.least == pytest.approx(2.0)
    assert OF_20_000.forwarders == 154


def test_a_full_forwarder_takes_less_than_its_autoscaler_by_cpu_aims_at() -> None:
    assert OF_20_000.full_forwarder_m == 120
    assert OF_20_000.full_forwarder_m < USUAL.forwarder_cpu_m * USUAL.cpu_percent / 100


def test_the_whole_is_the_sum_of_its_parts() -> None:
    assert OF_20_000.all_cores.least == pytest.approx(12 + 10 / 3 + 2 + 0.2 + 0.1 + 1 / 30)
    assert OF_20_000.all_cores.most == pytest.approx(12 + 4 + 2 + 0.2 + 0.1 + 1 / 15)


def test_an_update_takes_as_many_steps_as_parts() -> None:
    assert [update_steps(pods, 25) for pods in (1, 2, 3, 4, 100, 154)] == [1, 2, 3, 4, 4, 4]
    assert update_steps(100, 1) == 100


def test_the_chart_asks_no_pod_for_more_than_it_can_do() -> None:
    usual = defaults()
    sums = Sums(MEASURED, usual, 20_000)
    assert usual.proven_per_prober < sums.proven_at_most
    assert usual.cameras_per_prober < sums.probed_at_most
    assert usual.cameras_per_forwarder < usual.max_cameras
