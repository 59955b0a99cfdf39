"""Observations become runs, whatever their order."""

import random
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.lives import Life
from reporting.domain.timeline import (
    WINDOW,
    CameraState,
    Observation,
    Run,
    Tail,
    anchor_of,
    continues,
    end_before_loss,
    fill,
    observe,
    runs,
)

SECOND = 1000
UP, DOWN, UNKNOWN = CameraState.UP, CameraState.DOWN, CameraState.UNKNOWN


def seen_at(at_s: float, state: CameraState = UP, cause: str | None = None, every_s: float = 30) -> Observation:
    return Observation(round(at_s * SECOND), round(every_s * SECOND), state, cause)


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    state = draw(st.sampled_from([UP, DOWN, UNKNOWN]))
    cause = draw(st.sampled_from(["timeout", "refused"])) if state is DOWN else None
    return seen_at(draw(st.integers(0, 400)), state, cause, draw(st.sampled_from([5, 10, 30])))


class Camera:
    """Applies changes the way storage does: closed rows by start, one open run, one tail."""

    def __init__(self, window: int = WINDOW) -> None:
        self.tail, self.closed, self.window = Tail(), dict[int, Run](), window
        self.open: Run | None = None

    def take(self, batch: Sequence[Observation]) -> None:
        change = observe(self.tail, batch, window=self.window)
        assert change is not None
        for start in change.removed:
            del self.closed[start]
        for run in change.added:
            assert run.started_at not in self.closed
            self.closed[run.started_at] = run
        self.tail, self.open = change.tail, change.open_run

    @property
    def runs(self) -> list[Run]:
        assert self.open is not None
        return [*(self.closed[start] for start in sorted(self.closed)), self.open]


def truth(seen: Sequence[Observation]) -> list[Run]:
    """The definition, independent of tails: the heaviest of each moment, then runs."""
    heaviest: dict[int, Observation] = {}
    for one in seen:
        known = heaviest.get(one.at)
        if known is None or one.weight > known.weight:
            heaviest[one.at] = one
    return runs([heaviest[at] for at in sorted(heaviest)])


def test_an_observation_claims_two_intervals() -> None:
    assert runs([seen_at(0)]) == [Run(0, 60_000, UP, None, 0)]


def test_equal_observations_within_the_claim_are_one_run() -> None:
    assert runs([seen_at(0), seen_at(30), seen_at(60)]) == [Run(0, 120_000, UP, None, 60_000)]


def test_a_gap_over_two_intervals_is_nobodys() -> None:
    first, second = runs([seen_at(0), seen_at(61)])
    assert (first.ends_at, second.started_at) == (60_000, 61_000)


def test_a_change_of_cause_is_a_new_run() -> None:
    found = runs([seen_at(0, DOWN, "timeout"), seen_at(30, DOWN, "refused")])
    assert [(run.started_at, run.ends_at, run.cause) for run in found] == [
        (0, 30_000, "timeout"),
        (30_000, 90_000, "refused"),
    ]


def test_of_two_in_one_moment_down_counts() -> None:
    camera = Camera()
    camera.take([seen_at(0, DOWN, "timeout")])
    camera.take([seen_at(0, UP)])
    assert camera.runs == [Run(0, 60_000, DOWN, "timeout", 0)]


def test_of_two_in_one_moment_the_one_that_knows_more_counts() -> None:
    short, long = seen_at(0, every_s=10), seen_at(0, every_s=30)
    for order in ([short, long], [long, short]):
        camera = Camera()
        for one in order:
            camera.take([one])
        assert camera.runs == [Run(0, 60_000, UP, None, 0)]
    since_then = seen_at(0)._replace(knows_since=-5_000)
    assert max(seen_at(0), since_then, key=lambda one: one.weight) == since_then


def test_what_was_seen_at_the_last_moment_of_a_run_does_not_prolong_it() -> None:
    open_run = Run(0, 90_000, UP, None, 30_000)
    assert not continues(open_run, seen_at(30))
    assert not continues(open_run, seen_at(20))
    assert continues(open_run, seen_at(31))


def test_who_slept_since_the_observation_before_begins_a_run() -> None:
    awake, slept = seen_at(30)._replace(knows_since=0), seen_at(30)._replace(knows_since=1)
    assert len(runs([seen_at(0), awake])) == 1
    assert len(runs([seen_at(0), slept])) == 2
    assert continues(Run(0, 60_000, UP, None, 0), awake)
    assert not continues(Run(0, 60_000, UP, None, 0), slept)


def test_the_first_run_begins_at_the_anchor_and_no_other() -> None:
    first, second = runs([seen_at(30), seen_at(60, DOWN, "timeout")], anchor=5_000)
    assert (first.started_at, second.started_at) == (5_000, 60_000)
    assert anchor_of([0, 30_000, 60_000], 30_000) == 30_000
    assert anchor_of([0, 30_000, 60_000], 59_999) == 30_000


def test_a_late_observation_splits_the_run_it_falls_into() -> None:
    camera = Camera()
    camera.take([seen_at(0), seen_at(30), seen_at(60)])
    camera.take([seen_at(40, DOWN, "refused")])
    assert [(run.started_at, run.ends_at, run.state) for run in camera.runs] == [
        (0, 40_000, UP),
        (40_000, 60_000, DOWN),
        (60_000, 120_000, UP),
    ]


def test_a_late_observation_joins_two_runs() -> None:
    camera = Camera()
    camera.take([seen_at(0), seen_at(90)])
    camera.take([seen_at(45)])
    assert camera.runs == [Run(0, 150_000, UP, None, 90_000)]


@given(st.lists(observations(), min_size=1, max_size=WINDOW), st.randoms(use_true_random=False), st.integers(1, 7))
def test_order_repetition_and_batches_do_not_matter(seen: list[Observation], chance: random.Random, size: int) -> None:
    given_order = [*seen, *chance.choices(seen, k=len(seen) // 2)]
    chance.shuffle(given_order)
    camera = Camera()
    for start in range(0, len(given_order), size):
        camera.take(given_order[start : start + size])
    assert camera.runs == truth(seen)


@given(st.lists(observations(), min_size=1, max_size=200), st.randoms(use_true_random=False), st.integers(1, 5))
def test_lateness_within_the_window_does_not_matter(seen: list[Observation], chance: random.Random, size: int) -> None:
    """Each arrives after at most `window - 1` that are newer; everything older has been let go by then."""
    window = 8
    arriving = sorted(truthful(seen), key=lambda one: one.at)
    keyed = [(number + chance.uniform(0, window - 1), one) for number, one in enumerate(arriving)]
    late = [one for _, one in sorted(keyed, key=lambda pair: pair[0])]
    camera = Camera(window)
    for start in range(0, len(late), size):
        camera.take(late[start : start + size])
    assert camera.runs == truth(seen)
    assert len(camera.tail.observations) <= window


def truthful(seen: list[Observation]) -> list[Observation]:
    """One per moment: the heaviest."""
    return list({one.at: one for one in sorted(seen, key=lambda one: one.weight)}.values())


@given(st.lists(observations(), min_size=1, max_size=100))
def test_runs_never_overlap_and_never_are_empty(seen: list[Observation]) -> None:
    found = truth(seen)
    assert all(run.ends_at > run.started_at for run in found)
    assert all(left.ends_at <= right.started_at for left, right in pairwise(found))


def test_older_than_the_window_is_handed_back() -> None:
    camera = Camera(window=2)
    camera.take([seen_at(0), seen_at(30), seen_at(60), seen_at(90)])
    change = observe(camera.tail, [seen_at(10, DOWN, "timeout")], window=2)
    assert change is not None
    assert change.beyond == (seen_at(10, DOWN, "timeout"),)
    assert (change.added, change.removed) == ((), ())


def test_beyond_the_window_only_what_was_not_seen_since_is_filled() -> None:
    covering = Run(0, 50_000, UP, None, 20_000)
    assert fill(seen_at(15, DOWN, "timeout"), covering, 200_000) is None
    assert fill(seen_at(40, DOWN, "timeout"), covering, 200_000) == Run(40_000, 100_000, DOWN, "timeout", 40_000)
    assert fill(seen_at(55, DOWN, "timeout"), covering, 70_000) == Run(55_000, 70_000, DOWN, "timeout", 55_000)


def test_a_run_does_not_go_on_over_an_observation_that_was_due() -> None:
    first, second = runs([seen_at(0), seen_at(30), seen_at(76), seen_at(106)])
    assert (first.ends_at, first.last_observed_at) == (76_000, 30_000)
    assert (second.started_at, second.last_observed_at) == (76_000, 106_000)
    assert len(runs([seen_at(0), seen_at(45)])) == 1
    # A camera that is silent is put off.
    assert len(runs([seen_at(at, DOWN, "timeout") for at in (0, 56, 112)])) == 1
    assert len(runs([seen_at(0, DOWN, "timeout"), seen_at(58, DOWN, "timeout")])) == 2


def test_the_quick_way_makes_the_same_runs() -> None:
    for later in range(31, 130):
        open_run = Run(0, 90_000, UP, None, 30_000)
        seen = seen_at(later)
        assert continues(open_run, seen) == (len(runs([seen_at(0), seen_at(30), seen])) == 1), later


def test_what_an_earlier_release_had_joined_is_written_in_its_runs() -> None:
    tail = Tail((seen_at(0), seen_at(58)))
    assert tail.runs()[-1].started_at == 58_000
    change = observe(tail, [seen_at(88)], open_since=0)
    assert change is not None
    assert change.added == (Run(0, 58_000, UP, None, 0),)
    assert change.open_run == Run(58_000, 148_000, UP, None, 88_000)
    kept = observe(change.tail, [seen_at(118)], open_since=58_000)
    assert kept is not None
    assert kept.added == ()


def test_what_was_seen_before_a_loss_ends_there_unless_it_was_seen_again_on_time() -> None:
    lost = [Life(40_000, 50_000), Life(70_000, 71_000)]
    assert end_before_loss(60_000, 0, lost) == 40_000
    assert end_before_loss(60_000, 45_000, lost) == 45_000
    assert end_before_loss(60_000, 50_000, lost) == 60_000
    assert end_before_loss(90_000, 50_000, lost) == 70_000
    assert end_before_loss(90_000, 80_000, lost) == 90_000
    assert end_before_loss(30_000, 0, lost) == 30_000
    assert end_before_loss(90_000, 0, []) == 90_000
