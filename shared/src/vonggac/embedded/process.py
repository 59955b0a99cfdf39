"""A child process: watched while it starts, stopped in order."""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

POLL_S = 0.02
TAIL_LINES = 15


class ServerError(RuntimeError):
    """A server did not start; the message ends with the last lines of its log."""


def free_port() -> int:
    """Find a TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, within_s: float) -> None:
    """Poll `ready`. Raises ServerError when the process ends or the time is over."""
    deadline = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None:
            msg = f"{log.stem} ended with status {process.returncode}:\n{tail(log)}"
            raise ServerError(msg)
        if time.monotonic() > deadline:
            msg = f"{log.stem} was not ready within {within_s:.0f} s:\n{tail(log)}"
            raise ServerError(msg)
        time.sleep(POLL_S)


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def open_log(log: Path) -> IO[bytes]:
    """Open the log to append to, readable by its owner alone."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "ab")


def tail(log: Path) -> str:
    """Read the last lines of a log."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-TAIL_LINES:]) if log.exists() else ""


def stop(process: subprocess.Popen[bytes], signal: int, *, within_s: float) -> None:
    """Send `signal`, wait, and kill what does not end."""
    if process.poll() is not None:
        return
    process.send_signal(signal)
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
