"""Whether a picture stands still, by the keyframes of an encoder that sends hardly anything between them."""

from services.prober.tests.domain.picture.conftest import Luma, TakeThumbnail

from prober.domain.picture.standstill import Standstill


def watched(
    take: TakeThumbnail, luma: Luma, *, noise: float, shrunk_to: float, keyframes: int = 4
) -> Standstill | None:
    still: Standstill | None = None
    for number in range(keyframes):
        thumbnail = take(luma, after_s=2 * number, noise=noise)
        still = Standstill(thumbnail, thumbnail) if still is None else still.with_next(thumbnail, shrunk_to=shrunk_to)
        if still is None:
            return None
    return still


def test_empty_picture_of_an_encoder_that_repeats_itself_stands_still_after_three_keyframes(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    two = watched(take_thumbnail, yard, noise=0.1, shrunk_to=0.01, keyframes=2)
    assert two is not None
    assert not two.is_likely
    four = watched(take_thumbnail, yard, noise=0.1, shrunk_to=0.01)
    assert four is not None
    assert four.is_certain


def test_empty_picture_is_none_with_the_noise_of_a_sensor_though_nothing_moves(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    assert watched(take_thumbnail, yard, noise=2.0, shrunk_to=0.01) is None
    assert watched(take_thumbnail, yard, noise=2.0, shrunk_to=0.2) is None


def test_empty_picture_of_a_flat_wall_stands_still_only_where_nothing_is_coded(
    yard: Luma, take_thumbnail: TakeThumbnail
) -> None:
    wall = yard * 0 + 120
    assert watched(take_thumbnail, wall, noise=0.3, shrunk_to=0.2) is None
    assert watched(take_thumbnail, wall, noise=0.3, shrunk_to=0.01) is not None


def test_empty_picture_moves_with_whoever_walks_through_it(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    first = take_thumbnail(yard, noise=0.1)
    yard[100:260, 200:280] = 200
    assert Standstill(first, first).with_next(take_thumbnail(yard, after_s=2, noise=0.1), shrunk_to=0.01) is None
