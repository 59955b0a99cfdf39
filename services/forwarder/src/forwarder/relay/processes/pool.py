"""The parent of several worker processes: it forwards nothing itself, keeps them running, and speaks for them."""

import asyncio
import socket
import sys
import time
from uuid import UUID, uuid4

from pydantic import SecretStr

from forwarder.domain.backoff import delay_s
from forwarder.messaging import StatusBoard
from forwarder.relay.assignment.membership import Presence
from forwarder.relay.processes.link import Asker, Link, LinkError
from forwarder.relay.processes.merging import Merged
from forwarder.relay.service import surroundings_of
from forwarder.settings import Settings
from vonggac.bus import Bus
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

ANSWER_WITHIN_S = 2.0
GOOD_S = 60.0
KILL_AFTER_S = 3.0
"""Beyond `stop_within_s`: a child that still runs then will not end of its own accord."""


class Child:
    """One worker process and the way to ask it."""

    def __init__(self, process: asyncio.subprocess.Process, link: Link) -> None:
        self.process = process
        self._link = link
        self._asker = Asker(link)
        self._listening = asyncio.create_task(self._asker.run(), name=f"listen-{process.pid}")

    @classmethod
    async def start(cls, settings: Settings) -> "Child":
        """Raises OSError when the system has no room for another process."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "forwarder.relay.processes.child",
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                )
        except BaseException:
            ours.close()
            raise
        link = await Link.of(ours)
        link.send({name: _plain(value) for name, value in settings})
        return cls(process, link)

    async def ask(self, question: str) -> object:
        """Raises LinkError."""
        return await self._asker.ask(question, within_s=ANSWER_WITHIN_S)

    async def close(self) -> None:
        """After its end."""
        self._listening.cancel()
        await asyncio.wait({self._listening})
        self._link.close()


class Pool:
    """`settings.workers` children. Like a Process: `run` until `stop`.

    `bus`, `board` and `presence` are None until NATS was there. `merged` has the children's metrics as of the last
    `refresh`.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises OSError or ValueError when the private key cannot be read."""
        self._chance = surroundings_of(settings).chance
        self.worker_id = f"forwarder-pool-{uuid4().hex[:12]}"
        self.bus: Bus | None = None
        self.board: StatusBoard | None = None
        self.presence: Presence | None = None
        self.failed = False
        self.merged = Merged()
        self.children: dict[int, Child] = {}
        self._settings = settings
        self._stopped = asyncio.Event()

    async def check(self) -> str | None:
        """Readiness: None when every worker process fetches jobs, otherwise one line about the first that does not."""
        if self.bus is None:
            return "waiting for NATS and its streams"
        for number in range(self._settings.workers):
            child = self.children.get(number)
            try:
                reason = "starting" if child is None else await child.ask("check")
            except LinkError as error:
                reason = str(error)
            if reason is not None:
                return f"worker process {number + 1} of {self._settings.workers}: {reason}"
        return await self.bus.check()

    async def live(self, delivery_id: UUID | None = None) -> list[DeliveryObservedV1]:
        """The deliveries that the children hold, or this one of them; without those of a child that does not answer."""
        answers = await asyncio.gather(*(self._asked(number, "live") for number in list(self.children)))
        told = [DeliveryObservedV1.model_validate(each) for answer in answers for each in answer]
        return [observed for observed in told if delivery_id in {None, observed.delivery_id}]

    async def refresh(self) -> None:
        """Ask the children for their metrics; of one that does not answer, only what it had counted stays."""
        numbers = list(self.children)
        answers = await asyncio.gather(*(self._asked(number, "metrics") for number in numbers))
        for number, families in zip(numbers, answers, strict=True):
            if number not in self.children:
                continue
            if families:
                self.merged.take(number, families)
            else:
                self.merged.unanswered(number)
        self.merged.running = len(self.children)

    def stop(self) -> None:
        """Ask `run` to end in order."""
        self._stopped.set()

    async def run(self) -> None:
        """Keep the children running until `stop`, then let them hand over. Raises what is a mistake of ours."""
        stopped = asyncio.create_task(self._stopped.wait())
        following = asyncio.create_task(self._follow(), name="follow-statuses")
        keeping = [
            asyncio.create_task(self._keep(n), name=f"worker-process-{n}") for n in range(self._settings.workers)
        ]
        try:
            await asyncio.wait({stopped, following, *keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopped.set()
            await asyncio.wait({stopped, *keeping})
            following.cancel()
            await asyncio.wait({following})
            if self.bus is not None:
                await self.bus.close()
        for task in (following, *keeping):
            if not task.cancelled():
                task.result()

    async def _follow(self) -> None:
        self.bus = await Bus.connect(self._settings, name=self.worker_id)
        await self.bus.wait_for_topology()
        self.board = StatusBoard(self.bus, lambda _: None)
        self.presence = Presence(self.bus, self.worker_id, time.monotonic)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.board.run())
            group.create_task(self.presence.run())

    async def _keep(self, number: int) -> None:
        """Start a child, and another one when it ends, with growing pauses while none lives for a minute."""
        loop, failures = asyncio.get_running_loop(), 0
        while not self._stopped.is_set():
            began = loop.time()
            code = await self._live_through(number)
            if self._stopped.is_set():
                return
            failures = 1 if loop.time() - began >= GOOD_S else failures + 1
            # The first one is started at once: its cameras wait.
            pause_s = delay_s(failures - 1, self._chance()) if failures > 1 else 0.0
            log.error("worker_process_ended", number=number + 1, code=code, restart_in_s=round(pause_s, 2))
            self.merged.restarts += 1
            await self._stopped_within(pause_s)

    async def _live_through(self, number: int) -> int | None:
        """One child from its start to its end; its exit code, below 0 for a signal, None when it could not start."""
        try:
            child = await Child.start(self._settings)
        except OSError as error:
            log.error("worker_process_not_started", number=number + 1, error=type(error).__name__)
            return None
        self.children[number] = child
        log.info("worker_process_started", number=number + 1, pid=child.process.pid)
        ending = asyncio.create_task(child.process.wait())
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({ending, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                child.process.terminate()
                await asyncio.wait({ending}, timeout=self._settings.stop_within_s + KILL_AFTER_S)
            return ending.result() if ending.done() else None
        finally:
            stopped.cancel()
            if not ending.done():
                log.error("worker_process_killed", number=number + 1)
                child.process.kill()
            await asyncio.wait({ending, stopped})
            del self.children[number]
            self.merged.gone(number)
            await child.close()

    async def _stopped_within(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._stopped.wait()
        except TimeoutError:
            return

    async def _asked(self, number: int, question: str) -> list[object]:
        try:
            answer = await self.children[number].ask(question)
        except (KeyError, LinkError) as error:
            log.warning("worker_process_unanswered", number=number + 1, question=question, error=str(error))
            return []
        return answer if isinstance(answer, list) else []


def _plain(value: object) -> object:
    """A setting as JSON has it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return list(value) if isinstance(value, tuple) else str(value)
