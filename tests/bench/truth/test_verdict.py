"""When a run of the bench holds."""

import pytest

from bench.truth.comparison import Found, Window
from bench.truth.evidence import PROOF_LASTS_S, Counted
from bench.truth.faults import KINDS
from bench.truth.judgement import BOUNDS, MOST_GROWTH_MB, MOST_RECONNECTS_PER_MIN, MOST_RECORD_BLIND_S, NO_CENTRE
from bench.truth.record import Gap
from bench.truth.result import Result

THING = ("cam-000", "national")
CLEAN = {
    "amnesia_lost": 0.0,
    "jobs_lost": 0.0,
    "record_blind_s": 0.0,
    "reconnects_per_min_flapping": 9.0,
    "rss_growth_mb_black_hole": 20.0,
}
OF_THE_ISSUE = (
    "outages", "missed", "late_start_p99_s", "late_end_p99_s", "seconds_wrong_p99", "untrue_connected_s",
    "unknown_when_blind_pct", "amnesia_lost", "jobs_lost", "reconnects_per_min_flapping", "rss_growth_mb_black_hole",
)  # fmt: skip


def found(late_start_s: float | None = 0.4, late_end_s: float | None = -0.3, wrong_s: float = 0.7) -> Found:
    return Found("centre off", THING, Gap(0, 60), late_start_s, late_end_s, wrong_s)


def counted(kind: str, connected_s: float, not_connected_s: float, unknown_s: float) -> Counted:
    return Counted(kind, THING, 0.0, 0, connected_s, not_connected_s, unknown_s)


def run() -> Result:
    """Every kind of fault came, and all of it was reported well."""
    return Result(
        found=[found()],
        blind={"prober asleep": (20.0, 20.0)},
        windows=[Window(kind, 0, 60, frozenset({THING})) for kind in KINDS],
        counted=[counted("prober stopped", 30, 0, 30), counted("read-back refused", PROOF_LASTS_S, 20, 0)],
        figures=dict(CLEAN),
    )


def test_a_run_without_a_fault_of_ours_holds() -> None:
    assert run().misses == []
    assert set(OF_THE_ISSUE) <= set(run().line())


def test_every_bound_is_of_a_figure_that_a_run_has_and_of_faults_that_there_are() -> None:
    assert {bound.name for bound in BOUNDS} <= set(run().line())
    assert {kind for bound in BOUNDS for kind in bound.of} | NO_CENTRE <= set(KINDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amnesia_lost", 1.0),
        ("jobs_lost", 1.0),
        ("record_blind_s", MOST_RECORD_BLIND_S + 1),
        ("reconnects_per_min_flapping", MOST_RECONNECTS_PER_MIN + 1),
        ("rss_growth_mb_black_hole", MOST_GROWTH_MB + 1),
    ],
)
def test_what_is_lost_grows_or_was_not_recorded_fails_a_run(name: str, value: float) -> None:
    made = run()
    made.figures[name] = value
    assert [missed.partition(" ")[0] for missed in made.misses] == [name]
    del made.figures[name]
    assert made.misses == [f"{name} was not measured"]


@pytest.mark.parametrize(
    ("one", "names"),
    [
        (found(late_start_s=-1.51), ["late_start_p99_s"]),
        (found(late_end_s=1.51), ["late_end_p99_s"]),
        (found(wrong_s=3.01), ["seconds_wrong_p99"]),
        (found(late_start_s=None, late_end_s=None, wrong_s=60), ["missed", "seconds_wrong_p99"]),
    ],
)
def test_an_outage_that_is_missed_or_has_a_wrong_date_fails_a_run(one: Found, names: list[str]) -> None:
    made = run()
    made.found.append(one)
    assert [missed.partition(" ")[0] for missed in made.misses] == names


def test_one_wrong_date_in_a_hundred_is_said_and_fails_nothing() -> None:
    made = run()
    made.found += [found() for _ in range(100)] + [found(late_start_s=2.5)]
    assert made.misses == []
    assert made.line()["late_start_max_s"] == 2.5


def test_a_run_in_which_no_outage_came_measured_nothing() -> None:
    made = run()
    made.found.clear()
    assert made.misses == ["outages is 0; it must be at least 1"]


def test_a_part_of_a_second_that_is_untrue_fails_a_run() -> None:
    for name, figures in (
        ("untrue_connected_s", {"untrue": {"flapping": 0.02}}),
        ("untrue_down_s", {"false_s": {"flapping": 0.02}}),
        ("unknown_when_blind_pct", {"blind": {"prober asleep": (19.99, 20.0)}}),
    ):
        made = run()
        for field, value in figures.items():
            setattr(made, field, value)
        assert [missed.partition(" ")[0] for missed in made.misses] == [name]


@pytest.mark.parametrize(
    ("kind", "seconds", "names"),
    [
        ("prober stopped", (30, 1, 29), ["not_connected_when_unproven_s"]),
        ("prober stopped", (60, 0, 0), ["unknown_when_unproven_s"]),
        ("read-back refused", (PROOF_LASTS_S, 18, 2), ["unknown_when_refused_s"]),
        ("read-back refused", (PROOF_LASTS_S + 10, 18, 0), ["connected_too_long_when_refused_s"]),
        ("read-back refused", (30, 0, 0), ["not_connected_when_refused_s"]),
    ],
)
def test_a_delivery_without_a_proof_is_accused_only_where_a_read_back_failed(
    kind: str, seconds: tuple[float, float, float], names: list[str]
) -> None:
    made = run()
    made.counted = [one for one in made.counted if one.kind != kind] + [counted(kind, *seconds)]
    assert [missed.partition(" ")[0] for missed in made.misses] == names


def test_a_camera_that_was_called_non_compliant_while_nobody_could_read_back_fails_a_run() -> None:
    made = run()
    made.non_compliant_s = 0.5
    assert [missed.partition(" ")[0] for missed in made.misses] == ["non_compliant_when_unproven_s"]


def test_a_run_of_some_kinds_is_judged_by_what_they_measure() -> None:
    made = run()
    made.windows = [Window("prober asleep", 0, 20, frozenset({THING}), blind=True)]
    made.found.clear()
    made.counted.clear()
    made.figures = dict.fromkeys(("amnesia_lost", "jobs_lost", "record_blind_s"), 0.0)
    assert made.misses == []
