"""A child process with its own log: started, watched, stopped in order.

Each child has its own session, so that Ctrl-C reaches the platform alone, which decides the order.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path

from local.platform.state import ProcessRecord

POLL_S = 0.05
TAIL_LINES = 15


class ProcessEndedError(Exception):
    """A process ended by itself; the message ends with the last lines of its log."""


class Child:
    """`python -m …` as a child. Start and stop are safe to call in any state."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        record: ProcessRecord,
        *,
        lasting: bool = True,
    ) -> None:
        """`environment` is added to this process's own; secrets are passed there, never in `arguments`.

        A child that is not `lasting` is a command that ends by itself: `finished` waits for it.
        """
        self.name, self.log, self.lasting = name, log, lasting
        self.process: subprocess.Popen[bytes] | None = None
        self._arguments, self._environment, self._record = list(arguments), dict(environment), record

    def start(self) -> None:
        """Start it. Raises OSError."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._record.record_started(self.name, self.process.pid, signal.SIGTERM)

    def require_running(self) -> None:
        """Raise ProcessEndedError when it was started to last and has ended."""
        status = self.process.poll() if self.process and self.lasting else None
        if status is not None:
            raise ProcessEndedError(self._epitaph(status))

    async def finished(self, *, within_s: float) -> None:
        """Wait for a command that ends by itself. Raises ProcessEndedError when it fails or takes too long."""
        assert self.process is not None
        if not await _ended(self.process, within_s):
            await self.stop(within_s=1.0)
            msg = f"{self.name} did not finish within {within_s:.0f} s:\n{tail(self.log)}"
            raise ProcessEndedError(msg)
        status = self.process.returncode
        self._drop_process()
        if status != 0:
            raise ProcessEndedError(self._epitaph(status))

    async def stop(self, *, within_s: float) -> bool:
        """Ask it to end, wait, and kill what does not; whether it ended by itself."""
        process = self.process
        if process is None:
            return True
        try:
            if process.poll() is None:
                process.terminate()
            return await _ended(process, within_s)
        finally:
            # Also when this wait is cancelled: no process may stay.
            if process.poll() is None:
                process.kill()
                process.wait()
            self._drop_process()

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def _drop_process(self) -> None:
        self.process = None
        self._record.record_ended(self.name)

    def _epitaph(self, status: int) -> str:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return f"{self.name} {how}; the last lines of {self.log}:\n{tail(self.log)}"


async def _ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    deadline = asyncio.get_running_loop().time() + within_s
    while process.poll() is None:
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True


def tail(log: Path) -> str:
    """Read the last lines of a log."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]) if log.exists() else "(no log)"


async def to_the_end[T](work: Awaitable[T]) -> T:
    """Await `work` that must not stop half way (a thread that starts a server): a cancellation waits for it."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
