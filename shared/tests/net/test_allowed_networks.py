import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from vonggac.events.causes import Cause
from vonggac.net.allowed_networks import PRIVATE_NETWORKS, AllowedNetworks, Endpoint, canonical_host, resolve
from vonggac.net.errors import PeerError

PRIVATE = AllowedNetworks.parse(PRIVATE_NETWORKS)


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.64", "100.64.0.1", "fd00::1", "::ffff:10.1.2.3"])
def test_private_addresses_are_allowed_by_default(address: str) -> None:
    assert PRIVATE.allow(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "8.8.8.8", "169.254.169.254", "::ffff:127.0.0.1", "fe80::1%lo"]
)
def test_loopback_link_local_and_public_addresses_are_not(address: str) -> None:
    assert not PRIVATE.allow(address)


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8.*like 10\.20\.0\.0/16"):
        AllowedNetworks.parse(["10.0.0.0/8", "10.0.0.1/8"])


OWN = AllowedNetworks.parse(["127.0.0.0/8", "::1/128"], ["127.0.0.0/8:5432", "[::1/128]:5432"])


@pytest.mark.parametrize(
    "spelled",
    ["127.0.0.1", "127.0.0.2", "127.1", "0177.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "１２７.0.0.1", "::1",
     "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "localhost", "LOCALHOST"],
)  # fmt: skip
async def test_a_port_of_the_platform_is_forbidden_in_every_spelling_and_no_other_port_is(spelled: str) -> None:
    with pytest.raises(PeerError, match=r"port 5432 of .* is the platform's own") as caught:
        await resolve(spelled, 5432, OWN, timeout_s=10)
    assert caught.value.cause is Cause.ADDRESS_NOT_ALLOWED
    assert await resolve(spelled, 554, OWN, timeout_s=10)


@pytest.mark.parametrize(
    "spelled", ["0.0.0.0", "::", "0", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%lo"]
)
async def test_other_ways_to_this_machine_are_in_no_allowed_network(spelled: str) -> None:
    with pytest.raises(PeerError, match="none of the allowed networks"):
        await resolve(spelled, 5432, OWN, timeout_s=10)


def test_an_endpoint_is_read_in_three_forms_and_a_wrong_one_is_named() -> None:
    for text in ("10.0.0.5:4222", "10.0.0.0/24:4222", "[fd00::/64]:8080", "fd00::5:8080"):
        assert Endpoint.parse(text).port in {4222, 8080}
    for text in ("10.0.0.5", "10.0.0.5:0", "10.0.0.5:65536", "10.0.0.5:x", "10.0.0.1/8:80", ":80", "", "nats:4222"):
        with pytest.raises(ValueError, match=r"write it like 10\.20\.0\.5:4222"):
            Endpoint.parse(text)


async def test_without_any_network_nothing_is_allowed_and_it_says_who_names_them() -> None:
    with pytest.raises(PeerError, match="whoever installs the platform names them"):
        await resolve("10.1.2.3", 554, AllowedNetworks.parse(()), timeout_s=0)


async def test_a_name_is_checked_by_what_it_resolves_to() -> None:
    with pytest.raises(PeerError) as caught:
        await resolve("localhost", 554, PRIVATE, timeout_s=10)
    assert caught.value.cause is Cause.ADDRESS_NOT_ALLOWED
    assert await resolve("localhost", 554, AllowedNetworks.parse(["127.0.0.0/8"]), timeout_s=10) == "127.0.0.1"


async def test_an_address_needs_no_look_up() -> None:
    assert await resolve("10.1.2.3", 554, PRIVATE, timeout_s=0) == "10.1.2.3"
    assert await resolve("203.0.113.9", 554, None, timeout_s=0) == "203.0.113.9"


@pytest.mark.parametrize("spelled", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "１２７.0.0.1"])
async def test_an_ipv4_address_has_one_spelling_of_those_that_resolvers_take(spelled: str) -> None:
    assert canonical_host(spelled) == await resolve(spelled, 554, None, timeout_s=10) == "127.0.0.1"


@pytest.mark.parametrize("host", ["nvr1.site.local", "face", "1.2.3.4.5", "999.1", "ex..ample", "a" * 300, "fe80::1%a"])
def test_what_is_no_other_spelling_stays_as_it_is(host: str) -> None:
    assert canonical_host(host) == host


STUCK = 20
type Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_names_that_nobody_answers_for_keep_no_other_name_waiting(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, free, really = list[str](), threading.Event(), socket.getaddrinfo

    def slow(host: str, port: int, **more: Any) -> Any:
        asked.append(host)
        if host.startswith("stuck"):
            free.wait(30)
            raise socket.gaierror
        return really(host, port, **more)

    async def look_up() -> None:
        names = [f"stuck-{number % STUCK}.example" for number in range(5 * STUCK)]
        stuck = [asyncio.create_task(resolve(name, 554, None, timeout_s=30)) for name in names]
        gone = asyncio.create_task(resolve("stuck-0.example", 554, None, timeout_s=0.05))
        assert await resolve("localhost", 554, None, timeout_s=5) in {"127.0.0.1", "::1"}
        assert sorted(asked) == sorted({*names, "localhost"})
        with pytest.raises(PeerError, match=r"not resolved within 0\.05 s"):
            await gone
        free.set()
        answers = await asyncio.gather(*stuck, return_exceptions=True)
        assert {str(answer) for answer in answers} == {"dns: the name has no address"}
        assert await resolve("localhost", 554, None, timeout_s=5) in {"127.0.0.1", "::1"}

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(look_up())
