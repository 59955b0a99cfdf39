"""What a refused login means, and when it may be tried again: one rule for prober and forwarder. Pure.

Hikvision locks the caller's address for about 30 minutes after a few failed logins, Dahua about as long. Dahua also
answers 401 when its sessions are used up. So a refusal of a login that the device took before may be either: it is
called a suspected session limit, tried once more after a while, and counts as a failed login all the same: a password
that was changed costs two.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from vonggac.events.causes import Cause

MOST_FAILED_LOGINS = 2
"""In a row, before the rest."""
REST_TOLERANCE_S = 5.0
"""A try that is due at the end of the rest began a little before its login failed."""
OTHERS_FIRST_S = 60.0
"""So much longer a camera waits that refused a login which others of its device take: theirs ends the rest of all."""


@dataclass(frozen=True, slots=True)
class LoginRests:
    """How long a login is left alone: after two failed ones, and after the first at a suspected session limit."""

    cooldown_s: float
    suspect_s: float = 0.0

    def after(self, failed: int, *, taken: bool) -> float:
        """Seconds until the camera that refused is tried again, after so many failures in a row; 0.0: as usual.

        `taken`: the device took the login before.
        """
        if failed >= MOST_FAILED_LOGINS:
            return self.cooldown_s
        return self.suspect_s if taken and failed else 0.0


def judge_refusal(cause: Cause, detail: str, *, taken: bool) -> tuple[Cause, str]:
    """Cause and detail of a failed attempt. A login that the device took before is not blamed on its password."""
    if not taken or cause is not Cause.AUTH_FAILED:
        return cause, detail
    why = (
        "it took this login before: its sessions may be used up, its password was changed, or this channel is not for"
        " this account"
    )
    return Cause.SESSION_LIMIT, f"{detail}, and {why}"


def why_not_tried(rest_s: float, *, refuses_alone: bool = False) -> str:
    """Why a login that rests was not sent. `refuses_alone`: by the camera, while others of its device take it."""
    why = (
        "this camera refused the login that others of its device take"
        if refuses_alone
        else "this login failed twice at this device"
    )
    return f"not tried: {why}, the next try is in {rest_s / 60:.0f} minutes"


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """Failed logins in a row with one login at one device, whichever camera (channel) of it was meant.

    `taken`: the device took the login before the first of them.
    """

    failed: int
    last_at: datetime
    taken: bool = False

    def another(self, now: datetime, *, taken: bool = False, counts: bool = True) -> "DeviceLogin":
        """After one more. `counts`: unless it is the same camera's as before, which refuses alone."""
        return DeviceLogin(max(1, self.failed + counts), now, self.taken or taken)

    def rest_left_s(self, now: datetime, *, cooldown_s: float, refuses_alone: bool = False) -> float | None:
        """Seconds until this login may be tried there again; None when it may now.

        `refuses_alone`: by a camera that refused it while others of the device take it. That one never makes the first
        failure a second one, and lets the others try first.
        """
        if self.failed < (1 if refuses_alone else MOST_FAILED_LOGINS):
            return None
        cooldown_s += OTHERS_FIRST_S if refuses_alone else 0.0
        left_s = (self.last_at + timedelta(seconds=cooldown_s) - now).total_seconds()
        return left_s if left_s > REST_TOLERANCE_S else None


class CamerasOfLogins:
    """Which cameras (channels) of a device take a login, and which refuse it, as far as this process has seen.

    By login and device; a camera is its address, without the login. A channel that the account has no right to
    refuses a login that all others take: its refusals must not make those wait.
    """

    def __init__(self) -> None:
        self._taking: defaultdict[str, set[str]] = defaultdict(set)
        self._refusing: defaultdict[str, set[str]] = defaultdict(set)

    def took(self, login: str, camera: str) -> None:
        """Count that the device took the login for this camera."""
        self._taking[login].add(camera)
        self._refusing[login].discard(camera)

    def refused(self, login: str, camera: str) -> None:
        """Count that the device refused it."""
        self._refusing[login].add(camera)
        self._taking[login].discard(camera)

    def refuses_alone(self, login: str, camera: str | None) -> bool:
        """Whether this camera refused the login last, and another of the device took it last."""
        return camera is not None and camera in self._refusing[login] and bool(self._taking[login])
