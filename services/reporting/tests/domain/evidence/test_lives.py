"""Signs of life are intervals: a hole stays a hole."""

import random

from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.claims import Claim, resolve
from reporting.domain.evidence.lives import Life, life_at, life_of, presumed, union
from reporting.domain.segments import Segment
from reporting.domain.timeline import CameraState, Observation, runs, within_lives


def test_lives_that_touch_are_one_and_a_hole_stays() -> None:
    assert union([Life(20, 30), Life(0, 10), Life(10, 15)]) == [Life(0, 15), Life(20, 30)]


def test_a_sign_of_life_vouches_for_the_time_since_its_worker_is_awake() -> None:
    assert life_of(1000, 200, 15) == Life(200, 1000)
    assert life_of(1000, None, 15) == Life(985, 1000)
    assert life_of(1000, 2000, 15) == Life(1000, 1000)


def test_a_worker_heard_of_lately_is_presumed_alive_now() -> None:
    assert presumed([Life(0, 10), Life(20, 1000)], 9000, 15_000) == [Life(0, 10), Life(20, 9001)]


def test_a_silent_worker_lived_up_to_its_last_sign_of_life() -> None:
    assert presumed([Life(0, 1000)], 90_000, 15_000) == [Life(0, 1000)]


def test_asleep_a_claim_ends_with_the_life_in_which_it_began_also_when_it_is_closed_later() -> None:
    lives = {"w1": [Life(0, 100), Life(250, 400)]}
    (found,) = resolve([Claim("w1", 0, 1, 50, 50, 300, "verified", None)], lives)
    assert (found.start, found.end) == (50, 100)


def test_asleep_after_the_hole_only_what_is_said_anew_counts() -> None:
    lives = {"w1": [Life(0, 100), Life(250, 400)]}
    said = [Claim("w1", 0, 1, 50, 50, 260, "verified", None), Claim("w1", 0, 2, 260, 260, None, "verified", None)]
    assert [(one.start, one.end) for one in resolve(said, lives)] == [(50, 100), (260, 400)]


def test_asleep_a_run_ends_where_no_prober_watched_until_the_next_probe() -> None:
    up = CameraState.UP
    probes = [Observation(90, 60, up, None, 0), Observation(180, 60, up, None, 150)]
    made = runs(probes)
    assert [(run.started_at, run.ends_at) for run in made] == [(90, 180), (180, 300)]
    line = [Segment(run.started_at, run.ends_at, None) for run in made]
    cut = within_lives(line, [Life(0, 100), Life(150, 400)])
    assert [(one.start, one.end) for one in cut] == [(90, 100), (180, 300)]


LIVES = st.builds(lambda start, length: Life(start, start + length), st.integers(0, 90), st.integers(0, 30))


@given(st.lists(LIVES, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_heartbeats_does_not_matter(signs: list[Life], chance: random.Random) -> None:
    doubled = [*signs, *chance.choices(signs, k=len(signs))] if signs else []
    chance.shuffle(doubled)
    found: list[Life] = []
    for sign in doubled:
        found = union([*found, sign])
    assert found == union(signs)
    for at in range(125):
        assert (life_at(found, at) is not None) == any(sign.start <= at < sign.end for sign in signs)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=20))
def test_no_run_goes_on_over_a_hole(pairs: list[tuple[int, int]]) -> None:
    """A probe is awake since before it; a hole lies between the lives that these times span."""
    probes = sorted(
        {at: Observation(at, 100, CameraState.UP, None, min(since, at)) for at, since in pairs}.values(),
        key=lambda one: one.at,
    )
    lives = union(Life(one.knows_since, one.at + 1) for one in probes)
    for run in runs(probes):
        life = life_at(lives, run.started_at)
        assert life is not None
        assert run.last_observed_at < life.end
