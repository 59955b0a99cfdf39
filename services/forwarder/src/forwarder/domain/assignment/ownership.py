"""Who holds a camera, by what the workers report, and what stays known of its deliveries when the holder changes."""

from dataclasses import dataclass
from datetime import datetime

from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState

_NOT_HELD = frozenset({DeliveryState.RELEASED, DeliveryState.DISABLED})
_ACKNOWLEDGED = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED, DeliveryState.MISMATCH})
"""States that end as soon as media is not acknowledged any more."""
_IN_SESSION = _ACKNOWLEDGED | {DeliveryState.CONNECTING, DeliveryState.SENDING}
_BETWEEN = frozenset({DeliveryState.RELEASED, DeliveryState.WAITING_FOR_CENTRE})


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """Facts of a delivery that no new session and no new holder makes untrue.

    `delay_s` is that of the read-back at `verified_at`. `interrupted`: a change of workers has ended the session, and
    the centre, where it is the centre that opens sessions, has not come back since.
    """

    last_success_at: datetime | None = None
    verified_at: datetime | None = None
    delay_s: float | None = None
    interrupted: bool = False


NO_HISTORY = DeliveryHistory()


def holds(observed: DeliveryObservedV1) -> bool:
    """Whether the worker that reports this holds the camera."""
    return observed.state not in _NOT_HELD


def takes_over(observed: DeliveryObservedV1, *, worker_id: str, held_since: datetime) -> bool:
    """Whether by this report another worker holds the camera since a later time: the later holder wins.

    Two can hold one camera only after one of them was cut off from the bus: its job was given away meanwhile.
    """
    return observed.worker_id != worker_id and holds(observed) and observed.held_since > held_since


def comes_too_late(observed: DeliveryObservedV1, *, worker_id: str, held_since: datetime) -> bool:
    """Whether this report, by which another worker held the camera before, has replaced a later holder's.

    As of one that slept, or was cut off: it learns only afterwards that it no longer holds the camera.
    """
    return observed.worker_id != worker_id and observed.held_since < held_since


def history_of(observed: DeliveryObservedV1, alive_at: datetime | None) -> DeliveryHistory:
    """Keep what stays true of an earlier holder's last report; `alive_at`: its last heartbeat, if any.

    A reported state held until the holder's last heartbeat.
    """
    successes = [observed.last_success_at]
    if observed.state in _ACKNOWLEDGED:
        successes.append(alive_at)
    last_success_at = max((at for at in successes if at is not None), default=None)
    interrupted = observed.state in _IN_SESSION or (observed.state in _BETWEEN and observed.cause is Cause.ENDED)
    return DeliveryHistory(last_success_at, observed.verified_at, observed.delay_s, interrupted)


def orphaned(observed: DeliveryObservedV1, alive_at: datetime | None) -> DeliveryObservedV1:
    """Mark a delivery's report as released: its holder sends no heartbeat any more, nobody watches it.

    Its last reported state held until the holder's last heartbeat; the present state is unknown.
    """
    if not holds(observed):
        return observed
    history = history_of(observed, alive_at)
    return observed.model_copy(
        update={
            "state": DeliveryState.RELEASED,
            "cause": None,
            "detail": f"{observed.worker_id} sends no heartbeat; it was {observed.state} before",
            "observed_at": max(observed.observed_at, alive_at) if alive_at else observed.observed_at,
            "next_attempt_at": None,
            "last_success_at": history.last_success_at,
        }
    )
