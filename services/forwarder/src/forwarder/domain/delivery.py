"""The state of one camera at one destination, and what to do next.

The states are those of `DeliveryState`; none claims more than what was observed: `sending` needs the destination's OK
to RECORD and a media byte that was written, `acknowledged` needs the destination's kernel to acknowledge media bytes,
to go on doing so, and what the camera sends now to be among them, `verified` needs a picture of the present session
that was lately read back from the destination.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from forwarder.domain.assignment.ownership import NO_HISTORY, DeliveryHistory
from forwarder.domain.backoff import OLDER_PUBLISHER_LASTS_S, delay_s, older_publisher_delay_s
from forwarder.domain.clock import Instant
from forwarder.domain.progress import Opened, Progress, ProgressRead
from forwarder.domain.proof import Mismatched, Proof, ReadBack, Unprovable, Unreached, Verified
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState

MAX_DETAIL_CHARACTERS = 500
LEFT_OUT = "it was too slow: the camera's media is left out until there is room and a keyframe comes"


class Action(StrEnum):
    """What the supervisor of a delivery must do. A closed session is never used again."""

    OPEN = "open"
    CLOSE = "close"
    WAIT = "wait"
    """Raise `RetryDue` at `next_attempt_at`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Durations after which a state would be a lie."""

    silent_s: float = 4.0
    """Nothing new to send for this long: the camera is what is waited for."""
    keyframe_s: float = 15.0
    """The session stands and no keyframe came to begin with."""
    stall_s: float = 5.0
    """Bytes are on their way and none was acknowledged, or all that the camera sends is left out: `stalled`."""
    drop_s: float = 15.0
    """None was acknowledged for so long: the connection is dropped."""
    good_s: float = 60.0
    """A session whose media was acknowledged for this long starts the back-off anew."""
    refused_retry_s: float = 300.0
    """Wait after a login that was refused, so that no account is locked."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The state of a delivery. `attempt` counts the tries since the last good session.

    `verified_at`, `delay_s`: of the last read-back that matched, of whichever session.
    """

    state: DeliveryState
    since: datetime
    cause: Cause | None = None
    detail: str | None = None
    attempt: int = 0
    next_attempt_at: datetime | None = None
    retry_in_s: float = 0.0
    last_success_at: datetime | None = None
    last_acknowledged_at: datetime | None = None
    """When media bytes were last seen to be acknowledged, by this worker."""
    failure: "Failed | None" = None
    """The last failure of the destination, until media is acknowledged again."""
    older_publisher_since_s: float | None = None
    """Since when (monotonic) the destination refuses us because of an older publisher."""
    progress: Progress | None = None
    verified_at: datetime | None = None
    delay_s: float | None = None

    @property
    def failing(self) -> bool:
        return self.state in {DeliveryState.BACKING_OFF, DeliveryState.REFUSED}

    @property
    def unacknowledged(self) -> bool:
        """Stalled because acknowledgements have ceased: the address may be silent. Not: because media is left out."""
        progress = self.progress if self.state is DeliveryState.STALLED else None
        return progress is not None and progress.acknowledged_since_s is None

    @property
    def doubted(self) -> bool:
        """Verified still, though the destination could not be read back since."""
        proof = self.progress.proof if self.state is DeliveryState.VERIFIED and self.progress else None
        return proof is not None and proof.doubt is not None

    @property
    def good_until_s(self) -> float:
        """Until then (monotonic) a sample with newly acknowledged bytes leaves the state as it is."""
        if self.state in {DeliveryState.ACKNOWLEDGED, DeliveryState.MISMATCH}:
            return math.inf
        proof = self.progress.proof if self.state is DeliveryState.VERIFIED and self.progress else None
        return proof.until_s if proof else -math.inf


@dataclass(frozen=True, slots=True)
class CameraLive:
    """The camera's media has begun (a new RTP stream)."""


@dataclass(frozen=True, slots=True)
class CameraAway:
    """The camera's media has ended, or cannot be had. No cause: by our own doing (another plan)."""

    cause: Cause | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class RetryDue:
    """The wait is over, or there is reason to cut it short."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed, or the session is lost. `login_sent`: the plan's, which refusals may lock."""

    cause: Cause
    detail: str | None = None
    login_sent: bool = True


type Event = CameraLive | CameraAway | RetryDue | Opened | ProgressRead | Failed | ReadBack


@dataclass(frozen=True, slots=True)
class Decision:
    delivery: Delivery
    actions: tuple[Action, ...] = ()


def waiting(now: Instant, history: DeliveryHistory = NO_HISTORY) -> Delivery:
    """Begin a delivery: nothing is known of the camera yet."""
    return _anew(DeliveryState.WAITING_FOR_CAMERA, now, history)


def restarted(delivery: Delivery, state: DeliveryState, now: Instant) -> Delivery:
    """Begun anew or at its end, whatever was before. What once succeeded stays true."""
    return replace(_anew(state, now, delivery), last_acknowledged_at=delivery.last_acknowledged_at)


def _anew(state: DeliveryState, now: Instant, history: DeliveryHistory | Delivery) -> Delivery:
    return Delivery(
        state, now.at, last_success_at=history.last_success_at, verified_at=history.verified_at, delay_s=history.delay_s
    )


def decide(delivery: Delivery, event: Event, now: Instant, *, chance: float, limits: Limits) -> Decision:
    """Decide the next state and what to do. `chance` is random in [0, 1).

    An event that does not concern the present state (a sample of a session that is gone) changes nothing; nothing
    changes what a person stopped (`forwarder.domain.assignment.commands`).
    """
    if delivery.state is DeliveryState.STOPPED:
        return Decision(delivery)
    match event:
        case CameraLive():
            return _camera_live(delivery, now)
        case CameraAway():
            return _camera_away(delivery, event, now, limits)
        case RetryDue():
            return _attempt(delivery, now) if delivery.failing else Decision(delivery)
        case Opened():
            return _opened(delivery, event, now)
        case ProgressRead():
            return _progress_read(delivery, event, now, chance, limits)
        case Failed():
            return _failed(delivery, event, now, chance, limits)
        case Verified():
            return _verified(delivery, event, now)
        case Mismatched():
            return _mismatched(delivery, event, now)
        case Unprovable():
            return _unprovable(delivery, event, now)
        case Unreached():
            return _unreached(delivery, event, now)


def _camera_live(delivery: Delivery, now: Instant) -> Decision:
    if delivery.state is not DeliveryState.WAITING_FOR_CAMERA or delivery.progress is not None:
        return Decision(delivery)
    left_s = min(((delivery.next_attempt_at or now.at) - now.at).total_seconds(), delivery.retry_in_s)
    if delivery.failure is not None and left_s > 0:
        # The destination failed before the camera did: its wait goes on, whatever camera and clock do meanwhile.
        fallen = _fallen(delivery, delivery.failure, now)
        return Decision(replace(fallen, retry_in_s=left_s, next_attempt_at=now.after(left_s)), (Action.WAIT,))
    return _attempt(delivery, now)


def _attempt(delivery: Delivery, now: Instant) -> Decision:
    # The cause of the last failure stays beside `connecting`, so that the reason can be read at any moment.
    return Decision(
        replace(
            delivery,
            state=DeliveryState.CONNECTING,
            since=now.at,
            attempt=delivery.attempt + 1,
            cause=delivery.failure.cause if delivery.failure else None,
            detail=delivery.failure.detail if delivery.failure else None,
            next_attempt_at=None,
            retry_in_s=0.0,
            progress=None,
        ),
        (Action.OPEN,),
    )


def _camera_away(delivery: Delivery, event: CameraAway, now: Instant, limits: Limits) -> Decision:
    # A session that worked when the camera left is no failure of the destination's.
    attempt = delivery.attempt - (_worked_s(delivery, now) is not None)
    same = delivery.state is DeliveryState.WAITING_FOR_CAMERA and delivery.cause is event.cause
    away = replace(
        delivery,
        state=DeliveryState.WAITING_FOR_CAMERA,
        since=delivery.since if same else now.at,
        cause=event.cause,
        detail=_short(event.detail),
        attempt=0 if _was_good(delivery, now, limits) else max(0, attempt),
        progress=None,
    )
    # A new RTP stream is published anew, never spliced into the old session.
    return Decision(away, (Action.CLOSE,))


def _opened(delivery: Delivery, event: Opened, now: Instant) -> Decision:
    if delivery.state is not DeliveryState.CONNECTING:
        return Decision(delivery)
    progress = Progress(opened_s=now.monotonic_s, read_at=now.at, kept_s=event.kept_s)
    return Decision(replace(delivery, progress=progress))


def _failed(delivery: Delivery, event: Failed, now: Instant, chance: float, limits: Limits) -> Decision:
    if delivery.failing or (delivery.state is DeliveryState.WAITING_FOR_CAMERA and delivery.progress is None):
        return Decision(delivery)
    # Only a good minute starts the back-off anew: a destination may confirm for a second and reset, for ever.
    attempt = 0 if _was_good(delivery, now, limits) else delivery.attempt
    since_s = (delivery.older_publisher_since_s or now.monotonic_s) if event.cause is Cause.ALREADY_PUBLISHING else None
    if event.cause is Cause.AUTH_FAILED and event.login_sent:
        wait_s = limits.refused_retry_s * (1 + chance / 10)
    elif since_s is not None and now.monotonic_s - since_s < OLDER_PUBLISHER_LASTS_S:
        # No failure that counts: the destination answers, and the older session may end at any moment.
        attempt, wait_s = max(0, attempt - 1), older_publisher_delay_s(chance)
    else:
        wait_s = delay_s(max(attempt, 1), chance)
    fallen = replace(_fallen(delivery, event, now), attempt=attempt, progress=None, older_publisher_since_s=since_s)
    return Decision(replace(fallen, next_attempt_at=now.after(wait_s), retry_in_s=wait_s), (Action.CLOSE, Action.WAIT))


def _fallen(delivery: Delivery, failure: Failed, now: Instant) -> Delivery:
    return replace(
        delivery,
        state=DeliveryState.REFUSED if failure.cause is Cause.AUTH_FAILED else DeliveryState.BACKING_OFF,
        since=now.at,
        cause=failure.cause,
        detail=_short(failure.detail),
        failure=failure,
    )


def _progress_read(delivery: Delivery, event: ProgressRead, now: Instant, chance: float, limits: Limits) -> Decision:
    if delivery.progress is None:
        return Decision(delivery)
    progress = delivery.progress.advanced(event.written, event.acknowledged, event.unread_for_s, now)
    seen = replace(delivery, progress=progress)
    newly = progress.acknowledged > delivery.progress.acknowledged
    waits_s = now.monotonic_s - progress.acknowledged_s if progress.pending and not newly else 0.0
    if waits_s >= limits.stall_s and not event.doubtful:
        return _unacknowledged(seen, progress, now, chance, limits)
    if event.silent_s >= max(limits.silent_s, event.usual_silence_s):
        # What comes after a gap is another stretch of media: a picture of before it proves nothing of that.
        paused = replace(seen, progress=replace(progress, proof=None))
        return Decision(_now(paused, DeliveryState.WAITING_FOR_CAMERA, now, Cause.STALLED))
    if newly:
        # Amid the time since the sample before: off by half a second at most. If this process slept, the kernel knows.
        came = now.earlier(min(progress.acknowledged_s, now.monotonic_s - event.ack_age_s))
        seen = replace(seen, last_success_at=now.at, last_acknowledged_at=came.at, failure=None)
    if progress.left_out_s(silent_s=event.silent_s, now=now) >= limits.stall_s:
        # The session is good and goes on by itself; what is acknowledged meanwhile, if anything, is old.
        return Decision(_now(seen, DeliveryState.STALLED, now, Cause.STALLED, LEFT_OUT))
    if newly:
        return Decision(_flowing(seen, progress, now))
    if progress.written == 0 and now.monotonic_s - progress.opened_s >= limits.keyframe_s:
        return Decision(_now(seen, DeliveryState.WAITING_FOR_CAMERA, now, Cause.NO_KEYFRAME))
    if progress.pending and seen.state in {DeliveryState.CONNECTING, DeliveryState.WAITING_FOR_CAMERA}:
        return Decision(_now(seen, DeliveryState.SENDING, now))
    judged = seen.state in {DeliveryState.VERIFIED, DeliveryState.MISMATCH}
    return Decision(_flowing(seen, progress, now) if judged else seen)


def _flowing(delivery: Delivery, progress: Progress, now: Instant) -> Delivery:
    """Give a session whose media flows the state of its last read-back, while that holds."""
    proof = progress.proof
    held = proof if proof is not None and now.monotonic_s < proof.until_s else None
    if held is None or held.matches is None:
        state = DeliveryState.ACKNOWLEDGED if progress.acknowledged else DeliveryState.SENDING
        return _now(delivery, state, now, None, held.detail if held is not None else None)
    if held.matches:
        return _now(delivery, DeliveryState.VERIFIED, now, None, held.doubt)
    return _now(delivery, DeliveryState.MISMATCH, now, Cause.MISMATCH, held.detail)


_PROVABLE = frozenset(
    {DeliveryState.SENDING, DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED, DeliveryState.MISMATCH}
)


def _verified(delivery: Delivery, event: Verified, now: Instant) -> Decision:
    progress = delivery.progress
    if delivery.state not in _PROVABLE or progress is None or not progress.holds_picture(event.captured_at):
        return Decision(delivery)
    proof = Proof(matches=True, until_s=now.monotonic_s + event.holds_s)
    progress = replace(progress, proof=proof, acknowledged_since_s=progress.acknowledged_since_s or now.monotonic_s)
    proven = replace(
        delivery,
        progress=progress,
        verified_at=now.at,
        delay_s=event.delay_s,
        last_success_at=now.at,
        failure=None,
    )
    return Decision(_flowing(proven, progress, now))


def _mismatched(delivery: Delivery, event: Mismatched, now: Instant) -> Decision:
    progress = delivery.progress
    if delivery.state not in _PROVABLE or progress is None or not progress.covers(event.began_at):
        return Decision(delivery)
    progress = replace(progress, proof=Proof(matches=False, detail=_short(event.detail)))
    return Decision(_flowing(replace(delivery, progress=progress), progress, now))


def _unprovable(delivery: Delivery, event: Unprovable, now: Instant) -> Decision:
    """Accuses nobody: a mismatch is taken back, and what was proven before holds as long as it would have."""
    progress = delivery.progress
    if delivery.state not in _PROVABLE or progress is None or not progress.covers(event.began_at):
        return Decision(delivery)
    proof = progress.proof
    if proof is not None and proof.matches and now.monotonic_s < proof.until_s:
        return Decision(delivery)
    progress = replace(progress, proof=Proof(matches=None, detail=_short(event.detail)))
    return Decision(_flowing(replace(delivery, progress=progress), progress, now))


def _unreached(delivery: Delivery, event: Unreached, now: Instant) -> Decision:
    """Keep the state as long as its proof holds, and show the doubt."""
    progress = delivery.progress
    if delivery.state not in _PROVABLE or progress is None or not progress.covers(event.began_at):
        return Decision(delivery)
    proof, doubt = progress.proof or Proof(matches=None), _short(event.detail)
    if proof.matches is None:
        proof = replace(proof, detail=doubt)
    elif proof.matches and proof.doubt is None:
        proof = replace(proof, doubt=doubt)
    progress = replace(progress, proof=proof)
    return Decision(_flowing(replace(delivery, progress=progress), progress, now))


def unproven(delivery: Delivery, now: Instant) -> Delivery:
    """Drop what read-backs found: the address is no longer read back."""
    if delivery.progress is None or delivery.progress.proof is None:
        return delivery
    progress = replace(delivery.progress, proof=None)
    delivery = replace(delivery, progress=progress)
    return _flowing(delivery, progress, now) if delivery.state in _PROVABLE else delivery


def _unacknowledged(delivery: Delivery, progress: Progress, now: Instant, chance: float, limits: Limits) -> Decision:
    """Bytes are on their way, and none was acknowledged for a while."""
    if now.monotonic_s - progress.acknowledged_s >= limits.drop_s:
        detail = f"nothing was acknowledged for {limits.drop_s:g} s"
        return _failed(delivery, Failed(Cause.STALLED, detail), now, chance, limits)
    stalled = _now(delivery, DeliveryState.STALLED, now, Cause.STALLED)
    return Decision(replace(stalled, progress=progress.unacknowledged()))


def _now(
    delivery: Delivery, state: DeliveryState, now: Instant, cause: Cause | None = None, detail: str | None = None
) -> Delivery:
    if delivery.state is state and delivery.cause is cause:
        return delivery if delivery.detail == detail else replace(delivery, detail=detail)
    return replace(delivery, state=state, since=now.at, cause=cause, detail=detail)


def _worked_s(delivery: Delivery, now: Instant) -> float | None:
    return delivery.progress.worked_for_s(now) if delivery.progress is not None else None


def _was_good(delivery: Delivery, now: Instant, limits: Limits) -> bool:
    return (_worked_s(delivery, now) or 0.0) >= limits.good_s


def _short(detail: str | None) -> str | None:
    return detail[:MAX_DETAIL_CHARACTERS] if detail else None
