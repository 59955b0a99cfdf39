"""Ctrl-C: once to stop in order, twice to kill."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KILLED = 130
"""Exit status after the second signal, as of an interrupted command in a shell."""
SAME_WITHIN_S = 1.0
"""make and timeout repeat the terminal's signal: one that comes so soon is the same."""


@dataclass
class Stopping:
    """The signals so far, and what to call for them."""

    report: Callable[[str], None]
    kill: Callable[[], None] = field(default=lambda: None)
    """Called at the second signal; set by the starter of the processes."""
    asked: int = 0
    first_at_s: float = 0.0

    def received(self, task: "asyncio.Task[int]") -> None:
        if self.asked == 0:
            self.first_at_s = time.monotonic()
        elif time.monotonic() - self.first_at_s < SAME_WITHIN_S:
            return
        self.asked += 1
        if self.asked == 1:
            self.report("stopping in order (once more: kill everything)")
            task.cancel()
        else:
            self.report("killing everything")
            self.kill()


def run_stoppable(work: Coroutine[Any, Any, int], stopping: Stopping, *, stopped_status: int) -> int:
    """Exit status of `work`; `stopped_status` when a signal ended it in order, KILLED after a second one."""

    async def stoppable() -> int:
        task = asyncio.ensure_future(work)
        for number in SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, stopping.received, task)
        return await task

    try:
        status = asyncio.run(stoppable())
    except asyncio.CancelledError:
        status = stopped_status
    return KILLED if stopping.asked > 1 else status
