"""Processes that sleep, and servers that forget what they have acknowledged."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vonggac.embedded import NatsServer, PostgresServer

SLEEPS_WITHIN_S = 30.0
_AT_REST = frozenset("TZX")
"""Stopped, or ended already."""


def put_to_sleep(process_id: int) -> None:
    """Stop a process, and wait until none of its threads runs any more. Raises AssertionError when one does.

    The signal goes to one thread. The others go on until that one is scheduled, which takes a while on a busy machine:
    one may still answer what is sent after the signal.
    """
    os.kill(process_id, signal.SIGSTOP)
    deadline = time.monotonic() + SLEEPS_WITHIN_S
    while running := [state for state in _thread_states(process_id) if state not in _AT_REST]:
        assert time.monotonic() < deadline, f"threads of {process_id} still run: {running}"
        time.sleep(0.002)


def is_filtered(process_id: int) -> bool:
    """Whether a filter of system calls holds for every thread of the process."""
    states = [path.read_text() for path in Path(f"/proc/{process_id}/task").glob("*/status")]
    return all("\nNoNewPrivs:\t1\n" in state and "\nSeccomp:\t2\n" in state for state in states)


@contextmanager
def asleep(process_id: int) -> Iterator[None]:
    """No thread of the process runs within the block."""
    put_to_sleep(process_id)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def _thread_states(process_id: int) -> list[str]:
    # The state stands behind the name, which is in brackets and may hold anything.
    stats = (path.read_text() for path in Path(f"/proc/{process_id}/task").glob("*/stat"))
    return [stat.rpartition(") ")[2][0] for stat in stats]


class ForgetfulServer(NatsServer):
    """`remember` copies the store of the sleeping server; `forget` kills it and puts that copy back."""

    @property
    def _copy(self) -> Path:
        return self.folder / "copy"

    def remember(self) -> None:
        assert self.process is not None
        with asleep(self.process.pid):
            shutil.copytree(self.store, self._copy)

    def forget(self) -> None:
        self.kill()
        shutil.rmtree(self.store)
        self._copy.rename(self.store)
        self.start()


class ForgetfulPostgres(PostgresServer):
    """`remember` copies the data folder of the sleeping server; `forget` kills it and puts that copy back."""

    @property
    def _copy(self) -> Path:
        return self.folder / "copy"

    def remember(self) -> None:
        assert self.process is not None
        with ExitStack() as sleeping:
            # The parent first: meanwhile it starts no process, and one that ends keeps its number.
            sleeping.enter_context(asleep(self.process.pid))
            for process_id in self._children():
                sleeping.enter_context(asleep(process_id))
            # With its owner, who is not always the one of this process.
            subprocess.run(["cp", "-a", self.data, self._copy], check=True)  # noqa: S603, S607 - our own folders

    def forget(self) -> None:
        assert self.process is not None
        put_to_sleep(self.process.pid)
        for process_id in [*self._children(), self.process.pid]:
            os.kill(process_id, signal.SIGKILL)
        self.process.wait()
        self.process = None
        shutil.rmtree(self.data)
        self._copy.rename(self.data)
        self.start()

    def _children(self) -> list[int]:
        assert self.process is not None
        parent = self.process.pid
        return [*map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())]
