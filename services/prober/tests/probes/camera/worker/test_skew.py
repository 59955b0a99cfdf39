"""A prober whose clock is off publishes the server's time, and harms nobody beside it (skew)."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from prober.metrics import Metrics
from prober.probes.service import Process
from vonggac.bus import Bucket, Bus, ServerClock
from vonggac.bus.declared import topology
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.prober.tests.conftest import Observed, Planner, StartProber, StartSimulator

    from prober.settings import Settings

CAMERAS = 6


def skewed(by_s: float) -> ServerClock:
    return ServerClock(wall=lambda: time.time() + by_s)


@pytest.mark.parametrize("skew_s", [-600.0, -180.0, 180.0, 600.0])
async def test_skew_of_one_prober_beside_a_good_one_makes_nobody_unknown(
    skew_s: float,
    planner: Planner,
    start_prober: StartProber,
    observed: Observed,
    simulate: StartSimulator,
    settings: Callable[..., Settings],
    bus: Bus,
) -> None:
    simulator = await simulate(*({"id": f"c{number}"} for number in range(CAMERAS)))
    wrong = Process(settings(), Metrics(), skewed(skew_s))
    wrong.places.longest_probe_s = 0.1
    running = asyncio.create_task(wrong.run())
    good = await start_prober()
    try:
        cameras = [
            await planner.camera(simulator.cameras[f"c{number}"].url(), probe_interval_s=1.0)
            for number in range(CAMERAS)
        ]
        for camera in cameras:
            await observed.observation(camera.id, 4, within_s=30)
        both = {wrong.worker_id, good.process.worker_id}
        await eventually(lambda: {fact.worker_id for fact in observed.observations} == both, within_s=30)
    finally:
        wrong.stop()
        await running
    now = datetime.now(UTC)
    for fact in observed.observations:
        assert fact.verdict is Verdict.UP
        assert timedelta(seconds=-1) < now - fact.observed_at < timedelta(seconds=40)
    for camera in cameras:
        facts = sorted(observed.of(camera.id), key=lambda fact: fact.observed_at)
        gaps = [(later.observed_at - earlier.observed_at).total_seconds() for earlier, later in pairwise(facts)]
        # A probe holds for two intervals.
        assert max(gaps) < 2.0
    assert abs((observed.heartbeats[-1].alive_at - now).total_seconds()) < 5


async def test_skew_of_a_foreign_prober_in_the_last_probe_makes_nobody_wait(
    planner: Planner, start_prober: StartProber, observed: Observed, simulate: StartSimulator, bus: Bus
) -> None:
    simulator = await simulate({"id": "c"})
    camera_id = uuid4()
    future = CameraObservedV1(
        camera_id=camera_id,
        camera_revision=1,
        worker_id="prober-of-another-release",
        observed_at=datetime.now(UTC) + timedelta(seconds=600),
        verdict=Verdict.UP,
        interval_s=60.0,
        duration_ms=100,
        deep_at=datetime.now(UTC) + timedelta(seconds=600),
    )
    await Bucket(bus, topology.CAMERA_STATUS).put(str(camera_id), future.model_dump_json().encode())
    await start_prober()
    await planner.camera(simulator.cameras["c"].url(), id=camera_id)
    fact = await observed.observation(camera_id, within_s=5)
    assert abs((fact.observed_at - datetime.now(UTC)).total_seconds()) < 5
    assert fact.since is not None
    assert fact.since <= fact.observed_at


async def test_a_step_of_the_clock_by_skew_during_a_probe_leaves_it_without_result(
    planner: Planner,
    observed: Observed,
    simulate: StartSimulator,
    settings: Callable[..., Settings],
) -> None:
    simulator = await simulate({"id": "silent"})
    await simulator.cameras["silent"].set_fault("no_media")
    offset = [0.0]
    process = Process(settings(), Metrics(), ServerClock(wall=lambda: time.time() + offset[0]))
    running = asyncio.create_task(process.run())
    try:
        silent = await planner.camera(simulator.cameras["silent"].url(), probe_interval_s=600, probe_timeout_s=2)
        await eventually(lambda: process.probes_running == 1)
        offset[0] = 28.7
        fact = await observed.observation(silent.id)
        # The first probe gave no result, the second one counts.
        assert simulator.cameras["silent"].sessions_total == 2
        assert len(observed.of(silent.id)) == 1
        assert abs((fact.observed_at - datetime.now(UTC)).total_seconds()) < 3
    finally:
        process.stop()
        await running


async def test_skew_is_corrected_before_a_camera_is_accused_of_clock_drift(
    planner: Planner, observed: Observed, simulate: StartSimulator, settings: Callable[..., Settings]
) -> None:
    simulator = await simulate({"id": "c"})
    process = Process(settings(measure_window_s=1.0), Metrics(), skewed(600.0))
    running = asyncio.create_task(process.run())
    try:
        camera = await planner.camera(simulator.cameras["c"].url())
        fact = await observed.observation(camera.id)
    finally:
        process.stop()
        await running
    assert "clock_drift" not in fact.findings
    if fact.media is not None and fact.media.clock_drift_s is not None:
        assert abs(fact.media.clock_drift_s) < 5


async def test_skew_is_shown_in_readiness_and_metrics(settings: Callable[..., Settings], bus: Bus) -> None:
    del bus  # The streams stand.
    metrics = Metrics()
    process = Process(settings(), metrics, skewed(-180.0))
    running = asyncio.create_task(process.run())
    try:

        async def fetching() -> bool:
            return await process.check() is None

        await eventually(fetching)
        assert "180.0 s slow" in str(await process.clock.check_skew())
        skew_s = metrics.registry.get_sample_value("vonggac_prober_clock_skew_seconds")
        assert skew_s == pytest.approx(-180, abs=1)
    finally:
        process.stop()
        await running
