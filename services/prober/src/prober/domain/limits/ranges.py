"""What a demand asks, in short: neighbouring addresses with the same ports are one. Pure."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from prober.domain.limits.demands import Endpoint
from vonggac.events.prober import EndpointRange

MOST_ADDRESSES = 65_536
"""Of a record; one that claims more is none of ours."""


def in_short(endpoints: Iterable[Endpoint]) -> tuple[EndpointRange, ...]:
    """For the record."""
    ports: dict[str, list[int]] = {}
    for endpoint in endpoints:
        ports.setdefault(endpoint.address, []).append(endpoint.port)
    found: list[EndpointRange] = []
    following: str | None = None
    for address, asked in ports.items():
        wanted = tuple(dict.fromkeys(asked))
        if found and address == following and wanted == found[-1].ports:
            found[-1] = found[-1].model_copy(update={"count": found[-1].count + 1})
        else:
            found.append(EndpointRange(first=address, ports=wanted))
        following = _next(address)
    return tuple(found)


def in_full(ranges: Iterable[EndpointRange], network_of: Callable[[str], str]) -> Iterator[Endpoint]:
    """Yield the endpoints that `in_short` shortened. `network_of`: the site network of an address."""
    for each in ranges:
        address: str | None = each.first
        for _ in range(min(each.count, MOST_ADDRESSES)):
            if address is None:
                return
            network = network_of(address)
            yield from (Endpoint(address, port, network) for port in each.ports)
            address = _next(address)


def _next(address: str) -> str | None:
    """Compute the address behind it; None behind a name, and behind the last one."""
    try:
        return str(ipaddress.ip_address(address) + 1)
    except ValueError:
        return None
