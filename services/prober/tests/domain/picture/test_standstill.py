"""Whether a picture stands still, by the keyframes of an encoder that sends little between them."""

import numpy as np
from services.prober.tests.domain.picture.conftest import Luma, TakeThumbnail

from prober.domain.picture.standstill import CodedPicture, Standstill

OCTETS, QUANTIZER = 30_000, 28


def watched(
    take: TakeThumbnail,
    luma: Luma,
    *,
    noise: float,
    shrunk_to: float = 0.1,
    keyframes: int = 4,
    octets: tuple[int, ...] = (OCTETS,),
) -> Standstill:
    """`octets` of the keyframes, over and over."""
    still: Standstill | None = None
    for number in range(keyframes):
        picture = CodedPicture(take(luma, after_s=2 * number, noise=noise), QUANTIZER, octets[number % len(octets)])
        if still is None:
            still = Standstill((picture,), shrunk_to)
        elif not still.moves:
            still = still.with_next(picture, shrunk_to=shrunk_to)
    assert still is not None
    return still


def touch(luma: Luma, share: float) -> Luma:
    """As when it is coded anew: in `share` of the blocks all is a little otherwise."""
    rng = np.random.default_rng(3)
    blocks = rng.random((luma.shape[0] // 20, luma.shape[1] // 20)) < share
    mask = np.kron(blocks, np.ones((20, 20)))
    return luma + mask * rng.normal(0, 3, luma.shape)


def test_empty_picture_of_an_encoder_that_repeats_itself_stands_still_after_three_keyframes(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    two = watched(take_thumbnail, yard, noise=0.0, keyframes=2)
    assert not two.is_likely
    assert watched(take_thumbnail, yard, noise=0.0).is_certain


def test_empty_picture_that_was_coded_otherwise_in_most_places_stands_still_all_the_same(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    first = CodedPicture(take_thumbnail(yard, noise=0.0), QUANTIZER, OCTETS)
    again = CodedPicture(take_thumbnail(touch(yard, 0.6), after_s=6, noise=0.0), QUANTIZER, OCTETS - 300)
    still = Standstill((first,), 0.1).with_next(again, shrunk_to=0.1)
    assert still.is_likely
    assert not still.seems_to_move


def test_empty_picture_is_none_with_the_noise_of_a_sensor_though_nothing_moves(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    for noise in (0.5, 1.0, 2.0):
        still = watched(take_thumbnail, yard, noise=noise)
        assert still.moves
        assert len(still.pictures) == 3
        assert not still.is_likely


def test_empty_picture_is_not_told_from_a_still_one_by_keyframes_that_are_quantized_otherwise(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    still = watched(take_thumbnail, yard, noise=1.0, octets=(30_000, 33_000, 36_500, 41_000))
    assert not still.moves
    assert not still.seems_to_move
    assert not still.is_likely
    first = CodedPicture(take_thumbnail(yard, noise=0.5), 28, OCTETS)
    assert not first.is_quantized_like(CodedPicture(first.thumbnail, 27, OCTETS))


def test_empty_picture_of_a_flat_wall_stands_still_only_where_nothing_is_coded(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    wall = yard * 0 + 120
    assert watched(take_thumbnail, wall, noise=0.3, shrunk_to=0.2).moves
    assert watched(take_thumbnail, wall, noise=0.3, shrunk_to=0.01).is_certain


def test_empty_picture_moves_with_whoever_walks_through_it(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    still = Standstill((CodedPicture(take_thumbnail(yard, noise=0.0), QUANTIZER, OCTETS),), 0.01)
    for step in range(2):
        yard[100:260, 200 + 90 * step : 280 + 90 * step] = 200 + step
        walked = CodedPicture(take_thumbnail(yard, after_s=2 + 2 * step, noise=0.0), QUANTIZER, OCTETS)
        still = still.with_next(walked, shrunk_to=0.01)
    assert still.moves


def test_empty_picture_stands_still_though_the_first_keyframe_is_of_before(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    still = Standstill((CodedPicture(take_thumbnail(yard, noise=2.0), QUANTIZER, OCTETS),), 0.01)
    yard[100:260, 200:280] = 200
    for number in range(4):
        shown = CodedPicture(take_thumbnail(yard, after_s=2 + 2 * number, noise=0.0), QUANTIZER, OCTETS)
        still = still.with_next(shown, shrunk_to=0.01)
        assert not still.moves
    assert still.is_certain


def test_empty_picture_is_none_where_only_a_maker_s_name_stands_still(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    """The upper and lower edges are where cameras write."""

    def shown(after_s: float) -> CodedPicture:
        luma = take_thumbnail(yard, after_s=after_s, noise=2.0)
        luma.points[:8, :64] = np.arange(64, dtype=np.uint8) * 16 % 200
        return CodedPicture(luma, QUANTIZER, OCTETS)

    still = Standstill((shown(0),), 0.1)
    for after_s in (2, 4):
        still = still.with_next(shown(after_s), shrunk_to=0.1)
    assert still.moves
