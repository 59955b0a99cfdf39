"""Starting dead parts of the platform again: with back-off, said in a line, and not without end."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from local.platform.process import ProcessEndedError
from local.platform.progress import Progress
from vonggac.embedded import ServerError

POLL_S = 0.1
WINDOW_S = 60.0
MOST_DEATHS = 5
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 8.0


@dataclass
class Deaths:
    """The deaths of one part within the last minute."""

    at_s: deque[float] = field(default_factory=deque)

    def another(self, now_s: float) -> float | None:
        """Seconds to wait before the next start; None when it was one death too many."""
        self.at_s.append(now_s)
        while now_s - self.at_s[0] > WINDOW_S:
            self.at_s.popleft()
        if len(self.at_s) >= MOST_DEATHS:
            return None
        return min(FIRST_DELAY_S * float(2 ** (len(self.at_s) - 1)), LONGEST_DELAY_S)


class Part(Protocol):
    """A process that must run."""

    name: str

    def require_running(self) -> None:
        """Raise ProcessEndedError when it was started to last and has ended."""

    def kill(self) -> None:
        """SIGKILL, now."""


type StartAgain = Callable[[Part], Awaitable[None]]
"""Start a dead part and wait until it is ready. Raises ProcessEndedError, ServerError or OSError."""


class Supervisor:
    """Watches parts until cancelled; each has its own back-off, and none waits for another."""

    def __init__(
        self, progress: Progress, start_again: StartAgain, has_room: Callable[[], bool] = lambda: True
    ) -> None:
        """`has_room`: whether the disk has room for what the parts write."""
        self._progress, self._start_again, self._has_room = progress, start_again, has_room

    async def run(self, parts: Iterable[Part]) -> None:
        """Keep the parts running. Raises ProcessEndedError, with the reason, when one has died MOST_DEATHS times within
        WINDOW_S."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    group.create_task(self._keep_running(part), name=f"supervise-{part.name}")
        except* ProcessEndedError as errors:
            raise errors.exceptions[0] from None

    async def _keep_running(self, part: Part) -> None:
        deaths = Deaths()
        while True:
            reason = await _death(part)
            if self._has_room():
                await self._back_off(part, deaths, reason)
            else:
                await self._wait_for_room(part, reason)
            try:
                await self._start_again(part)
            except (ProcessEndedError, ServerError, OSError) as error:
                # Whatever came of the start is dead, and counts as another death.
                self._progress.step(part.name, in_a_line(str(error)))
                part.kill()

    async def _back_off(self, part: Part, deaths: Deaths, reason: str) -> None:
        """Wait before the next start. Raises ProcessEndedError when it was one death too many."""
        delay_s = deaths.another(time.monotonic())
        if delay_s is None:
            msg = f"{reason}\n{part.name} has ended {MOST_DEATHS} times within {WINDOW_S:.0f} s: giving up"
            raise ProcessEndedError(msg)
        count = f"{len(deaths.at_s)} of at most {MOST_DEATHS - 1} within {WINDOW_S:.0f} s"
        self._progress.step(part.name, f"{in_a_line(reason)}; starting it again in {delay_s:g} s ({count})")
        await asyncio.sleep(delay_s)

    async def _wait_for_room(self, part: Part, reason: str) -> None:
        """Wait while the disk is full: that is no fault of the part's and counts as no death, however long it lasts."""
        self._progress.step(part.name, f"{in_a_line(reason)}; the disk is full: it starts again once there is room")
        while True:
            await asyncio.sleep(POLL_S)
            if self._has_room():
                return


def in_a_line(reason: str) -> str:
    """How a part ended, and where to read on, without the lines of its log."""
    return reason.partition("\n")[0].replace("; the last lines of ", "; see ").removesuffix(":")


async def _death(part: Part) -> str:
    """Wait for it; what is to be said about it."""
    while True:
        try:
            part.require_running()
        except ProcessEndedError as ended:
            return str(ended)
        await asyncio.sleep(POLL_S)
