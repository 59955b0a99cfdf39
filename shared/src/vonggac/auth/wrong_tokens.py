"""Wrong tokens are counted per address: after so many in a minute a wrong one is refused with 429 and the time to wait.

A right token passes all the same: behind one address may be an office, and one of its programs holds an old token.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)
WINDOW_S = 60.0
MOST_ADDRESSES = 4096
_PREFIX_6 = 64
"""Bits of an IPv6 address that one customer has for itself."""


class WrongTokens:
    """Counts of the last minute, of the addresses that were heard of last; memory is bounded by `most_addresses`."""

    def __init__(
        self,
        most_a_minute: int = 60,
        *,
        most_addresses: int = MOST_ADDRESSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock`: monotonic seconds."""
        self._most, self._most_addresses, self._clock = most_a_minute, most_addresses, clock
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, address: str) -> float | None:
        """Count one more of `address`; return the seconds to wait when it is too many, else None."""
        key, now_s = _network_of(address), self._clock()
        began_s, count = self._counts.pop(key, (now_s, 0))
        if now_s - began_s >= WINDOW_S:
            began_s, count = now_s, 0
        count += 1
        self._counts[key] = began_s, count
        if len(self._counts) > self._most_addresses:
            self._counts.popitem(last=False)
        if count <= self._most:
            return None
        if count == self._most + 1:
            log.warning("wrong_tokens_limited", address=key, most=self._most)
        return began_s + WINDOW_S - now_s


def _network_of(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _PREFIX_6), strict=False))
    return str(parsed)
