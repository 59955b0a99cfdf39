"""The networks a worker may connect to: checked after name resolution, and the checked address is used.

Otherwise a person who may write a camera's URL could scan the inner network through the prober. Whoever installs the
platform names the networks (decision 0088), and the platform's own ports inside them, which no device has.
"""

import asyncio
import ipaddress
import re
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self
from weakref import WeakKeyDictionary

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError

_NUMBERS = re.compile(r"[0-9a-fx.]+")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")

type _Lookup = asyncio.Future[list[str]]

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network
type _Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HIGHEST_PORT = 65_535

PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")
"""Private addresses (RFC 1918, RFC 6598, RFC 4193), no loopback, no public ones: default of reporting's receivers."""


_only: ContextVar[tuple[str, int, str | None] | None] = ContextVar("only", default=None)
_running: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], _Lookup]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One port at the addresses of a network."""

    network: Network
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`127.0.0.0/8:5432`, `10.0.0.5:4222` or `[fd00::/64]:8080`. Raises ValueError naming what is wrong."""
        written, _, port = text.strip().rpartition(":")
        try:
            network = ipaddress.ip_network(written.removeprefix("[").removesuffix("]"))
            if not (port.isascii() and port.isdigit() and 0 < int(port) <= _HIGHEST_PORT):
                raise ValueError("no port stands after the last ':'")
        except ValueError as error:
            msg = f"endpoint {text!r}: {error} (write it like 10.20.0.5:4222, 127.0.0.0/8:5432 or [fd00::/64]:8080)"
            raise ValueError(msg) from None
        return cls(network, int(port))

    def is_at(self, address: _Address, port: int) -> bool:
        return port == self.port and address.version == self.network.version and address in self.network


@dataclass(frozen=True, slots=True)
class AllowedNetworks:
    """A closed list of networks, without the `denied` endpoints in them."""

    networks: tuple[Network, ...]
    denied: tuple[Endpoint, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str], denied: Iterable[str] = ()) -> Self:
        """From CIDR texts, and endpoints (`Endpoint.parse`). Raises ValueError naming the one that is wrong."""
        networks = []
        for text in texts:
            try:
                networks.append(ipaddress.ip_network(text.strip()))
            except ValueError as error:
                msg = f"allowed network {text!r}: {error} (write it like 10.20.0.0/16)"
                raise ValueError(msg) from None
        return cls(tuple(networks), tuple(Endpoint.parse(text) for text in denied))

    def allow(self, address: str, port: int | None = None) -> bool:
        """Whether `address` (an IP address) lies in one of the networks; IPv4-mapped IPv6 counts as IPv4.

        With `port`: and is no denied endpoint.
        """
        parsed = _plain(address)
        return any(parsed.version == network.version and parsed in network for network in self.networks) and not (
            port is not None and any(endpoint.is_at(parsed, port) for endpoint in self.denied)
        )

    def why_not(self, address: str, port: int) -> str:
        """In words, why `allow` is False."""
        if self.allow(address):
            return f"port {port} of {address} is the platform's own (denied_endpoints): no device is there"
        if not self.networks:
            return "no network is allowed yet: whoever installs the platform names them (allowed_networks)"
        return f"{address} is in none of the allowed networks"


def _plain(address: str) -> _Address:
    """Without a zone; IPv4-mapped IPv6 as IPv4, which is where a connection to it goes."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def canonical_host(host: str) -> str:
    """One spelling of a host, where no name resolution is needed: names in lower case, IPv4 in its four numbers.

    Resolvers read `127.1`, `2130706433` and `0x7f.1` as addresses (inet_aton), and full-width digits as digits.
    """
    if _PLAIN_IPV4.fullmatch(host):
        return host
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    host = host.lower().removesuffix(".")
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        return str(getattr(address, "ipv4_mapped", None) or address)
    if _NUMBERS.fullmatch(host):
        with suppress(OSError):
            return socket.inet_ntoa(socket.inet_aton(host))
    return host


async def resolve(host: str, port: int, allowed: AllowedNetworks | None, *, timeout_s: float) -> str:
    """Resolve `host` to the first IP address that is allowed with this port (`allowed` None: any), to connect to.

    Raises PeerError: `dns` when the name has no address (or the resolver is too slow), `address_not_allowed` when it
    has addresses and none lies in an allowed network.
    """
    addresses = _counted_addresses(host, port)
    if not addresses:
        addresses = [host] if _is_literal(host) else await _look_up(host, port, timeout_s)
    if allowed is None:
        return addresses[0]
    permitted = next((address for address in addresses if allowed.allow(address, port)), None)
    if permitted is None:
        raise PeerError(Cause.ADDRESS_NOT_ALLOWED, allowed.why_not(addresses[0], port))
    return permitted


@contextmanager
def only_at(host: str, port: int, address: str | None) -> Iterator[None]:
    """Within the block only this port of `host` is resolved, to `address` (None: it has none), and nothing else.

    What was counted and recorded by its address must not lead elsewhere a moment later: by whoever answers for the
    name, or by a device that redirects.
    """
    token = _only.set((canonical_host(host), port, address))
    try:
        yield
    finally:
        _only.reset(token)


def _counted_addresses(host: str, port: int) -> list[str]:
    """List what `only_at` says; none where it says nothing. Raises PeerError."""
    only = _only.get()
    if only is None:
        return []
    name, only_port, address = only
    if canonical_host(host) not in {name, address} or port != only_port:
        msg = "the device redirects to another address or port: ask that one by itself"
        raise PeerError(Cause.ADDRESS_NOT_ALLOWED, msg)
    if address is None:
        raise PeerError(Cause.DNS, "the name has no address")
    return [address]


def _is_literal(host: str) -> bool:
    """Whether no look-up is needed: the loop's resolver costs a change of threads even for an IP address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


async def _look_up(host: str, port: int, timeout_s: float) -> list[str]:
    try:
        async with asyncio.timeout(timeout_s):
            # A caller that stops waiting leaves the others their answer.
            return await asyncio.shield(_lookup(host, port))
    except TimeoutError:
        raise PeerError(Cause.DNS, f"the name was not resolved within {timeout_s:.3g} s") from None
    except (OSError, UnicodeError):
        raise PeerError(Cause.DNS, "the name has no address") from None


def _lookup(host: str, port: int) -> _Lookup:
    """Join the running resolution of a name, or begin a new one, in its own thread.

    A resolver that does not answer blocks a thread for half a minute. In the loop's pool of a few threads two such
    names would block all others; so a name uses one thread, however many callers wait for it.
    """
    loop = asyncio.get_running_loop()
    running = _running.setdefault(loop, {})
    found = running.get((host, port))
    if found is None:
        found = running[host, port] = loop.create_future()
        found.add_done_callback(lambda done: _remove_lookup(running, (host, port), done))
        threading.Thread(target=_resolve_for, args=(loop, found, host, port), name="resolve", daemon=True).start()
    return found


def _resolve_for(loop: asyncio.AbstractEventLoop, found: _Lookup, host: str, port: int) -> None:
    """Run in the thread."""
    answer: list[str] | OSError | UnicodeError
    try:
        answer = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        answer = error
    # A loop that was closed meanwhile needs no answer.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(_set_answer, found, answer)


def _set_answer(found: _Lookup, answer: list[str] | OSError | UnicodeError) -> None:
    if isinstance(answer, list):
        found.set_result(answer)
    else:
        found.set_exception(answer)


def _remove_lookup(running: dict[tuple[str, int], _Lookup], key: tuple[str, int], done: _Lookup) -> None:
    del running[key]
    # Read here, because the caller may have gone.
    done.exception()
