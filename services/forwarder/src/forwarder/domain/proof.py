"""What a read-back proves of the session at a destination, and for how long."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from vonggac.events.causes import Cause
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

HOLDS_INTERVALS = 3
"""A match holds for so many intervals of read-backs: two may fail before the state changes."""


UNCOMPARED = frozenset({Cause.NO_KEYFRAME, Cause.KEYFRAME_TOO_LARGE})
"""Causes for which nothing can be compared: of the camera's keyframes."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A picture came back from the destination, bit for bit, that this worker received from the camera then."""

    captured_at: datetime
    delay_s: float
    holds_s: float


@dataclass(frozen=True, slots=True)
class Mismatched:
    """The destination plays other or old pictures."""

    began_at: datetime
    """When the read-back began."""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Unprovable:
    """Nobody can know: the camera repeats its picture bit for bit, so what is played may be of any age; or it gives
    keyframes too rarely, or too large ones, to compare them."""

    began_at: datetime
    """When the read-back began."""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Unreached:
    """The destination gave nothing to compare, for a reason of its own."""

    began_at: datetime
    """When the read-back began, or what it played was cut off."""
    detail: str | None = None


type ReadBack = Verified | Mismatched | Unprovable | Unreached


@dataclass(frozen=True, slots=True)
class Proof:
    """The last conclusive read-back of the present session. A mismatch holds until it is disproved.

    `matches` is None while nothing can be proven for or against: `detail` says why. `doubt`: the read-backs after a
    match failed, and why.
    """

    matches: bool | None
    until_s: float = math.inf
    detail: str | None = None
    doubt: str | None = None


def judged(verification: DeliveryVerifiedV1) -> ReadBack | None:
    """Judge what a read-back means for its delivery; None when it proves nothing (the last proof ages)."""
    match verification.verdict:
        case VerificationVerdict.VERIFIED if verification.captured_at is not None:
            # A read-back itself may take a minute, of a camera that gives keyframes rarely.
            holds_s = HOLDS_INTERVALS * (verification.interval_s + verification.duration_ms / 1000)
            return Verified(verification.captured_at, verification.delay_s or 0.0, holds_s)
        case VerificationVerdict.MISMATCH:
            return Mismatched(_began_at(verification), verification.detail)
        case VerificationVerdict.UNREACHABLE:
            return Unreached(_began_at(verification), _why_unreached(verification))
        case VerificationVerdict.NOT_CHECKABLE if (
            verification.still_since is not None or verification.cause in UNCOMPARED
        ):
            return Unprovable(_began_at(verification), verification.detail)
        case _:
            return None


def _why_unreached(verification: DeliveryVerifiedV1) -> str:
    why = verification.detail or verification.cause or VerificationVerdict.UNREACHABLE
    return f"not read back since {_began_at(verification):%H:%M:%S} UTC: {why}"


def _began_at(verification: DeliveryVerifiedV1) -> datetime:
    return verification.observed_at - timedelta(milliseconds=verification.duration_ms)
