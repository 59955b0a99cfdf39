"""Whether a picture may become a camera's reference."""

import math

from prober.domain.picture.emptiness import measure_emptiness
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import Thumbnail
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict

_BAD = (Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED, Cause.FROZEN, Cause.BLURRED)


def why_no_reference(
    thumbnail: Thumbnail, status: CameraObservedV1 | None, thresholds: PictureThresholds = DEFAULT_THRESHOLDS
) -> Cause | None:
    """Find what is wrong with a camera's last picture, None if it may be approved; another scene is no fault here.

    `thumbnail`: as it is stored; `status`: the last observation. A light probe judged no picture, so the picture
    itself is judged once more.
    """
    if status is not None and status.verdict is not Verdict.UP:
        return status.cause or Cause.INTERNAL_ERROR
    found = next((bad for bad in _BAD if status is not None and bad in status.findings), None)
    if found is not None:
        return found
    empty = measure_emptiness(thumbnail, thresholds).cause
    if empty is not None:
        return empty
    return Cause.BLURRED if _is_blurred(thumbnail, thresholds) else None


def _is_blurred(thumbnail: Thumbnail, thresholds: PictureThresholds) -> bool:
    if math.isnan(thumbnail.edge_px):
        return False
    if thumbnail.edge_px > max(thresholds.blurred_edge_width * thumbnail.width, thresholds.blurred_edge_px):
        return True
    return thumbnail.edge_px > thresholds.blurred_edge_ratio * thumbnail.usual_edge_px
