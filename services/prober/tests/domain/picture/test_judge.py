"""What is said of a picture, and what is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from prober.domain.picture import PictureThresholds, Thumbnail, judge
from vonggac.events import Cause

type Luma = npt.NDArray[np.float64]
type TakeThumbnail = Callable[..., Thumbnail]


def blur(luma: Luma, sigma: float) -> Luma:
    reach = np.arange(-round(3 * sigma), round(3 * sigma) + 1)
    weights = np.exp(-0.5 * (reach / sigma) ** 2)
    weights /= weights.sum()

    def soften(line: Luma) -> Luma:
        return np.convolve(np.pad(line, len(reach) // 2, "edge"), weights, "valid")

    return np.apply_along_axis(soften, 1, np.apply_along_axis(soften, 0, luma))


def test_a_good_first_thumbnail_has_no_finding_and_says_what_could_not_be_checked(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    judged = judge(take_thumbnail(yard), None, None)
    assert judged.findings == ()
    assert set(judged.not_checked) == {"frozen", "scene_changed"}
    assert all(judged.not_checked.values())


def test_a_good_thumbnail_beside_an_earlier_one_and_a_reference_is_checked_wholly(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    passer_by = yard.copy()
    passer_by[150:300, 300:340] = 40
    judged = judge(take_thumbnail(passer_by, after_s=60), take_thumbnail(yard), take_thumbnail(yard))
    assert (judged.findings, judged.not_checked) == ((), {})


def test_a_still_scene_with_noise_is_not_frozen(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    judged = judge(take_thumbnail(yard, after_s=60, noise=1), take_thumbnail(yard, noise=1), None)
    assert judged.findings == ()
    assert "noise" in judged.not_checked["frozen"]


def with_clock(luma: Luma) -> Luma:
    """A later second in the upper right corner, where cameras write their clock."""
    later = luma.copy()
    later[10:40, 500:520] = 235
    return later


def test_a_still_picture_under_a_running_clock_is_frozen(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    judged = judge(take_thumbnail(with_clock(yard), after_s=60, noise=0), take_thumbnail(yard, noise=0), None)
    assert judged.findings == (Cause.FROZEN,)


def test_a_still_picture_coded_anew_under_a_running_clock_is_not_checkable(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    rng = np.random.default_rng(3)
    stuck = yard + rng.normal(0, 6, yard.shape)
    again = with_clock(stuck) + (rng.random(yard.shape) < 0.01)
    judged = judge(take_thumbnail(again, after_s=60, noise=0), take_thumbnail(stuck, noise=0), None)
    assert judged.findings == ()
    assert "clock" in judged.not_checked["frozen"]


def test_a_person_is_life_under_a_running_clock(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    later = with_clock(yard)
    later[150:300, 300:340] = 40
    judged = judge(take_thumbnail(later, after_s=60, noise=0), take_thumbnail(yard, noise=0), None)
    assert judged.findings == ()
    assert "frozen" not in judged.not_checked


def test_the_same_coded_keyframe_is_frozen(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    first = take_thumbnail(yard, keyframe_hash=b"k" * 32)
    assert judge(take_thumbnail(yard, after_s=60, keyframe_hash=b"k" * 32), first, None).findings == (Cause.FROZEN,)


def test_an_identical_picture_coded_anew_is_frozen(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    stuck = yard + np.random.default_rng(3).normal(0, 2, yard.shape)
    first = take_thumbnail(stuck, noise=0)
    assert judge(take_thumbnail(stuck, after_s=60, noise=0), first, None).findings == (Cause.FROZEN,)


def test_frozen_needs_time_and_the_first_unchanged_thumbnail_is_remembered_until_then(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    thumbnails = [take_thumbnail(yard, after_s=after_s, keyframe_hash=b"k" * 32) for after_s in (0, 12, 24, 36)]
    remembered: Thumbnail | None = None
    found = []
    for thumbnail in thumbnails:
        judged = judge(thumbnail, remembered, None, PictureThresholds(frozen_min_age_s=30))
        remembered = judged.remember
        found.append(judged.findings)
    assert found == [(), (), (), (Cause.FROZEN,)]
    assert remembered is not None
    assert remembered.taken_at == thumbnails[0].taken_at


@pytest.mark.parametrize("noise", [0, 3])
def test_black_is_black_with_noise_and_with_a_clock(take_thumbnail: TakeThumbnail, noise: float) -> None:
    dark = np.full((360, 640), 17.0)
    dark[10:30, 500:620] = 235
    judged = judge(take_thumbnail(dark, noise=noise, colour=(128, 128)), None, None)
    assert judged.findings == (Cause.BLACK,)
    assert set(judged.not_checked) == {"frozen", "blurred", "scene_changed"}


def test_full_range_black_is_black_and_its_dusk_is_not(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    assert judge(take_thumbnail(yard * 0, noise=1, full_range=True), None, None).findings == (Cause.BLACK,)
    assert judge(take_thumbnail(yard * 0.3, noise=1, full_range=True), None, None).findings == ()


def test_a_dark_scene_is_not_black(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    assert judge(take_thumbnail(16 + (yard - 16) * 0.2, noise=4), None, None).findings == ()


@pytest.mark.parametrize(("level", "slope"), [(40, 0), (90, 40), (160, 60)])
def test_a_covered_lens_is_covered(take_thumbnail: TakeThumbnail, level: float, slope: float) -> None:
    lid = level + np.tile(np.linspace(-slope / 2, slope / 2, 640), (360, 1))
    lid[10:30, 500:620] = 235
    assert judge(take_thumbnail(lid), None, None).findings == (Cause.COVERED,)


def test_mist_is_not_covered(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    assert judge(take_thumbnail(150 + (yard - 110) * 0.2), None, None).findings == ()


@pytest.mark.parametrize(("level", "colour"), [(41, (240, 110)), (60, (128, 128)), (16, (128, 128))])
def test_a_card_with_words_is_no_signal(take_thumbnail: TakeThumbnail, level: float, colour: tuple[int, int]) -> None:
    card = np.full((360, 640), level, float)
    card[165:195, 260:380:8] = 235
    card[165:195, 261:381:8] = 235
    card[165:195, 262:382:8] = 235
    assert judge(take_thumbnail(card, noise=0, colour=colour), None, None).findings == (Cause.NO_SIGNAL_CARD,)


def under_lamps(luma: Luma, *lamps: tuple[float, float, float]) -> Luma:
    """By night, with a clock. Lamps: part of the width, of the height, and the sigma of their light in widths."""
    height, width = luma.shape
    down, across = np.mgrid[:height, :width]
    light = np.zeros_like(luma)
    for x, y, sigma in lamps:
        light = np.maximum(
            light, np.exp(-((across - x * width) ** 2 + (down - y * height) ** 2) / (sigma * width) ** 2 / 2)
        )
    night = 17 + (luma - 16) * light
    night[light > 0.98] = 235
    night[10:30, 500:620:3] = 235
    return night


@pytest.mark.parametrize(
    "lamps",
    [
        pytest.param([(0.5, 0.4, 0.07)], id="one"),
        pytest.param([(0.3, 0.5, 0.05), (0.6, 0.5, 0.05)], id="two"),
        pytest.param([(0.2, 0.4, 0.04), (0.5, 0.45, 0.04), (0.8, 0.4, 0.04)], id="three"),
        pytest.param([(0.5, 0.5, 0.03)], id="a small one"),
    ],
)
@pytest.mark.parametrize("noise", [0, 1])
def test_a_night_under_lamps_is_no_card_and_neither_black_nor_covered(
    yard: Luma, take_thumbnail: TakeThumbnail, lamps: list[tuple[float, float, float]], noise: float
) -> None:
    judged = judge(take_thumbnail(under_lamps(yard, *lamps), noise=noise, colour=(128, 128)), None, None)
    assert not {Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED} & set(judged.findings)


def test_a_white_sky_behind_a_tower_is_no_card_and_words_on_white_are_one(take_thumbnail: TakeThumbnail) -> None:
    sky = np.full((360, 640), 235.0)
    sky[60:300, 280:380] = 90
    sky[55:305, 380:420] = np.linspace(90, 235, 40)
    card = np.full((360, 640), 235.0)
    card[165:195, 260:380:8] = card[165:195, 261:381:8] = card[165:195, 262:382:8] = 16
    for luma, findings in ((sky, ()), (card, (Cause.NO_SIGNAL_CARD,))):
        assert judge(take_thumbnail(luma, noise=0, colour=(128, 128)), None, None).findings == findings


@pytest.mark.parametrize("sigma", [4, 8, 16])
def test_blur_is_found_beside_a_reference(yard: Luma, take_thumbnail: TakeThumbnail, sigma: float) -> None:
    judged = judge(take_thumbnail(blur(yard, sigma), after_s=60), None, take_thumbnail(yard))
    assert Cause.BLURRED in judged.findings


def test_blur_is_found_beside_the_usual_and_stays_found(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    remembered = judge(take_thumbnail(yard), None, None).remember
    soft = blur(yard, 4)
    for minute in range(1, 6):
        judged = judge(take_thumbnail(soft, after_s=60 * minute), remembered, None)
        remembered = judged.remember
        assert Cause.BLURRED in judged.findings


def test_strong_blur_is_found_with_nothing_to_compare(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    assert judge(take_thumbnail(blur(yard, 14), noise=1), None, None).findings == (Cause.BLURRED,)


@pytest.mark.parametrize("gain", [0.25, 0.5, 1.0])
def test_another_light_is_the_same_scene(yard: Luma, take_thumbnail: TakeThumbnail, gain: float) -> None:
    judged = judge(take_thumbnail(20 + (yard - 16) * gain, after_s=60), None, take_thumbnail(yard))
    assert judged.findings == ()
    assert "scene_changed" not in judged.not_checked


@pytest.mark.parametrize("share", [0.06, 0.12, 0.4])
def test_a_moved_camera_is_a_changed_scene(yard: Luma, take_thumbnail: TakeThumbnail, share: float) -> None:
    moved = np.roll(yard, round(share * 640), axis=1)
    judged = judge(take_thumbnail(moved, after_s=60), None, take_thumbnail(yard))
    assert judged.findings == (Cause.SCENE_CHANGED,)


def test_a_move_is_measured(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    judged = judge(take_thumbnail(np.roll(yard, 64, axis=1), after_s=60), None, take_thumbnail(yard))
    assert judged.measures["moved_right"] == pytest.approx(0.1, abs=0.015)
    assert judged.measures["turned_degrees"] == 0


def test_shaking_in_the_wind_is_the_same_scene(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    shaken = np.roll(yard, (3, -7), axis=(0, 1))
    assert judge(take_thumbnail(shaken, after_s=60), None, take_thumbnail(yard)).findings == ()


def test_places_are_not_compared_in_a_picture_without_edges(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    glow = 60 + 8 * np.sin(np.arange(640) / 50) * np.ones((360, 1))
    judged = judge(take_thumbnail(glow, noise=1), None, take_thumbnail(yard))
    assert judged.findings == ()
    assert "scene_changed" in judged.not_checked


def test_a_picture_of_nothing_leaves_the_remembered_one(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    remembered = judge(take_thumbnail(yard), None, None).remember
    judged = judge(take_thumbnail(yard * 0 + 16, after_s=60, noise=0), remembered, None)
    assert judged.remember is remembered


def test_a_camera_with_another_size_is_not_compared_by_its_edges(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    half = take_thumbnail(yard[::2, ::2], after_s=60)
    first = replace(take_thumbnail(yard), usual_edge_px=0.1)
    assert judge(half, first, None).findings == ()
