"""One clock for all cameras of a process.

Each camera is checked once a second, and shortly before some of its keyframes. With a timer each, the check's code
would have left the processor's caches by the next one and cost several times as much; all at once would hold the media
up. So the cameras are split into a few groups, and what is due soon goes along with the next one.
"""

import asyncio
import math
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from vonggac.telemetry.awake import read_clocks

TICK_S = 1.0
GROUPS = 8
SAMPLES = 4
STOOD_STILL_S = 2.0
"""So late is only a process that slept, or got no processor."""

type Tick = Callable[[], None]


class Alarm:
    """One call that is due. Nothing happens once it is cancelled."""

    __slots__ = ("_call",)

    def __init__(self, call: Tick) -> None:
        self._call: Tick | None = call

    def cancel(self) -> None:
        """Harmless when it was called already."""
        self._call = None

    def ring(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class Ticker:
    """Calls every added function once a second. Runs a timer only while there is one, or an alarm."""

    def __init__(self, *, interval_s: float = TICK_S) -> None:
        self._step_s = interval_s / GROUPS
        self._groups: list[dict[Tick, None]] = [{} for _ in range(GROUPS)]
        self._alarms: list[tuple[float, int, Alarm]] = []
        """When each is due, and its number: no two are equal."""
        self._numbers = count()
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due_s, self._stood_still_until_s = math.inf, -math.inf

    def add(self, tick: Tick) -> None:
        min(self._groups, key=len)[tick] = None
        self._start()

    def add_sampling(self, sample: Tick) -> None:
        """Call `sample` four times in each interval, as `add` does once."""
        first = self._groups.index(min(self._groups[: GROUPS // SAMPLES], key=len))
        for group in self._groups[first :: GROUPS // SAMPLES]:
            group[sample] = None
        self._start()

    def remove(self, tick: Tick) -> None:
        """Harmless when it was not added."""
        for group in self._groups:
            group.pop(tick, None)
        self._stop_if_idle()

    def call_by(self, delay_s: float, call: Tick) -> Alarm:
        """Call `call` once: in `delay_s`, or up to an eighth of a second earlier; with 0 the next time."""
        alarm = Alarm(call)
        heappush(self._alarms, (asyncio.get_running_loop().time() + delay_s, next(self._numbers), alarm))
        self._start()
        return alarm

    def stood_still_until_s(self) -> float:
        """Return until when (monotonic) this process stood still last: now if nothing was called since, -inf if never.

        What a peer does with a session of that time is no fault of the peer. Known only while there is something to
        call.
        """
        self._note_lateness()
        return self._stood_still_until_s

    def _note_lateness(self) -> None:
        # The clock that goes on while a machine is suspended; what the peer did comes before the timer's turn.
        elapsed_s = read_clocks()[1]
        if self._timer is not None and elapsed_s - self._due_s >= STOOD_STILL_S:
            self._stood_still_until_s = time.monotonic()

    def _start(self) -> None:
        if self._timer is None:
            self._start_timer()

    def _start_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._step_s, self._fire)
        self._due_s = read_clocks()[1] + self._step_s

    def _stop_if_idle(self) -> None:
        if self._timer is not None and not self._alarms and not any(self._groups):
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._note_lateness()
        self._start_timer()
        next_s = asyncio.get_running_loop().time() + self._step_s
        due: list[Alarm] = []
        while self._alarms and self._alarms[0][0] <= next_s:
            due.append(heappop(self._alarms)[2])
        for alarm in due:
            alarm.ring()
        group, self._next = self._groups[self._next], (self._next + 1) % GROUPS
        for tick in list(group):
            tick()
        self._stop_if_idle()
