"""Cameras are spread evenly in few moves, and stay where they are afterwards."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.assignment.rebalancing import Limits, Load, Membership, Move, decide, least_loaded

LIMITS = Limits(settle_s=30.0, step=5)
HEARTBEAT_S = 5.0
NOW_S = 1000.0


def load(worker_id: str, cameras: int, *, capacity: int | None = 200, stopping: bool = False) -> Load:
    return Load(worker_id, cameras, capacity, stopping, heard_s=NOW_S)


def moves(
    me: str, *loads: Load, since_s: float = 0.0, changed_s: float = 0.0, barred: frozenset[str] = frozenset()
) -> Move | None:
    membership = Membership(frozenset(item.worker_id for item in loads), since_s)
    return decide(me, loads, membership, NOW_S, changed_s=changed_s, limits=LIMITS, barred=barred)


def test_the_fullest_gives_a_few_to_the_emptiest() -> None:
    assert moves("a", load("a", 60), load("b", 40), load("c", 0)) == Move("c", 5)
    assert moves("b", load("a", 60), load("b", 40), load("c", 0)) is None
    assert moves("a", load("a", 6), load("b", 0)) == Move("b", 3)


@pytest.mark.parametrize(("mine", "theirs"), [(1, 0), (2, 1), (100, 90), (0, 0), (5, 5)])
def test_a_small_difference_is_left_alone(mine: int, theirs: int) -> None:
    assert moves("a", load("a", mine), load("b", theirs)) is None


def test_nothing_moves_while_a_worker_stops_or_soon_after_one_came_or_went() -> None:
    assert moves("a", load("a", 60), load("b", 0), load("c", 9, stopping=True)) is None
    assert moves("a", load("a", 60), load("b", 0), since_s=NOW_S - 29) is None
    assert moves("a", load("a", 60), load("b", 0), since_s=NOW_S - 31) == Move("b", 5)


def test_nothing_moves_on_figures_from_before_the_last_change() -> None:
    assert moves("a", load("a", 60), load("b", 0), changed_s=NOW_S) is None


def test_a_full_or_stopping_worker_is_given_nothing() -> None:
    assert moves("a", load("a", 60), load("b", 10, capacity=10), load("c", 40)) == Move("c", 5)
    assert moves("a", load("a", 60), load("b", 10, capacity=12)) == Move("b", 2)
    assert moves("a", load("a", 60), load("b", 10, capacity=10)) is None
    assert least_loaded([load("a", 0, stopping=True), load("b", 7), load("c", 3, capacity=3)]) == load("b", 7)


def test_a_worker_that_can_have_none_of_the_cameras_stands_in_nobodys_way() -> None:
    assert moves("a", load("a", 60), load("b", 0), load("c", 40), barred=frozenset({"b"})) == Move("c", 5)
    assert moves("a", load("a", 60), load("b", 0), barred=frozenset({"b"})) is None
    assert moves("a", load("a", 60), load("b", 70), load("c", 0), barred=frozenset({"b"})) is None, "b is the fullest"


def test_the_same_workers_keep_the_time_since_when_nobody_came_or_went() -> None:
    seen = Membership().with_workers(["a", "b"], 5.0)
    assert seen == Membership(frozenset({"a", "b"}), 5.0)
    assert seen.with_workers(["b", "a"], 9.0) is seen
    assert seen.with_workers(["b"], 9.0) == Membership(frozenset({"b"}), 9.0)


@dataclass
class Fleet:
    """Workers that decide every second by figures that are up to a heartbeat old."""

    cameras: dict[str, int]
    now_s: float = 0.0
    moved: int = 0
    heard: dict[str, tuple[int, float]] = field(default_factory=dict)
    changed_s: dict[str, float] = field(default_factory=dict)
    membership: Membership = field(default_factory=Membership)

    def run(self, seconds: int) -> int:
        """Cameras moved meanwhile."""
        before = self.moved
        for _ in range(seconds):
            self.now_s += 1.0
            for index, name in enumerate(sorted(self.cameras)):
                if (self.now_s + index) % HEARTBEAT_S == 0 or name not in self.heard:
                    self.heard[name] = self.cameras[name], self.now_s
            self.membership = self.membership.with_workers(self.cameras.keys(), self.now_s)
            for name in sorted(self.cameras):
                self._decide(name)
        return self.moved - before

    def leave(self, name: str) -> None:
        """Its cameras go to the others, one by one."""
        for _ in range(self.cameras.pop(name)):
            self.cameras[min(self.cameras, key=lambda other: (self.cameras[other], other))] += 1
        self.heard.pop(name)

    def _decide(self, me: str) -> None:
        loads = [
            Load(name, self.cameras[name] if name == me else told, 1000, stopping=False, heard_s=when_s)
            for name, (told, when_s) in self.heard.items()
        ]
        move = decide(
            me, loads, self.membership, self.now_s, changed_s=self.changed_s.get(me, float("-inf")), limits=LIMITS
        )
        if move is not None:
            self.cameras[me] -= move.cameras
            self.cameras[move.worker_id] += move.cameras
            self.moved += move.cameras
            self.changed_s[me] = self.changed_s[move.worker_id] = self.now_s

    @property
    def even(self) -> bool:
        counts = self.cameras.values()
        return max(counts) - min(counts) <= max(1, max(counts) * LIMITS.tolerance)


@pytest.mark.slow
@given(st.integers(0, 200), st.integers(0, 200))
def test_workers_that_join_and_leave_cause_few_moves_and_none_after_settling(first: int, second: int) -> None:
    fleet = Fleet({"a": first, "b": second})
    total = first + second
    assert fleet.run(30) == 0
    fleet.run(600)
    assert fleet.even
    fleet.cameras["c"] = 0
    moved = fleet.run(600)
    assert fleet.even
    # What the new one carries had to move, and hardly more.
    assert moved <= fleet.cameras["c"] + 2 * LIMITS.step
    assert fleet.run(600) == 0
    fleet.leave("a")
    assert fleet.run(600) <= 2 * LIMITS.step
    assert fleet.even
    assert fleet.run(600) == 0
    assert sum(fleet.cameras.values()) == total
