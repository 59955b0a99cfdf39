"""When a camera shows another picture, by what it sends: pictures that show nothing, and scenes that are well."""

import random
from collections.abc import Iterator

import pytest

from forwarder.domain.picture.changes import CHANGES_AT_MOST, NEEDLESS_AT_MOST, WITHIN_S, Picture, PictureChanges
from vonggac.events.causes import Cause
from vonggac.events.forwarder import PictureSign
from vonggac.media.keyframe_weight import Weight, Weights, weight_of

GOP_S = 2.0
SCENE = (33_000, 28), 50_000
"""A keyframe's octets and quantizer, and what comes between keyframes in a second."""
BLACK = (100, 0), 400
DARK_BUT_NOISY = (28_000, 11), 50_000
COVERED = (24_000, 19), 52_000
CARD = (4_600, 1), 1_500
REPEATED = (16_000, 27), 300
"""By an encoder that codes one picture again and again."""


class Camera:
    """A second at a time; a keyframe of GOP_S is in its middle."""

    def __init__(self) -> None:
        self.changes, self.now_s, self.total = PictureChanges(), 100.0, 0
        self.changes.begin_session(self.now_s)

    def show(self, picture: tuple[tuple[int, int], float], seconds: int) -> Iterator[float]:
        """Yields the time of each news."""
        (octets, quantizer), rate = picture
        for _ in range(seconds):
            news = False
            if int(self.now_s) % GOP_S == 0:
                self.total += octets
                news |= self.changes.weigh_keyframe(self.now_s + 0.5, weight_of(octets, quantizer))
            self.now_s += 1
            self.total += round(rate)
            news |= self.changes.read_total(self.now_s, self.total)
            if news:
                yield self.now_s

    def play(self, picture: tuple[tuple[int, int], float], seconds: int) -> list[float]:
        return list(self.show(picture, seconds))

    def judge(self, cause: Cause | None = None) -> bool:
        return self.changes.judge(self.now_s, cause)


@pytest.fixture
def camera() -> Camera:
    """One that was judged good after some seconds."""
    one = Camera()
    assert one.play(SCENE, 8) == []
    assert not one.judge()
    return one


@pytest.mark.parametrize("picture", [BLACK, DARK_BUT_NOISY, COVERED, CARD, REPEATED])
def test_empty_picture_is_a_change_within_three_seconds_and_so_is_its_end(
    camera: Camera, picture: tuple[tuple[int, int], float]
) -> None:
    began_s = camera.now_s
    assert camera.play(picture, 6)[0] <= began_s + GOP_S + 2
    assert camera.changes.picture is not None
    assert abs(camera.changes.picture.since_s - began_s) <= 1.5
    assert camera.changes.wants_judge(camera.now_s)
    assert camera.judge(Cause.BLACK)
    assert camera.play(picture, 30) == []
    ended_s = camera.now_s
    assert camera.play(SCENE, 6) != []
    assert abs(camera.changes.picture.since_s - ended_s) <= 1.5
    assert not camera.changes.picture.judged
    assert camera.judge()
    assert camera.play(SCENE, 60) == []


def test_empty_picture_of_an_encoder_that_repeats_itself_is_known_by_what_comes_between(camera: Camera) -> None:
    camera.play(REPEATED, 5)
    assert camera.changes.picture is not None
    assert camera.changes.picture.sign is PictureSign.DELTAS
    shrunk_to = camera.changes.shrunk_to
    assert shrunk_to is not None
    assert shrunk_to < 0.05


def test_empty_picture_without_keyframes_is_dated_to_the_one_that_was_due(camera: Camera) -> None:
    last_s = camera.now_s
    assert not camera.changes.miss_keyframe(last_s + 4.4, last_s, GOP_S)
    assert camera.changes.miss_keyframe(last_s + 4.6, last_s, GOP_S)
    assert camera.changes.picture is not None
    assert camera.changes.picture.since_s == last_s + GOP_S
    assert not camera.changes.miss_keyframe(last_s + 5.6, last_s, GOP_S)
    camera.now_s = last_s + 30
    assert camera.judge(Cause.NO_KEYFRAME)
    assert camera.changes.weigh_keyframe(camera.now_s + 0.3, weight_of(*SCENE[0]))
    assert camera.changes.picture.since_s == camera.now_s + 0.3


def test_empty_picture_without_keyframes_is_a_change_and_ends_also_while_nobody_watches_the_camera(
    camera: Camera,
) -> None:
    """A scene that swings costs a probe each time; a keyframe that never comes costs one."""
    for number in range(NEEDLESS_AT_MOST + 2):
        camera.play(((33_000 * 2**number, 28), 50_000), 4)
        camera.judge()
    last_s = camera.now_s
    assert camera.changes.miss_keyframe(last_s + 4.6, last_s, GOP_S)
    assert camera.changes.picture is not None
    assert camera.changes.picture.sign is PictureSign.OVERDUE
    camera.now_s = last_s + 30
    assert camera.judge(Cause.NO_KEYFRAME)
    assert camera.changes.weigh_keyframe(camera.now_s + 0.3, weight_of(*SCENE[0]))
    assert camera.changes.picture.since_s == camera.now_s + 0.3
    camera.now_s += 1
    assert camera.judge()
    # It is as little watched as before.
    assert camera.play(((400, 1), 50_000), 8) == []


def test_empty_picture_without_keyframes_is_asked_for_a_bounded_number_of_times(camera: Camera) -> None:
    """Of a camera that puts its keyframes off again and again."""
    asked = 0
    for _ in range(720):
        asked += camera.changes.miss_keyframe(camera.now_s + 4.6, camera.now_s, GOP_S)
        camera.now_s += 5
        camera.changes.weigh_keyframe(camera.now_s, weight_of(*SCENE[0]))
        camera.judge()
    assert asked <= CHANGES_AT_MOST * 3600 / WITHIN_S + 2


def test_empty_picture_is_not_what_people_rain_and_a_rate_control_make_of_a_scene(camera: Camera) -> None:
    chance = random.Random(1)
    for _ in range(600):
        octets, quantizer = chance.randrange(29_000, 37_000), chance.choice([27, 28, 29])
        assert camera.play(((octets, quantizer), chance.uniform(20_000, 120_000)), 1) == []


def test_empty_picture_is_asked_for_a_bounded_number_of_times_where_a_healthy_scene_swings(camera: Camera) -> None:
    chance, asked = random.Random(2), 0
    for _ in range(3600):
        swings = (chance.randrange(4_000, 90_000), chance.randrange(20, 36)), chance.uniform(500, 200_000)
        if camera.play(swings, 1):
            asked += 1
            camera.judge()
    assert asked <= NEEDLESS_AT_MOST * 3600 / WITHIN_S + 2


def test_empty_picture_that_nobody_watches_for_a_while_is_judged_by_every_probe(camera: Camera) -> None:
    for number in range(NEEDLESS_AT_MOST + 2):
        camera.play(((33_000 * 2**number, 28), 50_000), 4)
        camera.judge()
    assert camera.changes.wants_judge(camera.now_s)
    assert not camera.changes.wants_judge(camera.now_s + WITHIN_S + 1)


def test_empty_picture_is_watched_for_after_media_that_paused_again_and_again(camera: Camera) -> None:
    """What shrinks for want of media is asked for each time, and makes no scene that swings."""
    for _ in range(NEEDLESS_AT_MOST + 2):
        for _ in range(2):
            camera.now_s += 1
            news = camera.changes.read_total(camera.now_s, camera.total, silent=True)
        assert news, "it may be a repeated picture"
        camera.play(SCENE, 1)
        assert camera.changes.judge(camera.now_s, None, moves=True)
        camera.play(SCENE, 4)
    began_s = camera.now_s
    assert camera.play(BLACK, 6)[0] <= began_s + GOP_S + 2


def test_empty_picture_that_only_a_judge_sees_begins_with_what_he_saw(camera: Camera) -> None:
    assert camera.changes.judge(camera.now_s - 0.2, Cause.COVERED)
    assert camera.changes.picture is not None
    assert camera.changes.picture.since_s == camera.now_s - 0.2
    assert camera.changes.picture.judged
    assert not camera.judge(Cause.COVERED)
    assert camera.judge()


def test_empty_picture_that_is_repeated_is_not_called_good_by_whoever_saw_one_keyframe_of_it(camera: Camera) -> None:
    camera.play(REPEATED, 5)
    assert not camera.judge()
    assert camera.changes.wants_judge(camera.now_s)
    usual = camera.changes.usual_rate
    assert camera.changes.judge(camera.now_s, None, moves=True)
    assert camera.changes.usual_rate < usual


def test_empty_picture_that_is_repeated_is_known_of_a_camera_that_was_judged_with_its_first_keyframe() -> None:
    camera = Camera()
    camera.play(SCENE, 1)
    assert not camera.judge()
    assert camera.play(SCENE, 8) == []
    camera.play(((70_000, 28), 300), 4)
    assert camera.changes.picture is not None
    assert camera.changes.picture.sign is PictureSign.DELTAS
    assert camera.changes.shrunk_to is not None


@pytest.mark.parametrize("paused_s", [0, 2])
def test_empty_picture_that_is_repeated_is_known_of_a_camera_taken_amid_a_keyframe(paused_s: int) -> None:
    """What a new holder reads first lacks the beginning of a keyframe that is left out whole, or is a pause."""
    camera = Camera()
    calm = (16_000, 28), 5_000
    camera.changes.read_total(camera.now_s, 15_000)
    camera.total = 1_000
    camera.play((calm[0], 0), paused_s)
    camera.play(calm, 2)
    camera.judge()
    assert camera.play(calm, 6) == []
    assert camera.changes.usual_rate >= 2_500
    camera.play(((9_000, 28), 100), 5)
    assert camera.changes.picture is not None
    assert camera.changes.picture.sign is PictureSign.DELTAS
    assert not camera.judge(), "one keyframe of what may be repeated says nothing"


def test_empty_picture_that_is_repeated_teaches_no_rate_to_whoever_judged_one_keyframe_of_it(camera: Camera) -> None:
    usual = camera.changes.usual_rate
    camera.play(((16_000, 27), 300), 1)
    camera.changes.judge(camera.now_s, None)
    camera.play(REPEATED, 4)
    assert camera.changes.usual_rate == usual
    assert camera.changes.shrunk_to is not None


def test_empty_picture_that_is_repeated_is_known_after_many_that_were_read_amid_a_keyframe(camera: Camera) -> None:
    """The second that a keyframe is left out of whole has less than came, each time that the picture is good again."""
    usual = camera.changes.usual_rate
    (octets, _), rate = SCENE
    for _ in range(5):
        camera.play(BLACK, 4)
        assert camera.judge(Cause.BLACK)
        camera.play(SCENE, 2)
        for early in (octets, -octets, 0):
            camera.play((SCENE[0], rate + early), 1)
        assert camera.changes.judge(camera.now_s, None, moves=True)
    assert camera.changes.usual_rate >= usual / 2
    camera.play(((16_000, 27), rate / 10), 4)
    assert camera.changes.shrunk_to is not None
    assert not camera.judge(), "one keyframe of what may be repeated says nothing"


def test_empty_picture_that_is_repeated_is_known_after_some_that_seemed_to_move(camera: Camera) -> None:
    usual = camera.changes.usual_rate
    for _ in range(3):
        camera.play(SCENE, 6)
        camera.judge()
        camera.play(REPEATED, 5)
        camera.changes.judge(camera.now_s, None, moves=True)
    assert camera.changes.usual_rate >= usual / 2
    camera.play(SCENE, 6)
    camera.play(REPEATED, 5)
    assert camera.changes.shrunk_to is not None


def test_empty_picture_that_stands_still_is_not_over_by_one_keyframe_of_it(camera: Camera) -> None:
    camera.play(((16_000, 27), 20_000), 6)
    assert camera.judge(Cause.FROZEN)
    assert camera.changes.wants_judge(camera.now_s)
    assert not camera.judge()
    assert camera.changes.picture is not None
    assert camera.changes.picture.cause is Cause.FROZEN
    assert camera.changes.judge(camera.now_s, None, moves=True)
    assert camera.changes.picture.cause is None


def test_empty_picture_that_stood_still_is_good_from_the_picture_on_that_moved() -> None:
    """A change while it stands still is none of its end: nobody knows until a picture is found to move."""
    camera = Camera()
    camera.play(SCENE, 8)
    camera.judge()
    camera.play(REPEATED, 6)
    assert camera.judge(Cause.FROZEN)
    assert camera.play(((16_000, 27), 20_000), 4) != [], "more comes, and it is still the same"
    assert camera.changes.picture is not None
    changed_s = camera.changes.picture.since_s
    camera.play(SCENE, 3)
    assert camera.changes.judge(camera.now_s, None, moves=True)
    assert camera.changes.picture.since_s == camera.now_s > changed_s


def test_empty_picture_that_only_a_judge_sees_may_have_begun_since_the_last_good_one(camera: Camera) -> None:
    good_s = camera.now_s
    camera.play(SCENE, 60)
    assert camera.judge(Cause.DECODE_FAILED)
    assert camera.changes.doubted_s == good_s
    bad_s = camera.now_s
    camera.play(SCENE, 2)
    assert camera.judge()
    assert camera.changes.doubted_s == bad_s, "and may have ended since the last bad one"


def test_empty_picture_that_is_damaged_is_not_dated_by_a_weight_that_changed_by_chance(camera: Camera) -> None:
    good_s = camera.now_s
    camera.play(SCENE, 20)
    assert camera.play(((60_000, 28), 50_000), 4) != [], "people came, some time after the keyframes were damaged"
    assert camera.judge(Cause.DECODE_FAILED)
    assert camera.changes.doubted_s == good_s
    assert camera.changes.picture == Picture(camera.now_s, PictureSign.JUDGED, judged=True, cause=Cause.DECODE_FAILED)
    bad_s = camera.now_s
    assert camera.play(((12_000, 28), 50_000), 4) != [], "and a light went out while they still were"
    assert camera.judge()
    assert camera.changes.doubted_s == bad_s
    assert camera.changes.picture == Picture(camera.now_s, PictureSign.JUDGED, judged=True)


def test_empty_picture_is_not_judged_by_one_from_before_it(camera: Camera) -> None:
    before_s = camera.now_s - 3
    camera.play(BLACK, 5)
    assert not camera.changes.judge(before_s, None)
    assert camera.changes.picture is not None
    assert not camera.changes.picture.judged


def test_a_new_session_that_shows_the_same_is_no_change_and_another_picture_is(camera: Camera) -> None:
    assert not camera.changes.begin_session(camera.now_s + 20)
    assert not camera.changes.weigh_keyframe(camera.now_s + 21, weight_of(*SCENE[0]))
    assert not camera.changes.begin_session(camera.now_s + 40)
    assert camera.changes.weigh_keyframe(camera.now_s + 41, weight_of(*BLACK[0]))


def test_a_keyframe_as_large_as_others_that_begins_more_coarsely_may_be_of_the_same_picture() -> None:
    """Octets and first quantizer of x264's keyframes of one moving scene at 720p."""
    weights = Weights()
    for octets, quantizer in ((53_726, 23), (47_647, 23), (49_088, 23), (51_453, 24)):
        weights.add(weight_of(octets, quantizer))
    assert not weights.cover(weight_of(52_242, 28))
    assert weights.may_cover(weight_of(52_242, 28))
    assert not weights.may_cover(weight_of(52_242, 15)), "a card that got as many bits"
    assert not weights.may_cover(weight_of(12_000, 28)), "less to see"


def test_one_keyframe_that_begins_otherwise_is_no_change_and_two_in_a_row_are_one_since_the_first() -> None:
    changes = PictureChanges()
    usual, otherwise = weight_of(50_000, 23), weight_of(50_000, 28)
    for second in range(3):
        changes.weigh_keyframe(float(second), usual)
    changes.judge(2.0, None)
    assert not changes.weigh_keyframe(3.0, otherwise)
    assert not changes.weigh_keyframe(4.0, usual)
    assert not changes.weigh_keyframe(5.0, otherwise)
    assert changes.weigh_keyframe(6.0, otherwise)
    assert changes.picture is not None
    assert changes.picture.since_s == 4.5


def test_weights_without_a_quantizer_are_compared_by_their_size() -> None:
    known = Weights()
    assert not known.cover(Weight(1000))
    known.add(weight_of(1000, None))
    assert known.cover(weight_of(1100, 30))
    assert not known.cover(weight_of(500, 30))
    known.add(weight_of(1000, 30))
    assert known.cover(weight_of(500, 36))
