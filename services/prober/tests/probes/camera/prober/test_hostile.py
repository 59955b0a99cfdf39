"""Hostile and broken cameras: bounded, named, and no neighbour's verdict is harmed."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import time
from typing import TYPE_CHECKING

import pytest

from prober.probes.camera.rtsp_probe import probe_rtsp
from prober.probes.camera.target import Target, Tools
from vonggac.events import Cause
from vonggac.events.prober import Verdict
from vonggac.testing import eventually
from vonggac.testing.processes import asleep
from vonggac.testing.rtsp import ScriptedCamera, ScriptedPeer, with_cseq

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.prober.tests.conftest import Observed, Planner, StartProber, StartSimulator

    from vonggac.events.inventory import CameraV1
    from vonggac.rtsp import Request

HEALTHY = 6
PROBES = 3
GONE_WITHIN_S = 1.0
BUSY_S = 0.5
"""For the bus, and a busy machine."""


@pytest.mark.parametrize("kind", ["frames", "packets", "rtcp", "options", "answers", "lines"])
async def test_a_hostile_camera_that_floods_is_named_and_six_neighbours_stay_up(
    kind: str, simulate: StartSimulator, planner: Planner, observed: Observed, start_prober: StartProber
) -> None:
    flood = {"fault": "flood", "kind": kind, "rate_mbps": 20.0}
    simulator = await simulate(*({"id": f"good-{number}"} for number in range(HEALTHY)), {"id": "bad", "fault": flood})
    await start_prober(measure_window_s=1.5, deep_interval_s=0.0)
    plans = {
        name: await planner.camera(camera.url(), probe_interval_s=1.0) for name, camera in simulator.cameras.items()
    }
    for plan in plans.values():
        await observed.observation(plan.id, PROBES, within_s=40)
    causes = {probe.cause for probe in observed.of(plans.pop("bad").id)}
    # Empty lines between whole frames cost next to nothing; only many of them in a row are junk.
    assert causes == {Cause.FLOOD} if kind != "lines" else causes <= {None, Cause.PROTOCOL_ERROR}
    for plan in plans.values():
        assert {(probe.verdict, probe.cause) for probe in observed.of(plan.id)} == {(Verdict.UP, None)}


async def test_a_hostile_picture_of_sixteen_thousand_squared_is_refused_and_named(
    simulate: StartSimulator, tools: Tools
) -> None:
    camera = (await simulate({"id": "giant"})).cameras["giant"]
    await camera.set_fault("giant_picture")
    result = await probe_rtsp(Target(camera.url(), None, 8.0), tools)
    assert (result.judgement.verdict, result.judgement.cause) == (Verdict.DOWN, Cause.PICTURE_TOO_LARGE)
    assert result.media is not None
    assert (result.media.width, result.media.height) == (16_000, 16_000)
    assert tools.decoder.process_ids == []


async def test_a_hostile_picture_that_crashes_the_decoder_costs_one_probe_and_not_the_prober(
    simulate: StartSimulator, tools: Tools
) -> None:
    simulator = await simulate({"id": "bad"}, {"id": "good"})
    bad, good = (Target(simulator.cameras[name].url(), None, 8.0) for name in ("bad", "good"))
    assert (await probe_rtsp(bad, tools)).judgement.verdict is Verdict.UP
    [process_id] = tools.decoder.process_ids
    # Asleep it has the keyframe for certain when it dies.
    with asleep(process_id):
        probing = asyncio.create_task(probe_rtsp(bad, tools))
        await eventually(lambda: tools.decoder.busy == 1)
        os.kill(process_id, signal.SIGSEGV)
    judgement = (await probing).judgement
    assert (judgement.verdict, judgement.cause) == (Verdict.UNKNOWN, Cause.DECODER_CRASHED)
    assert (await probe_rtsp(good, tools)).judgement.verdict is Verdict.UP


def _endless(request: Request) -> bytes:
    """Video without a keyframe, a whole second of 100 Mbit/s at once, and no answer to what comes next."""
    packets = b"".join(
        struct.pack(">cBHBBHII", b"$", 0, 1_412, 0x80, 96, number, 90 * number, 7) + b"\x41" + bytes(1_399)
        for number in range(8_000)
    )
    return with_cseq(request, after=packets)


async def removed_is_gone(plan: CameraV1, planner: Planner, observed: Observed, is_open: Callable[[], bool]) -> None:
    """Remove the camera amid its probe: its connection is gone within a second, and nothing is said of it any more."""
    await eventually(is_open)
    removed_s = time.monotonic()
    await planner.remove(plan)
    await eventually(lambda: not is_open(), within_s=10, poll_s=0.01)
    assert time.monotonic() - removed_s < GONE_WITHIN_S + BUSY_S
    assert observed.of(plan.id) == []


async def test_a_hostile_camera_that_is_removed_loses_its_connection_within_a_second(
    simulate: StartSimulator, planner: Planner, observed: Observed, start_prober: StartProber
) -> None:
    gate = (await simulate({"id": "gate", "fault": {"fault": "no_keyframe"}})).cameras["gate"]
    # Two, so that the removal may come to the one that does not probe.
    for _ in range(2):
        await start_prober()
    plan = await planner.camera(gate.url(), probe_timeout_s=20.0)
    await removed_is_gone(plan, planner, observed, lambda: len(gate.connections) == 1)


@pytest.mark.parametrize("what", ["sends", "is_silent"])
async def test_a_hostile_camera_that_never_parts_loses_its_connection_within_a_second_too(
    what: str, planner: Planner, observed: Observed, start_prober: StartProber
) -> None:
    camera = ScriptedCamera(DESCRIBE=None) if what == "is_silent" else ScriptedCamera(PLAY=_endless, TEARDOWN=None)
    await start_prober()
    async with ScriptedPeer(camera) as peer:
        plan = await planner.camera(f"rtsp://127.0.0.1:{peer.port}/", probe_timeout_s=20.0)
        await removed_is_gone(plan, planner, observed, lambda: peer.open_connections == 1)
