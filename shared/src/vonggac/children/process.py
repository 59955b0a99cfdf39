"""One child process: started with its limits and a socket to its parent, and ended when it is asked to, or by force."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Self

from vonggac.children.limits import Limits

START = "vonggac.children.start"
_KEPT = frozenset({"PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV"})
_KEPT_BEGINNINGS = ("LC_", "PYTHON", "MALLOC_", "COV")
"""What starts and runs a Python program. All else may be a secret, ours or not: a proxy's login, a cloud's key."""


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of the environment a child that reads foreign bytes gets. One thread: the memory of more would
    count, and the work is many small pieces."""
    kept = {name: value for name, value in environment.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class ChildProcess:
    """`python -m START MODULE FD LIMITS`: FD is its end of `socket`. It ends when the parent does, or shuts that."""

    def __init__(self, process: asyncio.subprocess.Process, ours: socket.socket) -> None:
        self.process, self.socket = process, ours
        self.ending = False
        """It was asked to end."""

    @classmethod
    async def start(cls, module: str, limits: Limits, kind: socket.SocketKind) -> Self:
        """`kind`: of the sockets. Raises OSError when no process can be started."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    START,
                    module,
                    str(theirs.fileno()),
                    limits.argument,
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    env=child_environment(os.environ),
                )
        except BaseException:
            ours.close()
            raise
        ours.setblocking(False)
        return cls(process, ours)

    @property
    def process_id(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.returncode is None

    def end(self) -> None:
        """End the child: it ends by itself when nobody can send requests any more."""
        if not self.ending:
            self.ending = True
            # Closed already when its death was seen before.
            if self.socket.fileno() >= 0:
                self.socket.shutdown(socket.SHUT_RDWR)

    def kill(self) -> None:
        """End it now, if it runs."""
        if self.running:
            self.process.kill()

    async def death(self) -> str:
        """Wait for its end; how it ended, for people: `SIGSEGV`, `exit status 1`."""
        code = await self.process.wait()
        if code >= 0:
            return f"exit status {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
