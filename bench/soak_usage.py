"""Memory and open descriptors of each part of a platform over time, and whether they stay flat; for `bench/soak.py`."""

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil

SAMPLE_S = 2.0
MAX_GROWTH_MB = 10.0
MAX_GROWTH_SHARE = 0.10
MAX_GROWTH_FDS = 8
MEGABYTE = 1e6


@dataclass(frozen=True)
class Sample:
    """One part at one moment, all its processes together."""

    at_s: float
    rss_mb: float
    fds: int
    processes: int


@dataclass
class Usage:
    """Samples of each part. `processes` tells which process ids make up a part now (children are added)."""

    processes: Callable[[], Mapping[str, Sequence[int]]]
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_S)

    def sample(self) -> None:
        now = time.monotonic()
        for part, ids in self.processes().items():
            read = [one for one in map(_read, _with_children(ids)) if one is not None]
            rss, fds = sum(one[0] for one in read), sum(one[1] for one in read)
            self.samples.setdefault(part, []).append(Sample(now, rss / MEGABYTE, fds, len(read)))

    def between(self, start: float, end: float) -> dict[str, list[Sample]]:
        """The samples of that time, by part."""
        return {part: [one for one in samples if start <= one.at_s <= end] for part, samples in self.samples.items()}


@dataclass(frozen=True)
class Course:
    """How one part went from one calm time to another. `slope` is of all samples from the first to the last.

    Descriptors are the fewest of a calm time: looks and read-backs open some and close them again all the time.
    """

    part: str
    rss_mb_start: float
    rss_mb_end: float
    slope_mb_per_minute: float
    rss_mb_spread: float
    fds_start: int
    fds_end: int
    fds_spread: int

    @property
    def grown(self) -> str | None:
        """What has grown beyond what a warm process may; None when it is flat."""
        growth, allowed = self.rss_mb_end - self.rss_mb_start, max(MAX_GROWTH_MB, MAX_GROWTH_SHARE * self.rss_mb_start)
        if growth > allowed:
            return f"{self.part}: memory grew by {growth:.1f} MB ({allowed:.1f} MB are allowed)"
        if self.fds_end - self.fds_start > MAX_GROWTH_FDS:
            return f"{self.part}: descriptors grew from {self.fds_start} to {self.fds_end}"
        return None


def course(part: str, calm_before: Sequence[Sample], between: Sequence[Sample], calm_after: Sequence[Sample]) -> Course:
    """From the samples of one part. Raises statistics.StatisticsError when there are none."""
    every = [*calm_before, *between, *calm_after]
    times, rss = [one.at_s for one in every], [one.rss_mb for one in every]
    return Course(
        part=part,
        rss_mb_start=round(statistics.median(one.rss_mb for one in calm_before), 1),
        rss_mb_end=round(statistics.median(one.rss_mb for one in calm_after), 1),
        slope_mb_per_minute=round(statistics.linear_regression(times, rss).slope * 60, 2),
        rss_mb_spread=round(max(rss) - min(rss), 1),
        fds_start=min(one.fds for one in calm_before),
        fds_end=min(one.fds for one in calm_after),
        fds_spread=max(one.fds for one in every) - min(one.fds for one in every),
    )


def _with_children(ids: Sequence[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in ids:
        try:
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def _read(process: psutil.Process) -> tuple[int, int] | None:
    """Resident bytes and descriptors; None for a process that has just ended."""
    try:
        return process.memory_info().rss, process.num_fds()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
