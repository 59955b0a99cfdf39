"""Learns quickly that a camera or a destination answers again.

Waiting times of up to half a minute are right for a peer that answers and refuses. One that is not there costs nothing
to ask: one check about every half second per endpoint and process, however many wait for it. A check is a connection
and one OPTIONS without credentials, since a peer that hangs takes connections too. Who waits is called when the
endpoint answers after it was found silent, and makes an attempt of its own. An endpoint that answers from the beginning
is no news: nobody is called.

A listener that takes one client only would take the check for it and leave when the check does. So the connection that
was answered is kept for a few seconds, and the first attempt goes on with it: the check is its beginning.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from vonggac.events.causes import Cause
from vonggac.events.inventory import TlsTrust
from vonggac.net.allowed_networks import AllowedNetworks, resolve
from vonggac.net.dial import Opened, connect_socket
from vonggac.net.errors import PeerError
from vonggac.net.origin import DEFAULT_PORTS
from vonggac.net.tls import policy_of
from vonggac.net.url import RtspUrl
from vonggac.rtsp.client.connection import RtspConnection

INTERVAL_S = 0.5
ANSWER_WITHIN_S = 1.0
SILENT = frozenset({Cause.REFUSED, Cause.ROUTE, Cause.TIMEOUT, Cause.DNS, Cause.ENDED, Cause.HUNG_UP, Cause.STALLED})
"""Causes after which a reachability check may help."""

_LISTENS_NOT = frozenset({"udp"})

KEPT_S = 5.0
"""A connection that was answered waits so long for the attempt that goes on with it."""

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
        """Find the endpoint of an address; None when it names no host or no port that we know, or for datagrams.

        Who sends those listens to nobody: that they come is the only sign, and the next attempt waits for it.
        """
        try:
            parts = urlsplit(url)
            scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
        except ValueError:
            return None
        port = port or DEFAULT_PORTS.get(scheme)
        return cls(scheme, host, port, trust) if host and port and scheme not in _LISTENS_NOT else None


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
        self._kept: dict[Endpoint, tuple[Opened, asyncio.TimerHandle]] = {}

    def take_connection(self, endpoint: Endpoint | None) -> Opened | None:
        """Return what a check of this endpoint opened lately and nobody took: the caller's from now on."""
        kept = self._kept.pop(endpoint, None) if endpoint is not None else None
        if kept is None:
            return None
        kept[1].cancel()
        return kept[0]

    def drop_connection(self, endpoint: Endpoint | None) -> None:
        """Close what a check of this endpoint opened and nobody took, if there is anything."""
        opened = self.take_connection(endpoint)
        if opened is not None:
            opened.close()

    def _keep(self, endpoint: Endpoint, opened: Opened) -> None:
        self.drop_connection(endpoint)
        timer = asyncio.get_running_loop().call_later(KEPT_S, self.drop_connection, endpoint)
        self._kept[endpoint] = opened, timer

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
            there, opened = await _answered(endpoint, allowed)
            if not there:
                for waiter in asked:
                    waiter.silent = True
                continue
            waiting = self._waiting.get(endpoint, {})
            left = [waiter for waiter in asked if _pop(waiting, waiter)]
            if opened is not None and left:
                self._keep(endpoint, opened)
            elif opened is not None:
                opened.close()
            for waiter in left:
                if waiter.silent:
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


async def _answered(endpoint: Endpoint, allowed: AllowedNetworks) -> tuple[bool, Opened | None]:
    """Whether anybody is there, whatever the answer; and the connection, where it still stands."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            address = await resolve(endpoint.host, endpoint.port, allowed, timeout_s=ANSWER_WITHIN_S)
            if endpoint.scheme in {"rtsp", "rtsps"}:
                connection = await _ask_options(endpoint, address)
                return True, Opened(address, endpoint.port, connection, connection.abort)
            connected = await connect_socket(address, endpoint.port, timeout_s=ANSWER_WITHIN_S)
            return True, Opened(address, endpoint.port, connected, connected.close)
    except TimeoutError:
        return False, None
    except PeerError as error:
        # Silent still: the waiters' own attempts report the cause.
        return error.cause not in SILENT, None


async def _ask_options(endpoint: Endpoint, address: str) -> RtspConnection:
    """Open a connection over which OPTIONS was answered. Raises PeerError."""
    connection = await RtspConnection.open(
        endpoint.host,
        endpoint.port,
        timeout_s=ANSWER_WITHIN_S,
        address=address,
        tls=policy_of(endpoint.trust) if endpoint.scheme == "rtsps" else None,
    )
    try:
        url = RtspUrl(endpoint.host, endpoint.port, scheme=endpoint.scheme)
        await connection.request("OPTIONS", url.wire, timeout_s=ANSWER_WITHIN_S)
    except BaseException:
        connection.abort()
        raise
    return connection
