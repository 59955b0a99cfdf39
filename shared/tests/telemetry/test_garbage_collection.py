"""Garbage is collected rarely while a report is made, and as usual at all other times."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vonggac.telemetry.garbage_collection import (
    FEW,
    give_memory_back,
    give_memory_back_regularly,
    rarely_collected,
)
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside


@pytest.fixture
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(1234, 5, 6)
    yield (1234, 5, 6)
    gc.set_threshold(*before)


def test_reports_that_overlap_end_together(usual: tuple[int, int, int]) -> None:
    first, second = rarely_collected(), rarely_collected()
    first.__enter__()
    assert gc.get_threshold() == FEW
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() == FEW
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_a_report_that_fails_changes_nothing_for_good(usual: tuple[int, int, int]) -> None:
    with pytest.raises(ZeroDivisionError), rarely_collected():
        _ = 1 / 0
    assert gc.get_threshold() == usual


def resident_mb() -> float:
    return int(Path("/proc/self/status").read_text("ascii").partition("VmRSS:")[2].split()[0]) / 1000


def test_memory_that_was_freed_between_what_stays_goes_back() -> None:
    pieces = [bytes(2000) for _ in range(50_000)]
    full = resident_mb()
    del pieces[1::2], pieces[1:-1]
    give_memory_back()
    assert resident_mb() < full - 50
    assert pieces


async def test_memory_goes_back_without_being_asked() -> None:
    pieces = [bytes(2000) for _ in range(50_000)]
    full = resident_mb()
    async with running_beside(give_memory_back_regularly(every_s=0.01)):
        del pieces[1::2], pieces[1:-1]
        await eventually(lambda: resident_mb() < full - 50)
    assert pieces


LARGE_BETWEEN_SMALL = """
from pathlib import Path
from vonggac.telemetry.garbage_collection import map_large_blocks

def resident_mb():
    return int(Path("/proc/self/status").read_text("ascii").partition("VmRSS:")[2].split()[0]) / 1000

{before}
learned = b"x" * 30_000_000
del learned
small, empty = [], resident_mb()
for _ in range(3):
    large = b"x" * 20_000_000
    small.append(b"x" * 600_000)
    del large
print(resident_mb() - empty)
"""


@pytest.mark.server
def test_large_blocks_go_back_when_they_are_freed_whatever_stands_behind_them() -> None:
    def kept_mb(before: str) -> float:
        command = [sys.executable, "-c", LARGE_BETWEEN_SMALL.format(before=before)]
        return float(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)

    assert kept_mb("map_large_blocks()") < 5
    assert kept_mb("") > 15


KEPT_BY_THREADS = """
import ctypes
from threading import Barrier, Thread
from vonggac.telemetry.garbage_collection import share_one_heap

{before}
together = Barrier(3)

def read_file():
    together.wait()
    cells = [b"x" * 2000 for _ in range(10_000)]
    together.wait()

threads = [Thread(target=read_file) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
ctypes.CDLL(None).malloc_stats()
"""


@pytest.mark.server
def test_threads_share_one_heap() -> None:
    def heaps(before: str) -> int:
        command = [sys.executable, "-c", KEPT_BY_THREADS.format(before=before)]
        return subprocess.run(command, check=True, capture_output=True, timeout=60).stderr.count(b"Arena ")

    assert heaps("share_one_heap()") == 1
    assert heaps("") > 1
