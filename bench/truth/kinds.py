"""Every kind of fault of `truth.py`: which come together, for how long, and in which order."""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

from bench.truth import platform_faults as platform
from bench.truth.device_faults import NOWHERE, camera, centre, flapping, late, liar, picture, site_dark
from bench.truth.scene import SETTLED_WITHIN_S, Fault, Scene, Share
from bench.truth.windows import COVERED, DAMAGED, DEEP_INTERVAL_S, EMPTY, LOOPS, MEDIA, SETTLED_S, Window

type Taken = Literal["camera", "centre", "alone"]
"""Whether a fault takes a third of the cameras, a centre, or all there is."""
AT_ONCE: Mapping[Taken, int] = MappingProxyType({"camera": 3, "centre": 2, "alone": 1})
SHORT_S, LONG_S, LIE_S, DAMAGE_S = (8.0, 25.0), (40.0, 50.0), (48.0, 56.0), (66.0, 76.0)
"""Least and most seconds. A picture stands still for half a minute before it is called frozen. That a centre plays what
is not the camera's is certain after the longest delay that is allowed, half a minute too. Nothing but decoding shows
damaged keyframes, once in an interval: they last longer than that."""
TWO = "two at once"
STEP_S = 150
STEP_SETTLES_S = 2 * STEP_S + SETTLED_WITHIN_S
"""What the bus's clock showed twice is unknown (decision 0103), and so is what is published meanwhile."""


@dataclass(frozen=True, slots=True)
class Kind:
    fault: Fault
    takes: Taken = "alone"
    least_s: float = SHORT_S[0]
    most_s: float = SHORT_S[1]
    settles_s: float = SETTLED_WITHIN_S
    """Within so long after it all is well again."""
    calm_s: float = 0.0
    """So long nothing else begins then: what was unknown until just now has no time before the next break."""

    def seconds(self, chance: random.Random) -> float:
        return chance.uniform(self.least_s, self.most_s)


def _short(takes: Taken, fault: Fault) -> Kind:
    return Kind(fault, takes)


def _long(fault: Fault) -> Kind:
    return Kind(fault, "camera", *LONG_S)


def _lie(fault: Fault) -> Kind:
    return Kind(fault, "centre", *LIE_S)


def _step(fault: Fault) -> Kind:
    return Kind(fault, "alone", 25, 40, STEP_SETTLES_S, 2 * SETTLED_S)


async def two_at_once(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """Two faults of different shares, drawn anew, of which the second begins while the first lasts."""
    first = KINDS[scene.chance.choice(sorted(PAIRED))]
    second = KINDS[scene.chance.choice(sorted(name for name in PAIRED if KINDS[name].takes != first.takes))]
    first_s, second_s, after_s = first.seconds(scene.chance), second.seconds(scene.chance), scene.chance.random()

    async def begin_second() -> list[Window]:
        await asyncio.sleep(first_s * after_s)
        return await second.fault(scene, share, second_s)

    both = await asyncio.gather(first.fault(scene, share, first_s), begin_second())
    # Each may hide what the other is found by: nothing of them may be untrue, and unknown is right.
    return [
        replace(one, kind=f"{TWO}: {one.kind}", rule=replace(one.rule, found=False))
        for windows in both
        for one in windows
    ]


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "camera off": _short("camera", camera("camera off", fault="off")),
        "camera refuses": _short("camera", camera("camera refuses", fault="refuse")),
        "camera stalls": _short("camera", camera("camera stalls", fault="stall")),
        "picture frozen": _long(picture("picture frozen", MEDIA, fault="freeze", kind="coded")),
        "encoder frozen": _long(picture("encoder frozen", EMPTY, fault="freeze", kind="encoder")),
        "black": _long(picture("black", EMPTY, fault="black", kind="pure")),
        "dark lens": _long(picture("dark lens", EMPTY, fault="black", kind="noise")),
        "covered": _long(picture("covered", COVERED, fault="covered")),
        "no-signal card": _long(picture("no-signal card", EMPTY, fault="no_signal_card")),
        "no keyframe": _long(picture("no keyframe", EMPTY, fault="no_keyframe")),
        "damaged keyframes": Kind(
            picture("damaged keyframes", DAMAGED, DEEP_INTERVAL_S, fault="damaged_keyframes"), "camera", *DAMAGE_S
        ),
        "loop": _long(picture("loop", LOOPS, fault="loop")),
        "half a stream": _long(camera("half a stream", fault="gaps", every_s=5, for_s=2.5)),
        "half is lost": _long(camera("half is lost", fault="gaps", every_s=5, for_s=2.5, kind="loss")),
        "media now and then": _long(camera("media now and then", fault="gaps", every_s=8.3, for_s=7.3)),
        "site dark": _short("alone", site_dark),
        "centre off": _short("centre", centre("centre off", fault="off")),
        "centre refuses": _short("centre", centre("centre refuses", fault="refuse")),
        "centre black hole": _short("centre", centre("centre black hole", fault="black_hole")),
        "read-back refused": _lie(liar("read-back refused", **NOWHERE)),
        "discards": _lie(liar("discards", fault="discard")),
        "buffers": _lie(liar("buffers", fault="buffer")),
        "shows its last group": _lie(liar("shows its last group", fault="last_pictures")),
        "repeats a group": _lie(liar("repeats a group", fault="frozen_playback")),
        "replays a minute": _lie(liar("replays a minute", fault="replay", window_s=60)),
        "another picture": _lie(liar("another picture", fault="wrong_picture")),
        "late by 20 s": _lie(partial(late, "late by 20 s", 20)),
        "late by 45 s": _lie(liar("late by 45 s", fault="late_playback", late_s=45)),
        "centre flapping": Kind(flapping),
        "forwarders asleep": Kind(platform.forwarders_asleep),
        "prober asleep": Kind(platform.prober_asleep),
        "prober stopped": Kind(platform.prober_stopped),
        "read-back a minute": Kind(platform.read_back_a_minute, "alone", 30, 45),
        "forwarder killed": Kind(platform.forwarder_killed),
        "everything killed": Kind(platform.everything_killed),
        "worker skewed": Kind(platform.workers_skewed),
        "bus clock fast": _step(partial(platform.bus_clock, "bus clock fast", STEP_S)),
        "bus clock slow": _step(partial(platform.bus_clock, "bus clock slow", -STEP_S)),
        "NATS amnesia": Kind(platform.nats_amnesia),
        TWO: Kind(two_at_once),
    }
)
PAIRED = frozenset(name for name, kind in KINDS.items() if kind.takes != "alone") | {
    "forwarders asleep", "prober asleep", "forwarder killed",
}  # fmt: skip
"""Kinds that come together with another."""


def rounds(names: Sequence[str], chance: random.Random) -> Iterator[list[str]]:
    """Groups of kinds that come at the same time, each kind once, then all of them again in another order."""
    while True:
        order = chance.sample(names, len(names))
        while order:
            takes = KINDS[order[0]].takes
            group = [name for name in order if KINDS[name].takes == takes][: AT_ONCE[takes]]
            order = [name for name in order if name not in group]
            yield group
