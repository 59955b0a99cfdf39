"""The processes that unpack streams: started when needed, few streams each, ended when they do not answer."""

import asyncio
import itertools
import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from forwarder.relay.demux.request import RemuxRequest
from vonggac.children.limits import Limits
from vonggac.children.pace import StartPace
from vonggac.children.process import ChildProcess
from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

LETS_GO_WITHIN_S = 2.0
"""How long a child may take to let a stream go; then it is taken to hang in the native library."""
BASE_BYTES, STREAM_BYTES = 128 << 20, 64 << 20
"""What a child may take: for itself, and for each stream (its thread's stack of 8 MiB included)."""
STARTS_AT_ONCE, START_EVERY_S = 64, 1.0
_ENDS_WITHIN_S = 1.0
_NUMBER_BYTES = 8


class StreamEnd(asyncio.Protocol):
    """The parent's end of a stream. `gone` is done when the connection is: when we or the child have closed it."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()


@dataclass(eq=False, slots=True)
class _Child:
    process: ChildProcess
    streams: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    """Done when the child has let that stream go."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    deaf: bool = False
    """It takes no requests any more."""


class RemuxPool:
    """Hands streams to children. `open` gives the parent's end of a stream; `close` ends all."""

    def __init__(self, *, streams_per_process: int = 8) -> None:
        self.died = 0
        """Children that ended without being asked to, or had to be killed."""
        self._streams_per_process = streams_per_process
        self._children: list[_Child] = []
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self._pace = StartPace(STARTS_AT_ONCE, every_s=START_EVERY_S)
        self._guards: set[asyncio.Task[None]] = set()

    @property
    def process_ids(self) -> list[int]:
        return [child.process.process_id for child in self._children]

    async def open[P: StreamEnd](self, request: RemuxRequest, make: Callable[[], P]) -> P:
        """Open a connection, spoken by `make`'s protocol, to a child that unpacks what is written to it.

        Raises PeerError internal_error when no process takes it.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                number, child = next(self._numbers), await self._with_room()
                data = json.dumps({"number": number, **asdict(request)}).encode()
                socket.send_fds(child.process.socket, [data], [theirs.fileno()])
                # Not before: of a request that did not go out nothing is ever let go.
                child.streams[number] = loop.create_future()
                ours.setblocking(False)
                _, protocol = await loop.create_unix_connection(make, sock=ours)
            except OSError:
                ours.close()
                raise PeerError(Cause.INTERNAL_ERROR, "no process could take the media for unpacking") from None
            except BaseException:
                ours.close()
                raise
        guard = loop.create_task(self._guard(child, number, protocol), name=f"remux-stream-{number}")
        self._guards.add(guard)
        guard.add_done_callback(self._guards.discard)
        return protocol

    async def close(self) -> None:
        """End all children, bounded to about a second."""
        children = list(self._children)
        for child in children:
            child.process.end()
        tasks = [task for child in children for task in child.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=_ENDS_WITHIN_S)
            for child in children:
                child.process.kill()
            await asyncio.wait(tasks)
        if self._guards:
            await asyncio.wait(self._guards)

    async def _with_room(self) -> _Child:
        async with self._starting:
            for child in self._children:
                if len(child.streams) < self._streams_per_process and not (child.process.ending or child.deaf):
                    return child
            return await self._start()

    async def _start(self) -> _Child:
        # Processes that die one after the other would cost all of the CPU.
        await self._pace.wait()
        limits = Limits(BASE_BYTES + STREAM_BYTES * self._streams_per_process)
        # Every request is a message of its own, with the descriptor that belongs to it.
        child = _Child(await ChildProcess.start("forwarder.relay.demux.child", limits, socket.SOCK_SEQPACKET))
        self._children.append(child)
        loop = asyncio.get_running_loop()
        child.tasks = [
            loop.create_task(self._watch(child), name="remux-process"),
            loop.create_task(self._hear(child), name="remux-process-answers"),
        ]
        return child

    async def _watch(self, child: _Child) -> None:
        reason = await child.process.death()
        self._children.remove(child)
        # One that crashes beside others has released its streams by now, and was asked to end since it has none.
        if child.process.process.returncode or not child.process.ending:
            self.died += 1
            log.warning("remux_process_died", reason=reason)
            child.process.end()

    async def _hear(self, child: _Child) -> None:
        """Receive the numbers of streams that the child has released."""
        loop = asyncio.get_running_loop()
        try:
            while answer := await loop.sock_recv(child.process.socket, _NUMBER_BYTES):
                self._let_go(child, int.from_bytes(answer))
        except OSError:
            log.info("remux_process_disconnected", streams=len(child.streams))
        finally:
            child.deaf = True
            for number in list(child.streams):
                self._let_go(child, number)
            await child.process.death()
            child.process.socket.close()

    async def _guard(self, child: _Child, number: int, end: StreamEnd) -> None:
        """End a child that does not let a closed stream go, whatever else it does."""
        freed = child.streams.get(number)
        await asyncio.wait([end.gone])
        if freed is None:
            return
        _, hanging = await asyncio.wait([freed], timeout=LETS_GO_WITHIN_S)
        if hanging and child.process.running:
            log.warning("remux_process_hangs", streams=len(child.streams))
            child.process.kill()

    def _let_go(self, child: _Child, number: int) -> None:
        freed = child.streams.pop(number, None)
        if freed is not None and not freed.done():
            freed.set_result(None)
        if not child.streams and any(other is not child and not other.process.ending for other in self._children):
            child.process.end()
