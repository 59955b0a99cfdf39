"""What an attack does to a service, seen from outside: its memory, and how long its event loop answers nobody."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.guard.attacks import Target

EVERY_S = 0.01
MIB = 2**20


@dataclass
class Watched:
    """Peak memory in MiB above the beginning, and the longest wait for `/livez` in milliseconds.

    `busy_ms`: the longest without the time in which the service or this program was ready to run and had no processor.
    """

    growth_mb: float = 0.0
    stall_ms: float = 0.0
    busy_ms: float = 0.0
    unanswered: int = 0
    children_mb: float = 0.0
    """The most that its children took together."""


async def watch(target: Target, pid: int, seconds: float) -> Watched:
    """Ask `/livez` every 10 ms on one connection, a new one where that is closed. Waiting for the CPU counts too."""
    process, seen = psutil.Process(pid), Watched()
    kept = {child.pid for child in process.children(recursive=True)}
    before = _memory(process, kept)
    until = time.monotonic() + seconds
    reader = writer = None
    while time.monotonic() < until:
        unserved_s, began = _without_processor_s(pid), time.monotonic()
        try:
            async with asyncio.timeout(10):
                if writer is None:
                    reader, writer = await asyncio.open_connection(target.host, target.port)
                assert reader is not None
                writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(_length(head))
            took_s = time.monotonic() - began
            seen.stall_ms = max(seen.stall_ms, took_s * 1000)
            seen.busy_ms = max(seen.busy_ms, (took_s - _without_processor_s(pid) + unserved_s) * 1000)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            if writer is not None:
                writer.close()
            writer = None
            seen.unanswered += 1
        seen.growth_mb = max(seen.growth_mb, (_memory(process, kept) - before) / MIB)
        seen.children_mb = max(seen.children_mb, _memory_of(process.children(recursive=True)) / MIB)
        await asyncio.sleep(EVERY_S)
    if writer is not None:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
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
