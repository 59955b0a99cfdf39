"""The result of decoding a keyframe: a picture, or why there is none."""

from dataclasses import dataclass

from prober.domain.picture import PictureJudgement, Thumbnail
from vonggac.events import Cause


@dataclass(frozen=True, slots=True)
class Picture:
    """What the decoder made of a keyframe; `thumbnail` is what of it is judged and kept."""

    width: int
    height: int
    profile: str | None
    pixel_format: str
    decode_s: float
    thumbnail: Thumbnail
    judged: PictureJudgement | None = None
    jpeg: bytes = b""
    """For a person who views it; empty where nobody does."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why there is no picture. `cause`: decode_failed, picture_too_large, or decoder_crashed, which accuses nobody."""

    reason: str
    decode_s: float = 0.0
    cause: Cause = Cause.DECODE_FAILED
