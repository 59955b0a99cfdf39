"""How many probes at a time: at one site network, and on demand. Logins: vonggac.logins."""

import asyncio
import ipaddress
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from itertools import takewhile
from uuid import UUID

PLACE_KEPT_S = 1.5
"""For one who waits and comes back within about a second. Its job may go to another prober, so no longer."""
WAITING_KNOWN_S = 60.0
"""Who has not come back for that long has given up, or was let in elsewhere."""
ADMITTED_AGAIN_S = 0.25
"""Well within PLACE_KEPT_S."""
AGAIN_AFTER_S = 5.0
"""The least time between two probes of one target on demand."""


class NetworkGate:
    """Bounds the probes at one site network, ONVIF included, and admits them in the order in which they first came.

    Who finds it full comes back again and again. Were a free place everybody's, cameras whose probes are short or come
    at a lucky moment would be let in several times before others once.
    """

    def __init__(
        self,
        most: int,
        *,
        prefix_v4: int,
        prefix_v6: int,
        share: Callable[[str, int], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`most`: probes at a time at one network, 0 for no bound; prefixes: bits that make a network.

        `share`: how many of a network's `most` are this process's, where others probe too.
        """
        self._most, self._prefix_v4, self._prefix_v6, self._clock = most, prefix_v4, prefix_v6, clock
        self._share = share or (lambda _network, places: places)
        self._inside: Counter[str] = Counter()
        self._lines: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """Who waits at a network, and when each was there last; in the order in which they came first."""

    def network_of(self, host: str, facility_id: UUID | None) -> str:
        """Find the network of an IP address; for a name, which only the probe itself resolves, the facility."""
        network = _network(host.partition("%")[0], self._prefix_v4, self._prefix_v6)
        if network is not None:
            return network
        return str(facility_id) if facility_id is not None else host.lower()

    def is_full(self, network: str) -> bool:
        return self._most > 0 and self._inside[network] >= self._share(network, self._most)

    def must_wait(self, network: str, who: str) -> bool:
        """Whether `who` has to come back later. It is in the line from now on if so, and out of it if not."""
        if not self._most:
            return False
        now, line = self._clock(), self._lines[network]
        for name in [name for name, at in line.items() if now - at > WAITING_KNOWN_S]:
            del line[name]
        before = takewhile(lambda name: name != who, line)
        ahead = sum(now - line[name] <= PLACE_KEPT_S for name in before)
        waits = ahead >= self._share(network, self._most) - self._inside[network]
        if waits:
            line[who] = now
        else:
            line.pop(who, None)
        if not line:
            del self._lines[network]
        return waits

    @contextmanager
    def within(self, network: str) -> Iterator[None]:
        """Count a probe while it lasts."""
        self._inside[network] += 1
        try:
            yield
        finally:
            self._inside[network] -= 1
            if not self._inside[network]:
                del self._inside[network]

    @asynccontextmanager
    async def admitted(self, network: str, who: str) -> AsyncIterator[None]:
        """Wait in the line, then count while the block lasts. For whoever has no job to put back."""
        while self.must_wait(network, who):  # noqa: ASYNC110 - who stands in a line is known by coming again
            await asyncio.sleep(ADMITTED_AGAIN_S)
        with self.within(network):
            yield


class OnDemandLimitError(Exception):
    """No probe is made now; try again after `after_s`."""

    def __init__(self, message: str, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s


class OnDemandLimit:
    """Bounds the probes and read-backs that this process makes on demand."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`most`: at a time."""
        self._most, self._clock = most, clock
        self._running = 0
        self._begun: dict[str, float] = {}

    @contextmanager
    def within(self, target: str) -> Iterator[None]:
        """One probe at `target` (a camera's id, or host and port). Raises OnDemandLimitError."""
        now = self._clock()
        self._begun = {name: at for name, at in self._begun.items() if now - at < AGAIN_AFTER_S}
        if target in self._begun:
            left_s = AGAIN_AFTER_S - (now - self._begun[target])
            raise OnDemandLimitError("this target was probed a moment ago", left_s)
        if self._running >= self._most:
            raise OnDemandLimitError(f"{self._most} probes on demand are going on", 1.0)
        self._begun[target] = now
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


@lru_cache(maxsize=4096)
def _network(host: str, prefix_v4: int, prefix_v6: int) -> str | None:
    """None when `host` is no IP address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    bits = prefix_v4 if address.version == 4 else prefix_v6
    return str(ipaddress.ip_network((address, bits), strict=False))
