"""The planes of a decoded frame as numpy arrays, without a copy where the format allows it."""

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange

from prober.domain.picture import Planes

_PLANAR_8_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


def planes_of(frame: VideoFrame) -> Planes:
    """Views of the frame's memory: use them while the frame lives. Other formats are converted first."""
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    if frame.format.name not in _PLANAR_8_BIT:
        frame = frame.reformat(format="yuv420p")
    luma, cb, cr = (_array(plane) for plane in frame.planes[:3])
    return Planes(luma, cb, cr, full_range=full_range)


def _array(plane: VideoPlane) -> npt.NDArray[np.uint8]:
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]
