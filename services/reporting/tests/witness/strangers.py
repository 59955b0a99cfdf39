"""What strangers say: of cameras and deliveries that nobody knows, and of a delivery as if it were another camera's."""

from typing import Any

from services.reporting.tests.witness.world import World

from reporting.domain.instants import moment
from vonggac.events.causes import Cause
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1, DeliveryState, MediaState
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, ProbeKind, Verdict, VerificationVerdict

STRANGER = "stranger"


def add_strangers(made: World) -> None:
    """They change no second of anybody: who gives no signs of life watches nothing, and a camera is its id."""
    for _ in range(8):
        at = made.some_time()
        said: dict[str, Any] = {
            "camera_id": made.uuid(),
            "camera_revision": 1,
            "worker_id": STRANGER,
            "observed_at": moment(at),
        }
        held: dict[str, Any] = {"held_since": moment(at), "sequence": made.chance.randrange(1, 9)}
        of_nobody: dict[str, Any] = {"delivery_id": made.uuid(), "destination_id": made.uuid()}
        one_of_ours = {"camera_id": made.chance.choice(made.cameras)}
        probed: dict[str, Any] = {"interval_s": 60, "duration_ms": 3}
        made.facts += [
            CameraObservedV1(**said, **probed, kind=ProbeKind.DEEP, verdict=Verdict.DOWN, cause=Cause.TIMEOUT),
            DeliveryVerifiedV1(**said, **probed, **of_nobody, verdict=VerificationVerdict.MISMATCH),
            DeliveryObservedV1(
                **{**said, **one_of_ours}, **held, **of_nobody, state=DeliveryState.REFUSED, cause=Cause.AUTH_FAILED
            ),
            # Of a camera that is known, by a worker that never gave a sign of life.
            CameraMediaObservedV1(
                **{**said, **one_of_ours},
                **held,
                facility_id=made.uuid(),
                state=MediaState.STOPPED,
                cause=Cause.TIMEOUT,
                media_stopped_at=moment(at),
            ),
        ]
