"""Pullers and strangers that harm: silent, half open, many, guessing, and reading nothing. A process of their own."""

import asyncio
import contextlib
import multiprocessing
import os
import random
import re
import secrets
import signal
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager

import uvloop

from bench.serving.pullers import DEADLINE_S, Address
from bench.serving.stage import LOGIN
from vonggac.rtsp import Player, open_player

SPAWN = multiprocessing.get_context("spawn")
SILENT_PER_PORT = 150
STRANGERS_PER_S = 500
GUESSES_PER_S = 1000
GUESSERS = 20
TICK_S = 0.01
LAST_PRIORITY = 39
"""It is other machines: what it computes must not be taken from the workers. It gets what they and the rest leave."""
_NONCE = re.compile(rb'nonce="([^"]+)"')
_NONSENSE = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"$\x00\xff\xff" + b"a" * 1000,
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n",
    b"DESCRIBE rtsp://127.0.0.1/bench/C0 RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"",
)


class Counted:
    """What the flood has done so far, for both processes."""

    def __init__(self) -> None:
        self.connections = SPAWN.Value("L", 0, lock=False)
        self.guesses = SPAWN.Value("L", 0, lock=False)


class Flood:
    """All of it at once, until cancelled. `ports`: RTSP and RTSPS; `unread`: sessions that play and read nothing."""

    def __init__(self, ports: tuple[int, ...], unread: list[Address], counted: "Counted") -> None:
        self._ports, self._unread, self._counted = ports, unread, counted
        self._players: list[Player] = []
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await asyncio.gather(
            self._read_nothing(),
            self._connect_often(),
            *(self._stay_silent(port) for port in self._ports for _ in range(SILENT_PER_PORT)),
            *(self._guess(f"127.0.1.{number + 1}") for number in range(GUESSERS)),
        )

    async def _read_nothing(self) -> None:
        while True:
            for address in self._unread:
                with contextlib.suppress(Exception):
                    player = await open_player(address.route(), deadline_s=DEADLINE_S, on_media=lambda _: None)
                    transport = player.connection.transport
                    transport.pause_reading()
                    self._players.append(player)
            # They are ended by their server within that time, and begin anew.
            await asyncio.sleep(15)

    async def _stay_silent(self, port: int) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                with contextlib.closing(writer):
                    await reader.read()
            await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _connect_often(self) -> None:
        while True:
            for _ in range(int(STRANGERS_PER_S * TICK_S)):
                self._start(self._be_strange(random.choice(self._ports)))
            await asyncio.sleep(TICK_S)

    async def _be_strange(self, port: int) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            self._counted.connections.value += 1
            writer.write(random.choice(_NONSENSE))
            await asyncio.sleep(random.uniform(0.0, 0.2))
            writer.transport.abort()

    async def _guess(self, address: str) -> None:
        """Wrong logins on one connection after another, for the right account."""
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._ports[0], local_addr=(address, 0))
                with contextlib.closing(writer):
                    nonce = b""
                    while True:
                        writer.write(_describe(nonce))
                        answer = await reader.readuntil(b"\r\n\r\n")
                        self._counted.guesses.value += bool(nonce)
                        if found := _NONCE.search(answer):
                            nonce = found[1]
                        await asyncio.sleep(GUESSERS / GUESSES_PER_S)
            await asyncio.sleep(GUESSERS / GUESSES_PER_S)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)


def _describe(nonce: bytes) -> bytes:
    uri = b"rtsp://127.0.0.1/bench/C0"
    head = b"DESCRIBE %s RTSP/1.0\r\nCSeq: 2\r\n" % uri
    if nonce:
        words = LOGIN.username.encode(), nonce, uri, secrets.token_hex(16).encode()
        head += (
            b'Authorization: Digest username="%s", realm="Vong Gac", nonce="%s", uri="%s", response="%s"\r\n' % words
        )
    return head + b"\r\n"


@contextmanager
def flood(ports: tuple[int, ...], unread: list[Address]) -> Iterator[Counted]:
    """While it is entered."""
    counted = Counted()
    process = SPAWN.Process(target=_run, args=(ports, unread, counted), daemon=True)
    process.start()
    try:
        yield counted
        if not process.is_alive():
            raise SystemExit("the flood ended by itself")
    finally:
        process.terminate()
        process.join()


def _run(ports: tuple[int, ...], unread: list[Address], counted: Counted) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(LAST_PRIORITY)
    uvloop.run(Flood(ports, unread, counted).run())
