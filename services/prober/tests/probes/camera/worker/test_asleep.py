"""A probe during which the prober slept is no result: its deadline ran out in our sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vonggac.telemetry.awake import read_clocks
from vonggac.testing import eventually

if TYPE_CHECKING:
    import pytest
    from services.prober.tests.conftest import Observed, Planner, StartProber, StartSimulator


async def test_a_probe_that_was_asleep_accuses_no_camera(
    planner: Planner,
    start_prober: StartProber,
    observed: Observed,
    simulate: StartSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = await simulate({"id": "silent"})
    await simulator.cameras["silent"].set_fault("no_media")
    prober = await start_prober()
    silent = await planner.camera(simulator.cameras["silent"].url(), probe_interval_s=600, probe_timeout_s=2)
    await eventually(lambda: prober.process.probes_running == 1)

    def after_a_sleep() -> tuple[object, float]:
        wall, monotonic_s = read_clocks()
        return wall, monotonic_s + 150

    monkeypatch.setattr(prober.process.awake, "_clocks", after_a_sleep)
    # It is probed again at once, and that probe counts.
    fact = await observed.observation(silent.id)
    assert simulator.cameras["silent"].sessions_total == 2
    assert fact.awake_since is not None
    assert fact.awake_since == observed.heartbeats[-1].awake_since
    assert observed.heartbeats[0].awake_since != fact.awake_since
