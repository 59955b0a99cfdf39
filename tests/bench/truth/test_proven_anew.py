"""Before the next fault each delivery has a proof of after the last one: a verified state may be of before it."""

from datetime import UTC, datetime

import pytest

from bench.faults.soak_stage import is_proven_since

ENDED = 1_000_000.0


def proven(at: float | None) -> dict[str, object]:
    return {"state": "verified", "verified_at": None if at is None else datetime.fromtimestamp(at, UTC).isoformat()}


@pytest.mark.parametrize(
    ("at", "found"),
    [(None, False), (ENDED - 16, False), (ENDED, True), (ENDED + 4, True), (ENDED + 150, False)],
    ids=["never", "before a prober slept", "at the end", "since", "by a fast clock"],
)
def test_a_delivery_is_proven_anew_by_a_read_back_since_the_fault(at: float | None, found: bool) -> None:
    assert is_proven_since(proven(at), ENDED, now=ENDED + 4) is found
