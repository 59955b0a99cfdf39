"""What a child process may take. Applied by the child itself, before it loads or reads anything foreign."""

import contextlib
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

KILLED_FIRST = 500
"""Added to the kernel's score: when memory is short, a child goes before its parent."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory_bytes`: of heap, stacks and private mappings (RLIMIT_DATA); more is refused to the library.

    `cpu_s`: of processor time after each `allow_time`, None: no limit; more ends the process (SIGXCPU), also when
    nobody watches it any more.
    """

    memory_bytes: int
    cpu_s: int | None = None

    @property
    def argument(self) -> str:
        """For the command line."""
        return f"{self.memory_bytes},{self.cpu_s or 0}"

    @classmethod
    def parse(cls, argument: str) -> Self:
        """Of `argument`. Raises ValueError."""
        memory, cpu = map(int, argument.split(","))
        return cls(memory, cpu or None)

    def apply(self) -> None:
        """To this process, for good; a tighter limit set from outside stays."""
        # A terminal sends it to the whole group; the parent decides when to end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _lower(resource.RLIMIT_DATA, self.memory_bytes)
        # A core would hold pictures.
        _lower(resource.RLIMIT_CORE, 0)
        self.allow_time()

    def allow_time(self) -> None:
        """From now on `cpu_s` more."""
        if self.cpu_s is not None:
            # A whole second more, since the limit counts whole ones.
            _lower(resource.RLIMIT_CPU, int(time.process_time()) + 1 + self.cpu_s)


def let_kernel_end_first() -> None:
    """Have the kernel end this process before its parent when memory is short."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(KILLED_FIRST), "ascii")


def _lower(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
