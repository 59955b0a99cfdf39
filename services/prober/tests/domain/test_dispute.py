"""When what is disputed is over: by a new keyframe that somebody saw come, never because nobody remembers."""

from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.dispute import FORGOTTEN_AFTER, end_of, rule
from prober.domain.result import Judgement, ProbeResult, Repeats
from prober.domain.verdict import down
from vonggac.events import Cause
from vonggac.events.prober import RepetitionDispute, Verdict

T0 = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
DISPUTE = RepetitionDispute(disputed_at=T0)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def probed(*, up: bool = True, repeats: bool = False, new_since: float | None = None) -> ProbeResult:
    return ProbeResult(
        Judgement(Verdict.UP) if up else down(Cause.TIMEOUT, "no answer"),
        0.1,
        repeats=Repeats(at(-60), "after 20 s") if repeats else None,
        new_since=None if new_since is None else at(new_since),
    )


@pytest.mark.parametrize(
    ("result", "ended_at"),
    [
        (probed(new_since=30), at(30)),
        (probed(new_since=-30), None),
        (probed(), None),
        (probed(repeats=True, new_since=30), None),
        (probed(up=False, new_since=30), None),
    ],
    ids=["new keyframes", "new ones of before", "forgotten", "repeats", "no picture"],
)
def test_dispute_ends_when_the_camera_repeats_no_more(result: ProbeResult, ended_at: datetime | None) -> None:
    assert end_of(DISPUTE, result, absent_since=at(20), now=at(60)) == ended_at


def test_dispute_of_a_camera_that_repeats_as_nobody_found_for_a_day_is_over() -> None:
    now = at(20) + FORGOTTEN_AFTER
    assert end_of(DISPUTE, probed(), absent_since=at(20), now=now) == now


def test_dispute_that_a_camera_repeats_excuses_it_of_nothing_else() -> None:
    black = down(Cause.BLACK, "the picture is black")
    assert rule(black, DISPUTE) == black
    assert rule(down(Cause.REPEATS, "a recording"), DISPUTE).verdict is Verdict.UNKNOWN
