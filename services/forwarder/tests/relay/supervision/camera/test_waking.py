"""A session that broke because this process stood still accuses no camera."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from forwarder.domain.camera_pull import PullState
from forwarder.relay.supervision import ticker
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.ticker import STOOD_STILL_S
from simulator import Simulator
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.telemetry.awake import read_clocks
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.forwarder.tests.conftest import Planner, Recorder

type StartRelay = Callable[..., CameraRelay]


async def are_acknowledged(relay: CameraRelay) -> None:
    acknowledged = DeliveryState.ACKNOWLEDGED
    await eventually(lambda: all(one.delivery.state is acknowledged for one in relay.deliveries.values()), within_s=15)


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let time go by in which this process did nothing."""

    def after_a_sleep() -> tuple[datetime, float]:
        wall, elapsed_s = read_clocks()
        return wall, elapsed_s + 2 * STOOD_STILL_S

    monkeypatch.setattr(ticker, "read_clocks", after_a_sleep)


async def test_waking_a_camera_that_hung_up_while_we_stood_still_is_not_accused(
    sim: Simulator, planner: Planner, relay_of: StartRelay, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_of(planner.camera(sim), media_timeout_s=30.0)
    await are_acknowledged(relay)
    said = len(recorder.said)
    stand_still(monkeypatch)
    await sim.cameras["gate"].set_fault("close")
    await eventually(lambda: not relay.media_watch.media.flowing)
    media = relay.media_watch.media
    assert (media.cause, media.stopped_at) == (None, None)
    await are_acknowledged(relay)
    assert relay.puller.attempts == 2
    away = [each for each in recorder.said[said:] if each.state is DeliveryState.WAITING_FOR_CAMERA]
    assert {each.cause for each in away} == {None}


async def test_waking_a_camera_that_is_away_is_accused_by_the_next_attempt(
    sim: Simulator, planner: Planner, relay_of: StartRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = relay_of(planner.camera(sim), media_timeout_s=30.0)
    await are_acknowledged(relay)
    stand_still(monkeypatch)
    await sim.cameras["gate"].set_fault("refuse")
    await eventually(lambda: relay.media_watch.media.cause is Cause.REFUSED)
    # Nobody saw when its media stopped.
    assert relay.media_watch.media.stopped_at is None
    assert relay.pull.state in {PullState.BACKING_OFF, PullState.CONNECTING}


async def test_waking_a_camera_that_hangs_up_while_we_watch_is_accused(
    sim: Simulator, planner: Planner, relay_of: StartRelay
) -> None:
    relay = relay_of(planner.camera(sim), media_timeout_s=30.0)
    await are_acknowledged(relay)
    await sim.cameras["gate"].set_fault("refuse")
    await eventually(lambda: not relay.media_watch.media.flowing)
    assert relay.media_watch.media.cause is not None
    assert relay.media_watch.media.stopped_at is not None
