"""What probes found, dated by what the camera's forwarder saw of its media."""

from collections.abc import Sequence

from reporting.domain.evidence.lives import Life
from reporting.domain.evidence.media import (
    FLOWING,
    FROZEN,
    NOTHING,
    STOPPED,
    Media,
    MediaClaim,
    dated,
    joined,
    media_of,
)
from reporting.domain.partition import Seen
from reporting.domain.segments import Segment
from reporting.domain.timeline import CameraState
from vonggac.events.causes import Cause

UP, DOWN = CameraState.UP, CameraState.DOWN
REFUSED, STALLED, OURS = Cause.REFUSED.value, Cause.STALLED.value, Cause.INTERNAL_ERROR.value


def probed(start: int, end: int, state: CameraState, cause: str | None = None, *, last_at: int = 0) -> Segment[Seen]:
    """Found from `start` on, for the last time at `last_at` (by default then), claimed until `end`."""
    return Segment(start, end, Seen(state, cause, start, last_at > start, last_at or start))


def media(*spans: tuple[int, int, str, str | None]) -> Media:
    """What one forwarder said in each of them; nobody said anything between."""
    return Media([Segment(start, end, claim(start, state, cause)) for start, end, state, cause in spans], ())


def claim(at: int, state: str, cause: str | None) -> MediaClaim:
    return MediaClaim("forwarder", 1, at, at, at, None, state, cause, at if state == STOPPED else None, None, None)


def seen(line: Sequence[Segment[Seen]]) -> list[tuple[int, int, CameraState, str | None]]:
    return [(one.start, one.end, one.value.state, one.value.cause) for one in line]


def test_a_failed_probe_that_media_refuted_does_not_come_back_when_nobody_sees_media_any_more() -> None:
    line = dated([probed(100, 500, DOWN, REFUSED)], media((150, 300, FLOWING, None)))
    assert seen(line) == [(100, 150, DOWN, REFUSED), (150, 300, UP, None)]


def test_a_failed_probe_that_was_made_after_the_last_media_is_believed() -> None:
    line = dated([probed(100, 500, DOWN, REFUSED, last_at=310)], media((150, 300, FLOWING, None)))
    assert seen(line) == [(100, 150, DOWN, REFUSED), (150, 300, UP, None), (300, 500, DOWN, REFUSED)]


def test_a_good_probe_that_was_made_before_media_stopped_does_not_come_back_either() -> None:
    line = dated([probed(100, 500, UP)], media((100, 200, FLOWING, None), (200, 300, STOPPED, STALLED)))
    assert seen(line) == [(100, 200, UP, None), (200, 300, DOWN, STALLED)]


def test_a_good_probe_holds_on_when_media_came_back_before_nobody_saw_it_any_more() -> None:
    flow = media((100, 200, FLOWING, None), (200, 250, STOPPED, STALLED), (250, 300, FLOWING, None))
    assert seen(dated([probed(100, 500, UP)], flow)) == [
        (100, 200, UP, None),
        (200, 250, DOWN, STALLED),
        (250, 500, UP, None),
    ]


def test_a_stop_that_is_our_own_fault_refutes_no_probe() -> None:
    line = dated([probed(100, 500, UP)], media((100, 200, FLOWING, None), (200, 300, STOPPED, OURS)))
    assert seen(line) == [(100, 500, UP, None)]


def test_the_cause_of_a_new_stop_is_the_forwarders_when_media_had_refuted_the_probe() -> None:
    line = dated([probed(100, 500, DOWN, REFUSED)], media((150, 300, FLOWING, None), (300, 400, STOPPED, STALLED)))
    assert seen(line) == [(100, 150, DOWN, REFUSED), (150, 300, UP, None), (300, 400, DOWN, STALLED)]


def test_a_finding_about_the_picture_is_not_refuted_by_media() -> None:
    line = dated([probed(100, 500, DOWN, Cause.BLACK.value)], media((150, 300, FLOWING, None)))
    assert seen(line) == [(100, 500, DOWN, Cause.BLACK.value)]


def test_a_picture_that_moved_is_not_frozen_again_when_nobody_sees_media_any_more() -> None:
    moved = claim(150, FLOWING, None)._replace(still_since=120, still_ends_at=200)
    line = dated([probed(100, 500, DOWN, FROZEN)], Media([Segment(150, 300, moved)], [Segment(120, 200, FROZEN)]))
    assert seen(line) == [(100, 200, DOWN, FROZEN), (200, 300, UP, None)]


def test_asleep_a_report_ends_with_the_life_in_which_it_was_made_also_when_it_is_closed_later() -> None:
    said = claim(100, FLOWING, None)._replace(ends_at=400, still_since=150, still_ends_at=350)
    flow, still, _ = media_of([said], {"forwarder": [Life(50, 200), Life(300, 500)]})
    assert [(one.start, one.end) for one in flow] == [(100, 200)]
    assert [(one.start, one.end, one.value) for one in still] == [(150, 200, Cause.FROZEN)]


def test_a_recording_in_a_loop_repeats_from_its_first_picture_that_came_again_to_the_first_new_one() -> None:
    repeats = claim(150, FLOWING, None)._replace(still_since=120, still_ends_at=300, still_cause=Cause.REPEATS.value)
    flow = [Segment(100, 400, repeats)]
    line = dated([probed(100, 400, UP)], Media(flow, [Segment(120, 300, Cause.REPEATS.value)]))
    assert seen(line) == [(100, 120, UP, None), (120, 300, DOWN, Cause.REPEATS), (300, 400, UP, None)]
    # A probe that found it, too, says nothing of the time after the first new picture.
    found = probed(200, 400, DOWN, Cause.REPEATS.value, last_at=250)
    line = dated([probed(100, 200, UP), found], Media(flow, [Segment(120, 300, Cause.REPEATS.value)]))
    assert seen(line) == [(100, 120, UP, None), (120, 300, DOWN, Cause.REPEATS), (300, 400, UP, None)]


def test_a_recording_that_stands_still_after_a_while_has_one_cause_at_a_time() -> None:
    loop = claim(100, FLOWING, None)._replace(ends_at=200, still_since=110, still_ends_at=200, still_cause="repeats")
    frozen = claim(200, FLOWING, None)._replace(still_since=180, still_ends_at=300)
    _, still, _ = media_of([loop, frozen], {"forwarder": [Life(50, 500)]})
    assert [(one.start, one.end, one.value) for one in still] == [(110, 200, "repeats"), (200, 300, "frozen")]


def test_probes_alone_stay_as_they_are() -> None:
    line = [probed(100, 200, UP), probed(200, 300, DOWN, REFUSED)]
    assert seen(dated(line, NOTHING)) == seen(line)


def test_two_failed_probes_that_follow_each_other_confirm_each_other_and_one_that_was_cut_does_not() -> None:
    one, other = probed(100, 200, DOWN, REFUSED), probed(200, 300, DOWN, REFUSED)
    assert joined([one, other]) == [Segment(100, 300, one.value._replace(repeated=True))]
    cut = Segment(200, 300, one.value)
    assert joined([one, cut]) == [Segment(100, 300, one.value)]
