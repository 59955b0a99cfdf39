"""Which worker hands cameras to which, so that all carry about the same: slowly, and never back and forth.

Every worker decides for itself by what all of them report. Only the fullest hands over, only to the emptiest that can
pull any of its cameras, a few at a time, and only while no worker comes or goes.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`settle_s`: no moves for so long after a worker came or went; `step`: cameras moved at a time."""

    settle_s: float = 30.0
    step: int = 5
    tolerance: float = 0.1
    """Part of the fullest one's cameras that it may carry more than the emptiest; one camera is always allowed."""


@dataclass(frozen=True, slots=True)
class Load:
    """One worker by its last heartbeat; `capacity` None: unknown."""

    worker_id: str
    cameras: int
    capacity: int | None
    stopping: bool
    heard_s: float

    @property
    def room(self) -> int:
        """Cameras it may still take."""
        if self.stopping:
            return 0
        return max(0, self.capacity - self.cameras) if self.capacity is not None else self.cameras + 1


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is there, and since when nobody has come or gone (monotonic seconds)."""

    workers: frozenset[str] = frozenset()
    since_s: float = float("-inf")

    def with_workers(self, workers: Collection[str], now_s: float) -> "Membership":
        present = frozenset(workers)
        return self if present == self.workers else Membership(present, now_s)


@dataclass(frozen=True, slots=True)
class Move:
    """Hand `cameras` cameras to `worker_id`."""

    worker_id: str
    cameras: int


def decide(
    me: str,
    workers: Collection[Load],
    membership: Membership,
    now_s: float,
    *,
    changed_s: float,
    limits: Limits,
    barred: Collection[str] = (),
) -> Move | None:
    """Decide what the worker `me` hands over now; None for nothing.

    `changed_s`: when it last held or released a camera. Heartbeats before that are outdated: the camera may be counted
    twice, or not at all. `barred`: workers that can pull none of its cameras: the emptiest of the others gets them.
    """
    if any(load.stopping for load in workers) or now_s - membership.since_s < limits.settle_s:
        return None
    fullest = max(workers, key=lambda load: (load.cameras, load.worker_id), default=None)
    if fullest is None or fullest.worker_id != me:
        return None
    if any(load.heard_s <= changed_s for load in workers if load.worker_id != me):
        return None
    emptiest = least_loaded(load for load in workers if load.worker_id not in {me, *barred})
    if emptiest is None:
        return None
    difference = fullest.cameras - emptiest.cameras
    if difference <= max(1, fullest.cameras * limits.tolerance):
        return None
    return Move(emptiest.worker_id, min(limits.step, difference // 2, emptiest.room))


def least_loaded(workers: Iterable[Load]) -> Load | None:
    """Find the emptiest of those that have room; None when there is none."""
    return min(
        (load for load in workers if load.room > 0), key=lambda load: (load.cameras, load.worker_id), default=None
    )
