"""How a centre may pull: what fits together, and a password that nobody mistypes."""

from typing import Any

import pytest
from pydantic import ValidationError

from inventory.domain.devices.serving import (
    PASSWORD_LENGTH,
    PASSWORD_LETTERS,
    Serving,
    check_source_network,
    find_faults,
    new_password,
)
from vonggac.settings.served_addresses import check_served_addresses

NETWORK = {"source_networks": ["10.9.0.0/24"]}


def faults(**given: Any) -> list[str]:
    return [name for name, _ in find_faults(Serving.model_validate(given))]


def test_a_password_has_20_of_58_characters_that_nobody_mistakes() -> None:
    assert (PASSWORD_LENGTH, len(set(PASSWORD_LETTERS)), len(PASSWORD_LETTERS)) == (20, 58, 58)
    assert not set("0OIl") & set(PASSWORD_LETTERS)
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    assert all(len(each) == 20 and set(each) <= set(PASSWORD_LETTERS) for each in made)


@pytest.mark.parametrize(
    ("text", "stored"),
    [("10.9.0.5", "10.9.0.5/32"), (" 10.9.0.0/24", "10.9.0.0/24"), ("2001:DB8::/48", "2001:db8::/48"),
     ("fc00::/7", "fc00::/7"), ("2001:db8::1", "2001:db8::1/128")],
)  # fmt: skip
def test_a_network_is_kept_in_one_spelling(text: str, stored: str) -> None:
    assert check_source_network(text) == stored


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10.9.0.5/24", "10.9.0.0/24"), ("2001:db8::5/48", "2001:db8::/48"), ("centre.example", "CIDR"), ("", "CIDR"),
        ("0.0.0.0/0", "anywhere"), ("::/0", "anywhere"), ("128.0.0.0/1", "anywhere"), ("::ffff:10.9.0.5", "10.9.0.5"),
        ("fe80::1%eth0", "CIDR"), ("10.9.0.0/33", "CIDR"), ("10.9.0.0/24/8", "CIDR"), ("010.9.0.1", "CIDR"),
    ],
)  # fmt: skip
def test_what_is_no_source_network_says_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        check_source_network(text)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (NETWORK, []),
        ({}, ["source_networks"]),
        ({"anywhere": True}, ["anywhere_reason"]),
        ({"anywhere": True, "anywhere_reason": "Địa chỉ thay đổi"}, []),
        ({"anywhere": True, "anywhere_reason": "x", **NETWORK}, ["anywhere"]),
        ({"anywhere_reason": "x", **NETWORK}, ["anywhere_reason"]),
        ({"tls": "none", **NETWORK}, []),
        ({"tls": "none", "source_networks": ["10.9.0.0/24", "203.0.113.0/24"]}, ["tls"]),
        ({"tls": "none", "source_networks": ["100.64.0.0/10"]}, ["tls"]),
        ({"tls": "none", "source_networks": ["172.0.0.0/11"]}, ["tls"]),
        ({"tls": "none", "anywhere": True, "anywhere_reason": "x"}, ["tls"]),
        ({"tls": "none", "basic": True, **NETWORK}, ["basic"]),
        ({"basic": True, **NETWORK}, []),
        ({"transports": ["tcp", "udp"], **NETWORK}, ["transports"]),
        ({"transports": ["tcp", "udp"], "tls": "offered", **NETWORK}, []),
        ({"transports": ["tcp", "tcp"], **NETWORK}, ["transports"]),
        ({"source_networks": ["10.9.0.5", "10.9.0.5/32"]}, ["source_networks"]),
    ],
)
def test_what_does_not_fit_together_is_named(given: dict[str, Any], named: list[str]) -> None:
    assert faults(**given) == named


@pytest.mark.parametrize(
    "given",
    [
        {"sessions_per_camera": 1},
        {"sessions_per_camera": 5},
        {"transports": []},
        {"transports": ["multicast"]},
        {"tls": "maybe"},
        {"login": "basic"},
        {"source_networks": [f"10.9.{n}.0/24" for n in range(33)]},
        {"qop": "auth"},
    ],
    ids=str,
)
def test_what_is_outside_its_bounds_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Serving.model_validate(NETWORK | given)


def test_a_part_that_is_null_has_its_default() -> None:
    empty = dict.fromkeys(Serving.model_fields)
    assert Serving.model_validate(empty) == Serving()


@pytest.mark.parametrize(
    "texts", [(), ("rtsps://giam-sat.example:322",), ("rtsps://[fd00::1]:322", "rtsp://10.1.1.1:8554")]
)
def test_public_addresses_are_schemes_hosts_and_ports(texts: tuple[str, ...]) -> None:
    assert check_served_addresses(texts) == texts


@pytest.mark.parametrize(
    "texts",
    [
        ("rtsps://a:322/path",),
        ("rtsps://u:p@a:322",),
        ("rtsps://a", "rtsps://b"),
        ("http://a",),
        ("a:322",),
        ("rtsp://",),
    ],
    ids=str,
)
def test_other_public_addresses_are_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check_served_addresses(texts)
