"""When a destination has stopped to show what the camera gives: proof ends there, and nobody else is accused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from prober.domain.delay import Newest
from prober.domain.verification import Earlier, Finding, Keyframe, Limits, Noted, Seen, decide
from vonggac.events import Cause
from vonggac.events.forwarder import KeyframeNote
from vonggac.events.prober import VerificationVerdict

T0 = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
LIMITS = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0)
RARE = Limits(max_delay_s=30.0, first_within_s=15.0, settle_s=5.0, rare_s=90.0)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seen(*frames: tuple[str, float]) -> Seen:
    return Seen([Keyframe(name, at(s)) for name, s in frames])


def noted(*notes: tuple[str, float]) -> Noted:
    return Noted([KeyframeNote(hash=name, captured_at=at(s)) for name, s in notes])


def decided(back: Seen, notes: Noted, *, now: float) -> Finding | None:
    return decide(back, notes, asked_at=T0, now=at(now), limits=LIMITS)


def verdict(back: Seen, notes: Noted, *, now: float) -> VerificationVerdict | None:
    finding = decided(back, notes, now=now)
    return finding.verdict if finding is not None else None


EVERY_SECOND = tuple((f"live {second}", float(second)) for second in range(1, 60))


def up_to(now: float, *older: tuple[str, float], every: float = 1.0) -> Noted:
    """What a camera gave by then that never repeats itself."""
    return noted(*older, *((name, second) for name, second in EVERY_SECOND if second % every == 0 and second <= now))


def test_proof_ends_where_a_destination_shows_its_last_picture_and_no_other() -> None:
    """It came from the camera 40 s ago, or nobody noted it: then it is older than the read-back."""
    assert decided(seen(("kept", 0.2)), up_to(35.0), now=35.0) is None
    finding = decided(seen(("kept", 0.2)), up_to(36.0), now=36.0)
    assert finding is not None
    assert (finding.verdict, finding.cause, finding.stands_still) == (
        VerificationVerdict.MISMATCH,
        Cause.MISMATCH,
        True,
    )
    assert finding.detail == (
        "the destination's picture stands still since before 03:00:00 UTC: no new keyframe came back within 36 s, and "
        "the camera gave 36 meanwhile"
    )
    finding = decided(seen(("kept", 0.2)), up_to(36.0, ("kept", -40.0)), now=36.0)
    assert finding is not None
    assert finding.captured_at == at(-40.0)
    assert "stands still since 02:59:20 UTC" in (finding.detail or "")


@pytest.mark.parametrize("names", [("kept",), ("k", "l")])
def test_proof_ends_soon_where_a_destination_plays_one_picture_or_group_again_and_again(names: tuple[str, ...]) -> None:
    """No destination that is late does that: nobody waits for the longest delay."""

    def until(now: int) -> Finding | None:
        back = seen(*((names[second % len(names)], second + 0.4) for second in range(now)))
        return decided(back, up_to(float(now), ("k", -40.0)), now=float(now))

    assert until(10) is None
    finding = until(13)
    assert finding is not None
    assert (finding.verdict, finding.cause) == (VerificationVerdict.MISMATCH, Cause.MISMATCH)
    assert "again and again" in (finding.detail or "")


def test_proof_ends_soon_at_no_destination_of_a_camera_that_gives_few_pictures_or_repeats_one() -> None:
    again = seen(*(("kept", second + 0.4) for second in range(20)))
    assert decided(again, up_to(20.0, every=9.0), now=20.0) is None
    finding = decided(again, noted(*(("kept", float(second)) for second in range(1, 20))), now=20.0)
    assert finding is None or finding.verdict is VerificationVerdict.NOT_CHECKABLE
    # What is new among them may be of a destination that is late.
    late = seen(*((f"old {second // 4}", second + 0.4) for second in range(20)))
    assert decided(late, up_to(20.0), now=20.0) is None


def test_proof_ends_where_a_destination_goes_on_for_some_pictures_that_nobody_noted_and_stops() -> None:
    back = seen(("u", 0.2), ("v", 2.0), ("w", 4.0))
    assert decided(back, up_to(39.0), now=39.0) is None
    assert verdict(back, up_to(40.0), now=40.0) is VerificationVerdict.MISMATCH


def test_proof_ends_at_no_destination_that_goes_on_giving_keyframes() -> None:
    """One that is late by 20 s, with a picture of a minute ago in its cache, goes on giving keyframes."""
    back = seen(("kept", 0.2), ("u", 5.0), ("v", 15.0))
    assert decided(back, up_to(20.0), now=20.0) is None
    assert verdict(seen(("kept", 0.2), ("u", 5.0), ("live 1", 21.0)), up_to(21.0), now=21.0) is (
        VerificationVerdict.VERIFIED
    )


def test_proof_ends_where_a_destination_paused_before_the_match() -> None:
    """It kept one picture, gave nothing for 25 s, and plays again: what it had meanwhile was not the camera's."""
    finding = decided(seen(("kept", 0.2), ("live 25", 25.1)), up_to(25.5), now=25.5)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.VERIFIED
    assert finding.paused_since == T0
    finding = decided(seen(("live 12", 12.1)), up_to(12.5), now=12.5)
    assert finding is not None
    assert finding.paused_since == T0


def test_proof_ends_where_a_destination_played_old_pictures_before_the_match() -> None:
    """Late by 45 s, and then not any more: nobody noted what it played."""
    old = ((f"old {second}", second + 0.1) for second in range(25))
    finding = decided(seen(*old, ("live 25", 25.1)), up_to(25.5), now=25.5)
    assert finding is not None
    assert (finding.verdict, finding.paused_since) == (VerificationVerdict.VERIFIED, T0)


def test_proof_ends_where_a_destination_kept_pictures_back_and_gave_all_of_them_at_once() -> None:
    held_back = ((f"live {second}", 25.0 + second / 100) for second in range(1, 25))
    finding = decided(seen(("kept", 0.2), *held_back), up_to(25.0), now=25.5)
    assert finding is not None
    assert (finding.verdict, finding.paused_since) == (VerificationVerdict.VERIFIED, T0)


def test_proof_ends_where_a_destination_paused_after_the_picture_that_it_kept() -> None:
    """It kept a picture of a minute ago, and what comes after 20 s is live by its timestamps, without a keyframe."""
    kept = Keyframe("kept", at(0.2), rtp_timestamp=90_000)
    notes = up_to(20.0, ("kept", -60.0))
    notes = replace(notes, notes=[replace_note(note, 90_000) for note in notes.notes])
    newest = Newest(90_000 + 80 * 90_000, at(20.0), 90_000)
    finding = decide(Seen([kept], None, newest), notes, asked_at=T0, now=at(20.5), limits=LIMITS)
    assert finding is not None
    assert (finding.verdict, finding.captured_at) == (VerificationVerdict.VERIFIED, at(-60.0))
    assert finding.paused_since == T0


def test_a_session_that_began_is_silent_for_as_long_as_its_destination_is_late() -> None:
    """Late by 20 s at all times, and allowed to be: the first picture of the new session comes back after these."""
    back = seen(*((f"live {second}", second + 20.1) for second in range(1, 5)))
    limits, notes = LIMITS, up_to(24.0)
    for began_s in (-1.0, -60.0):
        finding = decide(back, notes, asked_at=T0, now=at(24.6), limits=limits, earlier=Earlier(at(began_s)))
        assert finding is not None
        assert (finding.verdict, finding.paused_since) == (VerificationVerdict.VERIFIED, None)
    kept_back = seen(*((f"live {second}", 25.0 + second / 100) for second in range(1, 25)))
    finding = decide(kept_back, up_to(25.0), asked_at=T0, now=at(25.5), limits=limits, earlier=Earlier(at(-1.0)))
    assert finding is not None
    assert finding.paused_since == T0, "it is not late, and had kept back what it gave"


def replace_note(note: KeyframeNote, rtp_timestamp: int) -> KeyframeNote:
    return note.model_copy(update={"rtp_timestamp": rtp_timestamp}) if note.hash == "kept" else note


KEPT_BEFORE = Earlier(proven_at=at(-1.0))
"""The last read-back found this picture."""


def decided_again(back: Seen, notes: Noted, *, now: float) -> Finding | None:
    return decide(back, notes, asked_at=T0, now=at(now), limits=LIMITS, earlier=KEPT_BEFORE)


def test_proof_ends_with_the_picture_that_proved_the_destination_in_the_last_read_back() -> None:
    """A destination that stopped to show anything new keeps it for new viewers: it proves once."""
    kept, older = ("kept", -1.0), ("older", -2.0)
    assert decided(seen(("kept", 7.0)), up_to(8.0, kept), now=8.0) is not None
    assert decided_again(seen(("kept", 7.0)), up_to(8.0, kept), now=8.0) is None
    assert decided_again(seen(("older", 7.0), ("kept", 7.0)), up_to(8.0, older, kept), now=8.0) is None
    finding = decided_again(seen(("kept", 0.3)), up_to(36.0, kept), now=36.0)
    assert finding is not None
    assert (finding.verdict, finding.stands_still) == (VerificationVerdict.MISMATCH, True)


def test_proof_ends_for_no_destination_whose_next_picture_comes() -> None:
    finding = decided_again(seen(("kept", 0.3), ("live 2", 2.1)), up_to(3.0, ("kept", -1.0)), now=3.0)
    assert finding is not None
    assert (finding.verdict, finding.captured_at) == (VerificationVerdict.VERIFIED, at(2.0))


def test_proof_ends_for_no_destination_of_a_camera_that_gives_no_other_picture_meanwhile() -> None:
    """A keyframe a minute: what the destination keeps is the camera's newest."""
    back, notes = seen(("kept", 0.3)), noted(("kept", -1.0))
    assert decided_again(back, notes, now=14.9) is None
    finding = decided_again(back, notes, now=15.0)
    assert finding is not None
    assert (finding.verdict, finding.captured_at) == (VerificationVerdict.VERIFIED, at(-1.0))


def test_proof_ends_for_no_destination_that_plays_on_behind_the_picture_it_kept() -> None:
    """What follows that keyframe is of now, by its timestamps."""
    kept = Keyframe("kept", at(0.2), rtp_timestamp=90_000)
    note = KeyframeNote(hash="kept", captured_at=at(-1.0), rtp_timestamp=90_000)
    live, stopped = (Newest(90_000 + ticks, at(1.0), 90_000) for ticks in (171_000, 9_000))
    for newest, found in ((live, True), (stopped, False)):
        finding = decide(
            Seen([kept], None, newest), Noted([note]), asked_at=T0, now=at(1.5), limits=LIMITS, earlier=KEPT_BEFORE
        )
        assert (finding is not None) == found


def test_proof_ends_for_no_destination_that_becomes_late_by_less_than_the_longest_delay() -> None:
    """It shows nothing for 20 s but what it keeps, and then all that came meanwhile, each picture 20 s late."""
    late = [(f"old {second}", second + 20.2) for second in range(-2, 1)]
    notes = up_to(21.5, ("kept", -1.0))
    assert decided_again(seen(("kept", 0.3), *late), notes, now=20.5) is None
    finding = decided_again(seen(("kept", 0.3), *late, ("live 1", 21.0)), notes, now=21.6)
    assert finding is not None
    assert (finding.verdict, finding.delay_s, finding.paused_since) == (VerificationVerdict.VERIFIED, 20.0, None)
    live = decided_again(seen(("kept", 0.3), ("live 20", 20.1)), notes, now=20.6)
    assert live is not None
    assert live.paused_since == T0, "one that plays on with what is live has left out what came meanwhile"


def test_proof_ends_with_no_picture_that_a_clock_of_later_dated() -> None:
    """The bus's clock was set back by 150 s: what the last read-back found is dated to the future."""
    ahead = Earlier(proven_at=at(150.0))
    finding = decide(seen(("a", 2.0)), noted(("a", 0.5)), asked_at=T0, now=at(3.0), limits=LIMITS, earlier=ahead)
    assert finding is not None
    assert finding.verdict is VerificationVerdict.VERIFIED


@pytest.mark.parametrize(
    ("back", "every"),
    [
        (seen(("live 1", 1.1)), 1.0),
        (seen(("live 8", 8.1)), 1.0),  # slow to begin
        (seen(("kept", 0.2), ("live 4", 4.2)), 1.0),
        (seen(*((f"old {second}", second + 0.1) for second in range(21)), ("live 1", 21.1)), 1.0),  # late by 20 s
        (seen(("kept", 0.2), ("live 20", 20.1)), 10.0),  # the camera gives keyframes rarely
    ],
)
def test_a_destination_that_did_not_pause_is_proven_without_a_gap(back: Seen, every: float) -> None:
    now = back.keyframes[-1].arrived_at.timestamp() - T0.timestamp() + 0.4
    finding = decided(back, up_to(now, every=every), now=now)
    assert finding is not None
    assert (finding.verdict, finding.paused_since) == (VerificationVerdict.VERIFIED, None)


@pytest.mark.parametrize("every", [15.0, 20.0, 30.0, 60.0])
def test_proof_ends_for_no_destination_of_a_camera_that_gives_keyframes_rarely(every: float) -> None:
    """The destination begins with a kept keyframe, and plays each next one a second after it came."""
    for first in (every * share for share in (0.05, 0.3, 0.6, 0.95)):
        given = [(f"live {number}", first + number * every) for number in range(4)]
        now = 0.5
        while now < RARE.longest_s + 1:
            notes = noted(("kept", first - every), *(each for each in given if each[1] <= now))
            back = seen(("kept", 0.2), *((name, came + 1.0) for name, came in given if came + 1.0 <= now))
            finding = decide(back, notes, asked_at=T0, now=at(now), limits=RARE)
            if finding is not None:
                assert finding.verdict is VerificationVerdict.VERIFIED
                break
            now += 0.5


def test_a_camera_that_stands_still_itself_accuses_no_destination_of_it() -> None:
    notes = noted(("x", -20.0), *(("x", float(second)) for second in range(1, 49)))
    assert decided(seen(("x", 0.2)), notes, now=48.0) is None


def test_after_a_hand_over_of_ours_nobody_stands_still() -> None:
    notes = Noted(up_to(48.0).notes, same_holder=False)
    assert decided(seen(("kept", 0.2)), notes, now=48.0) is None
    assert verdict(seen(("kept", 0.2)), notes, now=50.0) is VerificationVerdict.NOT_CHECKABLE


def test_proof_ends_with_the_last_minute_that_is_replayed() -> None:
    """Two of its pictures were noted, a quarter of a minute apart; the others nobody knows."""
    notes = up_to(2.0, ("p", -61.0), ("q", -31.0), ("r", -1.0))
    back = seen(("s", 0.1), ("p", 1.2), ("t", 2.2))
    finding = decided(back, notes, now=2.3)
    assert finding is not None
    assert (finding.verdict, finding.captured_at) == (VerificationVerdict.MISMATCH, at(-61.0))
    unknown = seen(*((f"old {second}", second + 0.5) for second in range(33)))
    assert verdict(unknown, up_to(32.5), now=33.0) is VerificationVerdict.MISMATCH


def test_proof_ends_for_a_picture_that_is_later_than_the_longest_delay_alone() -> None:
    def play(late: float) -> VerificationVerdict | None:
        """Live, so much later; before the read-back nobody noted its pictures."""
        for now in (second / 2 for second in range(2, 200)):
            names = [(f"live {n}" if n > 0 else f"old {n}", n + late) for n in range(-60, 100)]
            back = seen(*((name, came) for name, came in names if 0 <= came <= now))
            finding = decided(back, up_to(now), now=now)
            if finding is not None:
                return finding.verdict
        return None

    assert play(20.0) is VerificationVerdict.VERIFIED
    assert play(28.0) is VerificationVerdict.VERIFIED
    assert play(45.0) is VerificationVerdict.MISMATCH
