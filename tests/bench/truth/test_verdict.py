"""When a run of the bench holds: an account without a lie does, and each lie is found by the bound that is for it."""

from collections.abc import Mapping, Sequence

import pytest

from bench.truth.comparison import Stretch
from bench.truth.judgement import (
    BLIND,
    BOUNDS,
    MOST_GROWTH_MB,
    MOST_RECONNECTS_PER_MIN,
    MOST_RECORD_BLIND_S,
    NO_OUTAGE,
)
from bench.truth.kinds import KINDS
from bench.truth.record import Gap, Thing
from bench.truth.result import Line, Result
from bench.truth.windows import COVERED, EMPTY, PRODUCTION_INTERVAL_S, SETTLED_S, UNSEEN, Window, lie

CAMERA, NATIONAL, OTHER = ("cam-000", "camera"), ("cam-000", "national"), ("cam-001", "national")
PERIOD = Gap(0, 2000)
FIGURES = {
    "amnesia_lost": 0.0,
    "jobs_lost": 0.0,
    "record_blind_s": 0.0,
    "reconnects_per_min_flapping": 9.0,
    "rss_growth_mb_black_hole": 20.0,
    "non_compliant_when_unproven_s": 0.0,
}
WINDOWS = [
    Window("centre off", 200, 220, frozenset({NATIONAL}), settled=230),
    Window("discards", 400, 460, frozenset({NATIONAL}), lie(), whole=True, settled=480),
    Window("black", 600, 650, frozenset({CAMERA}), EMPTY, whole=True, settled=650),
    Window("covered", 700, 750, frozenset({CAMERA}), COVERED, whole=True, settled=750),
    Window("prober asleep", 900, 920, frozenset({CAMERA}), UNSEEN, blind=True, settled=920),
    Window(
        "read-back a minute",
        1200,
        1290,
        frozenset({NATIONAL}),
        lie(PRODUCTION_INTERVAL_S),
        whole=True,
        settled=1300,
        interval_s=PRODUCTION_INTERVAL_S,
    ),
    *(Window(kind, 1500, 1500, frozenset()) for kind in ("prober stopped", "centre flapping", "centre black hole")),
]
GAPS: Mapping[Thing, Sequence[Gap]] = {NATIONAL: [Gap(200, 220), Gap(400, 460)], CAMERA: [Gap(850, 870)], OTHER: []}
TRUE: Mapping[Thing, str] = {
    CAMERA: "good 601 bad 649 good 709 bad 741 good 900 unknown 920 good 2000",
    NATIONAL: "good 195 unknown 200 bad 220 unknown 226 good 399.9 unknown 405 bad 465 good 1150 unknown 1210 bad 1291 "
    "good 2000",
    OTHER: "good 2000",
}


def line(text: str) -> list[Stretch]:
    """`good 10 bad 20`: verdicts, each until then."""
    made, start, words = list[Stretch](), 0.0, text.split()
    for verdict, end in zip(words[::2], map(float, words[1::2]), strict=True):
        made.append(Stretch(start, end, verdict))
        start = end
    return made


def run(reported: Mapping[Thing, str] = TRUE) -> Result:
    """A run in which all was reported well, but for these lines."""
    result = Result(windows=list(WINDOWS), figures=dict(FIGURES))
    for thing, text in {**TRUE, **reported}.items():
        result.add(Line(thing, GAPS[thing], line(text)), PERIOD)
    return result


def out_of_bounds(made: Result) -> list[str]:
    return [missed.partition(" ")[0] for missed in made.misses]


def test_a_true_account_holds() -> None:
    made = run()
    assert made.misses == []
    assert made.line()["outages"] == 5
    assert made.line()["calm_s"] > 3000


def test_every_bound_is_of_a_figure_that_a_run_has_and_of_faults_that_there_are() -> None:
    assert {bound.name for bound in BOUNDS} <= set(run().line())
    assert {kind for bound in BOUNDS for kind in bound.of} | NO_OUTAGE | {*BLIND} <= set(KINDS)


LIES: Mapping[str, tuple[Mapping[Thing, str], list[str]]] = {
    "connected for 2 s after the centre went off": (
        {NATIONAL: TRUE[NATIONAL].replace("good 195 unknown 200", "good 202")},
        ["late_start_p99_s", "untrue_connected_s"],
    ),
    "connected by a proof that held three intervals": (
        {NATIONAL: TRUE[NATIONAL].replace("good 399.9 unknown 405 bad 465", "good 436 bad 465")},
        ["late_beyond_max_s", "untrue_connected_s"],
    ),
    "connected for 0.6 s amid a lie": (
        {NATIONAL: TRUE[NATIONAL].replace("unknown 405 bad 465", "unknown 405 bad 430 good 430.6 bad 465")},
        ["untrue_connected_s"],
    ),
    "a lie that stayed unknown": (
        {NATIONAL: TRUE[NATIONAL].replace("unknown 405 bad 465", "unknown 465")},
        ["missed"],
    ),
    "a lie that ended long after the centre was well": (
        {NATIONAL: TRUE[NATIONAL].replace("bad 465", f"bad {460 + SETTLED_S + 1}")},
        ["late_beyond_max_s", "untrue_down_s"],
    ),
    "an outage that nobody reported": (
        {NATIONAL: TRUE[NATIONAL].replace("good 195 unknown 200 bad 220 unknown 226 good", "good")},
        ["missed", "seconds_wrong_p99", "untrue_connected_s"],
    ),
    "an outage that ended 3 s late": (
        {NATIONAL: TRUE[NATIONAL].replace("bad 220", "bad 223")},
        ["late_end_p99_s", "untrue_down_s"],
    ),
    "black for 5 s before it was down": (
        {CAMERA: TRUE[CAMERA].replace("good 601", "good 605")},
        ["late_beyond_max_s", "untrue_up_s"],
    ),
    "covered for 12 s before it was down": (
        {CAMERA: TRUE[CAMERA].replace("good 709", "good 712")},
        ["late_beyond_max_s", "untrue_up_s"],
    ),
    "up again 4 s before the lens was free": (
        {CAMERA: TRUE[CAMERA].replace("bad 649", "bad 646")},
        ["late_beyond_max_s", "untrue_up_s"],
    ),
    "a black picture that was up": (
        {CAMERA: TRUE[CAMERA].replace("good 601 bad 649 good", "good")},
        ["missed", "untrue_up_s"],
    ),
    "a good camera that was down for a second": (
        {CAMERA: TRUE[CAMERA].replace("good 900", "good 800 bad 801 good 900")},
        ["untrue_down_s"],
    ),
    "another delivery that was not connected for a second": (
        {OTHER: "good 1000 bad 1001 good 2000"},
        ["untrue_down_s"],
    ),
    "a good delivery that was unknown": (
        {OTHER: "good 1000 unknown 1040 good 2000"},
        ["unknown_good_pct"],
    ),
    "unknown for two intervals before a break": (
        {NATIONAL: TRUE[NATIONAL].replace("good 195", "good 183")},
        ["unknown_before_break_max_s"],
    ),
    "unknown for two minutes before a break at production's interval": (
        {NATIONAL: TRUE[NATIONAL].replace("good 1150", "good 1100")},
        ["unknown_good_pct", "unknown_before_break_a_minute_max_s"],
    ),
    "up for a tenth of a second while nobody looked": (
        {CAMERA: TRUE[CAMERA].replace("good 900 unknown 920", "good 900 unknown 910 good 910.1 unknown 920")},
        ["unknown_when_blind_pct"],
    ),
}


@pytest.mark.parametrize(("reported", "names"), LIES.values(), ids=LIES)
def test_a_lie_in_the_account_fails_a_run(reported: Mapping[Thing, str], names: list[str]) -> None:
    assert all(TRUE[thing] != text for thing, text in reported.items())
    assert out_of_bounds(run(reported)) == names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amnesia_lost", 1.0),
        ("jobs_lost", 1.0),
        ("record_blind_s", MOST_RECORD_BLIND_S + 1),
        ("reconnects_per_min_flapping", MOST_RECONNECTS_PER_MIN + 1),
        ("rss_growth_mb_black_hole", MOST_GROWTH_MB + 1),
        ("non_compliant_when_unproven_s", 0.5),
    ],
)
def test_what_is_lost_grows_or_was_not_recorded_fails_a_run(name: str, value: float) -> None:
    made = run()
    made.figures[name] = value
    assert out_of_bounds(made) == [name]
    del made.figures[name]
    assert made.misses == [f"{name} was not measured"]


def test_a_run_in_which_no_outage_came_measured_nothing() -> None:
    made = run()
    made.found.clear()
    assert made.misses == ["outages is 0; it must be at least 1"]


def test_a_run_of_some_kinds_is_judged_by_what_they_measure() -> None:
    asleep = Window("prober asleep", 900, 920, frozenset({CAMERA}), UNSEEN, blind=True)
    made = Result(windows=[asleep], figures=dict.fromkeys(("amnesia_lost", "jobs_lost", "record_blind_s"), 0.0))
    made.add(Line(CAMERA, [], line("good 900 unknown 920 good 2000")), PERIOD)
    assert made.misses == []


def test_two_faults_at_once_may_be_unknown_and_never_untrue() -> None:
    both = [
        Window("two at once: discards", 400, 460, frozenset({NATIONAL}), UNSEEN, whole=True, settled=480),
        Window("two at once: black", 420, 470, frozenset({CAMERA}), UNSEEN, whole=True, settled=480),
    ]
    named = {"national": "good 400 unknown 465 good 2000", "camera": "good 420 unknown 470 good 2000"}
    gaps = {NATIONAL: [Gap(400, 460)], CAMERA: list[Gap]()}

    def judged(lines: Mapping[str, str]) -> list[str]:
        made = Result(windows=both, figures=dict.fromkeys(("amnesia_lost", "jobs_lost", "record_blind_s"), 0.0))
        for thing in (NATIONAL, CAMERA):
            made.add(Line(thing, gaps[thing], line(lines[thing[1]])), PERIOD)
        return out_of_bounds(made)

    assert judged(named) == []
    assert judged(named | {"national": "good 2000"}) == ["untrue_connected_s"]
    assert judged(named | {"camera": "good 2000"}) == ["untrue_up_s"]


def test_an_error_says_which_line_was_called_what_when_and_in_which_words() -> None:
    made = Result(windows=list(WINDOWS))
    states = [Stretch(0, 2000, "verified", "verified")]
    made.add(Line(NATIONAL, GAPS[NATIONAL], line("good 2000"), states), PERIOD)
    (first, *_) = [row for row in made.rows() if row.startswith("untrue")]
    assert first == "untrue: cam-000 national called good (verified) for 19.000 s from 00:03:20.500 UTC on, centre off"


def test_an_outage_beyond_its_rule_is_printed_with_what_was_reported_of_it() -> None:
    made = run({CAMERA: TRUE[CAMERA].replace("good 601", "good 605")})
    assert made.explained == [
        "late: cam-000 camera, black for 50.0 s: good -600.0 to 5.0, bad 5.0 to 49.0, good 49.0 to 109.0"
    ]


def test_a_camera_that_gives_media_for_a_second_now_and_then_is_away_each_time() -> None:
    away = [Gap(100 + 8.3 * number, 107.3 + 8.3 * number) for number in range(5)]
    made = Result(windows=[Window("media now and then", 100, 141, frozenset({CAMERA}))])
    reported = " ".join(f"good {one.start} bad {one.end}" for one in away) + " good 2000"
    made.add(Line(CAMERA, away, line(reported)), PERIOD)
    assert [(one.late_start_s, one.late_end_s) for one in made.found] == [(0.0, 0.0)] * 5
    assert not made.untrue
    assert not made.accused
