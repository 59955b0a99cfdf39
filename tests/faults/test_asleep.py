"""The only forwarder sleeps and wakes up again: nothing was connected meanwhile, and everything is afterwards."""

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.platform import RunningPlatform

from local.demo import content
from vonggac.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

SLEEP_S = 15.0
NOTICED_S = 6.0
"""One interval of heartbeats, and a little: up to the last one it was connected."""


async def test_asleep_the_only_forwarder_is_connected_to_nothing(running: RunningPlatform) -> None:
    await running.truth()
    forwarder = running.take_out("forwarder")
    assert forwarder.process is not None
    observed = await running.observations_stored()
    forwarder.process.send_signal(signal.SIGSTOP)
    slept, stopped = datetime.now(UTC), time.monotonic()

    async def time_went_by() -> bool:
        return time.monotonic() - stopped >= SLEEP_S and await running.observations_stored() > observed

    try:
        await eventually(time_went_by, within_s=60, poll_s=0.25)
    finally:
        woke = datetime.now(UTC)
        forwarder.process.send_signal(signal.SIGCONT)
    running.put_back(forwarder)
    await running.truth()
    await running.nothing_observed_is_lost()
    period = f"from={slept + timedelta(seconds=NOTICED_S):%Y-%m-%dT%H:%M:%S.%f}Z&to={woke:%Y-%m-%dT%H:%M:%S.%f}Z"
    report = await running.get("reporting", f"/v1/compliance?{period}")
    seconds = [delivery["seconds"] for camera in report["cameras"] for delivery in camera["deliveries"]]
    assert len(seconds) == 2 * content.EXPECTATION.cameras
    assert {one["connected"] for one in seconds} == {0.0}
    assert {one["not_connected"] for one in seconds} == {0.0}
    assert report["totals"]["seconds"]["compliant"] == 0.0
