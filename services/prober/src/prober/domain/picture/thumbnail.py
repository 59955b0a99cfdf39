"""The thumbnail of a picture: little enough to keep for each camera, enough to judge and to compare."""

import math
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

type Grey = npt.NDArray[np.uint8]

GREY_SHAPE = (54, 96)
POINTS_SHAPE = (72, 128)
CHROMA_SHAPE = (2, 9, 16)
VERSION = 1
_HEADER = struct.Struct(">BHHq16sfff")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIZES = tuple(rows * columns for rows, columns in (GREY_SHAPE, POINTS_SHAPE, (18, 16)))
ENCODED_BYTES = _HEADER.size + sum(_SIZES)
"""Size of an encoded thumbnail: 14,729 bytes."""


class ThumbnailUnreadableError(ValueError):
    """Stored bytes are no thumbnail of this version: do as if there were none."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """One decoded keyframe, reduced. Luma as in ITU-R BT.601/709 (16 black, 235 white), whatever the camera's range.

    `taken_at`: aware UTC, when the keyframe came (or was captured by the forwarder).
    `width`, `height`: of the picture itself, in pixels. `keyframe_hash`: 16 bytes of the hash of its coded slices.
    `grey`: means of the luma over a grid of GREY_SHAPE cells, uint8.
    `points`: single pixels of the luma at the nodes of a grid of POINTS_SHAPE, uint8: they keep the noise.
    `chroma`: means of Cb and Cr over a grid, uint8 of CHROMA_SHAPE.
    `edge_px`: typical width of the strongest edges in pixels, nan where there are too few of them.
    `usual_edge_px`: the edges' width of this camera's good thumbnails until now, nan when unknown; kept up by `judge`.
    `noise`: typical difference of neighbouring pixels where the picture is flat, in levels of grey.
    """

    taken_at: datetime
    width: int
    height: int
    keyframe_hash: bytes
    grey: Grey
    points: Grey
    chroma: Grey
    edge_px: float
    noise: float
    usual_edge_px: float = math.nan

    def came_again_in(self, other: "Thumbnail") -> bool:
        """Whether `other` is of the same coded keyframe, at another time."""
        return self.keyframe_hash == other.keyframe_hash and self.taken_at != other.taken_at

    def encode(self) -> bytes:
        """ENCODED_BYTES bytes; the first is the version."""
        header = _HEADER.pack(
            VERSION,
            self.width,
            self.height,
            (self.taken_at - _EPOCH) // timedelta(microseconds=1),
            self.keyframe_hash,
            self.edge_px,
            self.noise,
            self.usual_edge_px,
        )
        return header + self.grey.tobytes() + self.points.tobytes() + self.chroma.tobytes()

    @classmethod
    def decode(cls, data: bytes) -> "Thumbnail":
        """Decode a thumbnail. Raises ThumbnailUnreadableError if `data` is not what `encode` of this version makes."""
        if len(data) != ENCODED_BYTES or data[0] != VERSION:
            msg = f"not a thumbnail of version {VERSION}: {len(data)} bytes, {ENCODED_BYTES} are right"
            raise ThumbnailUnreadableError(msg)
        _, width, height, taken_us, keyframe_hash, edge_px, noise, usual_edge_px = _HEADER.unpack_from(data)
        grey_end = _HEADER.size + _SIZES[0]
        points_end = grey_end + _SIZES[1]
        try:
            taken_at = _EPOCH + timedelta(microseconds=taken_us)
        except OverflowError:
            msg = "not a thumbnail: its time is out of range"
            raise ThumbnailUnreadableError(msg) from None
        return cls(
            taken_at=taken_at,
            width=width,
            height=height,
            keyframe_hash=keyframe_hash,
            grey=np.frombuffer(data[_HEADER.size : grey_end], np.uint8).reshape(GREY_SHAPE),
            points=np.frombuffer(data[grey_end:points_end], np.uint8).reshape(POINTS_SHAPE),
            chroma=np.frombuffer(data[points_end:], np.uint8).reshape(CHROMA_SHAPE),
            edge_px=edge_px,
            noise=noise,
            usual_edge_px=usual_edge_px,
        )
