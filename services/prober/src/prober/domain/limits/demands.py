"""How much callers may have probed and scanned: by caller, by target network, by ports of one address. Pure.

Somebody who tries out addresses and ports asks many in a short time; whoever installs cameras does not. Counted over
WINDOW_S.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

WINDOW_S = 3600.0


class Limit(StrEnum):
    """Which limit is reached."""

    CALLER = "caller"
    NETWORK = "network"
    PORTS = "ports"


@dataclass(frozen=True, slots=True)
class Limits:
    """Endpoints (address and port) in WINDOW_S; `ports_per_address`: different ports of one address."""

    per_caller: int
    per_network: int = 2000
    ports_per_address: int = 16


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What would be connected to. `network`: the site network that `address` lies in."""

    address: str
    port: int
    network: str


class TooMuchError(Exception):
    """More than the limit allows; as much may be asked again after `after_s`."""

    def __init__(self, limit: Limit, message: str, after_s: float) -> None:
        super().__init__(message)
        self.limit, self.after_s = limit, after_s


@dataclass(frozen=True, slots=True)
class _Counted:
    at: float
    caller: str
    endpoints: tuple[Endpoint, ...]


class Budget:
    """The demands of the last WINDOW_S, of whichever prober."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._counted: deque[_Counted] = deque()

    def check(self, caller: str, endpoints: Iterable[Endpoint], now: float) -> None:
        """Raise TooMuchError when `endpoints` of `caller` are too much at `now` (seconds). Counts nothing."""
        while self._counted and now - self._counted[0].at >= WINDOW_S:
            self._counted.popleft()
        wanted = tuple(endpoints)
        self._check_caller(caller, wanted, now)
        self._check_networks(wanted, now)
        self._check_ports(wanted, now)

    def count(self, caller: str, endpoints: Iterable[Endpoint], at: float) -> None:
        """They were asked."""
        self._counted.append(_Counted(at, caller, tuple(endpoints)))

    def _check_caller(self, caller: str, wanted: tuple[Endpoint, ...], now: float) -> None:
        mine = [one for one in self._counted if one.caller == caller]
        asked, most = sum(len(one.endpoints) for one in mine), self._limits.per_caller
        if asked + len(wanted) > most:
            msg = f"one caller may have {most} addresses and ports asked in an hour, {asked} were"
            raise TooMuchError(Limit.CALLER, msg, _room_in(mine, now))

    def _check_networks(self, wanted: tuple[Endpoint, ...], now: float) -> None:
        new, most = Counter(endpoint.network for endpoint in wanted), self._limits.per_network
        asked = Counter(each.network for one in self._counted for each in one.endpoints if each.network in new)
        for network, more in new.items():
            if asked[network] + more > most:
                there = [one for one in self._counted if any(each.network == network for each in one.endpoints)]
                msg = f"{most} addresses and ports of the network {network} may be asked in an hour, "
                msg += f"{asked[network]} were, by all callers together"
                raise TooMuchError(Limit.NETWORK, msg, _room_in(there, now))

    def _check_ports(self, wanted: tuple[Endpoint, ...], now: float) -> None:
        most = self._limits.ports_per_address
        ports: dict[str, set[int]] = {}
        for endpoint in wanted:
            ports.setdefault(endpoint.address, set()).add(endpoint.port)
        for one in self._counted:
            for endpoint in one.endpoints:
                if endpoint.address in ports:
                    ports[endpoint.address].add(endpoint.port)
        for address, different in ports.items():
            if len(different) > most:
                there = [one for one in self._counted if any(each.address == address for each in one.endpoints)]
                msg = f"{most} different ports of {address} may be asked in an hour: a device has few, name those"
                raise TooMuchError(Limit.PORTS, msg, _room_in(there, now))


def _room_in(counted: list[_Counted], now: float) -> float:
    """Until the oldest of these is forgotten; the whole window when it is too much at once."""
    return WINDOW_S - (now - counted[0].at) if counted else WINDOW_S
