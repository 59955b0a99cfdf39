"""`helm test` of the chart: one observation through the whole platform, read back in the report."""

import io
import json

import pytest
from tests.platform import RunningPlatform

from local.commands.progress import Progress
from local.commands.round_trip import CODE, round_trip

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def outcome(running: RunningPlatform, *, within_s: float) -> tuple[int, str]:
    """Exit status and what was printed."""
    at, printed = running.platform.addresses, io.StringIO()
    progress = Progress(printed)
    status = await round_trip(at.inventory, at.reporting, running.token, within_s=within_s, progress=progress)
    return status, printed.getvalue()


async def test_one_observation_goes_through_and_what_was_added_is_removed(running: RunningPlatform) -> None:
    status, printed = await outcome(running, within_s=60)
    assert status == 0, printed
    seen = next(json.loads(line) for line in printed.splitlines() if line.startswith("{"))
    # This platform allows loopback: its prober finds the port closed.
    assert (seen["camera"], seen["state"], seen["cause"]) == (CODE, "down", "refused")
    for noun in ("cameras", "facilities", "units", "agencies"):
        assert CODE not in str(await running.get("inventory", f"/v1/{noun}?limit=1000"))


async def test_what_is_not_in_the_report_in_time_fails(running: RunningPlatform) -> None:
    status, printed = await outcome(running, within_s=0)
    assert (status, printed.splitlines()[-1]) == (1, f"the report has no observation of {CODE} after 0 s")
