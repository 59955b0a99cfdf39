"""A request that is sent again is done once: the states of an Idempotency-Key."""

from datetime import UTC, datetime, timedelta

import pytest

from vonggac.http import ProblemError
from vonggac.http.idempotency import KeptAnswer, KeptRequest, decide, fingerprint_of, parse_key

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ANSWER = KeptAnswer(201, {"location": "/v1/things/1"}, b"{}")
SAME = fingerprint_of("POST", "/v1/things", b"{}")


def kept(answer: KeptAnswer | None, age_s: float = 1) -> KeptRequest:
    return KeptRequest(SAME, NOW - timedelta(seconds=age_s), answer)


def test_a_new_key_is_done_and_a_known_one_answered_as_before() -> None:
    assert decide(None, SAME, NOW) is None
    assert decide(kept(ANSWER), SAME, NOW) == ANSWER


def test_the_same_request_in_progress_is_a_conflict_until_its_process_is_given_up() -> None:
    with pytest.raises(ProblemError) as raised:
        decide(kept(None), SAME, NOW)
    assert (raised.value.problem.status, raised.value.problem.code) == (409, "request_in_progress")
    assert decide(kept(None, age_s=61), SAME, NOW) is None


@pytest.mark.parametrize(
    "other",
    [("PUT", "/v1/things", b"{}"), ("POST", "/v1/things?dry_run=true", b"{}"), ("POST", "/v1/things", b"{ }")],
)
def test_a_key_of_another_request_is_refused_by_name(other: tuple[str, str, bytes]) -> None:
    with pytest.raises(ProblemError) as raised:
        decide(kept(ANSWER), fingerprint_of(*other), NOW)
    problem = raised.value.problem
    assert (problem.status, problem.code) == (422, "idempotency_key_reused")
    assert [error.field for error in problem.errors] == ["Idempotency-Key"]


def test_parts_of_a_fingerprint_do_not_run_into_each_other() -> None:
    assert fingerprint_of("POST", "/a", b"b") != fingerprint_of("POST", "/ab", b"")


@pytest.mark.parametrize(("header", "key"), [('"a b"', "a b"), (r'"a\"b"', 'a"b'), ("8e03978e-40d5", "8e03978e-40d5")])
def test_a_key_is_read_with_and_without_quotation_marks(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize("header", ["", '""', "a b", '"a', '"' + "x" * 256 + '"', '"é"'])
def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(ProblemError) as raised:
        parse_key(header)
    assert raised.value.problem.status == 422
