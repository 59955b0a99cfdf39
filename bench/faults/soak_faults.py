"""What goes wrong in `soak.py`, at random but from a seed: several faults at a time, each healed by itself."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from bench.faults.soak_stage import CENTRES, Stage

BETWEEN_S = (1.5, 5.0)
LASTS_S = (4.0, 20.0)
WARM_UP_S = 4.0
NATS_AWAY_S = (0.5, 4.0)
CAMERAS_AT_ONCE = 5
CENTRE_FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "refuse"},
    {"fault": "off"},
    {"fault": "black_hole"},
    {"fault": "slow_reader", "bytes_per_s": 8_000},
    {"fault": "restart", "for_s": 3.0},
    {"fault": "close"},
    {"fault": "frozen_playback"},
    {"fault": "wrong_picture"},
)
CAMERA_FAULTS: tuple[dict[str, Any], ...] = (
    {"fault": "close"},
    {"fault": "off"},
    {"fault": "refuse"},
    {"fault": "stall"},
    {"fault": "black_hole"},
)
WEIGHTS = {"centre": 4, "camera": 6, "forwarder": 1}


@dataclass
class Faults:
    """`counted` counts them by name, such as `centre off`. `say` hears of each."""

    stage: Stage
    chance: random.Random
    say: Callable[[str], None]
    with_nats: bool = False
    counted: Counter[str] = field(default_factory=Counter)
    _busy: set[str] = field(default_factory=set)

    async def once_each(self) -> None:
        """Every fault once, for the warm state: what is used for the first time stays in memory."""
        for number, fault in enumerate(CENTRE_FAULTS):
            await self._centre(CENTRES[number % len(CENTRES)], fault, WARM_UP_S)
        for number, fault in enumerate(CAMERA_FAULTS):
            await self._camera(self.stage.cameras[number % len(self.stage.cameras)], fault, WARM_UP_S)
        await self._forwarder(WARM_UP_S, kill=True)

    async def run(self, seconds: float) -> None:
        """At random for `seconds`; returns when the last one is healed. Raises RefusedError, ProcessEndedError."""
        deadline = time.monotonic() + seconds
        async with asyncio.TaskGroup() as tasks:
            while time.monotonic() < deadline:
                fault = self._choose(deadline - time.monotonic())
                if fault is not None:
                    tasks.create_task(fault)
                await asyncio.sleep(self.chance.uniform(*BETWEEN_S))

    def _choose(self, left_s: float) -> Coroutine[Any, Any, None] | None:
        """The next fault; None where there is no room for it."""
        weights = WEIGHTS | ({"nats": 1} if self.with_nats else {})
        kind = self.chance.choices(list(weights), list(weights.values()))[0]
        lasts_s = min(self.chance.uniform(*LASTS_S), max(1.0, left_s))
        if kind == "centre":
            centre, fault = self.chance.choice(CENTRES), self.chance.choice(CENTRE_FAULTS)
            return self._centre(centre, fault, lasts_s) if self._claim(centre) else None
        if kind == "camera":
            camera, fault = self.chance.choice(self.stage.cameras), self.chance.choice(CAMERA_FAULTS)
            ailing = len(self._busy & set(self.stage.cameras))
            return self._camera(camera, fault, lasts_s) if ailing < CAMERAS_AT_ONCE and self._claim(camera) else None
        if kind == "forwarder":
            kill = self.chance.random() < 2 / 3
            return self._forwarder(lasts_s, kill=kill) if self._claim("forwarder") else None
        return self._nats(self.chance.uniform(*NATS_AWAY_S)) if self._claim("nats") else None

    def _claim(self, what: str) -> bool:
        free = what not in self._busy
        self._busy.add(what)
        return free

    async def _centre(self, name: str, fault: dict[str, Any], lasts_s: float) -> None:
        await self._device("centre", f"centres/{name}", name, fault, lasts_s)

    async def _camera(self, name: str, fault: dict[str, Any], lasts_s: float) -> None:
        await self._device("camera", f"cameras/{name}", name, fault, lasts_s)

    async def _device(self, kind: str, path: str, name: str, fault: dict[str, Any], lasts_s: float) -> None:
        self._begins(f"{kind} {fault['fault']}", f"{name} for {lasts_s:.0f} s")
        await self.stage.set_fault(path, fault)
        await asyncio.sleep(lasts_s)
        await self.stage.clear_fault(path)
        self._busy.discard(name)

    async def _forwarder(self, lasts_s: float, *, kill: bool) -> None:
        self._begins("forwarder killed" if kill else "forwarder stopped", f"for {lasts_s:.0f} s")
        await self.stage.end_second(kill=kill)
        await asyncio.sleep(lasts_s)
        await self.stage.start_second()
        self._busy.discard("forwarder")

    async def _nats(self, away_s: float) -> None:
        self._begins("nats restarted", f"away for {away_s:.1f} s")
        await self.stage.restart_nats(away_s)
        self._busy.discard("nats")

    def _begins(self, name: str, detail: str) -> None:
        self.counted[name] += 1
        self.say(f"{name}: {detail}")
