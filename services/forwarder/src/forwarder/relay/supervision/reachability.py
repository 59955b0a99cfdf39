"""Finding out quickly that a camera or a destination is there again.

Waiting times of up to half a minute are right for a peer that answers and says no. One that is not there costs nothing
to ask: one connection about every half second per address and process, however many wait there, and one OPTIONS
without credentials, since a peer that hangs takes connections too. Who waits is told when the address answers after it
was found silent, and makes an attempt of its own; an address that answers from the beginning is no news, and told to
nobody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from vonggac.events.causes import Cause
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import PeerError
from vonggac.net.tls import policy_of
from vonggac.net.url import RtspUrl
from vonggac.rtsp.client.connection import RtspConnection

INTERVAL_S = 0.5
ANSWER_WITHIN_S = 1.0
_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
SILENT = frozenset({Cause.REFUSED, Cause.ROUTE, Cause.TIMEOUT, Cause.DNS, Cause.ENDED, Cause.STALLED})
"""Causes after which it may help to ask whether anybody is there."""

type Opened = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Door:
    """Where to knock. Only RTSP is spoken; elsewhere a connection that stands is an answer."""

    scheme: str
    host: str
    port: int
    trust: TlsTrust | None = None

    @classmethod
    def of(cls, url: str, trust: TlsTrust | None) -> "Door | None":
        """The door of an address; None when it names no host or no port that we know."""
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        except ValueError:
            return None
        port = port or _PORTS.get(scheme)
        return cls(scheme, host, port, trust) if host and port else None


@dataclass(eq=False, slots=True)
class _Waiter:
    opened: Opened
    closed: bool


class Knocks:
    """The doors that are knocked at. A task runs per door for as long as somebody waits."""

    def __init__(self, *, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._waiting: dict[Door, dict[_Waiter, None]] = {}
        self._tasks: dict[Door, asyncio.Task[None]] = {}

    def wait(self, door: Door, allowed: AllowedNetworks, opened: Opened, *, closed: bool = False) -> Callable[[], None]:
        """Call `opened` once when the door answers after it did not. The result ends the wait; harmless afterwards.

        `closed`: the caller has found it silent already, so that the first answer is news.
        """
        waiter = _Waiter(opened, closed)
        self._waiting.setdefault(door, {})[waiter] = None
        if door not in self._tasks:
            self._tasks[door] = asyncio.get_running_loop().create_task(self._knock(door, allowed), name="knock")

        def leave() -> None:
            waiting = self._waiting.get(door, {})
            waiting.pop(waiter, None)
            if not waiting and door in self._tasks:
                self._waiting.pop(door, None)
                self._tasks.pop(door).cancel()

        return leave

    async def _knock(self, door: Door, allowed: AllowedNetworks) -> None:
        while self._waiting.get(door):
            await asyncio.sleep(self._interval_s)
            asked = tuple(self._waiting.get(door, {}))
            if not await _answers(door, allowed):
                for waiter in asked:
                    waiter.closed = True
                continue
            waiting = self._waiting.get(door, {})
            told = [waiter for waiter in asked if _taken(waiting, waiter) and waiter.closed]
            for waiter in told:
                waiter.opened()
        del self._tasks[door]
        self._waiting.pop(door, None)


def _taken(waiting: dict[_Waiter, None], waiter: _Waiter) -> bool:
    if waiter not in waiting:
        return False
    del waiting[waiter]
    return True


async def _answers(door: Door, allowed: AllowedNetworks) -> bool:
    """Whether anybody is there, whatever the answer."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            tls = policy_of(door.trust) if door.scheme == "rtsps" else None
            connection = await RtspConnection.open(
                door.host, door.port, timeout_s=ANSWER_WITHIN_S, allowed=allowed, tls=tls
            )
            try:
                if door.scheme in {"rtsp", "rtsps"}:
                    url = RtspUrl(door.host, door.port, scheme=door.scheme)
                    await connection.request("OPTIONS", url.wire, timeout_s=ANSWER_WITHIN_S)
            finally:
                connection.abort()
    except TimeoutError:
        return False
    except PeerError as error:
        # Silent still: the waiters' own attempts report the cause.
        return error.cause not in SILENT
    return True
