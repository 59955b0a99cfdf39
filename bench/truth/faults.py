"""What goes wrong in `truth.py`, one kind after the other: each gives the windows in which it did."""

import asyncio
import os
import random
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import psutil

from bench.faults.soak_stage import READY_WITHIN_S, STOP_WITHIN_S, Stage
from bench.truth.comparison import Window
from bench.truth.evidence import PROOF_LASTS_S
from bench.truth.record import CENTRES, Record
from bench.truth.skewed import SKEW_S
from local.apis.inventory import RefusedError
from local.platform.platform import wait_ready
from local.platform.process import Child

FLAP_EVERY_S = 1.5
FLAPPING_S = 60.0
"""As long as the rate of reconnects is judged over."""
PROVEN_WITHIN_S = 90.0
SAMPLE_S = 0.5
MEGABYTE = 1e6


@dataclass
class Scene:
    """The running platform, its record, and what faults measure beside the truth."""

    stage: Stage
    record: Record
    chance: random.Random
    sites: Mapping[str, list[str]]
    """Cameras by facility."""
    figures: dict[str, float] = field(default_factory=dict)

    def pid(self, name: str) -> int:
        process = self.stage.platform.children[name].process
        assert process is not None
        return process.pid

    def forwarders(self) -> list[int]:
        second = self.stage.second.process
        assert second is not None
        return [self.pid("forwarder"), second.pid]

    def everywhere(self, *things: str) -> frozenset[tuple[str, str]]:
        """Every camera in these lines."""
        return frozenset((camera, thing) for camera in self.stage.cameras for thing in things)


type Fault = Callable[[Scene, float], Awaitable[Window]]


async def _cameras(kind: str, fault: Mapping[str, Any], scene: Scene, seconds: float) -> Window:
    """One camera in three."""
    ailing = scene.chance.sample(scene.stage.cameras, max(1, len(scene.stage.cameras) // 3))
    return await _devices(kind, fault, scene, ailing, seconds)


async def _site(scene: Scene, seconds: float) -> Window:
    site = scene.chance.choice([one for one in scene.sites.values() if len(one) > 1] or list(scene.sites.values()))
    return await _devices("site dark", {"fault": "off"}, scene, site, seconds)


async def _devices(kind: str, fault: Mapping[str, Any], scene: Scene, cameras: list[str], seconds: float) -> Window:
    began = time.time()
    await asyncio.gather(*(scene.stage.set_fault(f"cameras/{one}", dict(fault)) for one in cameras))
    if fault["fault"] == "freeze":
        # The pictures of before go on while the simulator encodes the frozen ones.
        began = time.time()
    await asyncio.sleep(seconds)
    ended = time.time()
    await asyncio.gather(*(scene.stage.clear_fault(f"cameras/{one}") for one in cameras))
    lines = ("camera",) if fault["fault"] == "freeze" else ("camera", *CENTRES)
    return Window(kind, began, ended, frozenset((one, line) for one in cameras for line in lines))


async def _centre(kind: str, fault: Mapping[str, Any], scene: Scene, seconds: float) -> Window:
    centre = scene.chance.choice(CENTRES)
    before, began, most = _memory(scene), time.time(), 0.0
    await scene.stage.set_fault(f"centres/{centre}", dict(fault))
    while time.time() < began + seconds:
        most = max(most, _memory(scene) - before)
        await asyncio.sleep(SAMPLE_S)
    ended = time.time()
    await scene.stage.clear_fault(f"centres/{centre}")
    if fault["fault"] == "black_hole":
        scene.figures["rss_growth_mb_black_hole"] = max(scene.figures.get("rss_growth_mb_black_hole", 0.0), most)
    return Window(kind, began, ended, scene.everywhere(centre))


async def _flapping(scene: Scene, seconds: float) -> Window:
    """The centre accepts, confirms for a moment and resets, again and again."""
    centre = scene.chance.choice(CENTRES)
    began, before = time.time(), dict(scene.record.sessions)
    while time.time() < began + max(seconds, FLAPPING_S):
        await scene.stage.set_fault(f"centres/{centre}", {"fault": "close"})
        await asyncio.sleep(FLAP_EVERY_S)
    ended = time.time()
    sessions = [scene.record.sessions.get(one, 0) - before.get(one, 0) for one in scene.everywhere(centre)]
    rate = max(sessions, default=0) * 60 / (ended - began)
    scene.figures["reconnects_per_min_flapping"] = max(scene.figures.get("reconnects_per_min_flapping", 0.0), rate)
    return Window("centre flapping", began, ended, scene.everywhere(centre))


async def _asleep(kind: str, pids: list[int], lines: tuple[str, ...], scene: Scene, seconds: float) -> Window:
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
    return Window(kind, began, ended, scene.everywhere(*lines), blind=True)


async def _forwarders_asleep(scene: Scene, seconds: float) -> Window:
    return await _asleep("forwarders asleep", scene.forwarders(), CENTRES, scene, seconds)


async def _prober_asleep(scene: Scene, seconds: float) -> Window:
    return await _asleep("prober asleep", [scene.pid("prober")], ("camera",), scene, seconds)


async def _prober_stopped(scene: Scene, seconds: float) -> Window:
    """Nobody makes a read-back for longer than the last one proves anything, while every picture arrives."""
    platform = scene.stage.platform
    child = platform.children.pop("prober")
    await child.stop(within_s=STOP_WITHIN_S)
    began = time.time()
    await asyncio.sleep(PROOF_LASTS_S + seconds)
    ended = time.time()
    child.start()
    platform.children["prober"] = child
    await wait_ready(platform.addresses.prober, within_s=READY_WITHIN_S, child=child)
    return Window("prober stopped", began, ended, scene.everywhere(*CENTRES), proven_again=await _proven(scene))


async def _read_back_refused(scene: Scene, seconds: float) -> Window:
    """A centre takes all media and refuses everyone who would play it."""
    centre = scene.chance.choice(CENTRES)
    began = time.time()
    await scene.stage.set_fault(f"centres/{centre}", {"fault": "wrong_picture", "path": "nothing-is-here"})
    await asyncio.sleep(PROOF_LASTS_S + seconds)
    ended = time.time()
    await scene.stage.clear_fault(f"centres/{centre}")
    return Window("read-back refused", began, ended, scene.everywhere(centre), proven_again=await _proven(scene))


async def _proven(scene: Scene) -> float:
    """When every delivery is proven again. Raises RefusedError when that takes too long."""
    deadline = time.time() + PROVEN_WITHIN_S
    while await scene.stage.verified() < len(scene.stage.cameras):
        if time.time() > deadline:
            raise RefusedError("; ".join(await scene.stage.not_verified()))
        await asyncio.sleep(SAMPLE_S)
    return time.time()


async def _forwarder_killed(scene: Scene, seconds: float) -> Window:
    began = time.time()
    await scene.stage.end_second(kill=True)
    await asyncio.sleep(seconds)
    await scene.stage.start_second()
    return Window("forwarder killed", began, time.time(), scene.everywhere(*CENTRES), blind=True)


async def _skewed(scene: Scene, seconds: float) -> Window:
    """A prober 180 s fast and a forwarder 180 s slow beside the good ones, while a camera is off."""
    platform = scene.stage.platform
    began, children = time.time(), list[Child]()
    for service, skew_s in (("prober", 180.0), ("forwarder", -180.0)):
        child, _ = await platform.start_another(service, launcher=("bench.truth.skewed",), own={SKEW_S: str(skew_s)})
        children.append(child)
    try:
        await asyncio.sleep(seconds / 2)
        window = await _cameras("worker skewed", {"fault": "refuse"}, scene, seconds)
    finally:
        await asyncio.gather(*(child.stop(within_s=STOP_WITHIN_S) for child in children))
    return Window("worker skewed", began, window.end, window.things)


async def _amnesia(scene: Scene, seconds: float) -> Window:
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
    return Window("NATS amnesia", began, time.time(), frozenset())


def _memory(scene: Scene) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in scene.forwarders()) / MEGABYTE


KINDS: Mapping[str, Fault] = MappingProxyType(
    {
        "camera off": partial(_cameras, "camera off", {"fault": "off"}),
        "camera refuses": partial(_cameras, "camera refuses", {"fault": "refuse"}),
        "camera stalls": partial(_cameras, "camera stalls", {"fault": "stall"}),
        "picture frozen": partial(_cameras, "picture frozen", {"fault": "freeze", "kind": "coded"}),
        "site dark": _site,
        "centre off": partial(_centre, "centre off", {"fault": "off"}),
        "centre refuses": partial(_centre, "centre refuses", {"fault": "refuse"}),
        "centre black hole": partial(_centre, "centre black hole", {"fault": "black_hole"}),
        "centre flapping": _flapping,
        "forwarders asleep": _forwarders_asleep,
        "prober asleep": _prober_asleep,
        "prober stopped": _prober_stopped,
        "read-back refused": _read_back_refused,
        "forwarder killed": _forwarder_killed,
        "worker skewed": _skewed,
        "NATS amnesia": _amnesia,
    }
)
