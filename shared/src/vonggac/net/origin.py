"""Where a login belongs: the scheme, host and port of an address, in one spelling."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from vonggac.net.allowed_networks import canonical_host
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl

DEFAULT_PORTS: Mapping[str, int] = MappingProxyType(
    {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
)
"""Of schemes whose addresses may leave the port out."""
_WITHOUT_A_HOST = frozenset({"served"})
"""Schemes whose authority is a code of the register: two codes are one origin only when they are equal."""
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_AUTHORITY_END = re.compile(r"[/?#]")
_PORT = re.compile(r":[0-9]+$")


class Origin(str):
    """`scheme://host:port`: lower case, the port always there, IPv6 in brackets. `served://code`: as it was written."""

    __slots__ = ()

    @classmethod
    def of(cls, url: str) -> Self:
        """Of an address with or without userinfo, path and query; placeholders may stand in path and query.

        Raises MalformedError, never quoting the address. A placeholder in host or port is none of an address: whoever
        runs the name server of such a host would learn what is filled in.
        """
        found = _SCHEME.match(url.strip())
        if found is None:
            raise MalformedError("the address does not begin with a scheme, such as rtsp://")
        scheme = found[1].lower()
        authority = _AUTHORITY_END.split(url.strip()[found.end() :], maxsplit=1)[0].rpartition("@")[2]
        if "{" in authority or "}" in authority:
            raise MalformedError("the host or port of the address holds a placeholder")
        if scheme in _WITHOUT_A_HOST:
            if not authority:
                raise MalformedError("the address names no destination")
            return cls(f"{scheme}://{authority}")
        # All other schemes share RFC 3986's authority; 0 is no port that can be stated.
        parsed = RtspUrl.parse(f"rtsp://{authority}")
        return cls.at(scheme, parsed.host, parsed.port if _PORT.search(authority) is not None else None)

    @classmethod
    def at(cls, scheme: str, host: str, port: int | None) -> Self:
        """Of the parts of an address. `scheme` in lower case; `port` None: the usual one of the scheme."""
        port = DEFAULT_PORTS.get(scheme, 0) if port is None else port
        host = canonical_host(host)
        return cls(f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}")

    @classmethod
    def of_device_service(cls, address: str) -> Self:
        """Of an ONVIF device service stated as `host` or `host:port`. Raises MalformedError."""
        bare_ipv6 = address.count(":") > 1 and not address.startswith("[")
        return cls.of(f"http://[{address}]" if bare_ipv6 else f"http://{address}")
