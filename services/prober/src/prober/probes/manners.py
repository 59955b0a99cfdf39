"""What a site's network may be asked to bear: so many looks at a time. Logins: vonggac.logins."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from uuid import UUID


class NetworkGate:
    """Bounds the looks of this process at one site network."""

    def __init__(self, most: int, *, prefix_v4: int, prefix_v6: int) -> None:
        """`most`: looks at a time at one network, 0 for no bound; prefixes: bits that make a network."""
        self._most, self._prefix_v4, self._prefix_v6 = most, prefix_v4, prefix_v6
        self._inside: Counter[str] = Counter()

    def network_of(self, host: str, facility_id: UUID | None) -> str:
        """The network of an IP address; for a name the facility, which is resolved only in the look itself."""
        network = _network(host.partition("%")[0], self._prefix_v4, self._prefix_v6)
        if network is not None:
            return network
        return str(facility_id) if facility_id is not None else host.lower()

    def is_full(self, network: str) -> bool:
        return 0 < self._most <= self._inside[network]

    @contextmanager
    def within(self, network: str) -> Iterator[None]:
        """Count a look while it lasts."""
        self._inside[network] += 1
        try:
            yield
        finally:
            self._inside[network] -= 1
            if not self._inside[network]:
                del self._inside[network]


@lru_cache(maxsize=4096)
def _network(host: str, prefix_v4: int, prefix_v6: int) -> str | None:
    """None when `host` is no IP address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    bits = prefix_v4 if address.version == 4 else prefix_v6
    return str(ipaddress.ip_network((address, bits), strict=False))
