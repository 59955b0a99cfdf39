"""What goes wrong with cameras and centres in `truth.py`."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from bench.truth.record import CENTRES, Line
from bench.truth.scene import SAMPLE_S, Fault, Scene, Share
from bench.truth.windows import MAX_DELAY_S, MEDIA, READ_BACK_S, VERIFY_INTERVAL_S, Rule, Window, lie

FLAP_EVERY_S = 1.5
FLAPPING_S = 60.0
"""As long as the rate of reconnects is judged over."""
NOWHERE = {"fault": "wrong_picture", "path": "nothing-is-here"}


async def no_media(kind: str, fault: Mapping[str, Any], scene: Scene, share: Share, seconds: float) -> list[Window]:
    """Cameras give nothing, and no centre gets anything."""
    began = time.time()
    await _set(scene, share.cameras, fault)
    await asyncio.sleep(seconds)
    ended = time.time()
    await _clear(scene, share.cameras)
    things = frozenset((one, line) for one in share.cameras for line in ("camera", *CENTRES))
    return [Window(kind, began, ended, things)]


async def site_dark(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """All cameras of a facility."""
    sites = [tuple(one) for one in scene.sites.values()]
    site = scene.chance.choice([one for one in sites if len(one) > 1] or sites)
    return await no_media("site dark", {"fault": "off"}, scene, Share(site, share.centre), seconds)


async def pictures(
    kind: str, fault: Mapping[str, Any], rule: Rule, interval_s: float, scene: Scene, share: Share, seconds: float
) -> list[Window]:
    """Media goes on and shows nothing of now. What such pictures prove of a centre is not known.

    Each camera has its own window: its pictures of before go on while the simulator encodes the others.
    """

    async def of_camera(camera: str) -> Window:
        await scene.stage.set_fault(f"cameras/{camera}", dict(fault))
        began = time.time()
        await asyncio.sleep(seconds)
        ended = time.time()
        await scene.stage.clear_fault(f"cameras/{camera}")
        touched = frozenset((camera, centre) for centre in CENTRES)
        bad = frozenset({(camera, "camera")})
        return Window(kind, began, ended, bad, rule, whole=True, touched=touched, interval_s=interval_s)

    return list(await asyncio.gather(*(of_camera(one) for one in share.cameras)))


async def no_way(kind: str, fault: Mapping[str, Any], scene: Scene, share: Share, seconds: float) -> list[Window]:
    """A centre takes nothing."""
    before, began, most_mb = scene.memory_mb(), time.time(), 0.0
    await scene.stage.set_fault(f"centres/{share.centre}", dict(fault))
    while time.time() < began + seconds:
        most_mb = max(most_mb, scene.memory_mb() - before)
        await asyncio.sleep(SAMPLE_S)
    ended = time.time()
    await scene.stage.clear_fault(f"centres/{share.centre}")
    if fault["fault"] == "black_hole":
        scene.measure("rss_growth_mb_black_hole", most_mb)
    return [Window(kind, began, ended, scene.everywhere(share.centre))]


async def lies(
    kind: str, fault: Mapping[str, Any], scene: Scene, share: Share, seconds: float, *, rule: Rule | None = None
) -> list[Window]:
    """A centre takes everything, and has or shows nothing of it."""
    await scene.stage.set_fault(f"centres/{share.centre}", dict(fault))
    began = time.time()
    await asyncio.sleep(seconds)
    ended = time.time()
    await scene.stage.clear_fault(f"centres/{share.centre}")
    return [Window(kind, began, ended, scene.everywhere(share.centre), rule or lie(), whole=True)]


async def replays(kind: str, fault: Mapping[str, Any], scene: Scene, share: Share, seconds: float) -> list[Window]:
    """A centre plays what it has kept again and again, once that is more than a centre may be late."""
    things = scene.everywhere(share.centre)
    while (wait_s := replays_from(scene.record.lines[one] for one in things) - time.time()) > 0:
        await asyncio.sleep(wait_s)
    return await lies(kind, fault, scene, share, seconds)


def replays_from(lines: Iterable[Line]) -> float:
    """From when on a replay at these lines is a lie from its first picture on.

    What is kept is of the present session. Less than the longest delay of it is played as late as it is long, in the
    first round: nobody can tell that from a centre that has become late.
    """
    began = max((line.gaps[-1].end for line in lines if line.gaps), default=0.0)
    return began + MAX_DELAY_S + READ_BACK_S


async def late(kind: str, late_s: float, scene: Scene, share: Share, seconds: float) -> list[Window]:
    """A centre shows every picture late, and not too late."""
    found = await lies(kind, {"fault": "late_playback", "late_s": late_s}, scene, share, seconds)
    return [Window(one.kind, one.start, one.end, frozenset(), touched=one.things) for one in found]


async def flapping(scene: Scene, share: Share, seconds: float) -> list[Window]:
    """The centre accepts, confirms for a moment and resets, again and again."""
    began, before = time.time(), dict(scene.record.sessions)
    while time.time() < began + max(seconds, FLAPPING_S):
        await scene.stage.set_fault(f"centres/{share.centre}", {"fault": "close"})
        await asyncio.sleep(FLAP_EVERY_S)
    ended, things = time.time(), scene.everywhere(share.centre)
    sessions = [scene.record.sessions.get(one, 0) - before.get(one, 0) for one in things]
    scene.measure("reconnects_per_min_flapping", max(sessions, default=0) * 60 / (ended - began))
    return [Window("centre flapping", began, ended, things, MEDIA)]


async def _set(scene: Scene, cameras: tuple[str, ...], fault: Mapping[str, Any]) -> None:
    await asyncio.gather(*(scene.stage.set_fault(f"cameras/{one}", dict(fault)) for one in cameras))


async def _clear(scene: Scene, cameras: tuple[str, ...]) -> None:
    await asyncio.gather(*(scene.stage.clear_fault(f"cameras/{one}") for one in cameras))


def camera(name: str, **fault: Any) -> Fault:
    """Media stops."""
    return partial(no_media, name, fault)


def picture(name: str, rule: Rule, interval_s: float = VERIFY_INTERVAL_S, **fault: Any) -> Fault:
    """Media goes on."""
    return partial(pictures, name, fault, rule, interval_s)


def centre(name: str, **fault: Any) -> Fault:
    """A centre is away."""
    return partial(no_way, name, fault)


def liar(name: str, **fault: Any) -> Fault:
    """A centre lies."""
    return partial(replays if fault["fault"] == "replay" else lies, name, fault)
