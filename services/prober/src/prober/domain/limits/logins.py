"""What a probe says of the camera's login, and how long the next one waits: the rule of `vonggac.logins.counting`.

After two failed logins in a row the next probe waits. A 401 on a login that the camera took before, in an earlier
probe, by another process or in the same session, is a suspected session limit, probed slowly, and still a failed login
that counts. A change of the camera (its revision) begins anew, for it may bring the right password.
"""

from dataclasses import dataclass, replace

from prober.domain.result import Judgement, ProbeResult
from prober.domain.schedule import PreviousProbe
from vonggac.events import Cause
from vonggac.logins.counting import LoginRests, judge_refusal


@dataclass(frozen=True, slots=True)
class LoginState:
    """The state of a login at one revision of a camera."""

    proven: bool = False
    failed: int = 0


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
    rests: LoginRests,
) -> Settled:
    """Decide the judgement, what to remember of the login, and the real time to the next probe.

    `previous_known` is False when the last probe could not be read: then one failed login is assumed before this one.
    """
    before = _before(previous, camera_revision) if previous_known else LoginState(failed=1)
    taken = before.proven or result.login_taken
    judgement = result.judgement
    if result.rest_s is not None:
        return Settled(suspected(judgement, taken=taken), before, max(interval_s, result.rest_s))
    if judgement.cause is not Cause.AUTH_FAILED or result.login_accepted is None:
        # An open camera lets everybody in: that proves no password. A login that was not sent did not fail.
        after = LoginState(proven=result.login_needed) if result.login_accepted else before
        return Settled(suspected(judgement, taken=taken), after, interval_s)
    after = LoginState(taken or result.login_needed, before.failed + 1)
    rest_s = rests.after(after.failed, taken=after.proven)
    return Settled(suspected(judgement, taken=after.proven), after, max(interval_s, rest_s))


def suspected(judgement: Judgement, *, taken: bool) -> Judgement:
    """Correct the judgement: a login that the camera took before is not blamed on its password."""
    if judgement.cause is None or judgement.detail is None:
        return judgement
    cause, detail = judge_refusal(judgement.cause, judgement.detail, taken=taken)
    return replace(judgement, cause=cause, detail=detail)


def _before(previous: PreviousProbe | None, camera_revision: int) -> LoginState:
    if previous is None or previous.camera_revision != camera_revision:
        return LoginState()
    return LoginState(previous.login_proven, previous.logins_failed)
