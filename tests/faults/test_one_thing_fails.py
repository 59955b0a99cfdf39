"""One part fails or sleeps at a time: the others go on, what was observed is kept, and the report is true again."""

import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from tests.e2e.platform import RunningPlatform, breaks

from local.demo import content
from local.platform.platform import wait_ready
from vonggac.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(240)]

CENTRE_BY_ROLE = {one.role: one.simulator_id for one in content.destinations()}
NATIONAL, PROVINCIAL = CENTRE_BY_ROLE["national"], CENTRE_BY_ROLE["provincial"]
GOOD_CAMERAS = content.EXPECTATION.delivered_both
TAKEOVER_WITHIN_S = 5.0
SLEEP_S = 15.0
NOTICED_S = 6.0
"""One interval of heartbeats, and a little: up to the last one it was connected."""
CLOCK_S = 0.01
"""A worker dates by the server's clock, which it knows to some milliseconds."""


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def whole(running: RunningPlatform) -> AsyncIterator[None]:
    """Leave every part running, also after a failure: a repetition begins with a whole platform."""
    yield
    await running.make_whole()
    await running.call("simulator", "DELETE", f"/v1/centres/{NATIONAL}/fault")


async def delivered(running: RunningPlatform, role: str) -> int:
    """How many cameras reporting calls connected to one destination."""
    document = await running.compliance()
    return sum(
        delivery["connected"] is True
        for camera in document["cameras"]
        for delivery in camera["deliveries"]
        if delivery["destination"]["role"] == role
    )


@pytest.mark.parametrize("fault", ["refuse", "black_hole", "off"])
async def test_a_centre_that_dies_costs_the_other_no_packet(running: RunningPlatform, fault: str) -> None:
    await running.truth()
    await running.reset(PROVINCIAL)
    await running.call("simulator", "PUT", f"/v1/centres/{NATIONAL}/fault", {"fault": fault})

    async def reported() -> bool:
        return await delivered(running, "national") == 0

    await eventually(reported, within_s=40, poll_s=0.25)
    assert await delivered(running, "provincial") == GOOD_CAMERAS
    await running.call("simulator", "DELETE", f"/v1/centres/{NATIONAL}/fault")
    await running.truth()
    healthy = await running.receives(PROVINCIAL, packets=20)
    assert breaks(healthy) == {}


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
    start, end = slept + timedelta(seconds=NOTICED_S), woke - timedelta(seconds=CLOCK_S)
    period = f"from={start:%Y-%m-%dT%H:%M:%S.%f}Z&to={end:%Y-%m-%dT%H:%M:%S.%f}Z"
    report = await running.get("reporting", f"/v1/compliance?{period}")
    seconds = [delivery["seconds"] for camera in report["cameras"] for delivery in camera["deliveries"]]
    assert len(seconds) == 2 * content.EXPECTATION.cameras
    assert {one["connected"] for one in seconds} == {0.0}
    assert {one["not_connected"] for one in seconds} == {0.0}
    assert report["totals"]["seconds"]["compliant"] == 0.0


async def test_cameras_of_a_killed_forwarder_go_on_elsewhere(running: RunningPlatform) -> None:
    await running.truth()
    first = running.take_out("forwarder")
    await running.start_another("forwarder")
    await running.reset(NATIONAL)
    await running.reset(PROVINCIAL)
    first.kill()
    killed = time.monotonic()
    await first.stop(within_s=5)
    await running.receives(NATIONAL, packets=1, within_s=TAKEOVER_WITHIN_S * 3)
    assert time.monotonic() - killed < TAKEOVER_WITHIN_S * 3
    gaps = [stream.gaps_s[-1] for stream in (await running.streams(NATIONAL)).values()]
    assert len(gaps) == GOOD_CAMERAS
    assert max(gaps) < TAKEOVER_WITHIN_S
    # The centre that pulls knows one address, and the worker that listened there is dead.

    async def waited_for() -> bool:
        return await delivered(running, "provincial") == 0

    await eventually(waited_for, within_s=30, poll_s=0.25)
    first.start()
    await wait_ready(running.platform.addresses.forwarder, within_s=60, child=first)
    running.put_back(first)
    await running.truth()
    await running.nothing_observed_is_lost()
    # Two would share the cameras half a minute from now, and a hand-over is a new session in what comes after.
    await running.stop_others()
    await running.truth()


async def test_a_restarted_nats_server_loses_nothing_and_interrupts_no_stream(running: RunningPlatform) -> None:
    await running.truth()
    await running.reset(PROVINCIAL)
    before = await running.observations_stored()
    await running.platform.nats.stop()
    await running.receives(PROVINCIAL, packets=100)
    await running.platform.nats.start()

    async def observed_again() -> bool:
        return await running.observations_stored() >= before + 3 * content.EXPECTATION.cameras

    await eventually(observed_again, within_s=90, poll_s=0.5)
    await running.nothing_observed_is_lost()
    await running.truth()
    streams = await running.receives(PROVINCIAL, packets=1)
    assert breaks(streams) == {}


async def test_a_restarted_postgres_loses_nothing(running: RunningPlatform) -> None:
    await running.truth()
    before = await running.observations_stored()
    await running.platform.postgres.stop()

    async def observed_meanwhile() -> bool:
        return await running.observations_stored() >= before + content.EXPECTATION.cameras

    await eventually(observed_meanwhile, within_s=60, poll_s=0.5)
    await running.platform.postgres.start()
    await running.nothing_observed_is_lost()
    await running.truth()
    await running.call("inventory", "GET", "/v1/facilities")


async def test_probing_and_forwarding_go_on_without_inventory(running: RunningPlatform) -> None:
    await running.truth()
    await running.reset(PROVINCIAL)
    before = await running.observations_stored()
    child = running.take_out("inventory")
    assert await child.stop(within_s=30)

    async def probed_again() -> bool:
        return await running.observations_stored() >= before + 2 * content.EXPECTATION.cameras

    await eventually(probed_again, within_s=60, poll_s=0.5)
    streams = await running.receives(PROVINCIAL, packets=100)
    assert breaks(streams) == {}
    child.start()
    running.put_back(child)
    await running.truth()


async def test_a_minute_without_reporting_is_made_up_for_to_the_second(running: RunningPlatform) -> None:
    document = await running.truth()
    began = document["period"]["to"]
    child = running.take_out("reporting")
    assert await child.stop(within_s=30)
    stopped = time.monotonic()
    before = await running.observations_stored()
    probes = 60 // 15 * content.EXPECTATION.cameras

    async def a_minute_of_probes() -> bool:
        return time.monotonic() - stopped >= 60 and await running.observations_stored() >= before + probes

    await eventually(a_minute_of_probes, within_s=100, poll_s=0.5)
    child.start()
    running.put_back(child)
    await eventually_ready(running)
    await running.nothing_observed_is_lost()
    document = await running.truth()
    ended = document["period"]["to"]
    period = f"from={began}&to={ended}".replace("+", "%2B")
    report = await running.get("reporting", f"/v1/compliance?{period}")
    for camera in report["cameras"]:
        assert camera["seconds"]["unknown"] == 0, camera["code"]


async def eventually_ready(running: RunningPlatform) -> None:
    """Reporting answers again."""

    async def ready() -> bool:
        try:
            await running.compliance()
        except Exception as error:
            raise AssertionError(error) from error
        return True

    await eventually(ready, within_s=60, poll_s=0.25)
