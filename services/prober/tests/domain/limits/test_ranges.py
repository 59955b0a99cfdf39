"""What a demand asks is recorded in short, and counted from the record as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.domain.limits.demands import Endpoint
from prober.domain.limits.ranges import MOST_ADDRESSES, in_full, in_short
from vonggac.events.prober import EndpointRange


def network_of(address: str) -> str:
    return address.rpartition(".")[0]


def endpoints(*pairs: tuple[str, int]) -> list[Endpoint]:
    return [Endpoint(address, port, network_of(address)) for address, port in pairs]


addresses = st.one_of(
    st.integers(0, 600).map(lambda number: f"10.20.{number // 256}.{number % 256}"),
    st.sampled_from(
        ["cam.example", "fd00::1", "fd00::2", "255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
    ),
)


@given(st.lists(st.tuples(addresses, st.integers(1, 65_535)), unique=True, max_size=60))
def test_the_record_holds_all_that_was_asked(pairs: list[tuple[str, int]]) -> None:
    asked = endpoints(*pairs)
    assert sorted(in_full(in_short(asked), network_of), key=str) == sorted(asked, key=str)


def test_a_network_is_one_entry() -> None:
    scan = endpoints(*((f"10.20.1.{host}", port) for host in range(1, 255) for port in (80, 8080)))
    assert in_short(scan) == (EndpointRange(first="10.20.1.1", count=254, ports=(80, 8080)),)


@pytest.mark.parametrize("count", [10**9, 2**128])
def test_a_record_that_claims_too_much_is_not_followed_for_ever(count: int) -> None:
    found = list(in_full([EndpointRange(first="0.0.0.0", count=count, ports=(1,))], network_of))
    assert len(found) == MOST_ADDRESSES
