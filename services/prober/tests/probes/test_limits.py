"""Who is let in at a site network, and in which order."""

from contextlib import ExitStack

import pytest

from prober.probes.limits import PLACE_KEPT_S, NetworkGate

SITE = "10.20.1.0/24"


@pytest.fixture
def now() -> list[float]:
    return [100.0]


@pytest.fixture
def gate(now: list[float]) -> NetworkGate:
    return NetworkGate(2, prefix_v4=24, prefix_v6=64, clock=lambda: now[0])


def let_in(gate: NetworkGate, inside: ExitStack, *names: str) -> list[str]:
    """Those of `names`, coming one after another, who need not wait."""
    entered = []
    for name in names:
        if not gate.must_wait(SITE, name):
            inside.enter_context(gate.within(SITE))
            entered.append(name)
    return entered


def test_a_place_that_becomes_free_is_for_who_came_first_and_not_for_who_comes_at_that_moment(
    gate: NetworkGate, now: list[float]
) -> None:
    with ExitStack() as inside:
        assert let_in(gate, inside, "a", "b", "c", "d", "e") == ["a", "b"]
    now[0] += 1.0
    with ExitStack() as inside:
        assert let_in(gate, inside, "a", "e", "d", "c", "b") == ["d", "c"]
    now[0] += 1.0
    with ExitStack() as inside:
        assert let_in(gate, inside, "f", "b", "a", "e") == ["a", "e"]


def test_a_place_is_not_kept_for_who_does_not_come_back_but_its_order_is(gate: NetworkGate, now: list[float]) -> None:
    with ExitStack() as inside:
        let_in(gate, inside, "a", "b", "lost", "gone")
    now[0] += PLACE_KEPT_S + 0.1
    with ExitStack() as inside:
        assert let_in(gate, inside, "c", "d", "e", "lost") == ["c", "d"]
    with ExitStack() as inside:
        assert let_in(gate, inside, "f", "e", "lost") == ["e", "lost"]


def test_other_networks_have_lines_of_their_own(gate: NetworkGate) -> None:
    with ExitStack() as inside:
        let_in(gate, inside, "a", "b", "c")
        assert not gate.must_wait("10.20.2.0/24", "d")


def test_without_a_bound_nobody_waits() -> None:
    gate = NetworkGate(0, prefix_v4=24, prefix_v6=64)
    with ExitStack() as inside:
        assert len(let_in(gate, inside, *"abcdefghij")) == 10
