"""How closely a camera is probed this time."""

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

from prober.domain.schedule import PreviousProbe, lies_in_future
from vonggac.events import Cause
from vonggac.events.prober import ProbeKind, Verdict
from vonggac.media.keyframe_weight import Weight, Weights

CAMERAS_WEIGHED, WEIGHTS_KNOWN = 20_000, 6
"""Of cameras beyond a light probe weighs nothing. Six pictures are a day's light and a night's."""

PICTURE_CHECKS = (
    Cause.FROZEN,
    Cause.BLACK,
    Cause.COVERED,
    Cause.BLURRED,
    Cause.NO_SIGNAL_CARD,
    Cause.SCENE_CHANGED,
)
DOWN_BY_PICTURE = (Cause.NO_SIGNAL_CARD, Cause.BLACK, Cause.COVERED, Cause.REPEATS, Cause.FROZEN)
"""Pictures that show nothing of the place; the first that was found is the cause (docs/decisions/0009)."""
STREAM_CHECKS = (
    Cause.LOW_FPS,
    Cause.LOW_BITRATE,
    Cause.PACKET_LOSS,
    Cause.JITTER,
    Cause.CLOCK_DRIFT,
    Cause.IDENTITY_CHANGED,
    Cause.ENDED,
)


def probe_kind(
    previous: PreviousProbe | None, *, camera_revision: int, deep_interval_s: float, now: datetime
) -> ProbeKind:
    """Light only while the last probe was good and the last deep one is not `deep_interval_s` old yet.

    Half an interval too early is early enough: otherwise a deep probe due in a second would wait a whole interval.
    """
    if (
        previous is None
        or previous.camera_revision != camera_revision
        or previous.verdict is not Verdict.UP
        or previous.deep_at is None
        or lies_in_future(previous.deep_at, now=now)
    ):
        return ProbeKind.DEEP
    age_s = (now - previous.deep_at).total_seconds()
    return ProbeKind.DEEP if age_s + previous.interval_s / 2 >= deep_interval_s else ProbeKind.LIGHT


class GoodPictures:
    """What the keyframes weigh of pictures that this process judged good, of cameras that no forwarder watches.

    A light probe of such a camera says that nothing changed since the last judged one: it goes on as a deep one where
    its keyframe weighs otherwise than these.
    """

    def __init__(self) -> None:
        self._weights: OrderedDict[UUID, Weights] = OrderedDict()

    def get(self, camera_id: UUID) -> Weights | None:
        """None of a camera of which this process judged no picture yet."""
        return self._weights.get(camera_id)

    def add(self, camera_id: UUID, weight: Weight) -> None:
        """Its picture was judged good."""
        self._weights.setdefault(camera_id, Weights(WEIGHTS_KNOWN)).add(weight)
        self._weights.move_to_end(camera_id)
        if len(self._weights) > CAMERAS_WEIGHED:
            self._weights.popitem(last=False)
