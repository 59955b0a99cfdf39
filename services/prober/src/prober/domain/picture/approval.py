"""Whether a picture may become a camera's reference."""

import math

from prober.domain.picture.emptiness import look_for_emptiness
from prober.domain.picture.thresholds import DEFAULT_THRESHOLDS, PictureThresholds
from prober.domain.picture.thumbnail import PictureLook
from vonggac.events import Cause
from vonggac.events.prober import CameraObservedV1, Verdict

_BAD = (Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED, Cause.FROZEN, Cause.BLURRED)


def why_no_reference(
    look: PictureLook, status: CameraObservedV1 | None, thresholds: PictureThresholds = DEFAULT_THRESHOLDS
) -> Cause | None:
    """What is wrong with the camera's last look, None when it may be approved; another scene is no fault here.

    `look`: as it is remembered; `status`: what the last look said, which may have been a light one that judged no
    picture: so the picture itself is judged once more.
    """
    if status is not None and status.verdict is not Verdict.UP:
        return status.cause or Cause.INTERNAL_ERROR
    found = next((bad for bad in _BAD if status is not None and bad in status.findings), None)
    if found is not None:
        return found
    empty = look_for_emptiness(look, thresholds).cause
    if empty is not None:
        return empty
    return Cause.BLURRED if _is_blurred(look, thresholds) else None


def _is_blurred(look: PictureLook, thresholds: PictureThresholds) -> bool:
    if math.isnan(look.edge_px):
        return False
    if look.edge_px > max(thresholds.blurred_edge_width * look.width, thresholds.blurred_edge_px):
        return True
    return look.edge_px > thresholds.blurred_edge_ratio * look.usual_edge_px
