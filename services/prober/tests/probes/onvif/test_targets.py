"""Which addresses a scan asks."""

import pytest

from prober.probes.onvif.targets import Endpoint, Target, WrongAddressesError, expand

PORTS = (80, 8080)


def test_addresses_ports_and_networks_become_targets_in_order() -> None:
    assert expand(["10.1.2.9", "10.1.2.3:8899", "10.1.3.0/30"], PORTS) == (
        Target("10.1.2.9", PORTS),
        Target("10.1.2.3", (8899,)),
        Target("10.1.3.1", PORTS),
        Target("10.1.3.2", PORTS),
    )


def test_devices_behind_one_address_are_targets_of_their_own_and_nothing_is_asked_twice() -> None:
    assert expand(["10.1.2.3:8899", "10.1.2.3:8898", "10.1.2.3:8899", "10.1.2.3", "10.1.2.2/31"], (80,)) == (
        Target("10.1.2.3", (8899,)),
        Target("10.1.2.3", (8898,)),
        Target("10.1.2.3", (80,)),
        Target("10.1.2.2", (80,)),
    )


def test_a_24_fits_and_two_do_not() -> None:
    assert len(expand(["10.1.2.0/24"], PORTS)) == 254
    with pytest.raises(WrongAddressesError, match="split the scan"):
        expand(["10.1.2.0/24", "10.1.3.0/24"], PORTS)


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.1.0.0/23", "::/0", "fd00::/64"])
def test_a_large_network_is_refused_before_it_is_listed(text: str) -> None:
    with pytest.raises(WrongAddressesError, match="smaller network"):
        expand([text], PORTS)


def test_every_wrong_address_is_named() -> None:
    with pytest.raises(WrongAddressesError) as wrong:
        expand(["10.1.2.3", "cam.example", "10.1.2", "10.1.2.0/99", "10.1.2.3:0"], PORTS)
    assert [index for index, _ in wrong.value.mistakes] == [1, 2, 3, 4]


@pytest.mark.parametrize("text", ["fe80::1%lo", "[fe80::1%lo]:80", "fe80::1%lo/128", "fe80::%lo/125"])
def test_an_address_with_a_zone_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(WrongAddressesError, match="has a zone") as wrong:
        expand(["10.1.2.3", text], PORTS)
    assert [index for index, _ in wrong.value.mistakes] == [1]
    assert text in str(wrong.value)
    with pytest.raises(ValueError, match="is no address"):
        Endpoint.parse(text)


def test_ipv6_is_asked_too() -> None:
    assert expand(["fd00::5", "[fd00::6]:8080"], (80,)) == (Target("fd00::5", (80,)), Target("fd00::6", (8080,)))
    assert str(Endpoint("fd00::5", 80)) == "[fd00::5]:80"
    assert Endpoint.parse(str(Endpoint("fd00::5", 8080))) == Endpoint("fd00::5", 8080)
