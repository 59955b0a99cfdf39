"""Picture truth: from one decoded keyframe, the last thumbnail and an approved reference to findings. Pure numpy."""

from prober.domain.picture.judge import PictureHistory, PictureJudgement, judge
from prober.domain.picture.reduction import Planes, reduce_picture
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import ENCODED_BYTES, Thumbnail, ThumbnailUnreadableError

__all__ = [
    "DEFAULT_THRESHOLDS",
    "ENCODED_BYTES",
    "PictureHistory",
    "PictureJudgement",
    "PictureThresholds",
    "Planes",
    "Thumbnail",
    "ThumbnailUnreadableError",
    "judge",
    "reduce_picture",
]
