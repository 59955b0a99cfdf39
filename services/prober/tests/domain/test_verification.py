"""What keyframes read back prove, and when the next read-back is due."""

from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.delay import CACHE_COUNTS, Newest
from prober.domain.verification import (
    Earlier,
    Failure,
    Finding,
    Keyframe,
    Limits,
    Noted,
    Seen,
    decide,
    failed,
    failing_since,
)
from vonggac.events import Cause
from vonggac.events.advice import ADVICE
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

T0 = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
LIMITS = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seen(*frames: tuple[str, float] | tuple[str, float, int], failure: Failure | None = None) -> Seen:
    """Each keyframe: its picture, when it came, and the RTP timestamp that it came with."""
    return Seen([Keyframe(name, at(s), *stamp) for name, s, *stamp in frames], failure)


def noted(*notes: tuple[str, float] | tuple[str, float, int], same_holder: bool = True) -> Noted:
    kept = [
        KeyframeNote(hash=name, captured_at=at(s), rtp_timestamp=stamp[0] if stamp else None)
        for name, s, *stamp in notes
    ]
    return Noted(kept, same_holder)


def decided(back: Seen, notes: Noted, *, now: float = 4.0) -> Finding | None:
    return decide(back, notes, asked_at=T0, now=at(now), limits=LIMITS)


def verdict(back: Seen, notes: Noted, *, now: float = 4.0) -> VerificationVerdict | None:
    finding = decided(back, notes, now=now)
    return finding.verdict if finding is not None else None


def test_the_same_picture_proves_it_and_its_age_is_the_delay() -> None:
    finding = decided(seen(("x", 0.1), ("b", 3.5)), noted(("a", 1.0), ("b", 3.0)))
    assert finding == Finding(VerificationVerdict.VERIFIED, captured_at=at(3.0), delay_s=0.5)


def test_a_picture_that_two_holders_noted_at_almost_the_same_time_came_once() -> None:
    finding = decided(seen(("a", 3.5)), noted(("a", 2.9), ("b", 2.0), ("a", 3.0)))
    assert finding is not None
    assert (finding.verdict, finding.delay_s) == (VerificationVerdict.VERIFIED, 0.5)


def test_a_picture_that_came_several_times_proves_nothing_and_the_next_one_does() -> None:
    notes = noted(("a", 1.0), ("b", 2.0), ("a", 3.0), ("c", 4.0))
    assert decided(seen(("a", 3.5)), notes) is None
    finding = decided(seen(("a", 3.5), ("c", 4.2)), notes, now=4.2)
    assert finding is not None
    assert (finding.verdict, finding.captured_at) == (VerificationVerdict.VERIFIED, at(4.0))


def test_clocks_that_differ_a_little_make_no_negative_delay() -> None:
    finding = decided(seen(("a", 3.0)), noted(("a", 3.2)))
    assert finding is not None
    assert (finding.verdict, finding.delay_s) == (VerificationVerdict.VERIFIED, 0.0)


def test_a_picture_may_come_back_before_its_note() -> None:
    assert decided(seen(("a", 1.0)), noted()) is None
    assert verdict(seen(("a", 1.0)), noted(("a", 0.9))) is VerificationVerdict.VERIFIED


def test_a_late_picture_is_verified_up_to_the_longest_delay() -> None:
    assert verdict(seen(("x", 0.5), ("y", 20.0), ("a", 31.0)), noted(("a", 1.0)), now=31.0) is (
        VerificationVerdict.VERIFIED
    )


def test_a_picture_of_before_the_session_does_not_prove_it() -> None:
    notes = noted(("a", -2.0), ("b", 3.0))

    def since_zero(*frames: tuple[str, float]) -> Finding | None:
        return decide(seen(*frames), notes, asked_at=T0, now=at(4.0), limits=LIMITS, earlier=Earlier(T0))

    assert since_zero(("a", 0.5)) is None
    finding = since_zero(("a", 0.5), ("b", 3.5))
    assert finding is not None
    assert finding.captured_at == at(3.0)


def test_an_old_picture_is_a_mismatch() -> None:
    finding = decided(seen(("x", 0.5), ("a", 2.0)), noted(("a", -60.0), ("b", -30.0), ("c", 2.0)))
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)
    assert finding.detail == "the destination plays a picture that came from the camera 62 s ago"


def test_one_old_picture_at_the_start_may_be_what_the_destination_keeps_for_new_viewers() -> None:
    assert decided(seen(("a", 0.5)), noted(("a", -60.0))) is None
    assert verdict(seen(("a", 0.5), ("b", 2.0)), noted(("a", -60.0), ("b", 1.9))) is VerificationVerdict.VERIFIED
    assert verdict(seen(("a", 0.5)), noted(("a", -60.0), ("b", -30.0)), now=50.0) is VerificationVerdict.MISMATCH


def test_of_a_camera_that_plays_a_loop_an_old_picture_may_be_a_new_one_that_is_not_noted_yet() -> None:
    loop = (("a", -40.0, 1), ("b", -38.5, 2), ("c", -31.0, 3))
    played = seen(("a", 0.2, 11), ("b", 1.7, 12))
    assert decided(played, noted(*loop)) is None
    assert decided(played, noted(*loop, ("a", 0.0, 11))) is None
    assert verdict(played, noted(*loop, ("a", 0.0, 11), ("b", 1.5, 12))) is VerificationVerdict.NOT_CHECKABLE
    assert verdict(played, noted(*loop), now=LIMITS.longest_s) is VerificationVerdict.MISMATCH


def test_old_pictures_in_a_burst_may_be_what_the_destination_keeps_for_new_viewers() -> None:
    notes = noted(("a", -44.0), ("b", -42.0), ("c", -40.0), ("d", -31.0), ("e", 1.3))
    assert decided(seen(("a", 0.1), ("b", 0.2), ("c", 0.3)), notes) is None
    assert decided(seen(("a", 0.1), ("a", 0.2)), noted(("x", 0.5), ("y", 2.5))) is None
    assert verdict(seen(("a", 0.1), ("b", 0.2), ("c", 1.2)), notes) is VerificationVerdict.MISMATCH


def test_one_picture_again_and_again_is_a_mismatch() -> None:
    back = seen(("x", 0.5), ("x", 31.5))
    notes = noted(("a", 1.0), ("b", 3.0))
    assert decided(back, notes, now=31.6) is None
    finding = decided(back, notes, now=32.5)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.MISMATCH
    assert "again and again" in (finding.detail or "")
    assert decided(back, noted(("a", 1.0)), now=32.5) is None


def test_one_picture_and_nothing_after_it_stands_still_once_new_ones_had_to_come_back() -> None:
    notes = noted(("a", 1.0), ("b", 3.0))
    assert decided(seen(("x", 0.5)), notes, now=35.9) is None
    finding = decided(seen(("x", 0.5)), notes, now=36.1)
    assert finding is not None
    assert (finding.verdict, finding.stands_still) == (VerificationVerdict.MISMATCH, True)
    assert "the camera gave 2 meanwhile" in (finding.detail or "")


@pytest.mark.parametrize("again", ["x", "y"], ids=["one picture", "two that alternate"])
def test_with_a_camera_that_stands_still_nobody_can_tell_a_still_from_its_stream(again: str) -> None:
    notes = noted(("x", -60.0), (again, -30.0), ("x", 1.0), (again, 3.0))
    finding = decided(seen(("x", 0.5), (again, 2.5)), notes)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.NOT_CHECKABLE, None)
    assert "repeats its pictures" in (finding.detail or "")


def test_a_still_of_another_picture_is_a_mismatch_even_with_a_camera_that_stands_still() -> None:
    back = seen(("z", 0.5), ("z", 31.5))
    assert verdict(back, noted(("x", -30.0), ("x", 1.0), ("x", 3.0)), now=32.5) is VerificationVerdict.MISMATCH


def test_a_still_picture_that_has_just_ended_accuses_nobody() -> None:
    # The camera stood still at "a", hashed twice a minute, and moves since 0.8 s; the destination is 3 s late.
    notes = noted(("a", -30.0), ("b", 1.0), ("c", 3.0))
    assert decided(seen(("a", 0.5), ("a", 2.5), ("a", 3.7)), notes, now=4.0) is None
    unknown_before = noted(("b", 1.0), ("c", 3.0))
    assert decided(seen(("a", 0.5), ("a", 2.5)), unknown_before, now=4.0) is None


def test_a_still_picture_whose_newest_note_is_late_accuses_nobody() -> None:
    assert decided(seen(("x", 0.1), ("x", 2.1)), noted(("x", -40.0)), now=2.2) is None
    finding = decided(seen(("x", 0.1), ("x", 2.1)), noted(("x", -40.0), ("x", 1.9)), now=2.4)
    assert finding is not None
    assert (finding.verdict, finding.still_since) == (VerificationVerdict.NOT_CHECKABLE, at(-40.0))


def test_a_picture_that_repeats_proves_nothing_whatever_its_timestamps_are() -> None:
    """A destination that plays a recording may write the timestamps of the present into it."""
    notes = noted(("x", -30.0, 7), ("x", 1.0, 100), ("x", 3.0, 200))
    finding = decided(seen(("x", 1.4, 100), ("x", 3.4, 200)), notes)
    assert finding is not None
    assert (finding.verdict, finding.still_since) == (VerificationVerdict.NOT_CHECKABLE, at(-30.0))


def test_a_picture_of_which_the_forwarder_remembers_an_earlier_coming_repeats_and_proves_nothing() -> None:
    one = KeyframeNote(hash="a", captured_at=at(1.0), first_captured_at=at(-3600.0))
    two = KeyframeNote(hash="b", captured_at=at(2.0), first_captured_at=at(-3599.0))
    assert decided(seen(("a", 1.1)), Noted([one])) is None
    finding = decided(seen(("a", 1.1), ("b", 2.1)), Noted([one, two]))
    assert finding is not None
    assert (finding.verdict, finding.still_since) == (VerificationVerdict.NOT_CHECKABLE, at(-3599.0))
    fresh = KeyframeNote(hash="c", captured_at=at(3.0))
    assert verdict(seen(("a", 1.1), ("b", 2.1), ("c", 3.1)), Noted([one, two, fresh])) is VerificationVerdict.VERIFIED


def test_a_still_picture_that_came_back_just_now_is_no_other_picture() -> None:
    """However long both sides were watched: its note may still come."""
    notes = noted(("x", -30.0, 7), ("x", 1.0, 100), ("x", 3.0, 200))
    assert decided(seen(("old", 0.5), ("x", 31.6, 900)), notes, now=31.7) is None


def test_other_pictures_are_a_mismatch_only_when_one_had_to_be_alike() -> None:
    notes = noted(("a", 1.0), ("b", 3.0), ("c", 5.0))
    early = [("x", 0.5), ("y", 10.0), ("z", 30.9)]
    assert decided(seen(*early), notes, now=30.9) is None
    assert decided(seen(*early, ("w", 31.5)), notes, now=32.4) is None
    finding = decided(seen(*early, ("w", 31.5)), notes, now=32.5)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.MISMATCH
    # Nobody noted what came before: it may be of this camera.
    assert finding.detail == (
        "the destination plays another picture, or one older than 30 s: 4 keyframes were read back, and none is among "
        "the 3 that came from the camera meanwhile"
    )


def test_a_destination_that_catches_up_is_not_accused_of_what_it_plays_on_the_way() -> None:
    """An interruption is over: what waited comes in a burst, amid which the newest picture is read and compared."""
    notes = (("a", -50.0), ("b", -48.0), ("c", -46.0), ("d", -30.0), ("e", 2.5), ("f", 4.5))
    burst = (("a", 0.1), ("b", 3.0), ("c", 3.1))
    assert decided(seen(*burst), noted(*notes), now=3.2) is None
    assert verdict(seen(*burst, ("e", 3.3)), noted(*notes), now=3.3) is VerificationVerdict.VERIFIED
    # It goes on with them.
    finding = decided(seen(*burst), noted(*notes), now=4.1)
    assert finding is not None
    assert finding.detail == "the destination plays a picture that came from the camera 49 s ago"


def test_a_destination_that_catches_up_with_pictures_that_nobody_noted_plays_no_other_picture() -> None:
    notes = (("d", 0.5), ("e", 30.5), ("f", 32.5))
    burst = (("a", 0.1), ("b", 31.0), ("c", 31.1))
    assert decided(seen(*burst), noted(*notes), now=31.2) is None
    assert verdict(seen(*burst, ("e", 31.4)), noted(*notes), now=31.5) is VerificationVerdict.VERIFIED
    assert verdict(seen(*burst), noted(*notes), now=32.1) is VerificationVerdict.MISMATCH


def test_notes_from_before_the_question_prove_no_difference() -> None:
    notes = noted(("a", -30.0), ("b", -1.0), ("c", 2.0))
    assert decided(seen(("x", 0.5), ("y", 40.0)), notes, now=40.0) is None


def test_after_a_hand_over_a_difference_proves_nothing() -> None:
    notes = noted(("a", 1.0), ("b", 3.0), same_holder=False)
    back = seen(("x", 0.5), ("y", 40.0))
    assert decided(back, notes, now=40.0) is None
    finding = decided(back, notes, now=50.0)
    assert finding is not None
    assert (finding.verdict, finding.detail) == (
        VerificationVerdict.NOT_CHECKABLE,
        "another forwarder took the camera meanwhile",
    )


def test_after_a_hand_over_silence_proves_nothing() -> None:
    notes = noted(("a", 1.0), ("b", 3.0), same_holder=False)
    assert verdict(seen(), notes, now=50.0) is VerificationVerdict.NOT_CHECKABLE


def test_nothing_read_back_is_unreachable_with_its_cause() -> None:
    finding = decided(seen(failure=Failure(Cause.REFUSED, "the address refused the connection")), noted())
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.REFUSED)
    finding = decided(seen(), noted(("a", 0.0)), now=15.0)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)


def test_a_centre_without_a_session_left_for_a_read_back_says_nothing_of_what_it_receives() -> None:
    finding = decided(seen(failure=Failure(Cause.SESSION_LIMIT, "453 Not Enough Bandwidth")), noted(("a", 1.0)))
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.NOT_CHECKABLE, Cause.SESSION_LIMIT)


def test_a_session_that_ends_before_anything_is_recognised_is_unreachable() -> None:
    finding = decided(seen(("x", 0.5), failure=Failure(Cause.ENDED, "closed")), noted(("a", 1.0)))
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.ENDED)
    assert finding.detail == "closed, after 1 keyframes of which none was recognised yet"


@pytest.mark.parametrize(
    "cause",
    [Cause.ADDRESS_NOT_ALLOWED, Cause.SECRET_UNREADABLE, Cause.TRANSPORT_UNSUPPORTED, Cause.CODEC_UNSUPPORTED, None],
)
def test_what_does_not_lie_with_the_destination_is_not_checkable(cause: Cause | None) -> None:
    finding = decided(seen(failure=Failure(cause, "why")), noted())
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.NOT_CHECKABLE, cause)


def test_without_a_note_nothing_is_checkable() -> None:
    finding = decided(seen(("x", 0.5), ("y", 2.5)), noted(), now=15.0)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.NOT_CHECKABLE


def test_every_read_back_comes_to_an_end() -> None:
    for back in (seen(), seen(("x", 1.0)), seen(("x", 1.0), ("y", 2.0))):
        for notes in (noted(), noted(("a", 1.0)), noted(("a", 1.0), ("b", 40.0)), noted(("x", -99.0))):
            assert decided(back, notes, now=LIMITS.longest_s) is not None


RARE = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0, rare_s=90.0)


def followed_by(keyframe: Seen, *, newest_s: float, span_s: float) -> Seen:
    """The same, with pictures after its keyframe that span so much of the stream's clock, the last at `newest_s`."""
    stamp = keyframe.keyframes[-1].rtp_timestamp or 0
    newest = Newest((stamp + round(span_s * 90_000)) % (1 << 32), at(newest_s), 90_000)
    return Seen(keyframe.keyframes, keyframe.failure, newest)


def test_a_foreign_centre_that_keeps_a_group_of_pictures_is_not_slow_for_that() -> None:
    """Its viewers begin with a keyframe that came 20 s ago, and see the present half a second later."""
    burst = followed_by(seen(("a", 21.0, 0xFFFFFF00)), newest_s=21.4, span_s=20.1)
    assert decided(burst, noted(("a", 1.0)), now=21.2) is None
    finding = decided(burst, noted(("a", 1.0)), now=21.5)
    assert finding is not None
    assert (finding.verdict, finding.detail) == (VerificationVerdict.VERIFIED, None)
    assert finding.delay_s == pytest.approx(0.3, abs=0.01)


def test_a_foreign_centre_whose_clock_shows_nothing_is_said_to_count_its_cache() -> None:
    for burst in (seen(("a", 5.0)), followed_by(seen(("a", 5.0, 7)), newest_s=5.4, span_s=600.0)):
        finding = decided(burst, noted(("a", 1.0)), now=5.6)
        assert finding is not None
        assert (finding.delay_s, finding.detail) == (4.0, CACHE_COUNTS)


def test_a_foreign_centre_that_plays_the_kept_group_and_nothing_new_is_as_late_as_that() -> None:
    stopped = followed_by(seen(("a", 25.0, 0)), newest_s=25.1, span_s=4.0)
    finding = decided(stopped, noted(("a", 1.0)), now=26.0)
    assert finding is not None
    assert finding.delay_s == pytest.approx(20.1)


def test_a_foreign_camera_with_a_keyframe_a_minute_is_proven_by_the_one_that_the_centre_kept() -> None:
    burst = followed_by(seen(("a", 50.0, 0)), newest_s=50.5, span_s=49.2)
    finding = decide(burst, noted(("a", 0.5)), asked_at=at(49.0), now=at(50.6), limits=RARE)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.VERIFIED
    assert finding.delay_s == pytest.approx(0.8)


def test_a_foreign_camera_with_a_keyframe_a_minute_is_waited_for_and_accuses_nobody() -> None:
    for waited_s in (15.0, 60.0, 89.0):
        assert decide(seen(), noted(), asked_at=T0, now=at(waited_s), limits=RARE) is None
    finding = decide(seen(), noted(), asked_at=T0, now=at(90.0), limits=RARE)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.NOT_CHECKABLE, Cause.NO_KEYFRAME)
    assert "rarely" in (finding.detail or "")
    # It came, and the centre has its time to play it.
    assert decide(seen(), noted(("a", 58.0)), asked_at=T0, now=at(60.0), limits=RARE) is None
    finding = decide(seen(), noted(("a", 58.0)), asked_at=T0, now=at(73.0), limits=RARE)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert decide(seen(("a", 58.4)), noted(("a", 58.0)), asked_at=T0, now=at(59.0), limits=RARE) is not None


def test_foreign_keyframes_that_are_too_large_to_compare_are_not_checkable_in_words() -> None:
    finding = decide(seen(), Noted(too_large=True), asked_at=T0, now=at(15.0), limits=RARE)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.NOT_CHECKABLE, Cause.KEYFRAME_TOO_LARGE)
    assert "larger" in (finding.detail or "")
    assert "quá lớn" in ADVICE[Cause.KEYFRAME_TOO_LARGE].vi


def test_a_read_back_that_was_cut_off_accuses_nobody_of_the_time_while_media_came() -> None:
    newest = Newest(0, at(3.0), 90_000)
    lost = Failure(Cause.ENDED, "the session ended")
    ended = failed(lost)
    assert failing_since(ended, Seen((), lost, newest), asked_at=T0) == at(3.0)
    assert failing_since(ended, Seen((), lost, Newest(0, at(-1.0), 90_000)), asked_at=T0) == T0
    assert failing_since(ended, Seen((), lost), asked_at=T0) == T0
    # Media came, and for the whole time no keyframe in it.
    without = Finding(VerificationVerdict.UNREACHABLE, Cause.NO_KEYFRAME)
    assert failing_since(without, Seen((), None, newest), asked_at=T0) == T0
