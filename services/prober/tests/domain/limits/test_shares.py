"""The places of a network are divided among the probers: never more than there are, and none is left (starve)."""

from hypothesis import given
from hypothesis import strategies as st

from prober.domain.limits.shares import places_of

MEMBERS = st.frozensets(st.integers(0, 99).map(lambda number: f"prober-{number}"), min_size=1, max_size=12)


@given(members=MEMBERS, places=st.integers(0, 40), network=st.text(max_size=8))
def test_all_shares_together_are_the_places(members: frozenset[str], places: int, network: str) -> None:
    shares = [places_of(network, member, members, places) for member in members]
    assert sum(shares) == places
    assert max(shares) - min(shares) <= 1


def test_who_is_no_member_has_no_place() -> None:
    assert places_of("10.0.0.0/24", "prober-2", frozenset({"prober-1"}), 8) == 0


def test_nobody_has_the_odd_places_of_every_network_and_starves_the_others() -> None:
    members = frozenset({"a", "b", "c"})
    for member in members:
        shares = {places_of(f"10.0.{number}.0/24", member, members, 8) for number in range(50)}
        assert shares == {2, 3}
