"""What `make soak` calls flat is flat, and a real leak of a real process is not."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bench.faults.soak_usage import MAX_GROWTH_FDS, MAX_GROWTH_MB, Series, Usage

pytestmark = pytest.mark.server

PROGRAM = """
import socket, sys

kept, files = [], []
for line in sys.stdin:
    what, count = line.split()
    for _ in range(int(count)):
        if what == "leak":
            kept.append(b"x" * 1_000_000)
        elif what == "open":
            files.append(socket.socket())
        elif what == "renew":
            files.append(files.pop(0).dup())
        else:
            b"x" * 1_000_000
    print("done", flush=True)
"""


class Part:
    """A process that does what a test wants, watched through two calm times."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.usage = Usage(lambda: {"part": [process.pid]})

    def do(self, what: str, count: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {count}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"
        self.usage.sample()

    def series(self, *work: tuple[str, int]) -> Series:
        """The work between two calm times, in each of which a descriptor is opened while another is closed."""
        self.do("open", 5)
        self.usage.begin_calm()
        self.do("renew", 1)
        before = self.usage.end_calm()
        for what, count in work:
            self.do(what, count)
        self.usage.begin_calm()
        self.do("renew", 1)
        (found,) = self.usage.series(before, self.usage.end_calm())
        return found


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Iterator[Part]:
    # A second a reading, however long a busy machine takes: what is half is half of the work.
    seconds = itertools.count()
    monkeypatch.setattr("bench.faults.soak_usage.time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Part(process)
        finally:
            process.kill()


def test_a_process_that_works_and_keeps_nothing_is_flat(part: Part) -> None:
    series = part.series(*[("work", 20)] * 5)
    assert series.grown == []
    # Three pipes and five sockets, one of which was another at the end of the calm time.
    assert (series.fds_start, series.fds_end) == (7, 7)


def test_memory_that_is_kept_is_reported(part: Part) -> None:
    series = part.series(*[("leak", 2)] * 5)
    (line,) = series.grown
    assert "memory grew by" in line
    assert series.rss_mb_end - series.rss_mb_start > MAX_GROWTH_MB
    # It goes on after the half, as a leak does.
    assert series.rss_mb_start < series.rss_mb_half < series.rss_mb_end - 2


def test_descriptors_that_are_kept_are_reported(part: Part) -> None:
    series = part.series(*[("open", 1)] * (MAX_GROWTH_FDS + 1))
    assert series.grown == [f"part: descriptors grew from 7 to {7 + MAX_GROWTH_FDS + 1}"]


def test_a_part_that_is_away_for_a_while_is_judged_by_the_times_it_was_there(part: Part) -> None:
    part.do("open", 5)
    part.usage.begin_calm()
    before = part.usage.end_calm()
    seen, part.usage.processes = part.usage.processes, lambda: {"part": []}
    part.usage.sample()
    part.usage.processes = seen
    part.usage.begin_calm()
    (series,) = part.usage.series(before, part.usage.end_calm())
    assert series.grown == []
    assert series.rss_mb_spread < MAX_GROWTH_MB
