"""How a device wants its clients to log in, and when it locks them out."""

import time

from simulator.config import DeviceConfig
from vonggac.net.url import Credentials
from vonggac.rtsp.server.login import Account

REALM = "Vong Gac simulator"


class Lockout:
    """A device's guard against guessing: `limit` wrong logins in a row lock it for `for_s`, for every client."""

    def __init__(self, limit: int, for_s: float) -> None:
        self._limit = limit
        self._for_s = for_s
        self._failures = 0
        self._locked_until = 0.0

    @property
    def locked(self) -> bool:
        return time.monotonic() < self._locked_until

    def failed(self) -> None:
        """Count a wrong login."""
        self._failures += 1
        if self._failures >= self._limit:
            self._failures = 0
            self._locked_until = time.monotonic() + self._for_s

    def succeeded(self) -> None:
        """Forget the wrong logins after a right one."""
        self._failures = 0


def account_of(device: DeviceConfig) -> Account | None:
    """Return the account that a device asks for; None for none. Devices offer Basic in clear too."""
    if device.auth == "none":
        return None
    credentials = Credentials(device.username, device.password.get_secret_value())
    return Account(REALM, credentials, device.auth, basic_in_clear=True)
