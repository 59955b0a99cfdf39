"""Progress at the terminal while the platform starts and stops."""

import contextlib
import io
import sys
import time
from typing import TextIO


def write_utf8() -> None:
    """Print Vietnamese as Vietnamese, whatever LANG and PYTHONIOENCODING are, and names of files as on the disk."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


class Progress:
    """Lines that begin with the seconds since the start."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out, self._began = out, time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def step(self, part: str, text: str) -> None:
        """Print one step of `part`."""
        self.line(f"{self.elapsed_s:6.1f} s  {part:<11} {text}")

    def line(self, text: str = "") -> None:
        """Print a line."""
        # The terminal may be closed (`make run | head`); the platform must still stop in order.
        with contextlib.suppress(OSError):
            self._out.write(text + "\n")
            self._out.flush()
