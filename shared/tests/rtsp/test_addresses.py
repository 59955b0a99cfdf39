import pytest

from vonggac.events.causes import Cause
from vonggac.rtsp import PRIVATE_NETWORKS, AllowedNetworks, RtspError, resolve

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


async def test_a_name_is_checked_by_what_it_resolves_to() -> None:
    with pytest.raises(RtspError) as caught:
        await resolve("localhost", 554, PRIVATE, timeout_s=10)
    assert caught.value.cause is Cause.ADDRESS_NOT_ALLOWED
    assert await resolve("localhost", 554, AllowedNetworks.parse(["127.0.0.0/8"]), timeout_s=10) == "127.0.0.1"


async def test_an_address_needs_no_look_up() -> None:
    assert await resolve("10.1.2.3", 554, PRIVATE, timeout_s=0) == "10.1.2.3"
    assert await resolve("203.0.113.9", 554, None, timeout_s=0) == "203.0.113.9"
