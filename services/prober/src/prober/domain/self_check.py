"""Checking the address that a centre pulls from, as the centre would: which address, how often, and what it shows."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from prober.domain.verification import Failure
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState, KeyframeNote
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.inventory.serving import SelfCheckOutcome, ServedTls
from vonggac.events.prober import DeliveryVerifiedV1

EVERY_S = 600.0
"""A good check says for 900 s who is responsible; the next one comes before."""
FAILED_AGAIN_S = 120.0
WAITING_AGAIN_S = 30.0
"""A centre that leaves is noticed within so long."""
WAITS = DeliveryState.WAITING_FOR_CENTRE
"""Only then is there anybody to name."""

_UNREACHABLE = frozenset(
    {Cause.DNS, Cause.ROUTE, Cause.REFUSED, Cause.TIMEOUT, Cause.HUNG_UP, Cause.ENDED, Cause.PROTOCOL_ERROR}
)
_LOGIN = frozenset({Cause.AUTH_FAILED})
_OWN = frozenset({Cause.SECRET_UNREADABLE, Cause.SECRET_MOVED, Cause.INTERNAL_ERROR, Cause.ADDRESS_NOT_ALLOWED})
"""Faults of the prober, or of the plan: they say nothing of the address."""


def addresses_of(delivery: PlannedDelivery, known: Mapping[str, str]) -> list[str]:
    """List what the centre may type in for one camera; empty where none of it is known here.

    `known`: scheme to `scheme://host:port`, where centres reach the forwarders.
    """
    if delivery.serving is None:
        return []
    schemes: dict[ServedTls, Sequence[str]] = {
        ServedTls.REQUIRED: ("rtsps",),
        ServedTls.OFFERED: ("rtsps", "rtsp"),
        ServedTls.NONE: ("rtsp",),
    }
    path = delivery.url.partition("://")[2]
    return [f"{known[scheme]}/{path}" for scheme in schemes[delivery.serving.tls] if scheme in known]


def due_in_s(last: DeliveryVerifiedV1 | None, *, camera_revision: int, now: datetime) -> float:
    """Seconds to the next check, 0.0 when it is due; one of another plan, or of the future, makes nobody wait."""
    check = last.self_check if last is not None else None
    if last is None or check is None or last.camera_revision != camera_revision or last.observed_at > now:
        return 0.0
    apart_s = EVERY_S if check.outcome is SelfCheckOutcome.SERVED else FAILED_AGAIN_S
    return max(0.0, (last.observed_at + timedelta(seconds=apart_s) - now).total_seconds())


def judge_failure(failure: Failure, *, played: bool) -> SelfCheckOutcome:
    """Judge what a session that failed shows. `played`: PLAY was answered before."""
    if failure.cause in _OWN or failure.cause is None:
        return SelfCheckOutcome.NOT_CHECKABLE
    if played:
        return SelfCheckOutcome.NO_PICTURE
    if failure.cause is Cause.TLS:
        return SelfCheckOutcome.TLS
    if failure.cause in _LOGIN:
        return SelfCheckOutcome.LOGIN
    return SelfCheckOutcome.UNREACHABLE if failure.cause in _UNREACHABLE else SelfCheckOutcome.NO_PICTURE


def judge_keyframes(
    received: Collection[str], notes: Sequence[KeyframeNote], *, over: bool, asked_at: datetime
) -> SelfCheckOutcome | None:
    """Compare what came with what the forwarder had of the camera; None: wait. `over`: no more time to wait."""
    if any(note.hash in received for note in notes):
        return SelfCheckOutcome.SERVED
    if not over:
        return None
    if not received:
        return SelfCheckOutcome.NO_PICTURE
    since = [note for note in notes if note.captured_at >= asked_at]
    return SelfCheckOutcome.OTHER_PICTURE if since else SelfCheckOutcome.NOT_CHECKABLE


def worst_of(outcomes: Sequence[SelfCheckOutcome]) -> int:
    """Find the position that counts of several addresses: a centre is named only if each of them was good."""
    order = [*_BADNESS]
    return min(range(len(outcomes)), key=lambda place: order.index(outcomes[place]))


_BADNESS = (
    SelfCheckOutcome.UNREACHABLE,
    SelfCheckOutcome.TLS,
    SelfCheckOutcome.LOGIN,
    SelfCheckOutcome.OTHER_PICTURE,
    SelfCheckOutcome.NO_PICTURE,
    SelfCheckOutcome.NOT_CHECKABLE,
    SelfCheckOutcome.SERVED,
)
