"""The delay that the forwarder adds: from a camera's RTP packet to the same packet at each destination.

One process plays some cameras directly and is their destinations too, so that both arrivals are read from one clock and
wait equally for its event loop. The direct session is opened first: the camera writes to it first, so the delay is
never measured too small by that. Packets are matched by sequence number; a packet arrives with its last byte.
"""

import asyncio
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import uvloop

from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Route, open_player
from vonggac.rtsp.wire.framing import Deframer
from vonggac.rtsp.wire.messages import Headers, Request, Response

SPAWN = multiprocessing.get_context("spawn")


class Arrivals:
    """When packets came, directly and relayed, and the differences in milliseconds."""

    def __init__(self) -> None:
        self.counting = False
        self.added_ms: list[float] = []
        self.lost = 0
        """Sequence numbers that no relayed packet had, also where the destination was connected anew."""
        self._last: dict[int, int] = {}
        self._direct: dict[tuple[int, int], float] = {}
        self._early: dict[tuple[int, int], list[float]] = {}

    def direct(self, number: int, batch: MediaBatch) -> None:
        now = time.monotonic()
        for sequence in _sequences(batch):
            key = number, sequence
            self._direct[key] = now
            for relayed in self._early.pop(key, ()):
                self._add(relayed - now)

    def begin(self) -> None:
        """Count from now on, from nothing."""
        self.added_ms, self.lost, self.counting = [], 0, True

    def relayed(self, number: int, batch: MediaBatch) -> None:
        now = time.monotonic()
        for sequence in _sequences(batch):
            if self.counting:
                self.lost += (sequence - self._last.get(number, sequence - 1) - 1) & 0xFFFF
            self._last[number] = sequence
            key = number, sequence
            came = self._direct.get(key)
            if came is None:
                self._early.setdefault(key, []).append(now)
            else:
                self._add(now - came)

    def _add(self, seconds: float) -> None:
        if self.counting:
            self.added_ms.append(1000 * seconds)


def _sequences(batch: MediaBatch) -> list[int]:
    """Sequence numbers of the RTP packets; channel 1 is RTCP."""
    return [
        int.from_bytes(batch.data[start + 6 : start + 8]) for channel, start, _end in batch.frames if channel % 2 == 0
    ]


class MeasuringSink(asyncio.Protocol):
    """A destination that notes when packets come. The path of what is announced is the camera's number."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals, self._deframer, self._number = arrivals, Deframer(), -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        for item in self._deframer.feed(data):
            if isinstance(item, MediaBatch):
                self._arrivals.relayed(self._number, item)
            elif isinstance(item, Request):
                self._answer(item)

    def _answer(self, request: Request) -> None:
        headers = Headers([("CSeq", str(request.cseq)), ("Session", "bench;timeout=600")])
        if request.method == "ANNOUNCE":
            self._number = int(urlsplit(request.uri).path.strip("/"))
        if request.method == "SETUP":
            headers.add_field("Transport", request.headers.get("Transport") or "")
        self._transport.write(Response(200, "OK", headers, b"").encode())


@contextmanager
def measuring(cameras: dict[int, str], ports: Sequence[int]) -> Iterator[Connection]:
    """Play `cameras` (number: URL) and listen at `ports`; `ask` the connection for delays."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_run, args=(cameras, ports, theirs), daemon=True)
    process.start()
    try:
        assert ours.recv() == "ready"
        yield ours
    finally:
        process.terminate()
        process.join()


def added_ms(connection: Connection, seconds: float) -> list[float]:
    """The added delays of `seconds` from now on, sorted."""
    return added_and_lost(connection, seconds)[0]


def added_and_lost(connection: Connection, seconds: float) -> tuple[list[float], int]:
    """The added delays of `seconds` from now on, sorted, and the relayed packets that never came."""
    connection.send("count")
    time.sleep(seconds)
    connection.send("read")
    delays, lost = connection.recv()
    return sorted(delays), int(lost)


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _run(cameras: dict[int, str], ports: Sequence[int], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(cameras, ports, connection))


async def _serve(cameras: dict[int, str], ports: Sequence[int], connection: Connection) -> None:
    loop, arrivals = asyncio.get_running_loop(), Arrivals()
    players = []
    for number, url in cameras.items():

        def note(batch: MediaBatch, number: int = number) -> None:
            arrivals.direct(number, batch)

        players.append(await open_player(Route(RtspUrl.parse(url)), deadline_s=10, on_media=note))
    for port in ports:
        await loop.create_server(lambda: MeasuringSink(arrivals), "127.0.0.1", port, backlog=1024)

    connection.send("ready")
    # In a thread: an event loop would make the pipe non-blocking, too small for what is sent.
    while True:
        if await asyncio.to_thread(connection.recv) == "count":
            arrivals.begin()
        else:
            arrivals.counting = False
            await asyncio.to_thread(connection.send, (arrivals.added_ms, arrivals.lost))
