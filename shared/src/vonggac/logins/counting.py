"""When a login that failed may be tried again. Pure.

Hikvision locks the caller's address for about 30 minutes after a few failed logins, Dahua about as long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOST_FAILED_LOGINS = 2
"""In a row, before the rest."""
REST_TOLERANCE_S = 5.0
"""A try that is due at the end of the rest began a little before its login failed."""


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """Failed logins in a row with one login at one device, whichever camera (channel) of it was meant."""

    failed: int
    last_at: datetime

    def another(self, now: datetime) -> "DeviceLogin":
        """After one more."""
        return DeviceLogin(self.failed + 1, now)

    def rest_left_s(self, now: datetime, *, cooldown_s: float) -> float | None:
        """Seconds until this login may be tried there again; None when it may now."""
        if self.failed < MOST_FAILED_LOGINS:
            return None
        left_s = (self.last_at + timedelta(seconds=cooldown_s) - now).total_seconds()
        return left_s if left_s > REST_TOLERANCE_S else None
