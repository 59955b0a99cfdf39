"""Centres that pull: from where, over what, with which login, and whom a report names when nobody asks."""

import ipaddress
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from inventory.domain.fields import Fields, Line, Name
from vonggac.events.inventory import ServedLogin, ServedTls, ServedTransport

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PASSWORD_LENGTH = 20
PASSWORD_LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # noqa: S105 # an alphabet
"""58 characters: none of 0, O, I and l, which are mistaken for another when somebody types them."""
MOST_NETWORKS = 32
LONGEST_OVERLAP = timedelta(days=7)
_WIDEST = {4: 8, 6: 16}
"""Bits of the widest network; a wider one is anywhere."""
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
)


def new_password() -> str:
    """Make a password of 117 random bits that can be read out and typed in."""
    return "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_LENGTH))


def check_source_network(text: str) -> str:
    """Parse a network in CIDR, or an address as a network of its own. Raises ValueError saying what would be right."""
    text = text.strip()
    try:
        network = ipaddress.ip_network(text, strict=False)
        if "%" in text:
            raise ValueError(text)
    except ValueError:
        msg = f"{text[:50]} is no network: write it in CIDR, e.g. 10.9.0.0/24, or one address, e.g. 10.9.0.5"
        raise ValueError(msg) from None
    if "/" in text and str(ipaddress.ip_interface(text).ip) != str(network.network_address):
        msg = f"{text} names an address within a network: write {network}, or the address alone"
        raise ValueError(msg)
    if network.version == 6 and network.network_address.ipv4_mapped is not None:
        msg = f"{text} is IPv4 written as IPv6: write {network.network_address.ipv4_mapped}"
        raise ValueError(msg)
    if network.prefixlen < _WIDEST[network.version] and not _is_private(network):
        msg = f"{text} is as wide as anywhere: give the centre's own networks, or anywhere with anywhere_reason"
        raise ValueError(msg)
    return str(network)


def _is_private(network: Network) -> bool:
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type] # of one version
        for private in _PRIVATE
    )


class Serving(Fields):
    """How a centre pulls. A part that is null has its default."""

    source_networks: Annotated[
        tuple[Annotated[str, AfterValidator(check_source_network)], ...], Field(max_length=MOST_NETWORKS)
    ] = Field(
        default=(),
        description="Networks (CIDR) from which the centre connects; at least one, unless `anywhere`.",
        examples=[["10.9.0.0/24"]],
    )
    anywhere: bool = Field(default=False, description="It connects from any address; needs `anywhere_reason`.")
    anywhere_reason: Line | None = Field(default=None, description="Why no network can be named.")
    transports: Annotated[tuple[ServedTransport, ...], Field(min_length=1)] = Field(
        default=(ServedTransport.TCP,),
        description="tcp: in the RTSP connection. udp: unicast, which nothing encrypts, so not where TLS is required.",
    )
    tls: ServedTls = Field(
        default=ServedTls.REQUIRED,
        description="required: rtsps alone. offered: rtsp too. none: rtsp alone, from private networks alone.",
    )
    login: ServedLogin = Field(
        default=ServedLogin.MD5,
        description="Digest that is asked for: md5 is what every player knows; sha256 alone; or both.",
    )
    basic: bool = Field(default=False, description="Basic is offered too, inside TLS alone.")
    sessions_per_camera: int = Field(
        default=2, ge=2, le=4, description="Sessions of one camera at a time: one to record, one to watch."
    )
    responsible: Name | None = Field(
        default=None,
        description="Who is reminded, and named in reports, when the centre does not ask.",
        examples=["Phòng Vận hành, Trung tâm điều hành Bộ Y tế"],
    )

    @model_validator(mode="before")
    @classmethod
    def _default_of_null(cls, value: Any) -> Any:
        """Replace null by the default: an empty cell of a file is null."""
        if not isinstance(value, Mapping):
            return value
        defaults = {name: info.default for name, info in cls.model_fields.items()}
        return {name: defaults.get(name) if given is None else given for name, given in value.items()}


def find_faults(serving: Serving) -> Iterator[tuple[str, str]]:
    """Fields that do not fit together, each with the sentence that says what would be right."""
    if serving.anywhere and serving.source_networks:
        yield "anywhere", "goes without source_networks: give either"
    elif serving.anywhere and serving.anywhere_reason is None:
        yield "anywhere_reason", "is missing: say why no network of the centre can be named"
    elif not serving.anywhere and not serving.source_networks:
        yield "source_networks", "is missing: give the networks from which the centre connects, e.g. 10.9.0.0/24"
    if not serving.anywhere and serving.anywhere_reason is not None:
        yield "anywhere_reason", "goes with anywhere: leave it out, or set anywhere"
    for name, values in (("source_networks", serving.source_networks), ("transports", serving.transports)):
        if len(set(values)) < len(values):
            yield name, "has one of its entries twice: name each once"
    if serving.tls is ServedTls.NONE and not _from_private_networks_alone(serving):
        yield "tls", "is none, and the centre connects from a network that is not private: require or offer TLS"
    if serving.tls is ServedTls.NONE and serving.basic:
        yield "basic", "is offered inside TLS alone, and tls is none: leave it out, or offer TLS"
    if serving.tls is ServedTls.REQUIRED and ServedTransport.UDP in serving.transports:
        yield "transports", "udp is not encrypted, and tls is required: leave udp out, or set tls to offered"


def _from_private_networks_alone(serving: Serving) -> bool:
    return not serving.anywhere and all(_is_private(ipaddress.ip_network(each)) for each in serving.source_networks)
