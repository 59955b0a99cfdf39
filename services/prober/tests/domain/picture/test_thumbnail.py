"""What is kept of a picture, and its form in the bucket."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prober.domain.picture import ENCODED_BYTES, Planes, Thumbnail, ThumbnailUnreadableError, judge, reduce_picture

type Luma = npt.NDArray[np.float64]
type TakeThumbnail = Callable[..., Thumbnail]

NOW = datetime(2026, 11, 25, 7, 30, 0, 123_456, tzinfo=UTC)


def test_a_thumbnail_fits_into_a_bucket_and_comes_back_as_it_was(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    thumbnail = judge(take_thumbnail(yard, after_s=0.25), None, None).remember
    data = thumbnail.encode()
    back = Thumbnail.decode(data)
    assert len(data) == ENCODED_BYTES <= 16 * 1024
    assert (back.taken_at, back.width, back.height) == (thumbnail.taken_at, 640, 360)
    assert back.keyframe_hash == thumbnail.keyframe_hash
    assert back.edge_px == pytest.approx(thumbnail.edge_px)
    assert back.usual_edge_px == pytest.approx(thumbnail.edge_px)
    assert back.encode() == data


def test_a_thumbnail_without_edges_comes_back_without_edges(take_thumbnail: TakeThumbnail) -> None:
    back = Thumbnail.decode(take_thumbnail(np.full((360, 640), 90.0)).encode())
    assert math.isnan(back.edge_px)


@given(st.binary(max_size=64))
def test_what_is_no_thumbnail_is_refused(data: bytes) -> None:
    with pytest.raises(ThumbnailUnreadableError):
        Thumbnail.decode(data)


def test_another_version_and_an_impossible_time_are_refused(yard: Luma, take_thumbnail: TakeThumbnail) -> None:
    data = take_thumbnail(yard).encode()
    with pytest.raises(ThumbnailUnreadableError, match="version 1"):
        Thumbnail.decode(b"\x02" + data[1:])
    with pytest.raises(ThumbnailUnreadableError, match="time"):
        Thumbnail.decode(data[:5] + b"\x7f" + b"\xff" * 7 + data[13:])


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (97, 131), (144, 176), (1080, 1920), (2160, 3840)])
def test_pictures_of_any_size_are_reduced(size: tuple[int, int]) -> None:
    height, width = size
    luma = np.tile(np.linspace(40, 200, width), (height, 1)).astype(np.uint8)
    chroma = np.full((height // 2, width // 2), 90, np.uint8)
    thumbnail = reduce_picture(Planes(luma, chroma, chroma + 70), NOW, b"hash")
    assert (thumbnail.grey.shape, thumbnail.points.shape, thumbnail.chroma.shape) == ((54, 96), (72, 128), (2, 9, 16))
    assert float(thumbnail.grey[20, 48]) == pytest.approx(120, abs=12)
    assert set(thumbnail.chroma[0].ravel()) == {90}
    assert set(thumbnail.chroma[1].ravel()) == {160}
    assert len(thumbnail.encode()) == ENCODED_BYTES


def test_cells_are_means_and_points_are_single_pixels() -> None:
    board = (np.indices((540, 960)).sum(axis=0) % 2 * 100 + 50).astype(np.uint8)
    thumbnail = reduce_picture(Planes(board, board[::2, ::2], board[::2, ::2]), NOW, b"")
    assert set(thumbnail.grey.ravel()) <= {99, 100, 101}
    assert set(thumbnail.points.ravel()) <= {50, 150}


def test_a_thumbnail_holds_nothing_of_the_picture_it_was_made_from() -> None:
    luma = np.full((360, 640), 100, np.uint8)
    thumbnail = reduce_picture(Planes(luma, luma[::2, ::2], luma[::2, ::2]), NOW, b"")
    luma[:] = 0
    assert set(thumbnail.grey.ravel()) | set(thumbnail.points.ravel()) | set(thumbnail.chroma.ravel()) == {100}
