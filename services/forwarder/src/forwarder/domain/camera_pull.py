"""How the one pull of a camera stands, and when to try it again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from forwarder.domain.backoff import delay_s
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Delivery
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState


class PullState(StrEnum):
    """`live` begins with the first media, not with the camera's OK to PLAY."""

    CONNECTING = "connecting"
    LIVE = "live"
    BACKING_OFF = "backing_off"
    COOLING_DOWN = "cooling_down"
    """The camera refused the login: many lock the account after a few wrong ones."""


@dataclass(frozen=True, slots=True)
class PullLimits:
    """A session of `good_s` ends the count of failures; a refused login rests for `auth_cooldown_s`."""

    good_s: float = 60.0
    auth_cooldown_s: float = 1800.0
    suspect_backoff_s: float = 300.0
    """Until a camera that refuses a login which it took before (its session limit?) is tried once more."""


@dataclass(frozen=True, slots=True)
class Pull:
    """`failures` counts those in a row since the last good minute."""

    state: PullState
    since: datetime
    since_s: float
    failures: int = 0
    cause: Cause | None = None
    detail: str | None = None
    retry_in_s: float = 0.0
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """Whether the camera's media comes, and when it began and stopped, whatever became of sessions.

    `since`: of the present flow, or of the last one. `stopped_at`: when the last media came before it stopped last.
    """

    flowing: bool = False
    since: datetime | None = None
    stopped_at: datetime | None = None
    cause: Cause | None = None


BREAKS = frozenset({Cause.ENDED, Cause.HUNG_UP, Cause.STALLED, Cause.NO_MEDIA, Cause.TIMEOUT})
"""How a session fails that nobody read."""
BROKEN_BY_US_WITHIN_S = 10.0
"""What this process missed while it stood still ends a session within this time."""
STOPPED_AFTER_S = 2.0
"""Without a picture for so long, and a usual gap longer, media has stopped, dated back to its last."""
SHORT_GAP_S = 1.5
"""From the third gap of this length within `SHORT_GAPS_WITHIN_S` on each one counts: half a stream is none."""
SHORT_GAPS, SHORT_GAPS_WITHIN_S = 2, 30.0
GAPS_KEPT = 8
"""Distances of pictures that say what is usual; about one a second is seen."""
MOST_USUAL_GAP_S = 15.0
"""A camera that sends more seldom is taken for one that is away between its pictures."""
PLANNED_PICTURES = 3
"""So many pictures of the planned rate may be missing: no more becomes usual, however often it happens."""


def distance_s(gap_s: float, pictures: int) -> float:
    """From picture to picture, where none came for `gap_s`, and then `pictures` did within a second.

    Who sends several in a second does not send seldom, however long the gap before them was.
    """
    return gap_s if pictures == 1 else min(1.0, gap_s / pictures)


def usual_gap_s(distances_s: Sequence[float], planned_fps: float | None = None) -> float:
    """Compute the usual time between two pictures of a camera, by the newest distances: an outage is not usual."""
    if not distances_s:
        return 0.0
    most_s = MOST_USUAL_GAP_S if not planned_fps else min(MOST_USUAL_GAP_S, PLANNED_PICTURES / planned_fps)
    return min(most_s, sorted(distances_s)[len(distances_s) // 2])


def usual_silence_s(distances_s: Sequence[float], planned_fps: float | None = None) -> float:
    """Silence of a camera that sends seldom says nothing before it is twice as long as usual."""
    return 2 * usual_gap_s(distances_s, planned_fps)


def stopped_after_s(usual_silence_s: float, short_gaps_s: Sequence[float], now_s: float) -> float:
    """After how long without a picture media has stopped; `short_gaps_s`: when the last short gaps ended."""
    usual_gap_s = usual_silence_s / 2
    often = len(short_gaps_s) >= SHORT_GAPS and now_s - short_gaps_s[-SHORT_GAPS] <= SHORT_GAPS_WITHIN_S
    if often and usual_gap_s <= SHORT_GAP_S / 2:
        return SHORT_GAP_S
    return max(STOPPED_AFTER_S + usual_gap_s if usual_gap_s > 1.0 else STOPPED_AFTER_S, usual_silence_s)


def media_flows(media: Media, at: datetime) -> Media:
    """Media came at `at`."""
    return media if media.flowing else replace(media, flowing=True, since=at, cause=None)


def media_stopped(media: Media, cause: Cause | None, last_at: datetime) -> Media:
    """Note that media stopped, the last at `last_at`; or why it still does not come."""
    if media.flowing:
        return replace(media, flowing=False, stopped_at=last_at, cause=cause)
    return replace(media, cause=cause)


def media_lost_by_us(media: Media) -> Media:
    """Note a session that ended because this process stood still: nothing is known until the next attempt."""
    return replace(media, flowing=False, stopped_at=None, cause=None)


def broken_by_us(cause: Cause, *, began_s: float, stood_still_until_s: float, now_s: float) -> bool:
    """Decide whether a session, or an attempt, that began at `began_s` and fails now does so because of us.

    A camera whose keep-alive is not answered, or whose media nobody reads, hangs up: while this process stands still,
    or soon after. If the camera itself is away, the next attempt says so.
    """
    if cause not in BREAKS:
        return False
    return began_s < stood_still_until_s and now_s - stood_still_until_s <= BROKEN_BY_US_WITHIN_S


def begun(now: Instant) -> Pull:
    """Begin the first attempt, or the first after a changed plan: earlier failures do not count."""
    return Pull(PullState.CONNECTING, now.at, now.monotonic_s)


def retried(pull: Pull, now: Instant) -> Pull:
    """End the wait and connect; the cause of the last failure stays readable until media flows."""
    return replace(
        pull,
        state=PullState.CONNECTING,
        since=now.at,
        since_s=now.monotonic_s,
        retry_in_s=0.0,
        next_attempt_at=None,
    )


def media_came(pull: Pull, now: Instant) -> Pull:
    """Note the first media packet of an attempt."""
    return replace(pull, state=PullState.LIVE, since=now.at, since_s=now.monotonic_s, cause=None, detail=None)


def failed(
    pull: Pull,
    cause: Cause,
    detail: str | None,
    now: Instant,
    *,
    chance: float,
    limits: PullLimits,
    rest_s: float | None = None,
    has_login: bool = True,
) -> Pull:
    """Note that the attempt failed, or that the media ended. `chance` is random in [0, 1).

    `rest_s`: how long its login rests, where that is known (vonggac.logins). Without a login (`has_login`) no account
    can lock, so a camera that asks for one is tried again as after any failure.
    """
    good = pull.state is PullState.LIVE and now.monotonic_s - pull.since_s >= limits.good_s
    failures = 1 if good else pull.failures + 1
    refused = (cause is Cause.AUTH_FAILED and has_login) or rest_s is not None
    rest_s = limits.auth_cooldown_s if rest_s is None else rest_s
    wait_s = rest_s if refused else delay_s(failures, chance)
    return Pull(
        state=PullState.COOLING_DOWN if refused else PullState.BACKING_OFF,
        since=now.at,
        since_s=now.monotonic_s,
        failures=failures,
        cause=cause,
        detail=detail,
        retry_in_s=wait_s,
        next_attempt_at=now.after(wait_s),
    )


def next_attempt_at(delivery: Delivery, pull: Pull) -> datetime | None:
    """When a delivery is tried again: one that waits for its camera, not before the camera is."""
    waits = [delivery.next_attempt_at]
    if delivery.state is DeliveryState.WAITING_FOR_CAMERA:
        waits.append(pull.next_attempt_at)
    return max((moment for moment in waits if moment is not None), default=None)
