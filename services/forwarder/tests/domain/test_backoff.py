"""Waiting times grow from half a second to thirty, and are spread over the whole of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder.domain.backoff import ceiling_s, delay_s


@pytest.mark.parametrize(
    ("failures", "longest_s"), [(0, 0.5), (1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (10_000, 30)]
)
def test_the_longest_wait_doubles_up_to_thirty_seconds(failures: int, longest_s: float) -> None:
    assert ceiling_s(failures) == longest_s


@given(st.integers(0, 1_000_000), st.floats(0, 1, exclude_max=True))
def test_every_wait_lies_within_its_bound(failures: int, chance: float) -> None:
    assert 0 <= delay_s(failures, chance) <= ceiling_s(failures) <= 30
