"""When a run of the bench holds."""

import pytest

from bench.truth.truth import MOST_RECORD_BLIND_S, Result

CLEAN = {"amnesia_lost": 0.0, "jobs_lost": 0.0, "record_blind_s": 0.0}


def test_a_run_without_a_fault_of_ours_holds() -> None:
    assert Result(figures=dict(CLEAN)).holds


@pytest.mark.parametrize(
    ("name", "value"), [("amnesia_lost", 1.0), ("jobs_lost", 1.0), ("record_blind_s", MOST_RECORD_BLIND_S + 1)]
)
def test_what_is_lost_or_was_not_recorded_fails_a_run(name: str, value: float) -> None:
    assert not Result(figures=CLEAN | {name: value}).holds


def test_an_untrue_second_fails_a_run() -> None:
    assert not Result(figures=dict(CLEAN), untrue={"flapping": 0.5}).holds
    assert not Result(figures=dict(CLEAN), false_s={"flapping": 0.5}).holds
