"""A read-back over which another forwarder took the camera is judged by what lay before; nothing good is accused."""

from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.hand_over import judge_before
from prober.domain.verification import TAKEN_OVER, Finding, Keyframe, Limits, Seen
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

T0 = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
LIMITS = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0)
Frames = tuple[tuple[str, float], ...]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def live(until: float, *, every: float = 1.0) -> Frames:
    """What a camera gives that never repeats itself."""
    return tuple((f"live {every * number:g}", every * number) for number in range(1, int(until / every) + 1))


def judged(back: Frames, notes: Frames) -> tuple[Finding, datetime]:
    seen = Seen([Keyframe(name, at(seconds)) for name, seconds in back])
    noted = [KeyframeNote(hash=name, captured_at=at(seconds)) for name, seconds in notes]
    return judge_before(seen, noted, asked_at=T0, limits=LIMITS)


def is_silent(back: Frames, notes: Frames) -> bool:
    finding, _ = judged(back, notes)
    if finding.verdict is VerificationVerdict.NOT_CHECKABLE:
        assert finding.detail == TAKEN_OVER
        return False
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    return True


AGAIN_AND_AGAIN = tuple(("kept", 0.4 + second) for second in range(28))


@pytest.mark.parametrize("back", [(), (("kept", 0.2),), (("k", 0.2), ("l", 0.3)), AGAIN_AND_AGAIN])
def test_proof_ends_where_nothing_new_came_before_the_hand_over(back: Frames) -> None:
    """Nothing at all, the last pictures once, or one picture again and again."""
    finding, since = judged(back, live(27.0))
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert since == T0
    assert finding.detail == (
        "the destination gave no new keyframe within 26 s, and the camera gave 27, "
        "until another forwarder took the camera"
    )


@pytest.mark.parametrize("second", [0.0, 1.0, 5.0, 15.0, 22.0])
def test_proof_ends_at_no_destination_whose_silence_before_the_hand_over_was_short(second: float) -> None:
    """In the first second of a read-back nothing may have come yet, and a destination may have become late by 20 s."""
    assert not is_silent((), live(second))
    assert not is_silent((("kept", 0.2),), live(second))


def test_proof_ends_at_no_destination_that_is_late_and_goes_on() -> None:
    """By 25 s: each of its pictures is from before the read-back began, and none was noted."""
    late = tuple((f"old {second}", second + 0.5) for second in range(28))
    assert not is_silent(late, live(28.0))
    # One of them in ten seconds is enough.
    assert not is_silent(late[::10], live(28.0))


def test_proof_ends_from_the_last_new_picture_on() -> None:
    back = (("kept", 0.2), ("old", 3.0))
    assert not is_silent(back, live(25.0))
    finding, since = judged(back, live(27.0))
    assert finding.verdict is VerificationVerdict.UNREACHABLE
    assert since == at(3.0)


def test_proof_ends_at_no_destination_of_a_camera_that_repeats_its_picture_or_gives_few() -> None:
    still = tuple(("kept", float(second)) for second in range(1, 28))
    assert not is_silent((("kept", 0.2),), still)
    assert not is_silent((), live(28.0, every=14.0))
    assert is_silent((), live(28.0, every=2.0))


@pytest.mark.parametrize(("second", "found"), [(1.0, False), (9.0, False), (13.0, True), (19.0, True)])
def test_proof_ends_sooner_at_a_destination_that_plays_its_last_pictures_again_and_again(
    second: float, found: bool
) -> None:
    """One picture, or a group of two: no destination that is late does that."""
    one = tuple(("kept", 0.4 + number) for number in range(int(second)))
    two = tuple((("k", "l")[number % 2], 0.4 + number) for number in range(int(second)))
    assert is_silent(one, live(second)) is found
    assert is_silent(two, live(second)) is found
    # What a camera gives only now and then comes again and again for its own sake.
    assert not is_silent(one, live(second, every=9.0))
