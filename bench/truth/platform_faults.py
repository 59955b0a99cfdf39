"""What goes wrong with the platform itself in `truth.py`: its processes sleep and die, its clocks are wrong."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bench.faults.soak_stage import READY_WITHIN_S, STOP_WITHIN_S
from bench.truth.device_faults import lies, no_media
from bench.truth.record import CENTRES
from bench.truth.scene import Scene, Share
from bench.truth.skewed import SKEW_S
from bench.truth.windows import PRODUCTION_INTERVAL_S, UNSEEN, Window, lie
from local.platform.environment import SERVICES
from local.platform.platform import wait_ready
from local.platform.process import Child
from vonggac.testing.bus_clock import BusClock

KILLED_S = 180.0
AROUND_S = 10.0
"""Of a wrong clock, before and after what goes wrong within."""
UNPROVEN_S = 40.0
"""Longer than a proof is shown as valid."""


async def asleep(kind: str, pids: Sequence[int], lines: tuple[str, ...], scene: Scene, seconds: float) -> list[Window]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    # Who wakes may speak before this process runs on: blind is the time in which all of them sleep.
    began = time.time()
    try:
        await asyncio.sleep(seconds)
    finally:
        ended = time.time()
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    touched = scene.everywhere()
    return [Window(kind, began, ended, scene.everywhere(*lines), UNSEEN, blind=True, touched=touched)]


async def forwarders_asleep(scene: Scene, share: Share, seconds: float) -> list[Window]:
    return await asleep("forwarders asleep", scene.forwarders(), CENTRES, scene, seconds)


async def prober_asleep(scene: Scene, share: Share, seconds: float) -> list[Window]:
    return await asleep("prober asleep", [scene.pid("prober")], ("camera",), scene, seconds)


@asynccontextmanager
async def without_prober(scene: Scene) -> AsyncIterator[None]:
    platform = scene.stage.platform
    child = platform.children.pop("prober")
    await child.stop(within_s=STOP_WITHIN_S)
    try:
        yield
    finally:
        child.start()
        platform.children["prober"] = child
    await wait_ready(platform.addresses.prober, within_s=READY_WITHIN_S, child=child)


async def prober_stopped(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """Nobody makes a read-back for longer than the last one is shown as valid, while every picture arrives."""
    async with without_prober(scene):
        began = time.time()
        await asyncio.sleep(UNPROVEN_S + seconds)
        ended = time.time()
    return [Window("prober stopped", began, ended, frozenset(), touched=scene.everywhere())]


async def read_back_a_minute(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """A centre discards what it gets, while read-backs are a minute apart, as in production."""
    platform, interval = scene.stage.platform, {"VONGGAC_PROBER_VERIFY_INTERVAL_S": str(PRODUCTION_INTERVAL_S)}
    began = time.time()
    async with without_prober(scene):
        child, _ = await platform.start_another("prober", own=interval)
        try:
            await scene.settled()
            most_s = PRODUCTION_INTERVAL_S + seconds
            rule = lie(PRODUCTION_INTERVAL_S)
            found = await lies("read-back a minute", {"fault": "discard"}, scene, share, most_s, rule=rule)
            await scene.settled()
        finally:
            await child.stop(within_s=STOP_WITHIN_S)
    around = Window("read-back a minute", began, time.time(), frozenset(), touched=scene.everywhere())
    return [*(replace(one, interval_s=PRODUCTION_INTERVAL_S) for one in found), around]


async def forwarder_killed(scene: Scene, share: Share, seconds: float) -> list[Window]:
    began = time.time()
    await scene.stage.end_second(kill=True)
    await asyncio.sleep(seconds)
    await scene.stage.start_second()
    return [Window("forwarder killed", began, time.time(), scene.everywhere(*CENTRES), UNSEEN)]


async def everything_killed(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """Every service and both servers end at once, and are away for three minutes; cameras and centres are not."""
    platform, stage = scene.stage.platform, scene.stage
    children = {name: platform.children.pop(name) for name in SERVICES}
    servers = [(one, one.server.process) for one in (platform.nats, platform.postgres)]
    for one, _ in servers:
        # Nobody is to report that it has ended.
        one.server.process = None
    for child in (*children.values(), stage.second):
        child.kill()
    for _, process in servers:
        assert process is not None
        process.kill()
    began = time.time()
    for _, process in servers:
        assert process is not None
        await asyncio.to_thread(process.wait)
    await asyncio.gather(*(child.stop(within_s=STOP_WITHIN_S) for child in (*children.values(), stage.second)))
    await asyncio.sleep(max(0.0, began + KILLED_S - time.time()))
    ended = time.time()
    for one, _ in servers:
        await one.start()
    for child in children.values():
        child.start()
    platform.children |= children
    for name, child in children.items():
        await wait_ready(str(getattr(platform.addresses, name)), within_s=READY_WITHIN_S, child=child)
    await stage.start_second()
    return [Window("everything killed", began, ended, scene.everywhere(), UNSEEN, blind=True)]


async def workers_skewed(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """A prober 180 s fast and a forwarder 180 s slow beside the good ones, while a camera is off."""
    platform, children = scene.stage.platform, list[Child]()
    for service, skew_s in (("prober", 180.0), ("forwarder", -180.0)):
        child, _ = await platform.start_another(service, launcher=("bench.truth.skewed",), own={SKEW_S: str(skew_s)})
        children.append(child)
    try:
        await asyncio.sleep(seconds / 2)
        found = await no_media("worker skewed", {"fault": "refuse"}, scene, share, seconds)
    finally:
        ended = time.time()
        await asyncio.gather(*(child.stop(within_s=STOP_WITHIN_S) for child in children))
    # What they have taken over is handed over again.
    return [*found, Window("worker skewed", ended, time.time(), frozenset(), touched=scene.everywhere())]


async def bus_clock(kind: str, skew_s: int, scene: Scene, share: Share, seconds: float) -> list[Window]:
    """The clock of NATS steps, a camera is off and a forwarder dies meanwhile, and then it steps back."""
    process = scene.stage.platform.nats.server.process
    assert process is not None
    clock, began = BusClock(process.pid), time.time()
    clock.shift(skew_s)
    try:
        await asyncio.sleep(AROUND_S)
        killed = time.time()
        await scene.stage.end_second(kill=True)
        off = await no_media(kind, {"fault": "off"}, scene, share, seconds)
        await scene.stage.start_second()
        ended = time.time()
        await asyncio.sleep(AROUND_S)
    finally:
        clock.shift(0)
    # What a fast clock has shown is shown once more, and is unknown (decision 0103).
    again_until = time.time() + max(0, skew_s)
    return [
        *(Window(one.kind, one.start, one.end, one.things, UNSEEN, stepped=began) for one in off),
        Window(kind, killed, ended, scene.everywhere(*CENTRES), UNSEEN, stepped=began),
        Window(kind, began, again_until, frozenset(), touched=scene.everywhere()),
    ]


async def nats_amnesia(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """NATS comes back with the store of some time ago."""
    nats, began = scene.stage.platform.nats, time.time()
    store = scene.stage.platform.state.nats
    copy = store.with_name("nats-copy")
    process = nats.server.process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.to_thread(shutil.copytree, store, copy, symlinks=True)
    finally:
        process.send_signal(signal.SIGCONT)
    await asyncio.sleep(seconds)
    await nats.stop()
    await asyncio.to_thread(shutil.rmtree, store)
    copy.rename(store)
    await nats.start()
    return [Window("NATS amnesia", began, time.time(), frozenset(), touched=scene.everywhere())]
