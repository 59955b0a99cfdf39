"""A forwarder whose clock is off publishes the server's time, is verified by others, and yields to nobody (skew)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from vonggac.bus import Bus, ServerClock
from vonggac.events.prober import VerificationVerdict
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.relay.assignment.conftest import Observations, Scene


def skewed(by_s: float) -> ServerClock:
    return ServerClock(wall=lambda: time.time() + by_s)


@pytest.mark.parametrize("skew_s", [-600.0, 600.0])
async def test_skew_of_a_forwarder_is_in_nothing_that_it_publishes(
    skew_s: float, scene: Scene, observations: Observations
) -> None:
    began = datetime.now(UTC)
    forwarder = await scene.start(clock=skewed(skew_s))
    camera = await scene.publish()
    await scene.become(camera, "acknowledged", "acknowledged")
    await scene.asker.publish_finding(
        camera, camera.deliveries[0], VerificationVerdict.VERIFIED, captured_at=datetime.now(UTC), delay_s=0.1
    )
    await scene.become(camera, "verified", "acknowledged")
    history = await eventually(lambda: scene.asker.history_of(camera, 1))
    await eventually(lambda: observations.beats)
    done = datetime.now(UTC)
    slack = timedelta(seconds=1)
    times = [at for fact in observations.facts for at in (fact.observed_at, fact.held_since)]
    times += [note.captured_at for note in history.keyframes] + [
        observations.beats[-1].alive_at,
        observations.beats[-1].started_at,
    ]
    assert all(began - slack <= at <= done + slack for at in times)
    skew = str(await forwarder.clock.check_skew())
    assert ("600.0 s fast" if skew_s > 0 else "600.0 s slow") in skew


async def test_skew_of_the_earlier_holder_does_not_make_the_later_one_yield(scene: Scene, bus: Bus) -> None:
    fast = await scene.start(clock=skewed(600.0))
    camera = await scene.publish()
    first = await scene.become(camera, "acknowledged", "acknowledged")
    assert {observed.worker_id for observed in first} == {fast.worker_id}
    good = await scene.start()
    fast.stop()

    async def moved() -> bool:
        observed = await scene.statuses.of(camera)
        return {one.worker_id for one in observed} == {good.worker_id}

    await eventually(moved, within_s=20)
    later = await scene.become(camera, "acknowledged", "acknowledged")
    assert later[0].held_since > first[0].held_since
