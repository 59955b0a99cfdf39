"""Each service is restarted under load as a cluster does it: the new one is ready before the old one is stopped."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from tests.e2e.platform import RunningPlatform

from bench.faults.soak_stage import CENTRES, STOP_WITHIN_S, Stage, stage
from local.platform.environment import SERVICES
from local.platform.platform import wait_ready
from local.platform.process import Child
from local.platform.progress import Progress
from simulator.centres.statistics import StreamStatistics
from vonggac.testing import eventually

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
]

CAMERAS = 24
ALLOWED_GAP_S = 1.0
READY_WITHIN_S = 60.0
PACKETS = 60
"""About two seconds of a camera: a packet or more for each of ten pictures a second."""
gaps: dict[str, float] = {}
"""The longest silence of any stream at a centre, by the service that was restarted."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def loaded(servers_folder: Path) -> AsyncIterator[Stage]:
    """A platform with `CAMERAS` cameras, all of them verified at both centres, and two forwarders."""
    folder = servers_folder / "rolling"
    folder.mkdir(mode=0o755)
    async with stage(folder, CAMERAS, Progress(), log_level="warning") as made:
        await eventually(lambda: all_verified(made), within_s=180, poll_s=1)
        yield made


async def all_verified(made: Stage) -> bool:
    assert await made.verified() == CAMERAS, await made.not_verified()
    return True


async def longest_gap(running: RunningPlatform) -> float:
    """Of all streams at both centres since the counters began anew; each must be live, with nothing lost."""
    found = [0.0]
    for centre in CENTRES:
        streams = await running.streams(centre)
        assert len([stream for stream in streams.values() if stream.live]) == CAMERAS
        assert {path: stream.lost for path, stream in streams.items() if stream.lost} == {}
        found += [gap for stream in streams.values() for gap in stream.gaps_s]
    return max(found)


async def every_stream_goes_on(running: RunningPlatform) -> None:
    """Until each centre has `PACKETS` more of each camera: a gap is known when it is over."""
    for centre in CENTRES:
        before = await running.streams(centre)

        async def grown(centre: str = centre, before: dict[str, StreamStatistics] = before) -> bool:
            now = await running.streams(centre)
            late = [path for path, stream in before.items() if now[path].packets < stream.packets + PACKETS]
            assert late == []
            return True

        await eventually(grown, within_s=60, poll_s=0.2)


async def roll(made: Stage, service: str) -> None:
    """Two steps, so that the platform is as it was: a new one beside the old one, and back."""
    first = made.platform.children.pop(service)
    other: Child | None = None
    try:
        other, _ = await made.platform.start_another(service)
        assert await first.stop(within_s=STOP_WITHIN_S), f"{service} did not stop in time"
        first.start()
        await wait_ready(getattr(made.platform.addresses, service), within_s=READY_WITHIN_S, child=first)
        assert await other.stop(within_s=STOP_WITHIN_S), f"the other {service} did not stop in time"
    finally:
        made.platform.children[service] = first
        if other is not None:
            await other.stop(within_s=STOP_WITHIN_S)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_rolling_restart_costs_the_centres_at_most_a_second(
    loaded: Stage, service: str, record_property: Callable[[str, object], None]
) -> None:
    running = RunningPlatform(loaded.platform, loaded.token)
    await eventually(lambda: all_verified(loaded), within_s=120, poll_s=1)
    for centre in CENTRES:
        await running.reset(centre)
    await roll(loaded, service)
    if service == "forwarder":
        await loaded.end_second(kill=False)
        await loaded.start_second()
    await every_stream_goes_on(running)
    gaps[service] = await longest_gap(running)
    sessions = [stream.sessions for stream in (await running.streams(CENTRES[0])).values()]
    assert max(sessions) > 1 or service != "forwarder", "no camera was handed over: the gap says nothing"
    record_property("rolling_gap_s", round(max(gaps.values()), 3))
    assert gaps[service] <= ALLOWED_GAP_S
    await eventually(lambda: all_verified(loaded), within_s=120, poll_s=1)


async def test_nothing_that_was_observed_meanwhile_is_lost(loaded: Stage) -> None:
    running = RunningPlatform(loaded.platform, loaded.token)
    await running.nothing_observed_is_lost()
    lost = await running.get("reporting", "/v1/lost-facts?total=true")
    assert lost["items"] == []
