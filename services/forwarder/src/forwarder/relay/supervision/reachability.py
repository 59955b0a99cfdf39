"""Learns quickly that a camera or a destination answers again.

Waiting times of up to half a minute are right for a peer that answers and refuses. One that is not there costs nothing
to ask: one check about every half second per endpoint and process, however many wait for it. A check is a connection
and one OPTIONS without credentials, since a peer that hangs takes connections too. Who waits is called when the
endpoint answers after it was found silent, and makes an attempt of its own. An endpoint that answers from the beginning
is no news: nobody is called.
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
"""Causes after which a reachability check may help."""

type OnAnswer = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is checked. Only RTSP is spoken; elsewhere a connection that stands is an answer."""

    scheme: str
    host: str
    port: int
    trust: TlsTrust | None = None

    @classmethod
    def of(cls, url: str, trust: TlsTrust | None) -> "Endpoint | None":
        """The endpoint of an address; None when it names no host or no port that we know."""
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        except ValueError:
            return None
        port = port or _PORTS.get(scheme)
        return cls(scheme, host, port, trust) if host and port else None


@dataclass(eq=False, slots=True)
class _Waiter:
    on_answer: OnAnswer
    silent: bool


class ReachabilityChecks:
    """The endpoints that are checked. A task runs per endpoint for as long as somebody waits for it."""

    def __init__(self, *, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._waiting: dict[Endpoint, dict[_Waiter, None]] = {}
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}

    def wait(
        self, endpoint: Endpoint, allowed: AllowedNetworks, on_answer: OnAnswer, *, silent: bool = False
    ) -> Callable[[], None]:
        """Call `on_answer` once when the endpoint answers after it did not. The result ends the wait, any time.

        `silent`: the caller has found it silent already, so that the first answer is news.
        """
        waiter = _Waiter(on_answer, silent)
        self._waiting.setdefault(endpoint, {})[waiter] = None
        if endpoint not in self._tasks:
            work = self._check(endpoint, allowed)
            self._tasks[endpoint] = asyncio.get_running_loop().create_task(work, name="check-reachability")

        def end() -> None:
            waiting = self._waiting.get(endpoint, {})
            waiting.pop(waiter, None)
            if not waiting and endpoint in self._tasks:
                self._waiting.pop(endpoint, None)
                self._tasks.pop(endpoint).cancel()

        return end

    async def _check(self, endpoint: Endpoint, allowed: AllowedNetworks) -> None:
        while self._waiting.get(endpoint):
            await asyncio.sleep(self._interval_s)
            asked = tuple(self._waiting.get(endpoint, {}))
            if not await _answers(endpoint, allowed):
                for waiter in asked:
                    waiter.silent = True
                continue
            waiting = self._waiting.get(endpoint, {})
            called = [waiter for waiter in asked if _pop(waiting, waiter) and waiter.silent]
            for waiter in called:
                waiter.on_answer()
        del self._tasks[endpoint]
        self._waiting.pop(endpoint, None)


class EndpointWatch:
    """One supervisor's wait for its endpoint; another `start` replaces it."""

    def __init__(self, checks: ReachabilityChecks, allowed: AllowedNetworks) -> None:
        self._checks, self._allowed = checks, allowed
        self._end: Callable[[], None] | None = None

    def start(self, endpoint: Endpoint | None, on_answer: OnAnswer, *, silent: bool = False) -> None:
        """As `ReachabilityChecks.wait`; without an endpoint nothing is checked."""
        self.stop()
        if endpoint is not None:
            self._end = self._checks.wait(endpoint, self._allowed, on_answer, silent=silent)

    def stop(self) -> None:
        """Harmless when nothing is waited for."""
        if self._end is not None:
            self._end()
            self._end = None


def _pop(waiting: dict[_Waiter, None], waiter: _Waiter) -> bool:
    if waiter not in waiting:
        return False
    del waiting[waiter]
    return True


async def _answers(endpoint: Endpoint, allowed: AllowedNetworks) -> bool:
    """Whether anybody is there, whatever the answer."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            tls = policy_of(endpoint.trust) if endpoint.scheme == "rtsps" else None
            connection = await RtspConnection.open(
                endpoint.host, endpoint.port, timeout_s=ANSWER_WITHIN_S, allowed=allowed, tls=tls
            )
            try:
                if endpoint.scheme in {"rtsp", "rtsps"}:
                    url = RtspUrl(endpoint.host, endpoint.port, scheme=endpoint.scheme)
                    await connection.request("OPTIONS", url.wire, timeout_s=ANSWER_WITHIN_S)
            finally:
                connection.abort()
    except TimeoutError:
        return False
    except PeerError as error:
        # Silent still: the waiters' own attempts report the cause.
        return error.cause not in SILENT
    return True
