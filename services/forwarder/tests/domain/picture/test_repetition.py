"""A recording in a loop, found by weights and hashes; still pictures, replays and live cameras are none."""

import hashlib
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from forwarder.domain.picture.keyframes import ComparedKeyframe, Still
from forwarder.domain.picture.nothing_new import NothingNew, date_nothing_new
from forwarder.domain.picture.repetition import RememberedKeyframes
from vonggac.events.causes import Cause

NOON = datetime(2026, 11, 30, 5, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class Watched:
    """A camera with a keyframe every `every_s`, hashed every `hash_s` or as wanted; pictures are names.

    `heads`: how they begin is read.
    """

    def __init__(
        self,
        every_s: float = 1.0,
        hash_s: float = 30.0,
        weights: Sequence[int] = (20_000, 30_000),
        *,
        heads: bool = False,
    ) -> None:
        self.remembered = RememberedKeyframes()
        self.heads = heads
        self.every_s, self.hash_s, self.weights = every_s, hash_s, weights
        self.now_s, self.hash_due_s = 0.0, 0.0
        self.hashed = 0
        self.begun: list[datetime] = []
        self.ended: list[datetime] = []

    def show(self, pictures: Iterable[object], *, still: bool = False) -> "Watched":
        for picture in pictures:
            digest = hashlib.sha256(repr(picture).encode()).hexdigest()
            octets = random.Random(digest).randint(*self.weights)
            wanted = self.now_s >= self.hash_due_s or self.remembered.wants_hashes(at(self.now_s))
            if self.now_s >= self.hash_due_s:
                self.hash_due_s = self.now_s + self.hash_s
            self.hashed += wanted
            head = int(digest[:7], 16) if self.heads else 0
            keyframe = ComparedKeyframe(at(self.now_s), octets, digest if wanted else None, head=head)
            if self.remembered.add(keyframe, still=still):
                if self.remembered.repetition is not None:
                    self.begun.append(self.remembered.repetition.since)
                else:
                    assert self.remembered.new_since is not None
                    self.ended.append(self.remembered.new_since)
            self.now_s += self.every_s
        return self


def live(count: int, name: str = "live") -> list[str]:
    return [f"{name} {number}" for number in range(count)]


def loop(length: int, times: float) -> list[str]:
    return [f"loop {number % length}" for number in range(round(length * times))]


@pytest.mark.parametrize("length", [3, 7, 30, 100, 290, 400, 590])
def test_the_third_coming_of_a_loop_repeats_since_its_first_picture(length: int) -> None:
    watched = Watched().show(live(90)).show(loop(length, 2))
    assert watched.begun == []
    watched.show(loop(length, 2)[:6])
    assert watched.begun == [at(90)]
    assert watched.remembered.repetition is not None
    assert watched.remembered.repetition.period_s == pytest.approx(length)


def test_a_loop_of_seven_seconds_is_found_within_a_few_keyframes_of_its_third_coming() -> None:
    watched = Watched()
    watched.show(loop(7, 10))
    assert watched.begun == [at(0)]
    assert watched.remembered.repetition is not None


def test_it_ends_with_the_first_new_keyframe() -> None:
    watched = Watched().show(loop(20, 30)).show(live(40))
    assert watched.begun == [at(0)]
    assert watched.ended == [at(600)]
    assert not watched.remembered.wants_hashes(at(watched.now_s))


def test_one_odd_keyframe_does_not_end_it() -> None:
    watched = Watched().show([*loop(10, 5), "seam", *loop(10, 5), "other seam", *loop(10, 5)])
    assert watched.begun == [at(0)]
    assert watched.ended == []


def test_a_live_camera_is_hashed_as_seldom_as_before() -> None:
    watched = Watched().show(live(20_000))
    assert watched.begun == []
    assert watched.hashed <= 20_000 / 30 + 10


def test_a_live_camera_of_few_weights_does_not_repeat() -> None:
    watched = Watched(weights=(5_000, 5_004)).show(live(5_000))
    assert watched.begun == []


def test_a_loop_whose_keyframes_all_weigh_the_same_repeats() -> None:
    watched = Watched(weights=(5_000, 5_000), hash_s=1.0).show(loop(12, 4))
    assert watched.begun
    assert watched.remembered.repetition is not None


@pytest.mark.parametrize("times", [2, 5])
def test_what_a_camera_sends_again_once_after_each_interruption_is_no_loop(times: int) -> None:
    watched = Watched(hash_s=1.0)
    for number in range(times):
        kept = live(8, f"kept {number}")
        watched.show([*live(40, f"before {number}"), *kept, *kept])
    assert watched.begun == []


def test_a_black_picture_that_comes_and_goes_is_no_loop() -> None:
    """Two codings of it in turns, as an encoder numbers its IDR pictures."""
    watched = Watched(hash_s=1.0)
    for number in range(6):
        watched.show(live(9, f"day {number}")).show(["black", "black'"] * 2).show(["black", "black'"] * 8, still=True)
    assert watched.begun == []


def test_a_still_picture_does_not_repeat() -> None:
    watched = Watched(hash_s=1.0).show(["still"] * 4).show(["still"] * 900, still=True).show(live(50))
    assert watched.begun == []


@pytest.mark.parametrize("hours", [0.4, 3, 24])
def test_a_loop_of_hours_is_found_in_its_second_coming(hours: float) -> None:
    length = round(hours * 3600)
    watched = Watched(hash_s=29.7).show(loop(length, 1))
    watched.show(loop(length, 1)[: 3 * 3600])
    (begun,) = watched.begun
    assert at(length) <= begun <= at(length + 7000)
    watched.show(live(900))
    (ended,) = watched.ended
    assert begun < ended <= at(watched.now_s - 900)


def test_a_camera_whose_keyframes_are_seldom_read_is_found_too() -> None:
    """One without a rhythm: nothing is weighed between two hashes, until one comes again."""
    remembered, hash_due_s, now_s = RememberedKeyframes(), 0.0, 0.0
    while remembered.repetition is None and now_s < 600:
        if now_s >= hash_due_s or remembered.wants_hashes(at(now_s)):
            hash_due_s = now_s + 30 if now_s >= hash_due_s else hash_due_s
            picture = round(now_s) % 20
            remembered.add(
                ComparedKeyframe(at(now_s), 9_000 + picture * 37, hashlib.sha256(bytes([picture])).hexdigest())
            )
        now_s += 1
    assert remembered.repetition is not None


def test_memory_is_bounded() -> None:
    watched = Watched(hash_s=30.0).show(live(100_000))
    remembered = watched.remembered
    assert len(remembered._weights) + len(remembered._hashes) + 8 * len(remembered._at_ms) <= 11_000
    assert 8 * len(remembered._samples) <= 12_000


def test_a_picture_that_came_before_with_others_between_is_known() -> None:
    watched = Watched(hash_s=1.0).show(loop(7, 1))
    digest = hashlib.sha256(repr("loop 3").encode()).hexdigest()
    assert watched.remembered.first_coming(digest, at(10)) == at(3)
    newest = hashlib.sha256(repr("loop 6").encode()).hexdigest()
    assert watched.remembered.first_coming(newest, at(7)) is None
    unknown = hashlib.sha256(b"other").hexdigest()
    assert watched.remembered.first_coming(unknown, at(10)) is None


def test_frozen_and_repeating_pictures_are_dated_one_after_the_other() -> None:
    watched = Watched(hash_s=1.0).show(live(5)).show(loop(5, 4))
    seen = tuple(ComparedKeyframe(at(second), second) for second in range(6))
    repeats = date_nothing_new(NothingNew(), None, watched.remembered, seen)
    assert repeats == NothingNew(at(5), None, Cause.REPEATS)
    still = Still(at(20), 9, at(19.5))
    # The recording stands still for a while: it is a recording all the same.
    assert date_nothing_new(repeats, still, watched.remembered, seen) == repeats
    watched.show(live(3, "new"))
    over = date_nothing_new(repeats, None, watched.remembered, seen)
    assert over == NothingNew(at(5), at(25), Cause.REPEATS)
    frozen = date_nothing_new(over, still, watched.remembered, seen)
    assert frozen == NothingNew(at(19.5), None, Cause.FROZEN)
    moved = date_nothing_new(frozen, None, watched.remembered, seen)
    assert (moved.since, moved.until, moved.cause) == (at(19.5), at(4.5), Cause.FROZEN)


@pytest.mark.parametrize("length", [3, 5, 13, 100, 590])
def test_the_second_coming_of_a_sequence_that_begins_alike_repeats(length: int) -> None:
    watched = Watched(heads=True).show(live(90)).show(loop(length, 1)).show(loop(length, 1)[:3])
    assert watched.begun == []
    watched.show(loop(length, 2)[3:4])
    assert watched.begun == [at(90 + length)]


@pytest.mark.parametrize("length", [3, 5, 13, 100, 290])
def test_its_third_coming_dates_it_to_its_first_picture(length: int) -> None:
    watched = Watched(heads=True).show(live(90)).show(loop(length, 2)).show(loop(length, 2)[:4])
    assert watched.remembered.repetition is not None
    assert watched.remembered.repetition.since == at(90)
    watched.show(live(3, "new"))
    assert watched.ended == [at(90 + 2 * length + 4)]


def test_a_sequence_that_came_again_once_ends_with_the_first_new_picture() -> None:
    watched = Watched(heads=True).show(live(40)).show([*live(12, "kept"), *live(12, "kept"), *live(30, "new")])
    assert watched.begun == [at(52)]
    assert watched.ended == [at(64)]


def test_odd_keyframes_in_the_second_coming_do_not_end_it() -> None:
    watched = Watched(heads=True).show([*loop(20, 1.5), "seam", *loop(20, 3)[10:]])
    assert watched.ended == []
    assert watched.remembered.repetition is not None


def test_a_recording_that_is_shown_thrice_with_live_pictures_between_is_dated_to_none_of_these() -> None:
    """As the black picture of an encoder, whose keyframes follow each other in the same order each time."""
    watched = Watched(heads=True).show(live(90))
    shown = list[tuple[datetime, datetime]]()
    for number in range(3):
        began = at(watched.now_s)
        watched.show(loop(20, 2.2)).show(live(60, f"live {number}"))
        shown.append((began, at(watched.now_s - 60)))
    assert len(watched.begun) == len(watched.ended) == 3
    assert [began <= since <= ended for since, (began, ended) in zip(watched.begun, shown, strict=True)] == [True] * 3
    assert [ended for _, ended in shown] == watched.ended
    watched.show(loop(20, 1))
    assert watched.remembered.repetition is not None
    assert watched.remembered.repetition.since >= at(watched.now_s - 20)


def test_a_recording_is_not_dated_to_live_pictures_before_it_that_weigh_the_same_by_chance() -> None:
    """As before a black picture, where the last live one is as large as another one just before it."""
    before = [*live(20), "by chance", "other", "by chance"]
    watched = Watched(heads=True).show(before).show(loop(13, 3))
    assert watched.remembered.repetition is not None
    assert watched.remembered.repetition.since == at(len(before))


def test_what_is_sent_again_at_a_new_session_or_in_a_burst_is_no_repetition() -> None:
    watched = Watched(heads=True).show(live(40)).show(live(8, "kept"))
    watched.remembered.begin_session(at(watched.now_s))
    watched.show(live(8, "kept")).show(live(30, "other"))
    watched.show(live(8, "again"))
    watched.every_s = 0.1
    watched.show(live(8, "again"))
    watched.every_s = 1.0
    watched.show(live(30, "last"))
    assert watched.begun == []


@pytest.mark.parametrize("weights", [(5_000, 5_000), (5_000, 5_004), (20_000, 30_000)])
def test_a_live_camera_whose_beginnings_are_read_does_not_repeat(weights: tuple[int, int]) -> None:
    assert Watched(weights=weights, heads=True).show(live(5_000)).begun == []


def test_a_picture_of_three_states_whose_keyframes_begin_alike_does_not_repeat_by_weights() -> None:
    """A still, noiseless picture with a lamp: only its size differs, and rarely in the same order."""
    chance = random.Random(7)
    watched = Watched(heads=True)
    watched.show([chance.choice(["off", "on"]) for _ in range(2_000)])
    assert watched.begun == []


def test_a_loop_of_which_keyframes_are_missed_is_found_and_dated_to_its_first_one() -> None:
    chance, watched = random.Random(3), Watched(heads=True).show(live(60))
    for picture in loop(13, 4):
        if chance.random() < 0.12:
            watched.now_s += 1
            continue
        watched.show([picture])
    assert watched.begun
    assert watched.remembered.repetition is not None
    assert at(60) <= watched.remembered.repetition.since <= at(62)
    ends_at = at(watched.now_s)
    watched.show(live(4, "new"))
    assert watched.ended == [ends_at]


def test_an_old_keyframe_alone_among_new_ones_does_not_put_the_end_off() -> None:
    watched = Watched(heads=True).show(live(20)).show(loop(13, 3))
    watched.show(["new 1", "loop 4", "new 2", "loop 6", "new 3", "new 4"])
    assert watched.ended == [at(59)]


def test_the_first_new_keyframe_is_not_shown_as_one_that_came_again() -> None:
    watched = Watched(heads=True).show(live(20)).show(loop(13, 3))
    assert watched.remembered.shown is watched.remembered.repetition is not None
    watched.show(live(1, "new"))
    assert watched.remembered.shown is None
    assert watched.remembered.repetition is not None
