"""Logging in at cameras without locking their accounts: failed logins count together with the prober's.

A recorder's cameras share an account, and to it prober and forwarder are one caller.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vonggac.events.causes import Cause
from vonggac.logins.attempt import Logins
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials


@dataclass(frozen=True, slots=True)
class CameraLogins:
    """One attempt at a time with a login that is not proven, and none while it rests."""

    logins: Logins

    def login_of(self, url: str, credentials: Credentials | None) -> str | None:
        """What stands for this login at this device; None where none is needed or counted."""
        return self.logins.login_of(url, credentials)

    def ended(self, login: str) -> None:
        """The camera ended a session with this login: its password may be another one now."""
        self.logins.guard.doubt(login)

    async def attempt[T](self, login: str, play: Callable[[], Awaitable[T]], *, wait_s: float) -> T:
        """`play`, when the login may be tried; waits at most `wait_s` for other cameras that try it now.

        Raises PeerError: what `play` raises, auth_failed while the login rests, timeout when the others hang.
        """
        async with self.logins.attempt(login, wait_s=wait_s) as attempt:
            if attempt.granted:
                played = await play()
                attempt.accept()
                return played
        if attempt.rest_s is None:
            msg = "another camera of this device is asked with the same login, and does not answer"
            raise PeerError(Cause.TIMEOUT, msg)
        msg = f"not tried: this login failed twice at this device, it rests for {attempt.rest_s / 60:.0f} minutes"
        raise PeerError(Cause.AUTH_FAILED, msg)
