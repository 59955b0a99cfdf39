"""When a camera is probed next, how late a probe was, and when a delivery is read back next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from prober.domain.delay import CACHED_FROM_S
from prober.domain.verification import Finding, not_checkable
from vonggac.events import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1, Verdict, VerificationVerdict

LEAST_PAUSE_S = 1.0
"""Between two probes of one camera, also when a probe took longer than the interval."""
EARLY_S = 1.0
"""A probe or a read-back may begin this much before it is due."""
HOLDS_INTERVALS = 2
"""So long what a probe finds holds, at most, from its beginning (reporting, domain/timeline.py)."""
SLACK = 0.25
"""Of an interval, and LEAST_SLACK_S at least: a probe that backs off begins so much before that."""
LEAST_SLACK_S = 3.0
FIRST_AGAIN_S = 2.0
"""From a read-back that proved nothing to the next one; doubles up to the interval."""
FAILING_AGAIN_S = 5.0
"""From the beginning of a read-back that failed or differed to the next one, and FIRST_AGAIN_S from its end at least:
its end is seen as soon. What it says holds longer: for its interval."""
FUTURE_S = 1.0
"""A probe that began later than this from now was dated by a wrong clock, and nobody waits for it."""
IDLE = frozenset(
    {
        DeliveryState.DISABLED,
        DeliveryState.STOPPED,
        DeliveryState.WAITING_FOR_CAMERA,
        DeliveryState.WAITING_FOR_CENTRE,
        DeliveryState.CONNECTING,
        DeliveryState.STALLED,
        DeliveryState.BACKING_OFF,
        DeliveryState.REFUSED,
    }
)
"""States in which the forwarder takes no proof."""


@dataclass(frozen=True, slots=True)
class PreviousProbe:
    """The last probe of a camera, by whichever worker."""

    camera_revision: int
    cause: Cause | None
    interval_s: float
    started_at: datetime
    verdict: Verdict = Verdict.DOWN
    deep_at: datetime | None = None
    identity_at: datetime | None = None
    login_proven: bool = False
    logins_failed: int = 0
    duration_s: float = 0.0

    @classmethod
    def of(cls, observed: CameraObservedV1) -> "PreviousProbe":
        return cls(
            camera_revision=observed.camera_revision,
            cause=observed.cause,
            interval_s=observed.interval_s,
            started_at=observed.observed_at - timedelta(milliseconds=observed.duration_ms),
            verdict=observed.verdict,
            deep_at=observed.deep_at,
            identity_at=observed.identity_at,
            login_proven=observed.login_proven,
            logins_failed=max(observed.logins_failed, int(observed.cause is Cause.AUTH_FAILED)),
            duration_s=observed.duration_ms / 1000,
        )

    @property
    def next_due_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.interval_s)


def first_probe_delay_s(
    *, deliveries: int, waiting: int, room: int, interval_s: float, spread_s: float, chance: float
) -> float:
    """How long a job's very first probe is put off; 0.0 is now.

    Only a herd is spread, at most over `spread_s` or the interval: more jobs `waiting` in the queue than there is
    `room` for. A small site is probed at once. `chance` is a random number in [0, 1).
    """
    if deliveries > 1 or waiting <= room:
        return 0.0
    return chance * min(interval_s, spread_s)


def next_probe_delay_s(*, interval_s: float, elapsed_s: float, backs_off: bool = False) -> float:
    """From the end of a probe that took `elapsed_s` to the next one: probes start an interval apart.

    `backs_off`: nearly two intervals. What a probe finds holds for two, so nothing becomes unknown by that.
    """
    apart_s = HOLDS_INTERVALS * interval_s - max(LEAST_SLACK_S, SLACK * interval_s) if backs_off else interval_s
    return max(max(apart_s, interval_s) - elapsed_s, min(LEAST_PAUSE_S, interval_s))


def lateness_s(previous: PreviousProbe | None, *, camera_revision: int, started_at: datetime) -> float | None:
    """Seconds from when the probe was due to its begin, never negative; None for a first probe or after a change."""
    if previous is None or previous.camera_revision != camera_revision:
        return None
    return max(0.0, (started_at - previous.next_due_at).total_seconds())


def lies_in_future(at: datetime, *, now: datetime) -> bool:
    """Whether a fact was dated by a wrong clock."""
    return (at - now).total_seconds() > FUTURE_S


def early_by_s(previous: PreviousProbe | None, *, camera_revision: int, now: datetime) -> float | None:
    """Seconds that a job came too early; None when the camera may be probed.

    The server gives jobs out anew when their delayed naks were lost (a restart), all at once: without this, a herd
    would run over the cameras, and resting ones would be tried again. A last probe that lies in the future
    says nothing of when the next one is due; the login's own rest is kept elsewhere (`vonggac.logins`).
    """
    if previous is None or previous.camera_revision != camera_revision:
        return None
    if lies_in_future(previous.started_at, now=now):
        return None
    left_s = (previous.next_due_at - now).total_seconds()
    return left_s if left_s > EARLY_S else None


def is_due(previous: DeliveryVerifiedV1 | None, *, camera_revision: int, now: datetime) -> bool:
    """Whether a delivery is to be read back now. A changed camera is at once."""
    left_s = due_in_s(previous, camera_revision=camera_revision, now=now)
    return left_s <= EARLY_S


def due_in_s(previous: DeliveryVerifiedV1 | None, *, camera_revision: int, now: datetime) -> float:
    """Seconds to the next read-back, 0.0 when it is due. One that lies in the future makes nobody wait."""
    if previous is None or previous.camera_revision != camera_revision:
        return 0.0
    if lies_in_future(previous.observed_at, now=now):
        return 0.0
    interval_s = previous.interval_s
    if is_failing(previous.verdict) and previous.cause is not Cause.AUTH_FAILED:
        interval_s = min(interval_s, max(FIRST_AGAIN_S, FAILING_AGAIN_S - previous.duration_ms / 1000))
    due_at = previous.observed_at + timedelta(seconds=interval_s)
    return max(0.0, (due_at - now).total_seconds())


def not_delivered(state: DeliveryState | None) -> Finding | None:
    """Find that a delivery that does not run, says the forwarder, need not be read back: it could not be proven.

    None: it may run. A centre that is away thus costs no proof of the other one its time.
    """
    if state not in IDLE:
        return None
    return not_checkable(f"the forwarder does not deliver now: {state}")


def next_interval_s(
    finding: Finding, previous: DeliveryVerifiedV1 | None, *, camera_revision: int, interval_s: float
) -> float:
    """Seconds for which a read-back speaks: the interval, less after one that proved nothing, more while a login rests.

    It is from what the proof is of: a destination that shows its last pictures for ever may prove them once more.
    Sooner and then ever later up to the interval, so that what has just come up is proven within seconds.
    """
    if finding.rest_s is not None:
        return max(interval_s, finding.rest_s)
    if finding.verdict is VerificationVerdict.VERIFIED:
        late_s = finding.delay_s if finding.delay_s is not None and finding.delay_s > CACHED_FROM_S else 0.0
        return max(interval_s - late_s, min(FIRST_AGAIN_S, interval_s))
    if is_failing(finding.verdict):
        return interval_s
    unchecked = (
        previous is not None
        and previous.camera_revision == camera_revision
        and previous.verdict is VerificationVerdict.NOT_CHECKABLE
    )
    if not unchecked or previous is None:
        return min(FIRST_AGAIN_S, interval_s)
    return min(2 * previous.interval_s, interval_s)


def is_failing(verdict: VerificationVerdict) -> bool:
    """Whether a read-back is evidence against its destination."""
    return verdict in {VerificationVerdict.MISMATCH, VerificationVerdict.UNREACHABLE}


@dataclass(frozen=True, slots=True)
class Hint:
    """Something asks for a read-back out of turn: only a picture that came from the camera after `since` answers it.

    `asked_at`: what was read back before then is known to whoever asks.
    """

    since: datetime
    asked_at: datetime

    def is_answered(self, previous: DeliveryVerifiedV1 | None) -> bool:
        """Whether no read-back is needed any more: one that failed meanwhile has its own time for the next one."""
        if previous is None:
            return False
        if previous.captured_at is not None and previous.captured_at >= self.since:
            return True
        return previous.observed_at > self.asked_at and is_failing(previous.verdict)

    def next_after(self, fact: DeliveryVerifiedV1) -> "Hint | None":
        """After what was read back for it: the hint for the next read-back, None when there is nothing to ask."""
        return Hint(self.since, fact.observed_at) if is_failing(fact.verdict) else None
