"""How to play a camera, by the scheme of its address: the one table.

Another protocol is a file with a coroutine of the type `Play`, and a line in `SOURCES`; fan-out, states, proof and
metrics are the same for all.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from forwarder.relay.sources.base import CameraSource, OnBegan, OnLogin, Play, PlayLimits
from forwarder.relay.sources.container import SCHEMES, play_container
from forwarder.relay.sources.rtsp import play_rtsp
from vonggac.events.causes import Cause
from vonggac.events.inventory import CameraV1
from vonggac.logins.attempt import Attempt
from vonggac.logins.counting import judge_refusal
from vonggac.net.errors import PeerError
from vonggac.net.url import Credentials, hide_login, takes_credentials
from vonggac.rtsp.client.connection import OnLost

SOURCES: Mapping[str, Play] = MappingProxyType(
    {"rtsp": play_rtsp, "rtsps": play_rtsp, **dict.fromkeys(SCHEMES, play_container)}
)


async def play(
    camera: CameraV1,
    credentials: Credentials | None,
    limits: PlayLimits,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> CameraSource:
    """Play the camera in the way of its scheme, when its login may be tried.

    Raises PeerError: `transport_unsupported` for a scheme that is not in the table, `auth_failed` or `session_limit`
    while the login rests, `timeout` while another camera tries it and gets no answer.
    """
    scheme = camera.url.partition("://")[0].lower()
    play_by_scheme = SOURCES.get(scheme)
    if play_by_scheme is None:
        msg = f"the camera's scheme must be one of: {', '.join(sorted(SOURCES))}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)

    logins = limits.logins
    login = logins.login_of(camera.url, credentials) if logins is not None else None

    def lost(error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, credentials)
            if logins is not None and login is not None:
                # What broke it off may have been a new password.
                logins.guard.doubt(login)
        on_lost(error)

    early = _EarlyEvents(on_began, lost)

    async def now(limits: PlayLimits) -> CameraSource:
        try:
            return await play_by_scheme(camera, credentials, limits, on_began=early.began, on_lost=early.lost)
        except PeerError as error:
            # A login in the address goes out with the first request.
            error.login_sent = error.login_sent or takes_credentials(camera.url)
            hide_login(error, credentials)
            raise

    if logins is None or login is None:
        source = await now(limits)
    else:
        async with logins.attempt(login, camera=camera.url, wait_s=limits.deadline_s) as attempt:
            if not attempt.granted:
                raise _not_tried(attempt)
            with _let_in(attempt) as on_login:
                source = await now(replace(limits, on_login=on_login))
            attempt.accept(needed=source.login_needed)
    early.release()
    return source


@contextmanager
def _let_in(attempt: Attempt) -> Iterator[OnLogin]:
    """Accept the login when a camera says so before it plays; what is fetched afterwards is no attempt."""
    trying = True

    def on_login(needed: bool) -> None:
        if trying:
            attempt.accept(needed=needed)

    try:
        yield on_login
    finally:
        trying = False


def _not_tried(attempt: Attempt) -> PeerError:
    if attempt.rest_s is None:
        msg = "another camera of this device is asked with the same login, and does not answer"
        return PeerError(Cause.TIMEOUT, msg)
    cause, msg = judge_refusal(Cause.AUTH_FAILED, attempt.why_not_tried, taken=attempt.taken_before)
    error = PeerError(cause, msg)
    error.rest_s = attempt.rest_s
    return error


class _EarlyEvents:
    """Holds events back until `play` returns: media may begin, or be lost, before the login is recorded as accepted."""

    def __init__(self, on_began: OnBegan, on_lost: OnLost) -> None:
        self._on_began, self._on_lost = on_began, on_lost
        self._happened: list[Callable[[], None]] = []
        self._returned = False

    def began(self) -> None:
        self._pass_on(self._on_began)

    def lost(self, error: PeerError | None) -> None:
        self._pass_on(partial(self._on_lost, error))

    def release(self) -> None:
        """Release the events: the caller has the source as soon as the event loop goes on."""
        self._returned = True
        for happened in self._happened:
            asyncio.get_running_loop().call_soon(happened)

    def _pass_on(self, what: Callable[[], None]) -> None:
        if self._returned:
            what()
        else:
            self._happened.append(what)
