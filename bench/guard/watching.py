"""What an attack does to a service, seen from outside: its memory, and how long its event loop answers nobody."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

import psutil

from bench.guard.attacks import Target

EVERY_S = 0.01
MIB = 2**20


@dataclass
class Watched:
    """Peak memory in MiB above the beginning, and the longest wait for `/livez` in milliseconds."""

    growth_mb: float = 0.0
    stall_ms: float = 0.0
    unanswered: int = 0


async def watch(target: Target, pid: int, seconds: float) -> Watched:
    """Ask `/livez` every 10 ms on one connection, a new one where that is closed. Waiting for the CPU counts too."""
    process, seen = psutil.Process(pid), Watched()
    before = _memory(process)
    until = time.monotonic() + seconds
    reader = writer = None
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            async with asyncio.timeout(10):
                if writer is None:
                    reader, writer = await asyncio.open_connection(target.host, target.port)
                assert reader is not None
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(_length(head))
            seen.stall_ms = max(seen.stall_ms, (time.monotonic() - began) * 1000)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            if writer is not None:
                writer.close()
            writer = None
            seen.unanswered += 1
        seen.growth_mb = max(seen.growth_mb, (_memory(process) - before) / MIB)
        await asyncio.sleep(EVERY_S)
    if writer is not None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return seen


def _memory(process: psutil.Process) -> int:
    """With its child processes, which decode and unpack for it."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += one.memory_info().rss
    return total


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
