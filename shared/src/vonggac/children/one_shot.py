"""One piece of work on bytes that somebody sent, in a process of its own that has limits and ends with it.

The process is `python -m START MODULE LIMITS`: it applies its limits, and takes and gives frames, a length and the
bytes, on its standard streams. It ends when its input does.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO

from vonggac.children.limits import Limits
from vonggac.children.process import START, child_environment

LENGTH_BYTES = 8
_PIECE_BYTES = 256 << 10
type Frame = Sequence[bytes | bytearray]
"""In parts, one behind the other: what is long would be in memory twice if it was joined."""


class ChildFailedError(Exception):
    """It ended before it had answered, answered more than it may, or took too long: the bytes are to blame."""


class OneShotChild:
    """What its parent says to it, and hears from it."""

    def __init__(self, process: asyncio.subprocess.Process, most_bytes: int) -> None:
        self._process, self._most_bytes = process, most_bytes

    async def request_answer(self, *frames: Frame) -> bytes:
        """Send the frames and return the answer. Raises ChildFailedError."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for frame in frames:
                process.stdin.write(sum(map(len, frame)).to_bytes(LENGTH_BYTES))
                for part in frame:
                    await self._send_part(process.stdin, memoryview(part))
            length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
            if length > self._most_bytes:
                msg = f"it answered {length} bytes, and may {self._most_bytes}"
                raise ChildFailedError(msg)
            return await process.stdout.readexactly(length)
        except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError):
            msg = f"it ended with status {await process.wait()}"
            raise ChildFailedError(msg) from None

    async def _send_part(self, stdin: asyncio.StreamWriter, part: memoryview) -> None:
        # A piece at a time: what the pipe does not take at once is copied.
        for begin in range(0, len(part), _PIECE_BYTES):
            stdin.write(part[begin : begin + _PIECE_BYTES])
            await stdin.drain()


@asynccontextmanager
async def start_child(module: str, limits: Limits, *, within_s: float, most_bytes: int) -> AsyncIterator[OneShotChild]:
    """Run a process for as long as the block lasts, `within_s` at most; an answer has `most_bytes` at most.

    Whoever cancels the block ends the process. Raises ChildFailedError, and OSError where no process can be started.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        START,
        module,
        limits.argument,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=child_environment(os.environ),
    )
    try:
        async with asyncio.timeout(within_s):
            yield OneShotChild(process, most_bytes)
    except TimeoutError:
        msg = f"it took more than {within_s:g} s"
        raise ChildFailedError(msg) from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def read_frame(stream: BinaryIO) -> bytes | None:
    """In the child: the next frame, None at the end of the input."""
    head = stream.read(LENGTH_BYTES)
    return stream.read(int.from_bytes(head)) if len(head) == LENGTH_BYTES else None


def write_frame(stream: BinaryIO, answer: bytes) -> None:
    """In the child: answer."""
    stream.write(len(answer).to_bytes(LENGTH_BYTES) + answer)
    stream.flush()
