"""What the person at the terminal sees while the platform starts and stops."""

import contextlib
import sys
import time
from typing import TextIO


class Progress:
    """Lines with the seconds since the start in front."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out, self._began = out, time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def step(self, part: str, text: str) -> None:
        """`part` has come so far."""
        self.line(f"{self.elapsed_s:6.1f} s  {part:<11} {text}")

    def line(self, text: str = "") -> None:
        """A line as it is."""
        # The terminal may be gone (closed, or `make run | head`); what runs must still be stopped in order.
        with contextlib.suppress(OSError):
            self._out.write(text + "\n")
            self._out.flush()
