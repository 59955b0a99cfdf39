"""What read-backs prove, session by session: seconds as numbers, a session of one worker from 0 on."""

from collections.abc import Sequence
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.claims import Status
from reporting.domain.evidence.lives import Life
from reporting.domain.evidence.proven import Losses, Proven, found_in, pieces
from reporting.domain.evidence.read_backs import (
    Claimed,
    Entry,
    Kind,
    ReadBack,
    Session,
    Stretch,
    Tail,
    fold,
    observe,
)
from reporting.domain.segments import Segment
from reporting.ingest.facts.session_codec import pack_entries, pack_session, unpack_entries, unpack_session

EVERY = 60
WORKER, OTHER = 7, 8


def claimed(at: int, kind: Kind = Kind.ACKNOWLEDGED, worker: int = WORKER, held_since: int = 0) -> Claimed:
    return Claimed(at, kind, worker, held_since, at + 1)


def match(at: int, delay: int = 2) -> ReadBack:
    return ReadBack(at, Kind.MATCHES, at + delay, EVERY)


def failure(at: int, took: int = 10, kind: Kind = Kind.UNREACHABLE, cause: str = "timeout") -> ReadBack:
    return ReadBack(at, kind, at + took, EVERY, cause)


def proven(*entries: Entry) -> list[tuple[int, int, str]]:
    session, closed = fold(Session(), [claimed(0), *entries])
    stretches = [*closed, *([session.stretch] if session.stretch else ())]
    return [(one.begins, one.ends, "matches" if one.kind is Kind.MATCHES else one.cause or "") for one in stretches]


def test_proof_ends_at_the_last_picture_that_came_back() -> None:
    assert proven(match(10), match(70), match(130)) == [(12, 130, "matches")]


def test_proof_ends_with_the_only_match_of_a_session_as_soon_as_it_began() -> None:
    assert proven(match(10)) == []


def test_a_failed_read_back_counts_from_its_beginning_and_the_time_before_is_unknown() -> None:
    assert proven(match(10), match(70), failure(120)) == [(12, 70, "matches"), (120, 250, "timeout")]


def test_a_failure_lasts_to_the_first_matching_picture() -> None:
    found = proven(failure(60), failure(120), match(170, delay=5), match(230))
    assert found == [(60, 170, "timeout"), (175, 230, "matches")]


def test_a_failure_is_not_over_before_its_read_back_has_ended() -> None:
    assert proven(failure(60, took=30), match(70), match(130)) == [(60, 90, "timeout"), (90, 130, "matches")]


def test_a_failure_holds_at_most_two_intervals_by_itself() -> None:
    assert proven(failure(60), match(400), match(460)) == [(60, 190, "timeout"), (402, 460, "matches")]


def test_causes_follow_each_other_without_a_gap() -> None:
    found = proven(failure(60), failure(120, kind=Kind.DIFFERS, cause="mismatch"), match(200), match(260))
    assert found == [(60, 120, "timeout"), (120, 200, "mismatch"), (202, 260, "matches")]


def pause(at: int, took: int = 30) -> ReadBack:
    return ReadBack(at, Kind.PAUSED, at + took, EVERY)


def test_proof_ends_where_a_destination_paused_before_the_next_match() -> None:
    """What it played between the two matches nobody knows."""
    assert proven(match(10), match(70), pause(75), match(105), match(165)) == [
        (12, 70, "matches"),
        (107, 165, "matches"),
    ]


def test_a_pause_neither_ends_nor_begins_a_failure() -> None:
    failing = [(120, 165, "timeout"), (167, 220, "matches")]
    assert proven(failure(120), pause(140, 25), match(165), match(220)) == failing
    assert proven(pause(100), failure(120), match(165), match(220)) == failing


def test_a_pause_after_a_failure_is_one_more_unless_the_prober_could_not_compare() -> None:
    """Of one that began after the failure could have held by itself, nobody knows what came before it."""
    assert proven(failure(60), pause(110, 90), match(205), match(265)) == [
        (60, 205, "timeout"),
        (207, 265, "matches"),
    ]
    lagged = pause(110, 90)._replace(cause="worker_lagged")
    assert proven(failure(60), lagged, match(205), match(265)) == [(60, 190, "timeout"), (207, 265, "matches")]


def test_a_failure_goes_on_over_a_stall_and_ends_with_a_session_that_is_opened_anew() -> None:
    """A centre that buffers takes some media, stalls, and takes more; nothing of it comes back."""
    stalls: list[Entry] = [claimed(65, Kind.STALLED), claimed(70)]
    assert proven(failure(60, took=40), *stalls, match(130), match(190)) == [
        (60, 130, "timeout"),
        (132, 190, "matches"),
    ]
    for opened in (Kind.INTERRUPTED, Kind.LEFT):
        anew = [claimed(65, Kind.STALLED), claimed(67, opened), claimed(70)]
        assert proven(failure(60, took=40), *anew, match(130), match(190)) == [
            (60, 67, "timeout"),
            (132, 190, "matches"),
        ]


def test_proof_ends_with_a_stall() -> None:
    assert proven(match(10), match(70), claimed(80, Kind.STALLED), claimed(90), match(130), match(190)) == [
        (12, 70, "matches"),
        (132, 190, "matches"),
    ]


def test_matches_with_hours_between_them_agree_within_one_session() -> None:
    assert proven(match(10), match(5000), match(5060)) == [(12, 5060, "matches")]


@pytest.mark.parametrize(
    "end",
    [
        claimed(80, Kind.INTERRUPTED),
        claimed(80, Kind.LEFT),
        claimed(80, worker=OTHER, held_since=75),
        claimed(80, Kind.INTERRUPTED, worker=OTHER, held_since=-1),
    ],
    ids=["not acknowledged", "left meanwhile", "another worker", "an earlier worker's last word"],
)
def test_proof_ends_with_its_session(end: Claimed) -> None:
    again = claimed(90, worker=max(end.worker, WORKER), held_since=max(end.held_since, 0))
    assert proven(match(10), match(70), end, again, match(130), match(190)) == [
        (12, 70, "matches"),
        (132, 190, "matches"),
    ]


def test_proof_goes_on_over_what_the_forwarder_makes_of_read_backs() -> None:
    """It calls the same session acknowledged, verified or mismatch."""
    assert proven(match(10), claimed(13), match(70), claimed(90), match(130)) == [(12, 130, "matches")]


def test_a_picture_of_the_session_before_proves_nothing_of_this_one() -> None:
    """The centre still gave it to viewers when the new session stood."""
    opened: list[Entry] = [claimed(80, Kind.INTERRUPTED), claimed(82)]
    assert proven(match(10), *sorted([match(79, delay=10), *opened]), match(130), match(190)) == [
        (12, 79, "matches"),
        (132, 190, "matches"),
    ]


def test_a_read_back_from_before_the_session_accuses_nobody() -> None:
    opening: list[Entry] = [
        claimed(80, Kind.INTERRUPTED),
        failure(81),
        claimed(85, Kind.LEFT),
        failure(86),
        claimed(90),
    ]
    assert proven(*opening) == []


def test_pictures_since_the_session_was_being_opened_are_of_it() -> None:
    opening: list[Entry] = [
        claimed(80, Kind.INTERRUPTED),
        claimed(81, Kind.LEFT),
        match(82, delay=3),
        claimed(84),
        match(140),
    ]
    assert proven(*opening) == [(85, 140, "matches")]


KINDS = st.sampled_from([Kind.LEFT, Kind.INTERRUPTED, Kind.STALLED, Kind.ACKNOWLEDGED, Kind.ACKNOWLEDGED])
CLAIMS = st.builds(Claimed, st.integers(0, 60), KINDS, st.integers(1, 2), st.integers(0, 3), st.integers(1, 9))
MATCHES = st.builds(lambda at, delay: ReadBack(at, Kind.MATCHES, at + delay, 5), st.integers(0, 60), st.integers(0, 9))
FAILURES = st.builds(
    lambda at, took, kind, cause: ReadBack(at, kind, at + took, 5, cause),
    st.integers(0, 60),
    st.integers(0, 9),
    st.sampled_from([Kind.UNREACHABLE, Kind.DIFFERS]),
    st.sampled_from(["timeout", None]),
)
PAUSES = st.builds(lambda at, took: ReadBack(at, Kind.PAUSED, at + took, 5), st.integers(0, 60), st.integers(0, 9))
ENTRIES = st.lists(st.one_of(CLAIMS, MATCHES, MATCHES, FAILURES, PAUSES), max_size=14)


def placed(
    batches: Sequence[Sequence[Entry]], window: int = 64, clock_set_at: Sequence[int] = ()
) -> tuple[Session, set[Stretch]]:
    """As ingest does it: through what is stored."""
    tail, session, rows = Tail(), Session(), dict[int, Stretch]()
    for batch in batches:
        change = observe(tail, session, batch, clock_set_at=clock_set_at, window=window)
        if change is None:
            continue
        for begins in change.removed:
            del rows[begins]
        for stretch in change.added:
            assert stretch.begins not in rows
            rows[stretch.begins] = stretch
        before = None if change.tail.before is None else unpack_session(pack_session(change.tail.before))
        tail, session = Tail(unpack_entries(pack_entries(change.tail.entries)), before), change.session
        assert unpack_session(pack_session(session)) == session
    return session, set(rows.values())


@given(ENTRIES, st.randoms())
def test_the_order_of_arrival_does_not_matter(entries: list[Entry], random: object) -> None:
    once = placed([entries])
    shuffled = [*entries, *entries[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert placed([[one] for one in shuffled]) == once
    assert placed([shuffled[::2], shuffled[1::2]]) == once


@given(ENTRIES)
def test_what_is_no_longer_kept_is_as_it_was(entries: list[Entry]) -> None:
    assert placed([[one] for one in _in_their_places(entries)], window=3) == placed([entries])


def _in_their_places(entries: list[Entry]) -> list[Entry]:
    change = observe(Tail(), Session(), entries)
    return [] if change is None else list(change.tail.entries)


@given(ENTRIES)
def test_stretches_lie_apart(entries: list[Entry]) -> None:
    session, rows = placed([entries])
    found = sorted([*rows, *([session.stretch] if session.stretch else ())])
    for one, other in pairwise(found):
        assert one.begins < one.ends <= other.begins


def test_failures_that_lasted_into_the_next_session_do_not_begin_there_again() -> None:
    entries: list[Entry] = [
        Claimed(0, Kind.ACKNOWLEDGED, 0, 0, 0),
        ReadBack(0, Kind.UNREACHABLE, 2, 5, "timeout"),
        ReadBack(0, Kind.MATCHES, 0, 5),
        Claimed(1, Kind.ACKNOWLEDGED, 1, 0, 2),
        ReadBack(1, Kind.UNREACHABLE, 1, 5, "timeout"),
    ]
    session, rows = placed([entries])
    (before,) = rows
    assert session.stretch is not None
    assert (before.begins, before.ends, session.stretch.begins) == (0, 2, 2)


TWICE_UNTIL = 252
AFTER_A_STEP_BACK: Sequence[Entry] = (
    claimed(0),
    match(10),
    match(70),
    # Taken, and read back, by a clock that is fast.
    claimed(240, worker=OTHER, held_since=240),
    match(245),
    # Taken back by the clock as it is.
    claimed(255, held_since=170),
    match(260),
    match(320),
    claimed(330, held_since=170),
    match(380),
    match(440),
)


@pytest.mark.parametrize("backwards", [False, True])
def test_who_took_the_camera_by_a_clock_that_was_set_back_outranks_nobody(*, backwards: bool) -> None:
    entries = AFTER_A_STEP_BACK[::-1] if backwards else AFTER_A_STEP_BACK
    session, rows = placed([[one] for one in entries], clock_set_at=[TWICE_UNTIL])
    assert session.worker == WORKER
    assert session.stretch is not None
    spans = sorted((one.begins, one.ends) for one in [*rows, session.stretch])
    assert spans == [(12, 70), (262, 440)]


def test_proof_ends_where_the_clock_of_the_bus_was_set_back() -> None:
    """What was said meanwhile is refused: the session may have ended."""
    entries: list[Entry] = [claimed(0), match(10), match(70), claimed(255), match(260), match(320)]
    session, rows = placed([entries], clock_set_at=[TWICE_UNTIL])
    assert session.stretch is not None
    assert sorted((one.begins, one.ends) for one in [*rows, session.stretch]) == [(12, 70), (262, 320)]


@given(ENTRIES, st.lists(st.integers(0, 60), max_size=2), st.randoms())
def test_the_order_of_arrival_does_not_matter_over_a_step_of_the_clock(
    entries: list[Entry], clock_set_at: list[int], random: object
) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    once = placed([entries], clock_set_at=clock_set_at)
    assert placed([[one] for one in shuffled], clock_set_at=clock_set_at) == once


def test_what_is_very_late_and_contradicts_matches_makes_the_time_around_it_unknown() -> None:
    entries: list[Entry] = [claimed(0), *(match(at) for at in range(10, 910, 60))]
    tail, session, rows = Tail(), Session(), list[Stretch]()
    for entry in entries:
        change = observe(tail, session, [entry], window=4)
        assert change is not None
        tail, session = change.tail, change.session
        rows += change.added
    late = observe(tail, session, [claimed(300, Kind.INTERRUPTED)], window=4)
    assert late is not None
    assert late.session.stretch is not None
    spans = [(one.begins, one.ends) for one in [*rows, *late.added, late.session.stretch]]
    assert spans == [(12, 300 - 62), (300 + 120, 850)]


def test_a_lost_change_of_its_forwarder_may_have_ended_the_session() -> None:
    session, _ = fold(Session(), [claimed(0), *(match(at) for at in range(10, 610, 60))])
    assert session.stretch is not None
    watched = [Life(0, 1000)]
    lost = Losses(watched, (), {WORKER: [Life(290, 300)]})
    assert [(one.start, one.end) for one in found_in([session.stretch], lost)] == [(12, 290 - 62), (300 + 62, 550)]
    other = Losses(watched, (), {OTHER: [Life(290, 300)]})
    assert [(one.start, one.end) for one in found_in([session.stretch], other)] == [(12, 550)]


@pytest.mark.parametrize(("lost", "begins"), [((100, 140), 402), ((500, 600), 12)])
def test_a_read_back_that_was_lost_may_have_failed(lost: tuple[int, int], begins: int) -> None:
    """Of those that came in time nothing is missing between them."""
    session, closed = fold(Session(), [claimed(0), match(10), match(400), match(460), match(520)])
    assert session.stretch is not None
    found = found_in([*closed, session.stretch], Losses([], [Life(*lost)], {}))
    assert [(one.start, one.end) for one in found] == [(begins, 520)]


def test_a_failure_ends_where_no_prober_watches_any_more() -> None:
    session, _ = fold(Session(), [claimed(0), failure(60)])
    assert session.stretch is not None
    found = found_in([session.stretch], Losses([Life(0, 100)], (), {}))
    assert [(one.start, one.end) for one in found] == [(60, 100)]


@pytest.mark.parametrize("order", [*permutations(range(3))])
def test_proof_ends_with_a_failure_whenever_it_arrives(order: Sequence[int]) -> None:
    entries: list[Entry] = [match(10), match(70), failure(65)]
    session, rows = placed([[claimed(0)], *([entries[number]] for number in order)])
    assert session.stretch is None
    assert {(one.begins, one.ends, one.kind) for one in rows} == {(65, 75, Kind.UNREACHABLE)}


def test_a_destination_that_demands_a_proof_is_unknown_without_one() -> None:
    states = [Segment(0, 100, Status("verified", None, 0)), Segment(100, 150, Status("backing_off", "refused", 100))]
    session, _ = fold(Session(), [claimed(0), match(10), match(70)])
    assert session.stretch is not None
    line = Proven(found_in([session.stretch], Losses([], (), {})))
    assert pieces("verified", states, line) == [(12, 70, True), (100, 150, "refused")]
    assert pieces("acknowledged", states, line) == [(0, 100, True), (100, 150, "refused")]
