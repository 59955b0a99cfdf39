"""Memory and open descriptors of each part of a platform over time, and whether they stay flat; for `soak.py`."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_S = 2.0
MAX_GROWTH_MB = 6.0
MAX_GROWTH_FDS = 4
MEGABYTE = 1e6

type Descriptor = tuple[int, int, str]
"""Process id, number, and what is open: another socket under the same number is another descriptor."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One part at one moment, all its processes together."""

    at_s: float
    rss_mb: float
    fds: int


@dataclass(frozen=True, slots=True)
class Calm:
    """A time without faults: from when to when (monotonic seconds), and how many descriptors stayed open through it.

    Probes and read-backs open some and close them again all the time, in a calm time too: those are not counted. One
    that is never closed is.
    """

    began_s: float
    ended_s: float
    kept_open: Mapping[str, int]


@dataclass
class Usage:
    """Samples of each part. `processes` gives the process ids that make up a part now (children are added)."""

    processes: Callable[[], Mapping[str, Sequence[int]]]
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    _kept_open: dict[str, set[Descriptor]] = field(default_factory=dict)
    _calm_since_s: float = 0.0

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            self.sample()
            await asyncio.sleep(SAMPLE_S)

    def sample(self) -> None:
        """Take one of every part; a part that does not run now has none."""
        now = time.monotonic()
        for part, ids in self.processes().items():
            read = [one for one in map(_read, _with_children(ids)) if one is not None]
            if not read:
                continue
            rss, descriptors = sum(one[0] for one in read), {each for one in read for each in one[1]}
            self.samples.setdefault(part, []).append(Sample(now, rss / MEGABYTE, len(descriptors)))
            self._kept_open[part] = self._kept_open.get(part, descriptors) & descriptors

    def begin_calm(self) -> None:
        """From now on nothing is done to the platform."""
        self._calm_since_s = time.monotonic()
        self._kept_open = {}
        self.sample()

    def end_calm(self) -> Calm:
        """The calm time that `begin_calm` began."""
        self.sample()
        kept_open = {part: len(descriptors) for part, descriptors in self._kept_open.items()}
        return Calm(self._calm_since_s, time.monotonic(), kept_open)

    def series(self, before: Calm, after: Calm) -> list["Series"]:
        """How every part went from one calm time to the other. Raises StatisticsError for a part without samples."""
        return [_series(part, samples, before, after) for part, samples in self.samples.items()]


@dataclass(frozen=True)
class Series:
    """How one part went from one calm time to another. Medians; `half`: of the middle fifth between the two.

    A part that grows from start to half and stands still then has filled what it keeps; one that leaks goes on.
    """

    part: str
    rss_mb_start: float
    rss_mb_half: float
    rss_mb_end: float
    rss_mb_spread: float
    fds_start: int
    fds_end: int
    fds_spread: int

    @property
    def grown(self) -> list[str]:
        """What has grown beyond what a warm process may; empty when it is flat."""
        found, growth = [], self.rss_mb_end - self.rss_mb_start
        if growth > MAX_GROWTH_MB:
            found.append(f"{self.part}: memory grew by {growth:.1f} MB ({MAX_GROWTH_MB:.1f} MB are allowed)")
        if self.fds_end - self.fds_start > MAX_GROWTH_FDS:
            found.append(f"{self.part}: descriptors grew from {self.fds_start} to {self.fds_end}")
        return found


def _series(part: str, samples: Sequence[Sample], before: Calm, after: Calm) -> Series:
    length_s = after.began_s - before.ended_s
    half = _rss_mb(samples, before.ended_s + 0.4 * length_s, after.began_s - 0.4 * length_s)
    whole = [one for one in samples if before.began_s <= one.at_s <= after.ended_s]
    return Series(
        part=part,
        rss_mb_start=round(statistics.median(_rss_mb(samples, before.began_s, before.ended_s)), 1),
        rss_mb_half=round(statistics.median(half or _rss_mb(whole)), 1),
        rss_mb_end=round(statistics.median(_rss_mb(samples, after.began_s, after.ended_s)), 1),
        rss_mb_spread=round(_spread(one.rss_mb for one in whole), 1),
        fds_start=before.kept_open[part],
        fds_end=after.kept_open[part],
        fds_spread=round(_spread(one.fds for one in whole)),
    )


def _rss_mb(samples: Sequence[Sample], begin_s: float = 0.0, end_s: float = float("inf")) -> list[float]:
    return [one.rss_mb for one in samples if begin_s <= one.at_s <= end_s]


def _spread(figures: Iterable[float]) -> float:
    every = list(figures)
    return max(every) - min(every)


def _with_children(ids: Sequence[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in ids:
        try:
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return found


def _read(process: psutil.Process) -> tuple[int, set[Descriptor]] | None:
    """Resident bytes and descriptors; None for a process that has just ended."""
    try:
        return process.memory_info().rss, _descriptors(process.pid)
    except (psutil.NoSuchProcess, psutil.ZombieProcess, FileNotFoundError, ProcessLookupError):
        return None


def _descriptors(pid: int) -> set[Descriptor]:
    """Raises FileNotFoundError when the process has ended."""
    found: set[Descriptor] = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add((pid, int(link.name), str(link.readlink())))
        except FileNotFoundError:
            # Closed since the folder was read.
            continue
    return found
