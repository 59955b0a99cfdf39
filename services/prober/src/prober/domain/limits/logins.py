"""Not locking a camera's account, and not blaming a password that works.

Hikvision locks the caller's address for about 30 minutes after a few failed logins, Dahua about as long
(domain.md 5.4): after two failed logins in a row the next probe waits. Dahua also answers 401 when its sessions are
used up: a 401 on a login that the camera took before, in an earlier probe or in the same session, is a suspected limit,
probed slowly, and still a failed login that counts. A change of the camera (its revision) begins anew, for it may
bring the right password.
"""

from dataclasses import dataclass, replace

from prober.domain.result import Judgement, ProbeResult
from prober.domain.schedule import PreviousProbe
from vonggac.events import Cause
from vonggac.logins.counting import MOST_FAILED_LOGINS


@dataclass(frozen=True, slots=True)
class LoginState:
    """What is remembered of a login at one revision of a camera."""

    proven: bool = False
    failed: int = 0


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How long the next probe waits: after two failed logins, and after the first suspected session limit."""

    cooldown_s: float
    suspect_backoff_s: float


@dataclass(frozen=True, slots=True)
class Settled:
    """A probe with its past taken into account."""

    judgement: Judgement
    login: LoginState
    interval_s: float


def settle(
    result: ProbeResult,
    previous: PreviousProbe | None,
    *,
    previous_known: bool,
    camera_revision: int,
    interval_s: float,
    limits: LoginLimits,
) -> Settled:
    """The judgement, what to remember of the login, and the real time to the next probe.

    `previous_known` is False when the last probe could not be read: then one failed login is assumed before this one.
    """
    before = _before(previous, camera_revision) if previous_known else LoginState(failed=1)
    judgement = result.judgement
    if result.rest_s is not None:
        return Settled(suspected(judgement, proven=before.proven), before, max(interval_s, result.rest_s))
    if judgement.cause is not Cause.AUTH_FAILED or result.login_accepted is None:
        # An open camera lets everybody in: that proves no password. A login that was not sent did not fail.
        after = LoginState(proven=result.login_needed) if result.login_accepted else before
        return Settled(suspected(judgement, proven=before.proven), after, interval_s)
    after = LoginState(before.proven or result.login_needed, before.failed + 1)
    if after.failed >= MOST_FAILED_LOGINS:
        interval_s = max(interval_s, limits.cooldown_s)
    elif after.proven:
        interval_s = max(interval_s, limits.suspect_backoff_s)
    return Settled(suspected(judgement, proven=after.proven), after, interval_s)


def suspected(judgement: Judgement, *, proven: bool) -> Judgement:
    """A refusal of a login that the camera took before (`proven`) is not blamed on the password."""
    if not proven or judgement.cause is not Cause.AUTH_FAILED:
        return judgement
    detail = f"{judgement.detail}, and it took this login before: its sessions may be used up"
    return replace(judgement, cause=Cause.SESSION_LIMIT, detail=detail)


def _before(previous: PreviousProbe | None, camera_revision: int) -> LoginState:
    if previous is None or previous.camera_revision != camera_revision:
        return LoginState()
    return LoginState(previous.login_proven, previous.logins_failed)
