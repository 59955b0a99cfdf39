"""Centres that pull, in a process of their own: what they have seen is asked through a pipe."""

import asyncio
import multiprocessing
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvloop

from bench.serving.stage import LOGIN
from vonggac.media.h26x import VideoCodec
from vonggac.media.keyframes import KeyframeDetector, Mark
from vonggac.media.rtp import parse_rtp
from vonggac.net.errors import PeerError
from vonggac.net.tls import SYSTEM_AUTHORITIES, TlsPolicy
from vonggac.net.url import RtspUrl
from vonggac.rtsp import MediaBatch, Player, Route, open_player
from vonggac.rtsp.wire.framing import FRAME_HEADER_BYTES

SPAWN = multiprocessing.get_context("spawn")
DEADLINE_S = 10.0
KEYFRAME_WITHIN_S = 8.0
APART_S = 0.02
"""Between two sessions that are opened: centres start on their own."""


@dataclass(frozen=True)
class Address:
    """Where one session is opened. `fingerprint`: of the certificate, inside TLS alone."""

    port: int
    path: str
    fingerprint: str | None = None

    def route(self) -> Route:
        url = f"{'rtsps' if self.fingerprint else 'rtsp'}://127.0.0.1:{self.port}{self.path}"
        tls = TlsPolicy(fingerprint_sha256=self.fingerprint) if self.fingerprint else SYSTEM_AUTHORITIES
        return Route(RtspUrl.parse(url), credentials=LOGIN, tls=tls)


class FirstKeyframe:
    """When the last packet of the first keyframe came."""

    def __init__(self) -> None:
        self._detector = KeyframeDetector(VideoCodec.H264)
        self._timestamp: int | None = None
        self.came: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def read(self, batch: MediaBatch) -> None:
        if self.came.done():
            return
        for channel, start, end in batch.frames:
            if channel != 0:
                continue
            packet = parse_rtp(batch.data, start + FRAME_HEADER_BYTES, end)
            payload = batch.data[packet.payload_start : packet.payload_end]
            mark = self._detector.push(payload, timestamp=packet.timestamp, marker=packet.marker)
            if mark is Mark.KEYFRAME:
                self._timestamp = packet.timestamp
            if packet.marker and packet.timestamp == self._timestamp:
                self.came.set_result(time.monotonic())
                return


class Pullers:
    """The sessions that are open. `lost`: those that their server ended."""

    def __init__(self) -> None:
        self._players: list[Player] = []
        self.lost = 0

    async def open_all(self, addresses: list[Address]) -> None:
        """They read, and throw away what comes."""
        for address in addresses:
            player = await open_player(
                address.route(), deadline_s=DEADLINE_S, on_media=lambda _: None, on_lost=self._note_lost
            )
            self._players.append(player)

    async def close_all(self) -> None:
        players, self._players = self._players, []
        await asyncio.gather(*(player.close() for player in players))

    async def time_first_keyframes(self, addresses: list[Address]) -> list[float]:
        """Milliseconds from before connecting to the whole first keyframe. Each session ends then."""
        timing = []
        for address in addresses:
            timing.append(asyncio.create_task(self._time_one(address)))
            await asyncio.sleep(APART_S * random.uniform(0.5, 1.5))
        return list(await asyncio.gather(*timing))

    async def _time_one(self, address: Address) -> float:
        first, began = FirstKeyframe(), time.monotonic()
        player = await open_player(address.route(), deadline_s=DEADLINE_S, on_media=first.read)
        try:
            return 1000 * (await asyncio.wait_for(first.came, KEYFRAME_WITHIN_S) - began)
        finally:
            await player.close()

    def _note_lost(self, error: PeerError | None) -> None:
        # Without an error it is an end of our own.
        self.lost += error is not None


class PullersProcess:
    """The pullers as the bench has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_all(self, addresses: list[Address]) -> None:
        self._request("open", addresses)

    def close_all(self) -> int:
        """Return how many of them their server had ended."""
        return int(str(self._request("close")))

    def time_first_keyframes(self, addresses: list[Address]) -> list[float]:
        found = self._request("time", addresses)
        assert isinstance(found, list)
        return found

    def _request(self, what: str, addresses: list[Address] | None = None) -> object:
        self._connection.send((what, addresses or []))
        answer = self._connection.recv()
        if isinstance(answer, str):
            raise SystemExit(f"the pullers could not {what}: {answer}")
        return answer


@contextmanager
def pullers() -> Iterator[PullersProcess]:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    try:
        yield PullersProcess(ours)
    finally:
        process.terminate()
        process.join()


def _run(connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    uvloop.run(_serve(connection))


async def _serve(connection: Connection) -> None:
    running = Pullers()
    # In a thread: an event loop would make the pipe non-blocking, too small for what is sent.
    while True:
        what, addresses = await asyncio.to_thread(connection.recv)
        answer: object = None
        try:
            if what == "open":
                await running.open_all(addresses)
            elif what == "close":
                answer = running.lost
                await running.close_all()
            else:
                answer = await running.time_first_keyframes(addresses)
        except Exception as error:  # noqa: BLE001 - it is said, and the bench ends
            answer = f"{type(error).__name__}: {error}"
        await asyncio.to_thread(connection.send, answer)
