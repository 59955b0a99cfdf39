"""Which addresses a scan asks: single ones, ones with a port, and networks. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

DEFAULT_PORT = 80
MAX_ADDRESSES = 256
_HOST_PORT = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device service is asked for."""

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> Self:
        """`10.20.1.5`, `10.20.1.5:8080`, `cam.example`, `[fd00::5]:80` or `fd00::5`. Raises ValueError."""
        text = text.strip()
        if (bare := _ip(text)) is not None:
            return cls(bare)
        found = _HOST_PORT.fullmatch(text)
        host = _ip(found["six"]) if found and found["six"] else found["host"] if found else None
        port = int(found["port"]) if found and found["port"] else DEFAULT_PORT
        if not host or not 1 <= port <= 65535:
            msg = "is no address: write it like 10.20.1.5 or 10.20.1.5:8080"
            raise ValueError(msg)
        return cls(host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """One address of a scan, and the ports to ask there one after the other."""

    host: str
    ports: tuple[int, ...]


class WrongAddressesError(ValueError):
    """`mistakes`: index of the address and what would be right."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(message for _, message in mistakes))
        self.mistakes = mistakes


def expand(addresses: Sequence[str], ports: Sequence[int]) -> tuple[Target, ...]:
    """In the order given, each once. An address with a port is a target of its own: devices behind one address.

    Raises WrongAddressesError for what is no address, and when there would be more than MAX_ADDRESSES.
    """
    found: dict[Target, None] = {}
    mistakes = []
    for index, text in enumerate(addresses):
        try:
            hosts, asked = _hosts(text.strip(), tuple(ports))
        except ValueError as error:
            mistakes.append((index, str(error)))
            continue
        found |= dict.fromkeys(Target(host, asked) for host in hosts)
        if len(found) > MAX_ADDRESSES:
            mistakes.append((index, f"makes it more than {MAX_ADDRESSES} addresses: split the scan"))
            break
    if mistakes:
        raise WrongAddressesError(mistakes)
    return tuple(found)


def _hosts(text: str, ports: tuple[int, ...]) -> tuple[list[str], tuple[int, ...]]:
    if "%" in text:
        # Links are numbered by each machine for itself, and no scan of ours is bound to one.
        msg = f"{text} has a zone (%): a scan takes addresses without one"
        raise ValueError(msg)
    if (bare := _ip(text)) is not None:
        return [bare], ports
    if "/" in text:
        return _network(text), ports
    endpoint = Endpoint.parse(text)
    if _ip(endpoint.host) is None:
        msg = "is a name: a scan takes IP addresses (10.20.1.5, 10.20.1.5:8080) and networks (10.20.1.0/24)"
        raise ValueError(msg)
    return [endpoint.host], (endpoint.port,)


def _network(text: str) -> list[str]:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        msg = "is no network: write it like 10.20.1.0/24"
        raise ValueError(msg) from None
    # Network and broadcast address of an IPv4 network are no hosts; counted before they are listed.
    if network.num_addresses > MAX_ADDRESSES + 2:
        msg = f"has more than {MAX_ADDRESSES} addresses: take a smaller network, such as a /24"
        raise ValueError(msg)
    return [str(host) for host in network.hosts()]


def _ip(text: str) -> str | None:
    """None for what is none, and for one with a zone (fe80::1%eth0), which no Endpoint has."""
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None
