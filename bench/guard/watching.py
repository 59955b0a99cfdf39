"""What an attack does to a service, seen from outside: its memory, and how long its event loop answers nobody.

The watch is a process of its own, so that no attack's own work is taken for a service's silence. Each question goes to
the service and, at the same moment, to an idle process (`bench.guard.idle`): what that one waits, the machine is to
blame for.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from bench.guard.attacks import Target

EVERY_S = 0.01
ANSWER_WITHIN_S = 10.0
MIB = 2**20


@dataclass
class Watched:
    """Peak memory in MiB above the beginning, and waits for `/livez` in milliseconds.

    `stall_ms`: the longest, less what the idle process beside it waited in that moment, or less the time in which the
    service's main thread or the watch were ready to run and had no processor, whichever is more.
    """

    growth_mb: float = 0.0
    stall_ms: float = 0.0
    silence_ms: float = 0.0
    """The longest as it was."""
    idle_ms: float = 0.0
    """The longest of the idle process."""
    unanswered: int = 0
    children_mb: float = 0.0
    """The most that its children took together."""


class Watch:
    """One service, watched by another process from `begin` on for some seconds."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def begin(cls, target: Target, pid: int, seconds: float) -> "Watch":
        """Returns once it watches."""
        words = (target.host, str(target.port), str(pid), str(seconds))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.guard.watching", *words, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"watching\n", "the watch did not begin"
        return cls(process)

    async def end(self) -> Watched:
        """What it saw, once its time is over."""
        assert self._process.stdout is not None
        seen = json.loads(await self._process.stdout.readline())
        await self._process.wait()
        return Watched(**seen)


class _Connection:
    """`/livez` on one connection, a new one where that is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def wait_s(self) -> float | None:
        """How long the answer took; None when there was none."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(*self._address)
                reader, writer = self._streams
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                await reader.readexactly(_length(await reader.readuntil(b"\r\n\r\n")))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            self.close()
            return None
        return time.monotonic() - began

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def watch(target: Target, pid: int, seconds: float) -> Watched:
    """Ask every 10 ms; says `watching` once it does."""
    process, seen = psutil.Process(pid), Watched()
    idle = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.guard.idle", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert idle.stdout is not None
    assert idle.stdin is not None
    service, beside = _Connection(target.host, target.port), _Connection("127.0.0.1", int(await idle.stdout.readline()))
    await beside.wait_s()
    kept = {child.pid for child in process.children(recursive=True)}
    before = _memory(process, kept)
    print("watching", flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        unserved_s = _without_processor_s(pid)
        took_s, idle_s = await asyncio.gather(service.wait_s(), beside.wait_s())
        unserved_s = _without_processor_s(pid) - unserved_s
        if took_s is None:
            seen.unanswered += 1
        else:
            blamed_s = max(unserved_s, idle_s or 0.0)
            seen.stall_ms = max(seen.stall_ms, (took_s - blamed_s) * 1000)
            seen.silence_ms = max(seen.silence_ms, took_s * 1000)
        seen.idle_ms = max(seen.idle_ms, (idle_s or 0.0) * 1000)
        seen.growth_mb = max(seen.growth_mb, (_memory(process, kept) - before) / MIB)
        seen.children_mb = max(seen.children_mb, _memory_of(process.children(recursive=True)) / MIB)
        await asyncio.sleep(EVERY_S)
    for connection in (service, beside):
        connection.close()
    idle.stdin.close()
    await idle.wait()
    return seen


def _without_processor_s(pid: int) -> float:
    """How long the main threads of the service and of this program have waited for a processor, since they began."""
    waited = (Path(f"/proc/{one}/task/{one}/schedstat").read_text("ascii").split()[1] for one in (pid, os.getpid()))
    return sum(map(int, waited)) / 1e9


def _memory(process: psutil.Process, kept: set[int]) -> int:
    """With its child processes that were there before, which decode and unpack for it.

    One that opens a single file has a limit of its own, and goes with it.
    """
    return _memory_of([process, *(child for child in process.children(recursive=True) if child.pid in kept)])


def _memory_of(processes: Iterable[psutil.Process]) -> int:
    total = 0
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def main() -> None:
    """Arguments: host, port, process id, seconds. Prints what was seen as one line of JSON."""
    host, port, pid, seconds = sys.argv[1:]
    seen = asyncio.run(watch(Target(host, int(port), ""), int(pid), float(seconds)))
    print(json.dumps(asdict(seen)), flush=True)


if __name__ == "__main__":
    main()
