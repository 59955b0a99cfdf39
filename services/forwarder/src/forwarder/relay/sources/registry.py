"""How to play a camera, by the scheme of its address: the one table.

A way of playing gives a `CameraSource`; fan-out, states, proof and metrics are the same for all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Protocol

from forwarder.relay.sources.container import SCHEMES, open_remuxed
from forwarder.relay.sources.inputs import Address
from forwarder.relay.sources.rtsp import CameraSource, open_source
from forwarder.relay.supervision.context import Surroundings
from vonggac.events.causes import Cause
from vonggac.events.inventory import CameraV1
from vonggac.net.errors import PeerError
from vonggac.net.hiding import hide_login
from vonggac.net.tls import policy_of
from vonggac.net.url import Credentials, RtspUrl, fill_credentials, takes_credentials
from vonggac.rtsp.client.connection import OnLost

type OnBegan = Callable[[], None]


class Play(Protocol):
    """One attempt. `on_began` and `on_lost` as in `open_source`. Raises PeerError."""

    def __call__(
        self,
        camera: CameraV1,
        credentials: Credentials | None,
        surroundings: Surroundings,
        *,
        on_began: OnBegan,
        on_lost: OnLost,
    ) -> Awaitable[CameraSource]: ...


async def _play_rtsp(
    camera: CameraV1,
    credentials: Credentials | None,
    surroundings: Surroundings,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> CameraSource:
    return await open_source(
        RtspUrl.parse(fill_credentials(camera.url, credentials)),
        credentials,
        audio=camera.forward_audio,
        transport=camera.transport.value,
        tls=camera.tls,
        deadline_s=surroundings.connect_deadline_s,
        allowed=surroundings.allowed,
        on_began=on_began,
        on_lost=on_lost,
    )


async def _play_remuxed(
    camera: CameraV1,
    credentials: Credentials | None,
    surroundings: Surroundings,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> CameraSource:
    url = fill_credentials(camera.url, credentials)
    address = Address(
        url=url,
        # A login that stands in the address is not offered a second time.
        credentials=credentials if url == camera.url else None,
        filled=credentials if url != camera.url else None,
        allowed=surroundings.allowed,
        tls=policy_of(camera.tls),
        deadline_s=surroundings.connect_deadline_s,
        silence_s=surroundings.media_timeout_s,
        audio=camera.forward_audio,
    )
    return await open_remuxed(address, surroundings.remux, on_began=on_began, on_lost=on_lost)


SOURCES: Mapping[str, Play] = MappingProxyType(
    {"rtsp": _play_rtsp, "rtsps": _play_rtsp, **dict.fromkeys(SCHEMES, _play_remuxed)}
)


async def play(
    camera: CameraV1,
    credentials: Credentials | None,
    surroundings: Surroundings,
    *,
    on_began: OnBegan,
    on_lost: OnLost,
) -> CameraSource:
    """Play the camera in the way of its scheme, when its login may be tried.

    Raises PeerError; `transport_unsupported` for a scheme that is not in the table.
    """
    scheme = camera.url.partition("://")[0].lower()
    way = SOURCES.get(scheme)
    if way is None:
        msg = f"the camera's scheme must be one of: {', '.join(sorted(SOURCES))}"
        raise PeerError(Cause.TRANSPORT_UNSUPPORTED, msg)

    logins = surroundings.logins
    login = logins.login_of(camera.url, credentials) if logins is not None else None

    def lost(error: PeerError | None) -> None:
        if error is not None:
            hide_login(error, credentials)
            if logins is not None and login is not None:
                logins.ended(login)
        on_lost(error)

    early = _Early(on_began, lost)

    async def now() -> CameraSource:
        try:
            return await way(camera, credentials, surroundings, on_began=early.began, on_lost=early.lost)
        except PeerError as error:
            # A login in the address goes out with the first request.
            error.login_sent = error.login_sent or takes_credentials(camera.url)
            hide_login(error, credentials)
            raise

    if logins is None or login is None:
        source = await now()
    else:
        source = await logins.attempt(login, now, wait_s=surroundings.connect_deadline_s)
    early.over()
    return source


class _Early:
    """Media may come, or go, while others are still told that the login was taken: it is told after that."""

    def __init__(self, on_began: OnBegan, on_lost: OnLost) -> None:
        self._on_began, self._on_lost = on_began, on_lost
        self._happened: list[Callable[[], None]] = []
        self._returned = False

    def began(self) -> None:
        self._tell(self._on_began)

    def lost(self, error: PeerError | None) -> None:
        self._tell(partial(self._on_lost, error))

    def over(self) -> None:
        """The caller has the source as soon as the event loop goes on."""
        self._returned = True
        for happened in self._happened:
            asyncio.get_running_loop().call_soon(happened)

    def _tell(self, what: Callable[[], None]) -> None:
        if self._returned:
            what()
        else:
            self._happened.append(what)
