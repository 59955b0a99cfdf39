"""Logging in at cameras without locking their accounts: failed logins count together with the prober's.

A recorder's cameras share an account, and to it prober and forwarder are one caller.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from vonggac.auth.sealing import Unsealer
from vonggac.events.causes import Cause
from vonggac.logins.guard import LoginGuard
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials, RtspUrl


@dataclass(frozen=True, slots=True)
class CameraLogins:
    """One attempt at a time with a login that is not proven, and none while it rests."""

    guard: LoginGuard
    unsealer: Unsealer

    def login_of(self, url: str, credentials: Credentials | None) -> str | None:
        """What stands for this login at this device; None where none is needed or counted."""
        device = _device(url)
        return self.unsealer.fingerprint(device, credentials) if device and credentials is not None else None

    def ended(self, login: str) -> None:
        """The camera ended a session with this login: its password may be another one now."""
        self.guard.doubt(login)

    async def attempt[T](self, login: str, play: Callable[[], Awaitable[T]], *, wait_s: float) -> T:
        """`play`, when the login may be tried; waits at most `wait_s` for other cameras that try it now.

        Raises PeerError: what `play` raises, auth_failed while the login rests, timeout when the others hang.
        """
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(wait_s):
                    await held.enter_async_context(self.guard.line(login))
            except TimeoutError:
                msg = "another camera of this device is asked with the same login, and does not answer"
                raise PeerError(Cause.TIMEOUT, msg) from None
            if (rest_s := self.guard.rest_left_s(login)) is not None:
                msg = f"not tried: this login failed twice at this device, it rests for {rest_s / 60:.0f} minutes"
                raise PeerError(Cause.AUTH_FAILED, msg)
            try:
                played = await play()
            except PeerError as error:
                if error.cause is Cause.AUTH_FAILED and error.login_sent:
                    self.guard.refused(login)
                elif error.logged_in:
                    self.guard.accepted(login)
                    if error.cause is Cause.ENDED:
                        # What broke it off may have been a new password.
                        self.guard.doubt(login)
                raise
            self.guard.accepted(login)
            return played


def _device(url: str) -> str | None:
    """Host and port of a camera that speaks RTSP; None for others, and for what is no address."""
    scheme, _, rest = url.partition("://")
    try:
        # Placeholders may stand where a URL takes none, so only what is before the path is read.
        address = RtspUrl.parse(f"{scheme}://{rest.partition('/')[0]}")
    except PeerError:
        return None
    return f"{address.host}:{address.port}"
