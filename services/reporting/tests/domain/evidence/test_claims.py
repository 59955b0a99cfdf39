"""Claims of forwarders become one line."""

import random

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.claims import Claim, resolve
from reporting.domain.evidence.lives import Life


def claim(
    start: int,
    state: str = "acknowledged",
    *,
    end: int | None = None,
    worker: str = "w1",
    held: int = 0,
    sequence: int = 1,
) -> Claim:
    return Claim(worker, held, sequence, start, start, end, state, None)


def lives(alive: dict[str, int]) -> dict[str, list[Life]]:
    """Each worker watched from 0 to then."""
    return {worker: [Life(0, until)] for worker, until in alive.items()}


def shown(claims: list[Claim], alive: dict[str, int]) -> list[tuple[int, int, str]]:
    return [(one.start, one.end, one.value.state) for one in resolve(claims, lives(alive))]


def test_a_state_holds_until_the_next_change_of_the_same_worker() -> None:
    said = [claim(0, "connecting", end=10), claim(10, "acknowledged", sequence=2)]
    assert shown(said, {"w1": 50}) == [(0, 10, "connecting"), (10, 50, "acknowledged")]


def test_a_state_ends_with_the_workers_last_sign_of_life() -> None:
    assert shown([claim(0)], {"w1": 25}) == [(0, 25, "acknowledged")]


def test_a_released_delivery_is_nobodys() -> None:
    assert shown([claim(0, end=10), claim(10, "released", sequence=2)], {"w1": 99}) == [(0, 10, "acknowledged")]


def test_the_later_holder_wins_while_both_live() -> None:
    said = [claim(0, held=0), claim(30, "connecting", worker="w2", held=30)]
    assert shown(said, {"w1": 100, "w2": 60}) == [
        (0, 30, "acknowledged"),
        (30, 60, "connecting"),
        (60, 100, "acknowledged"),
    ]


def test_a_worker_that_nobody_heard_of_claims_nothing() -> None:
    assert resolve([claim(5)], {}) == []


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Claim], dict[str, int]]:
    claims: list[Claim] = []
    alive: dict[str, int] = {}
    for worker in draw(st.lists(st.sampled_from(["w1", "w2", "w3"]), unique=True, min_size=1)):
        times = sorted(draw(st.sets(st.integers(0, 100), min_size=1, max_size=6)))
        states = st.sampled_from(["connecting", "acknowledged", "backing_off", "released"])
        for number, start in enumerate(times):
            end = times[number + 1] if number + 1 < len(times) else None
            claims.append(claim(start, draw(states), end=end, worker=worker, held=times[0], sequence=number + 1))
        alive[worker] = draw(st.integers(times[-1], 120))
    return claims, alive


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    history: tuple[list[Claim], dict[str, int]], chance: random.Random
) -> None:
    claims, alive = history
    shuffled = list(claims)
    chance.shuffle(shuffled)
    assert resolve(shuffled, lives(alive)) == resolve(claims, lives(alive))


@given(histories())
def test_each_moment_is_what_the_latest_living_holder_says(history: tuple[list[Claim], dict[str, int]]) -> None:
    claims, alive = history
    line = resolve(claims, lives(alive))
    for moment in range(121):
        holding = [
            one
            for one in claims
            if one.observed_at <= moment < min(alive[one.worker_id], one.ends_at or 999) and one.state != "released"
        ]
        expected = max(holding, key=lambda one: (one.held_since, one.worker_id), default=None)
        found = next((one.value for one in line if one.start <= moment < one.end), None)
        assert (found and found.state) == (expected and expected.state)
