"""The files of earlier starts with this state: hosts of cameras, which the workers may connect to, and facilities."""

import asyncio
import ipaddress
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vonggac.net.allowed_networks import AllowedNetworks, canonical_host, resolve
from vonggac.net.errors import PeerError

RESOLVE_WITHIN_S = 10.0
_NO_DEVICE = AllowedNetworks.parse(["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/127", "fe80::/10"])
"""A name that leads there opens nothing: this machine's own, and what a cloud gives its machines."""


@dataclass(frozen=True, slots=True)
class Known:
    """Kept in `var/`: a later start without files goes on with the same cameras."""

    hosts: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Self:
        """Nothing, when there is no such file or it is damaged."""
        try:
            content = json.loads(file.read_text("utf-8"))
            return cls(tuple(map(str, content["hosts"])), tuple(map(str, content["facilities"])))
        except (OSError, ValueError, TypeError, KeyError):
            return cls()

    def and_these(self, *, hosts: Iterable[str] = (), facilities: Iterable[str] = ()) -> "Known":
        return Known(tuple(dict.fromkeys((*self.hosts, *hosts))), tuple(dict.fromkeys((*self.facilities, *facilities))))

    def write(self, file: Path) -> None:
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"hosts": self.hosts, "facilities": self.facilities}, indent=1), "utf-8")
        part.replace(file)


async def networks_of(hosts: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Build a network of one address for each of `hosts`, and a note for each name that has none now."""
    networks, notes = dict[str, None](), list[str]()
    named = list(hosts)
    for host, address in zip(named, await asyncio.gather(*map(_address, named)), strict=True):
        if address is None:
            notes.append(f"{host} has no address that a camera could have: it is allowed once a start finds one")
        else:
            networks[str(ipaddress.ip_network(address))] = None
    return tuple(networks), notes


async def _address(host: str) -> str | None:
    written = canonical_host(host).partition("%")[0]
    try:
        # Whoever writes an address out means it.
        return str(ipaddress.ip_address(written))
    except ValueError:
        pass
    try:
        found = await resolve(host, 0, None, timeout_s=RESOLVE_WITHIN_S)
    except PeerError:
        return None
    return None if _NO_DEVICE.allow(found) else found
