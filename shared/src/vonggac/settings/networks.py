"""Settings that name networks and endpoints: texts, comma separated or as a JSON list, checked when they are read."""

import json
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from vonggac.net.allowed_networks import AllowedNetworks

DENIED_ENDPOINTS = (
    "The platform's own ports inside the allowed networks, CIDR:port, comma separated: never connected to for a "
    "camera, a centre or a receiver (127.0.0.0/8:5432, [fd00::/64]:4222)."
)
"""What `denied_endpoints` means."""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        # An IPv6 endpoint begins with a bracket too.
        with suppress(ValueError):
            return json.loads(value)
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    AllowedNetworks.parse(value)
    return value


def _check_endpoints(value: tuple[str, ...]) -> tuple[str, ...]:
    AllowedNetworks.parse((), value)
    return value


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Texts of any kind, written alike."""
NetworkTexts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_networks)]
"""Networks in CIDR."""
EndpointTexts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_endpoints)]
"""Endpoints, as `vonggac.net.allowed_networks.Endpoint.parse` reads them."""
