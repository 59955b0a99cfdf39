"""The tasks beside a service's API: started in an order, watched, stopped in an order.

A task that ends by itself ends the process: an orchestrator can restart a dead process, not a half dead one.
"""

import asyncio
import signal
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass

from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

CANCEL_WITHIN_S = 10.0


def end_process() -> None:
    """Ask this process to stop in order."""
    signal.raise_signal(signal.SIGTERM)


class TaskDiedError(RuntimeError):
    """A background task ended by itself; its own error is the cause."""


@dataclass(frozen=True, slots=True)
class _Supervised:
    task: asyncio.Task[None]
    ask_to_stop: Callable[[], None] | None
    stop_within_s: float


class TaskSupervisor:
    """Named tasks that must not end before they are stopped. `died` says in one line which one did."""

    def __init__(self, on_death: Callable[[], None] | None = end_process) -> None:
        """`on_death` is called once when a task ends by itself; None for callers of `run_until`, which raises then."""
        self.died: str | None = None
        self._on_death = on_death
        self._supervised: dict[str, _Supervised] = {}
        self._death = asyncio.Event()
        self._error: BaseException | None = None

    def start(
        self,
        name: str,
        work: Coroutine[object, object, None],
        *,
        ask_to_stop: Callable[[], None] | None = None,
        stop_within_s: float = CANCEL_WITHIN_S,
    ) -> None:
        """Run `work` as a task.

        At its stop `ask_to_stop` is called, and `work` has to return within `stop_within_s`. Without it, or when a task
        has died, `work` is cancelled at once.
        """
        task = asyncio.create_task(work, name=name)
        self._supervised[name] = _Supervised(task, ask_to_stop, stop_within_s)
        task.add_done_callback(self._ended)

    async def check(self) -> str | None:
        """Readiness: None while every task lives, otherwise one line."""
        return self.died

    async def run_until(self, stopped: asyncio.Event) -> None:
        """Return when `stopped` is set. Raises TaskDiedError when a task ended first."""
        waits = [asyncio.create_task(event.wait()) for event in (stopped, self._death)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self.died is not None:
            raise TaskDiedError(self.died) from self._error

    async def stop(self, *names: str) -> None:
        """Stop the tasks named, all at once.

        Bounded, as `stop_all` is: a task that neither returns nor ends when it is cancelled is logged and left behind.
        """
        await asyncio.gather(*(self._stop(name) for name in names))

    async def stop_all(self, *, keep: Collection[str] = ()) -> None:
        """Stop the tasks that still run, one by one, the last started first; leave those of `keep` running."""
        for name in reversed([name for name in self._supervised if name not in keep]):
            await self._stop(name)

    async def _stop(self, name: str) -> None:
        supervised = self._supervised.pop(name)
        task = supervised.task
        task.remove_done_callback(self._ended)
        try:
            if supervised.ask_to_stop is not None and self.died is None:
                supervised.ask_to_stop()
                await self._wait(task, supervised.stop_within_s)
        finally:
            task.cancel()
        await self._wait(task, CANCEL_WITHIN_S)
        if (
            task.done()
            and not task.cancelled()
            and (error := task.exception()) is not None
            and error is not self._error
        ):
            log.error("background_task_failed", task=name, exc_info=error)

    async def _wait(self, task: asyncio.Task[None], within_s: float) -> None:
        _, late = await asyncio.wait({task}, timeout=within_s)
        if late:
            log.error("background_task_late", task=task.get_name(), within_s=within_s)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self.died is not None:
            return
        self._error = None if task.cancelled() else task.exception()
        self.died = _describe_death(task.get_name(), self._error)
        self._death.set()
        if self._on_death is not None:
            log.critical("background_task_died", task=task.get_name(), exc_info=self._error)
            self._on_death()


def _describe_death(name: str, error: BaseException | None) -> str:
    if isinstance(error, TaskDiedError):
        # Of a supervisor within: that one names the task.
        return str(error)
    return f"the task {name} has ended" if error is None else f"the task {name} has died of {type(error).__name__}"


async def run_unless(stopped: asyncio.Event, work: Coroutine[object, object, None]) -> bool:
    """Run `work` to its end; False when `stopped` was set first, which cancels it. Raises what `work` raises."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finished = working.done()
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.wait({working, stopping})
    if finished:
        working.result()
    return finished
