"""The form in which addresses and serial numbers compare, however they are written."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from vonggac.net.allowed_networks import canonical_host
from vonggac.net.origin import DEFAULT_PORTS

_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_RESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=64)
def normal_url(url: str) -> str:
    """Normalise an address for comparing, as RFC 3986 6.2 has it.

    Scheme and host in lower case, the default port left out, nothing encoded that needs not be, no empty step and no
    slash at the end of the path, parameters in their order.

    Of a file each is asked for once or twice more, right after the first time.
    """
    parts = urlsplit(url)
    host = normal_host(url)
    shown = f"[{host}]" if ":" in host else host
    stated = parts.port
    port = f":{stated}" if stated is not None and stated != DEFAULT_PORTS.get(parts.scheme) else ""
    query = f"?{'&'.join(sorted(_decoded(parts.query).split('&')))}" if parts.query else ""
    return f"{parts.scheme.lower()}://{shown}{port}{_normal_path(_decoded(parts.path))}{query}"


def normal_host(url: str) -> str:
    """Normalise the host of an address for comparing: lower case, no dot at the end, an IP address in its one form."""
    return canonical_host(urlsplit(url).hostname or "")


def normal_endpoint(url: str) -> tuple[str, int | None]:
    """Host and port of an address for comparing; the port is None where the scheme has no usual one."""
    parts = urlsplit(url)
    return normal_host(url), parts.port or DEFAULT_PORTS.get(parts.scheme)


def normal_serial(serial: str) -> str:
    """Normalise a serial number for comparing: labels and menus of one device differ in case and in spaces."""
    return _SPACE.sub("", serial).casefold()


def _normal_path(path: str) -> str:
    kept: list[str] = []
    for step in path.split("/"):
        if step == "..":
            del kept[-1:]
        elif step not in {"", "."}:
            kept.append(step)
    return "".join(f"/{step}" for step in kept)


def _decoded(text: str) -> str:
    return _ENCODED.sub(_sign, text) if "%" in text else text


def _sign(found: re.Match[str]) -> str:
    sign = chr(int(found[1], 16))
    return sign if sign in _NOT_RESERVED else found[0].upper()
