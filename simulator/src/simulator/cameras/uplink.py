"""The line between a camera and its clients: loses and delays packets as faults demand."""

import asyncio
import random
from collections import deque
from collections.abc import Callable

from simulator.packets import Frame


class Uplink:
    """Passes frames on to `deliver`. Loss and delay are the same for every client; the order is kept."""

    def __init__(self, deliver: Callable[[int, Frame], None], randomness: random.Random) -> None:
        """`deliver` gets the track's index and the frame."""
        self.loss = 0.0
        """Part of the packets that never arrive, 0 to 1."""
        self.jitter_s = 0.0
        """Each frame is delayed by a random time up to this."""
        self._deliver = deliver
        self._random = randomness
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, int, Frame]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def send(self, track: int, frame: Frame) -> None:
        """Send a frame that is due now."""
        if not self.loss and not self.jitter_s and not self._waiting:
            self._deliver(track, frame)
            return
        # By frame, not by packet: in order, packets would only queue behind the latest one, all equally late.
        due = self._loop.time() + self._random.uniform(0, self.jitter_s)
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        for packet in frame.split():
            if self._random.random() < self.loss:
                continue
            if self.jitter_s or self._waiting:
                self._waiting.append((due, track, packet))
            else:
                self._deliver(track, packet)
        if self._waiting and self._timer is None:
            self._timer = self._loop.call_at(self._waiting[0][0], self._release)

    def stop(self) -> None:
        """Drop delayed frames."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _release(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            _, track, packet = self._waiting.popleft()
            self._deliver(track, packet)
        if self._waiting:
            self._timer = self._loop.call_at(self._waiting[0][0], self._release)
