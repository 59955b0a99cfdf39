"""A prober that was late itself accuses nobody."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from prober.domain.findings import StreamSeen
from prober.domain.result import Judgement, ProbeResult
from prober.probes.camera.prober import CameraProber, ProbeContext, ProbePlan
from prober.probes.loop_lag import LoopLag
from vonggac.events import Cause
from vonggac.events.inventory import CameraV1
from vonggac.events.prober import Media, Verdict
from vonggac.testing.waiting import running_beside

if TYPE_CHECKING:
    from prober.probes.camera.target import Target, Tools

STALL_S = 0.7


def camera() -> CameraV1:
    return CameraV1(
        id=uuid4(),
        revision=1,
        changed_at=datetime.now(UTC),
        code="QT-001",
        name="Cổng",
        facility_id=uuid4(),
        enabled=True,
        url="rtsp://10.0.0.1/live",
        probe_interval_s=60,
        probe_timeout_s=5,
    )


class Stalling:
    """A probe with this result, during which the event loop stands still."""

    def __init__(self, judgement: Judgement, stall_s: float) -> None:
        media = Media(codec="h264", jitter_ms=700.0, clock_drift_s=0.5)
        self._result, self._stall_s = ProbeResult(judgement, 1.0, media=media, seen=StreamSeen(media)), stall_s

    async def __call__(self, _target: Target, _tools: Tools) -> ProbeResult:
        await asyncio.sleep(0.15)
        time.sleep(self._stall_s)  # noqa: ASYNC251 - that is the fault
        return self._result


async def probed(context: ProbeContext, judgement: Judgement, stall_s: float = STALL_S) -> ProbeResult:
    lag = LoopLag()
    async with running_beside(lag.run()):
        await asyncio.sleep(0)
        made = replace(context, tools=replace(context.tools, lag=lag))
        result = await CameraProber(made, {"rtsp": Stalling(judgement, stall_s)}).probe(camera(), ProbePlan())
    assert isinstance(result, ProbeResult)
    return result


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.NO_MEDIA, Cause.NO_KEYFRAME, Cause.ENDED, Cause.REFUSED])
async def test_hostile_neighbours_that_hold_the_loop_up_make_nobody_down(context: ProbeContext, cause: Cause) -> None:
    judgement = (await probed(context, Judgement(Verdict.DOWN, cause, "nothing came"))).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.WORKER_LAGGED)
    assert judgement.detail is not None
    assert "stood still for 0." in judgement.detail
    assert cause in judgement.detail


async def test_what_came_all_the_same_stands_without_its_times(context: ProbeContext) -> None:
    result = await probed(context, Judgement(Verdict.UP))
    assert result.judgement.verdict is Verdict.UP
    assert Cause.JITTER not in result.judgement.findings
    assert "stood still" in result.judgement.not_checked[Cause.JITTER]
    assert result.media is not None
    assert result.media.jitter_ms is None


async def test_a_refused_login_counts_however_late_it_was_read(context: ProbeContext) -> None:
    assert (
        await probed(context, Judgement(Verdict.DOWN, Cause.AUTH_FAILED, "401"))
    ).judgement.cause is Cause.AUTH_FAILED


async def test_a_loop_that_is_late_by_less_changes_nothing(context: ProbeContext) -> None:
    result = await probed(context, Judgement(Verdict.DOWN, Cause.TIMEOUT, "nothing came"), stall_s=0.05)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.TIMEOUT)


async def test_only_a_stall_of_its_own_time_is_a_probes() -> None:
    lag = LoopLag()
    async with running_beside(lag.run()):
        before = time.monotonic()
        await asyncio.sleep(0)
        time.sleep(STALL_S)  # noqa: ASYNC251 - that is the fault
        # Not over for the loop, which has not come back to it.
        assert lag.longest_s(before) > 0.5
        after = time.monotonic()
        await asyncio.sleep(0.3)
        assert lag.longest_s(before) > 0.5
        assert lag.longest_s(after) < 0.5
