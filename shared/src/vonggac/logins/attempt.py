"""One attempt to log in at a device: its key, the rest after failed logins, the lock, and the verdict that counts.

Whoever logs in at a device goes through `Logins.attempt`: forwarder, prober, read-backs and ONVIF (decision 0012).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from vonggac.auth.sealing import Unsealer
from vonggac.events.causes import Cause
from vonggac.events.inventory import ExpectedDevice
from vonggac.logins.counting import judge_refusal, why_not_tried
from vonggac.logins.guard import LoginGuard
from vonggac.net.errors import MalformedError, PeerError
from vonggac.net.origin import DEFAULT_PORTS, Origin
from vonggac.net.url import Credentials, RtspUrl


def device_address(url: str) -> RtspUrl:
    """Scheme, host and port of an RTSP address. Raises PeerError for an address that is none."""
    scheme, _, rest = url.partition("://")
    # Placeholders may stand where a URL takes none, so only what is before the path is read.
    return RtspUrl.parse(f"{scheme}://{rest.partition('/')[0]}")


def device_of(url: str) -> str:
    """`host:port` of an address of any scheme that has a usual port. Raises PeerError for an address that is none."""
    scheme = url.partition("://")[0].lower()
    if scheme.startswith("rtsp"):
        address = device_address(url)
        return f"{address.host}:{address.port}"
    if scheme not in DEFAULT_PORTS:
        raise MalformedError("a device of this scheme is not asked with a login")
    return Origin.of(url).partition("://")[2]


def device_origins(expected: ExpectedDevice | None) -> tuple[Origin, ...]:
    """Where else than at its stream a camera is asked with its login: its ONVIF service, if the survey noted one."""
    if expected is None or expected.onvif_address is None:
        return ()
    try:
        return (Origin.of_device_service(expected.onvif_address),)
    except MalformedError:
        return ()


@dataclass(slots=True)
class Attempt:
    """Whether the login may be sent now, and whoever sends it says what came of it.

    `granted`: it may be sent. `rest_s`: seconds until it may be tried again, when it rests after failed logins. Neither
    granted nor at rest: others try it now. Without a login everything is granted and nothing counts.
    """

    granted: bool = True
    rest_s: float | None = None
    _guard: LoginGuard | None = None
    _login: str = ""
    _camera: str | None = None
    _accepted: bool = False
    """Already, in this attempt: what others were answered since is newer."""

    @property
    def taken_before(self) -> bool:
        """Whether the device is known to have asked for the login and taken it before."""
        return self._guard is not None and self._guard.was_taken(self._login)

    @property
    def why_not_tried(self) -> str:
        """Why a login that rests was not sent."""
        assert self.rest_s is not None
        alone = self._guard is not None and self._guard.refuses_alone(self._login, self._camera)
        return why_not_tried(self.rest_s, refuses_alone=alone)

    def accept(self, *, needed: bool = False) -> None:
        """Record that the device took the login (`needed`: it asked for it). Call it at once: others wait for it.

        Called again, as at the end of a session, it clears no refusal that others met meanwhile, and ends no try of
        theirs.
        """
        if self._guard is not None:
            self._guard.accepted(self._login, camera=self._camera, needed=needed, again=self._accepted)
            self._accepted = True

    def refuse(self, *, needed: bool = False) -> None:
        """Count a refusal: the login has failed. `needed`: the device had taken it in the same session."""
        if self._guard is not None:
            self._guard.refused(self._login, camera=self._camera, needed=needed)

    def conclude(self, accepted: bool | None, *, needed: bool = False) -> None:
        """Accept or refuse; None when the device did not say. `needed`: it asked for the login and took it."""
        if accepted is not None:
            (self.accept if accepted else self.refuse)(needed=needed)

    def fail(self, error: PeerError) -> None:
        """Judge the login by an error. Of a refusal, the error gets the word and the rest that follow from it."""
        if error.cause is Cause.AUTH_FAILED and error.login_sent:
            self.refuse(needed=error.logged_in)
            if self._guard is not None and self.taken_before:
                error.cause, error.message = judge_refusal(error.cause, error.message, taken=True)
                error.rest_s = self._guard.rest_after_refusal_s(self._login)
        elif error.logged_in:
            self.accept(needed=True)
            if error.cause is Cause.ENDED and self._guard is not None:
                # What broke it off may have been a new password.
                self._guard.doubt(self._login)


@dataclass(frozen=True, slots=True)
class Logins:
    """Logs in nowhere itself: says which login may be tried at which device."""

    guard: LoginGuard
    unsealer: Unsealer

    def login_at(self, device: str, credentials: Credentials | None) -> str | None:
        """Compute what stands for this login at this device (`host:port`); None without a login."""
        return self.unsealer.fingerprint(device, credentials) if credentials is not None else None

    def login_of(self, url: str, credentials: Credentials | None) -> str | None:
        """Compute the same for an address's device; None without a login, and where none is asked for: not counted."""
        if credentials is None:
            return None
        try:
            return self.login_at(device_of(url), credentials)
        except PeerError:
            return None

    @asynccontextmanager
    async def attempt(
        self, login: str | None, *, camera: str | None = None, wait_s: float | None = None
    ) -> AsyncIterator[Attempt]:
        """One attempt with `login`; nobody else tries it meanwhile, as long as it is not proven.

        `camera`: its address, without the login, where the login is for one of several cameras of a device.

        Who must log in waits at most `wait_s` for others that try it; without `wait_s` nobody waits. An PeerError that
        leaves the block concludes the attempt as `Attempt.fail` does.
        """
        if login is None:
            yield Attempt()
            return
        async with AsyncExitStack() as held:
            locked = await self._lock(login, camera, held, wait_s)
            rest_s = self.guard.rest_left_s(login, camera)
            attempt = Attempt(locked and rest_s is None, rest_s, self.guard, login, camera)
            try:
                yield attempt
            except PeerError as error:
                attempt.fail(error)
                raise

    async def _lock(self, login: str, camera: str | None, held: AsyncExitStack, wait_s: float | None) -> bool:
        if wait_s is None:
            rests = self.guard.rest_left_s(login, camera) is not None
            return not rests and await held.enter_async_context(self.guard.try_lock(login))
        try:
            async with asyncio.timeout(wait_s):
                await held.enter_async_context(self.guard.lock(login))
        except TimeoutError:
            return False
        return True
