"""Which read-backs are facts, and that a fact carries what lies between it and the one before."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.domain.read_back_facts import follow
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

T0 = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
MATCH, DIFFERS, SILENT, UNCHECKED = (
    VerificationVerdict.VERIFIED,
    VerificationVerdict.MISMATCH,
    VerificationVerdict.UNREACHABLE,
    VerificationVerdict.NOT_CHECKABLE,
)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def read_back(verdict: VerificationVerdict, seconds: float, **changes: Any) -> DeliveryVerifiedV1:
    """Found then, of a picture of a second before, or begun then."""
    values: dict[str, Any] = {
        "delivery_id": UUID(int=1),
        "camera_id": UUID(int=2),
        "destination_id": UUID(int=3),
        "camera_revision": 1,
        "worker_id": "prober-1",
        "observed_at": at(seconds),
        "verdict": verdict,
        "captured_at": at(seconds - 1) if verdict is MATCH else None,
        "interval_s": 60.0,
        "duration_ms": 1000.0,
    }
    return DeliveryVerifiedV1(**values | changes)


def publish(*read_backs: DeliveryVerifiedV1, per_fact: int = 4) -> list[DeliveryVerifiedV1]:
    """As they are published, each after the one before it."""
    said: list[DeliveryVerifiedV1] = []
    for one in read_backs:
        said.append(follow(one, said[-1] if said else None, per_fact=per_fact))
    return said


def facts(*read_backs: DeliveryVerifiedV1, per_fact: int = 4) -> list[int]:
    return [number for number, one in enumerate(publish(*read_backs, per_fact=per_fact)) if one.is_fact]


def every_minute(verdict: VerificationVerdict, count: int, first: int = 0, **changes: Any) -> list[DeliveryVerifiedV1]:
    return [read_back(verdict, 60 * (first + number), **changes) for number in range(count)]


def test_one_in_four_that_say_the_same_is_a_fact() -> None:
    assert facts(*every_minute(MATCH, 10)) == [0, 4, 8]
    assert facts(*every_minute(MATCH, 5), per_fact=1) == [0, 1, 2, 3, 4]
    assert facts(*every_minute(UNCHECKED, 9)) == [0, 4, 8]


def test_a_fact_carries_the_last_match_before_it_and_how_many_agreed_between() -> None:
    *_, failed = publish(*every_minute(MATCH, 3), read_back(SILENT, 180, cause=Cause.TIMEOUT))
    assert failed.is_fact
    assert failed.agreed is not None
    assert (failed.agreed.verdict, failed.agreed.cause, failed.agreed.count) == (MATCH, None, 2)
    assert [(one.at, one.observed_at) for one in failed.agreed.read_backs] == [(at(59), at(60)), (at(119), at(120))]


def test_another_verdict_or_cause_is_a_fact_at_once() -> None:
    read_backs = [
        *every_minute(MATCH, 2),
        read_back(DIFFERS, 120, cause=Cause.MISMATCH),
        read_back(SILENT, 125, cause=Cause.TIMEOUT),
        read_back(SILENT, 130, cause=Cause.REFUSED),
        read_back(UNCHECKED, 135),
        read_back(MATCH, 140),
    ]
    assert facts(*read_backs) == [0, 2, 3, 4, 5, 6]


def test_the_first_match_of_a_session_is_a_fact() -> None:
    one, two = every_minute(MATCH, 2)
    assert follow(two, one, state=DeliveryState.ACKNOWLEDGED).is_fact
    assert not follow(two, one, state=DeliveryState.VERIFIED).is_fact


def test_another_plan_or_a_clock_that_went_back_is_a_fact() -> None:
    one, two = every_minute(MATCH, 2)
    assert follow(two.model_copy(update={"camera_revision": 2}), one).is_fact
    assert follow(one, two).is_fact


@pytest.mark.parametrize(("every_s", "interval_s"), [(5, 60.0), (47, 60.0), (60, 60.0), (300, 300.0)])
def test_a_centre_that_fails_is_in_the_account_as_long_as_it_fails(every_s: int, interval_s: float) -> None:
    """What a failure says holds for two intervals: by then the next one is stored."""
    failing = [read_back(SILENT, every_s * number, interval_s=interval_s) for number in range(40)]
    stored = [one.observed_at for one in publish(*failing) if one.is_fact]
    assert all((after - before).total_seconds() <= 2 * interval_s for before, after in pairwise(stored))
    if every_s == 5:
        assert len(stored) == 10, "and not each of them"


def test_matches_that_come_rarely_are_not_kept_back_for_longer_than_so_many_intervals() -> None:
    assert facts(*(read_back(MATCH, 100 * number) for number in range(5))) == [0, 2, 4]
    assert facts(*(read_back(MATCH, 150 * number) for number in range(5))) == [0, 1, 2, 3, 4]
    assert facts(*(read_back(MATCH, 61 * number) for number in range(10))) == [0, 4, 8]


VERDICTS = st.tuples(st.sampled_from([MATCH, MATCH, MATCH, DIFFERS, SILENT, UNCHECKED]), st.integers(0, 90))


@given(st.lists(VERDICTS, min_size=1, max_size=40), st.integers(1, 6))
def test_no_read_back_is_left_out_and_none_said_twice(
    said: list[tuple[VerificationVerdict, int]], per_fact: int
) -> None:
    seconds, read_backs = 0, []
    for verdict, apart in said:
        seconds += apart
        read_backs.append(read_back(verdict, seconds))
    last = publish(*read_backs, per_fact=per_fact)[-1]
    carried = [
        (fact.agreed.verdict if fact.agreed else None, one.at, one.observed_at)
        for fact in publish(*read_backs, per_fact=per_fact)
        if fact.is_fact and fact.agreed is not None
        for one in fact.agreed.read_backs
    ]
    own = [
        (one.verdict, one.evidence_at, one.observed_at)
        for one in publish(*read_backs, per_fact=per_fact)
        if one.is_fact
    ]
    waiting = [(last.verdict, one.at, one.observed_at) for one in last.agreeing.read_backs] if last.agreeing else []
    everything = [one for one in (*carried, *own, *waiting) if one[0] is not UNCHECKED]
    expected = [(one.verdict, one.evidence_at, one.observed_at) for one in read_backs if one.verdict is not UNCHECKED]
    assert sorted(everything, key=str) == sorted(expected, key=str)
