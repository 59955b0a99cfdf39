"""The prober's side of decoding: a few processes that stay, each with one keyframe at a time; who dies is replaced."""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from prober.domain.picture import PictureHistory
from prober.probes.decoding.answers import BrokenMessageError, decode_answer
from prober.probes.decoding.messages import LENGTHS, MOST_BYTES, MOST_JSON_BYTES, READY, Request
from prober.probes.decoding.picture import Picture, Undecodable
from prober.probes.decoding.size import refuse_too_large
from vonggac.children.limits import Limits
from vonggac.children.pace import StartPace
from vonggac.children.process import ChildProcess
from vonggac.events import Cause
from vonggac.media.h26x import VideoCodec
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MEMORY_BYTES = 384 << 20
"""40 million pixels of 8 bits take 250 MiB, the process itself 90 MiB."""
CPU_S, WITHIN_S = 5, 10.0
"""Of one keyframe; the largest takes half a second."""
STARTS_AT_ONCE, START_EVERY_S = 6, 2.0
STARTS_WITHIN_S = 60.0
_SEND_BUFFER_BYTES = 1 << 20
_MODULE = "prober.probes.decoding.child"

type Result = Picture | Undecodable


@dataclass(frozen=True, slots=True)
class _Job:
    request: Request
    result: asyncio.Future[Result]


class Decoder:
    """`decode` at any time; processes start with the first keyframe, or with `start`. Call `close` at the end."""

    def __init__(
        self,
        processes: int,
        *,
        memory_bytes: int = MEMORY_BYTES,
        within_s: float = WITHIN_S,
        on_death: Callable[[], None] | None = None,
    ) -> None:
        """`within_s`: a process that needs longer for one keyframe is ended. `on_death` is called when one dies."""
        self._limits, self._within_s, self._on_death = Limits(memory_bytes, CPU_S), within_s, on_death
        self._processes = processes
        self._pace = StartPace(processes + STARTS_AT_ONCE, every_s=START_EVERY_S)
        self._waiting: deque[_Job] = deque()
        self._free: list[_Link] = []
        self._links: set[_Link] = set()
        self._children: list[ChildProcess] = []
        self._keeping: list[asyncio.Task[None]] = []

    @property
    def process_ids(self) -> list[int]:
        """Of the processes that run."""
        return [child.process_id for child in self._children]

    @property
    def busy(self) -> int:
        """Processes that have a keyframe now."""
        return sum(link.busy for link in self._links)

    def start(self) -> None:
        """Start the processes, once."""
        if not self._keeping:
            loop = asyncio.get_running_loop()
            self._keeping = [loop.create_task(self._keep(), name="decoder") for _ in range(self._processes)]

    def decode(
        self,
        codec: VideoCodec,
        nals: Sequence[bytes],
        *,
        taken_at: datetime | None = None,
        history: PictureHistory | None = None,
        jpeg_width: int | None = None,
    ) -> asyncio.Future[Result]:
        """Decode an access unit (NAL units without start code) that holds a keyframe and its parameter sets.

        `taken_at` (aware UTC): when the keyframe was captured, now when not given. `history`: what it is judged beside.
        `jpeg_width`: for a person who views it, a JPEG at most so wide.

        Cancelling gives up waiting; a picture already in a process is finished there and thrown away.
        """
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        refused = refuse_too_large(codec, nals)
        if refused is not None:
            result.set_result(refused)
            return result
        self.start()
        self._waiting.append(_Job(Request(codec, nals, taken_at or datetime.now(UTC), history, jpeg_width), result))
        self._hand_out()
        return result

    async def close(self) -> None:
        """End all processes; what is in them is lost."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        for job in self._waiting:
            job.result.cancel()

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            if self._waiting[0].result.done():
                self._waiting.popleft()
                continue
            # The one that was used last has the warmest memory.
            link = self._free.pop()
            if link.usable:
                link.send(self._waiting.popleft())

    def _add_free(self, link: "_Link") -> None:
        self._free.append(link)
        self._hand_out()

    async def _keep(self) -> None:
        """One process, and after its death the next one, until cancelled."""
        while True:
            await self._pace.wait()
            try:
                child = await ChildProcess.start(_MODULE, self._limits, socket.SOCK_STREAM)
            except Exception as error:
                # No memory or no process left, most likely: it is tried again at the pace.
                log.error("decoder_not_started", exc_info=error)
                continue
            self._children.append(child)
            try:
                await self._run(child)
            finally:
                self._children.remove(child)

    async def _run(self, child: ChildProcess) -> None:
        """Until it dies, or this is cancelled."""
        child.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        link = _Link(child, self._within_s, self._add_free)
        self._links.add(link)
        try:
            await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=child.socket)
            reason = await child.death()
            if self._on_death is not None:
                self._on_death()
            log.warning("decoder_died", reason=link.ended_for or reason)
            link.fail(link.ended_for or f"the decoder's process died of it: {reason}")
        finally:
            self._links.discard(link)
            with contextlib.suppress(ValueError):
                self._free.remove(link)
            link.close()
            child.kill()
            await child.death()


class _Link(asyncio.Protocol):
    """The connection to one process, and the keyframe that it has."""

    transport: asyncio.Transport

    def __init__(self, child: ChildProcess, within_s: float, on_free: "Callable[[_Link], None]") -> None:
        self.ended_for: str | None = None
        """Why we ended the process, for people."""
        self._child, self._within_s, self._on_free = child, within_s, on_free
        self._job: _Job | None = None
        self._ready = False
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = asyncio.get_running_loop().call_later(
            STARTS_WITHIN_S, self._end, "did not start"
        )

    @property
    def busy(self) -> bool:
        """Whether the process has a keyframe."""
        return self._job is not None

    @property
    def usable(self) -> bool:
        """Whether the process is there, as far as is known."""
        return self._child.running and not self.transport.is_closing()

    def send(self, job: _Job) -> None:
        """Only while it has none."""
        self._job = job
        self._timer = asyncio.get_running_loop().call_later(self._within_s, self._end, "took too long")
        self.transport.writelines(job.request.encode())

    def fail(self, reason: str) -> None:
        """Fail the keyframe of a process that is gone."""
        job = self._done()
        if job is not None and not job.result.done():
            job.result.set_result(Undecodable(reason, cause=Cause.DECODER_CRASHED))

    def close(self) -> None:
        """Give its keyframe up."""
        job = self._done()
        if job is not None:
            job.result.cancel()
        if hasattr(self, "transport"):
            self.transport.abort()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop has transports of its own.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        if len(received) < LENGTHS.size:
            return
        json_bytes, size = LENGTHS.unpack_from(received)
        if not self._ready and received == READY:
            self._ready = True
            received.clear()
            self._done()
            self._on_free(self)
            return
        if self._job is None or json_bytes > MOST_JSON_BYTES or size > MOST_BYTES:
            self._end("answered nonsense")
            return
        begin = LENGTHS.size + json_bytes
        if len(received) < begin + size:
            return
        described, rest = bytes(received[LENGTHS.size : begin]), bytes(received[begin:])
        received.clear()
        try:
            result = decode_answer(described, rest, self._job.request.history)
        except BrokenMessageError:
            self._end("answered nonsense")
            return
        job = self._done()
        if job is not None and not job.result.done():
            job.result.set_result(result)
        self._on_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        # Its death is seen by who waits for the process.
        self._child.kill()

    def _end(self, why: str) -> None:
        self.ended_for = f"the decoder's process {why} and was ended"
        self._child.kill()

    def _done(self) -> _Job | None:
        if self._timer is not None:
            self._timer.cancel()
        job, self._job, self._timer = self._job, None, None
        return job
