"""The state of a delivery whose session the centre opens, and what to do next.

Nothing of ours dials, so nothing backs off: without a session the centre is waited for, and the cause says what it has
done. Media of a session is judged as of any other (`forwarder.domain.delivery`). Several sessions are as good as the
best of them: their bytes are summed, so one that takes media carries the others.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forwarder.domain import delivery as pushed
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import (
    Action,
    CameraLive,
    Decision,
    Delivery,
    Failed,
    Limits,
    RetryDue,
)
from forwarder.domain.progress import Opened, ProgressRead
from forwarder.domain.serving.asking import Asking
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility, find_responsible

REPORTS_WITHIN_S = 15.0
"""Over UDP a receiver report is the only sign that anything arrives; they come every 5 s (RFC 3550 §6.2)."""

COMES_BACK_WITHIN = timedelta(seconds=60)
"""Software that pulls tries again after 5 to 60 s."""

_RECEIVING = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED})


@dataclass(frozen=True, slots=True)
class Refused:
    """The centre asked for the camera and was refused; why stands in its `Asking`."""


@dataclass(frozen=True, slots=True)
class SessionLeft:
    """One of several sessions ended; `abandoned` media bytes of it were never acknowledged."""

    abandoned: int


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """The last session ended. `stalled`: by us, since its centre read nothing."""

    stalled: bool = False


@dataclass(frozen=True, slots=True)
class NotBack:
    """The centre, whose session a change of workers had ended, did not come back in time (`comes_back`)."""


type Event = pushed.Event | Refused | SessionLeft | SessionsEnded | NotBack


def decide(
    delivery: Delivery, event: Event, now: Instant, *, asking: Asking, over_udp: bool, limits: Limits
) -> Decision:
    """Decide the next state and what to do. `asking`: with this event; `over_udp`: no session has another transport.

    `OPEN` offers the camera to its centre, `CLOSE` takes it back and ends what it receives.
    """
    if delivery.state is DeliveryState.STOPPED:
        return Decision(delivery)
    match event:
        case CameraLive():
            return _camera_live(delivery, now, asking)
        case Refused() | NotBack():
            return Decision(_found_out(delivery, now, asking))
        case Opened():
            return _opened(delivery, event, now)
        case SessionLeft():
            return Decision(_without_session(delivery, event))
        case SessionsEnded():
            return Decision(_ended(delivery, event, now, asking))
        case ProgressRead():
            return Decision(_progress_read(delivery, event, now, limits, over_udp=over_udp))
        case Failed() | RetryDue():
            # Nothing was tried, and nothing waits to be.
            return Decision(delivery)
        case _:
            return pushed.decide(delivery, event, now, chance=0.0, limits=limits)


def responsibility(delivery: Delivery, asking: Asking, now: datetime) -> Responsibility | None:
    """Who can end it that the centre receives nothing; None while it receives."""
    if delivery.state in _RECEIVING:
        return None
    return find_responsible(delivery.state, delivery.cause, check=asking.check_at(now), refused_for=asking.refused_for)


def _camera_live(delivery: Delivery, now: Instant, asking: Asking) -> Decision:
    if delivery.state is not DeliveryState.WAITING_FOR_CAMERA or delivery.progress is not None:
        return Decision(delivery)
    return Decision(_wait_for_centre(delivery, now, asking), (Action.OPEN,))


def comes_back(delivery: Delivery, now: datetime) -> bool:
    """Whether the centre may still come back by itself after a change of workers: until then its absence is ours."""
    waits = delivery.state is DeliveryState.WAITING_FOR_CENTRE and delivery.cause is Cause.ENDED
    return not waits or now - delivery.since < COMES_BACK_WITHIN


def _found_out(delivery: Delivery, now: Instant, asking: Asking) -> Delivery:
    # While it receives, one session more was refused: that changes nothing of what it receives.
    if delivery.progress is not None or delivery.state is DeliveryState.WAITING_FOR_CAMERA:
        return delivery
    return _wait_for_centre(delivery, now, asking)


def _opened(delivery: Delivery, event: Opened, now: Instant) -> Decision:
    waiting = {DeliveryState.WAITING_FOR_CENTRE, DeliveryState.STALLED}
    if delivery.progress is not None or delivery.state not in waiting:
        return Decision(delivery)
    begun = replace(
        delivery,
        state=DeliveryState.CONNECTING,
        since=now.at,
        cause=None,
        detail=None,
        failure=None,
    )
    return pushed.decide(begun, event, now, chance=0.0, limits=Limits())


def _without_session(delivery: Delivery, event: SessionLeft) -> Delivery:
    progress = delivery.progress
    if progress is None:
        return delivery
    # Else what it never took would be waited for beside what the others take.
    written = max(progress.written - event.abandoned, progress.acknowledged)
    return replace(delivery, progress=replace(progress, written=written))


def _ended(delivery: Delivery, event: SessionsEnded, now: Instant, asking: Asking) -> Delivery:
    if delivery.progress is None:
        return delivery
    ended = replace(delivery, progress=None)
    if event.stalled:
        # So it stays until the centre asks again: nobody knows whether it is still there.
        detail = "it read nothing, so its session was ended; it has not asked again"
        return _become(ended, DeliveryState.STALLED, now, Cause.STALLED, detail)
    return _wait_for_centre(ended, now, asking)


def _progress_read(
    delivery: Delivery, event: ProgressRead, now: Instant, limits: Limits, *, over_udp: bool
) -> Delivery:
    # Sessions that read nothing are ended one by one, by whoever holds them.
    patient = replace(limits, drop_s=math.inf)
    seen = pushed.decide(delivery, event, now, chance=0.0, limits=patient).delivery
    progress = seen.progress
    if progress is None:
        return seen
    if seen.state is DeliveryState.SENDING and not over_udp and not progress.acknowledged:
        # A keyframe that is on its way proves nothing yet. Over UDP nothing else may ever come.
        same = delivery.state is DeliveryState.CONNECTING
        return replace(seen, state=DeliveryState.CONNECTING, since=delivery.since if same else now.at)
    late = now.monotonic_s - progress.acknowledged_s >= REPORTS_WITHIN_S
    if over_udp and late and seen.state is DeliveryState.ACKNOWLEDGED:
        return _become(seen, DeliveryState.SENDING, now, None, "no receiver report came lately")
    return seen


def _wait_for_centre(delivery: Delivery, now: Instant, asking: Asking) -> Delivery:
    cause = asking.waits_for
    detail = f"{asking.refused_for}: {asking.asked_by}" if cause is Cause.REFUSED else None
    if cause is Cause.ENDED:
        detail = "its session ended when a worker did or gave the camera to another one; it has not asked again"
    if cause is Cause.REFUSED and not (delivery.detail or "").startswith(f"{asking.refused_for}:"):
        # Another reason is news, though the cause is the same word.
        return replace(delivery, state=DeliveryState.WAITING_FOR_CENTRE, since=now.at, cause=cause, detail=detail)
    return _become(delivery, DeliveryState.WAITING_FOR_CENTRE, now, cause, detail)


def _become(
    delivery: Delivery, state: DeliveryState, now: Instant, cause: Cause | None, detail: str | None
) -> Delivery:
    same = delivery.state is state and delivery.cause is cause
    return replace(delivery, state=state, since=delivery.since if same else now.at, cause=cause, detail=detail)
