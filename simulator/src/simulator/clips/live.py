"""Keyframes of a clip with the time of day, made shortly before they are sent, shared by all cameras of it."""

import asyncio
import threading
import time
from functools import partial

from simulator.clips.clock import ClockWriter
from simulator.clips.encoded import VideoClip
from simulator.clips.spec import VideoSpec
from simulator.packets import FrameTemplate, pack_picture

_KEPT = 64
"""Keyframes kept for the clip's other cameras."""


class ClockedKeyframes:
    """The keyframes of one clip. Encodes in threads, one keyframe at a time."""

    def __init__(self, clip: VideoClip, spec: VideoSpec) -> None:
        self._clip, self._packing = clip, spec.packing
        self._writer, self._writing = ClockWriter(clip, spec), threading.Lock()
        self._made: dict[tuple[int, int], asyncio.Future[FrameTemplate]] = {}

    def prepare(self, index: int, at: float) -> asyncio.Future[FrameTemplate]:
        """Begin with frame `index` of the clip, with the second of `at` (seconds since 1970)."""
        key = index, int(at)
        made = self._made.get(key)
        if made is None:
            while len(self._made) >= _KEPT:
                del self._made[next(iter(self._made))]
            loop = asyncio.get_running_loop()
            made = self._made[key] = loop.run_in_executor(None, partial(self._write, *key))
        return made

    def _write(self, index: int, second: int) -> FrameTemplate:
        text = time.strftime("%H:%M:%S", time.localtime(second))
        with self._writing:
            unit = self._writer.write(index, text)
        return pack_picture(self._clip, unit, self._packing)
