"""From the planes of a decoded picture to a thumbnail. Reads few of the rows: it must cost next to nothing."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from prober.domain.picture.sharpness import measure_edges
from prober.domain.picture.thumbnail import CHROMA_SHAPE, GREY_SHAPE, POINTS_SHAPE, Grey, Thumbnail

type Indices = npt.NDArray[np.intp]

_ROWS_OF_A_CELL = 5
"""Rows read of each row of cells, evenly spread."""
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True)
class Planes:
    """A decoded picture in 8 bits: luma (height, width), and Cb and Cr in any size. May be views of foreign memory.

    `full_range`: black is 0 and white 255 (as in JPEG), not 16 and 235.
    """

    luma: Grey
    cb: Grey
    cr: Grey
    full_range: bool = False


def reduce_picture(planes: Planes, taken_at: datetime, keyframe_hash: bytes) -> Thumbnail:
    """Reduce the picture to a thumbnail without views of the planes, with the first 16 bytes of `keyframe_hash`."""
    height, width = planes.luma.shape
    edges = measure_edges(planes.luma)
    chroma = np.stack([_means(plane, CHROMA_SHAPE[1:]) for plane in (planes.cb, planes.cr)])
    grey, points = _means(planes.luma, GREY_SHAPE), _points(planes.luma, POINTS_SHAPE)
    if planes.full_range:
        grey, points = _studio_range(grey), _studio_range(points)
    return Thumbnail(
        taken_at=taken_at,
        width=width,
        height=height,
        keyframe_hash=keyframe_hash[:_HASH_BYTES].ljust(_HASH_BYTES, b"\0"),
        grey=grey,
        points=points,
        chroma=chroma,
        edge_px=edges.width_px,
        noise=edges.noise,
    )


def _means(plane: Grey, shape: tuple[int, int]) -> Grey:
    """Mean of each cell of a grid over the plane; a plane smaller than the grid gives its nearest pixels."""
    rows, columns = shape
    height, width = plane.shape
    read = max(1, min(_ROWS_OF_A_CELL, height // rows))
    sums = plane[_spread(rows * read, height)].reshape(rows, read, width).sum(axis=1, dtype=np.uint16)
    begins, widths = _cells(columns, width)
    means: npt.NDArray[np.float64] = np.add.reduceat(sums, begins, axis=1, dtype=np.uint32) / (widths * read)
    return (means + 0.5).astype(np.uint8)


def _points(plane: Grey, shape: tuple[int, int]) -> Grey:
    rows, columns = (_middles(count, size) for count, size in zip(shape, plane.shape, strict=True))
    return np.ascontiguousarray(plane[rows][:, columns])


def _spread(count: int, size: int) -> slice | Indices:
    """Find the first of each of `count` parts of `size`; a slice, which copies nothing, where all are as long."""
    step, rest = divmod(size, count)
    return (np.arange(count) * size) // count if rest else slice(0, size, step)


def _middles(count: int, size: int) -> slice | Indices:
    """Find the middle of each of `count` parts, as `_spread`."""
    step, rest = divmod(size, count)
    return (np.arange(count) * 2 + 1) * size // (2 * count) if rest else slice(step // 2, size, step)


@lru_cache(maxsize=64)
def _cells(count: int, size: int) -> tuple[Indices, Indices]:
    """Where the cells of a row begin, and how wide they are, at least one pixel."""
    borders = (np.arange(count + 1) * size) // count
    begins, widths = borders[:-1], np.maximum(np.diff(borders), 1)
    for kept in (begins, widths):
        kept.flags.writeable = False
    return begins, widths


def _studio_range(values: Grey) -> Grey:
    return (values * (219.0 / 255.0) + 16.5).astype(np.uint8)
