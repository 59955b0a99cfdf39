"""The running platform of `truth.py`, and what a fault may take of it."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import psutil

from bench.faults.soak_stage import Stage
from bench.truth.record import CENTRES, LONGEST_GAP_S, Record, Thing
from bench.truth.windows import Window
from local.apis.inventory import RefusedError

FLOWING_FOR_S = 3.0
SETTLED_WITHIN_S = 150.0
SAMPLE_S = 0.2
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Share:
    """What one fault may take, while another has other cameras or the other centre."""

    cameras: tuple[str, ...]
    centre: str


@dataclass
class Scene:
    """The running platform, its record, and what faults measure beside the truth."""

    stage: Stage
    record: Record
    chance: random.Random
    sites: Mapping[str, list[str]] = field(default_factory=dict)
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

    def memory_mb(self) -> float:
        """Resident memory of the forwarders."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.forwarders()) / MEGABYTE

    def measure(self, name: str, value: float) -> None:
        """The largest value of a figure counts."""
        self.figures[name] = max(self.figures.get(name, 0.0), value)

    def everywhere(self, *lines: str) -> frozenset[Thing]:
        """Every camera in these lines; in all of them by default."""
        return frozenset((camera, line) for camera in self.stage.cameras for line in lines or ("camera", *CENTRES))

    def shares(self, count: int) -> list[Share]:
        """Disjoint cameras, a third each, for `count` faults at a time; each at another centre, as far as there are."""
        cameras = self.chance.sample(self.stage.cameras, len(self.stage.cameras))
        size = max(1, len(cameras) // 3)
        centres = self.chance.sample(CENTRES, len(CENTRES))
        return [
            Share(tuple(cameras[number * size : (number + 1) * size]), centres[number % len(centres)])
            for number in range(count)
        ]

    async def settled(self, within_s: float = SETTLED_WITHIN_S) -> float:
        """Wait until media of every camera comes to both centres and all of it is proven; when it was.

        Raises RefusedError when that takes too long.
        """
        deadline, since = time.time() + within_s, None
        while True:
            now = time.time()
            since = (since or now) if self._flows(now) and await self._all_verified() else None
            if since is not None and now - since >= FLOWING_FOR_S:
                return since
            if now > deadline:
                missing = "; ".join(await self.stage.not_verified())
                raise RefusedError(f"not all is well again after {within_s:.0f} s: {missing or 'no media'}")
            await asyncio.sleep(SAMPLE_S)

    async def proven_anew(self, since: float, within_s: float = SETTLED_WITHIN_S) -> None:
        """Wait until a read-back of after `since` matched of each delivery.

        What is shown as verified holds for three intervals: after a prober that slept, all of it may be from before
        that, and the next break would have none of the proofs that shall be before it. Raises RefusedError.
        """
        deadline = time.time() + within_s
        while not await self.stage.proven_since(since):
            if time.time() > deadline:
                raise RefusedError(f"not every delivery was read back within {within_s:.0f} s after the fault")
            await asyncio.sleep(SAMPLE_S)

    def _flows(self, now: float) -> bool:
        lines = [self.record.lines.get((camera, centre)) for camera in self.stage.cameras for centre in CENTRES]
        return all(line is not None and line.last is not None and now - line.last < LONGEST_GAP_S for line in lines)

    async def _all_verified(self) -> bool:
        return await self.stage.verified() == len(self.stage.cameras)


type Fault = Callable[[Scene, Share, float], Coroutine[Any, Any, list[Window]]]
"""Makes the fault for so many seconds; returns its windows."""
