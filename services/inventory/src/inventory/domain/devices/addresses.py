"""Addresses of cameras and destinations, with credentials split off: no stored address holds any."""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from vonggac.net.address_secrets import key_like_segments, random_parameters, secret_parameters
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.errors import MalformedError
from vonggac.net.origin import DEFAULT_PORTS, Origin
from vonggac.net.url import Credentials, RtspUrl, strip_userinfo

_SPACE = re.compile(r"\s")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
_CREDENTIAL_PLACEHOLDERS = frozenset({"{username}", "{password}"})
_TEMPLATE_PLACEHOLDERS = frozenset({"{camera_code}", "{facility_code}", "{camera_id}"})
_UNIQUE_PLACEHOLDERS = frozenset({"{camera_code}", "{camera_id}"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AFTER_AT = re.compile(r"[/?]")
_PORT = re.compile(r":[0-9]+$")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
_FILES = (".m3u8", ".ts")
_BARE_SOCKETS = frozenset({"tcp", "udp"})
_WITH_APPLICATION = frozenset({"rtmp", "rtmps"})
_MAX_SHOWN_SCHEME = 20
CAMERA_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "tcp", "udp")
DESTINATION_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps")
READ_BACK_SCHEMES = ("rtsp", "rtsps")
SECURE_SCHEMES = frozenset({"rtsps", "rtmps", "https"})
CAMERA_SCHEMES_SHOWN = (
    "rtsp, rtsps, rtmp, rtmps, http or https for HLS (.m3u8) and MPEG-TS (.ts), tcp or udp for MPEG-TS"
)
DESTINATION_SCHEMES_SHOWN = ", ".join(DESTINATION_SCHEMES)
MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """An address without its credentials, and the credentials. `host` is a name or an IP address."""

    url: str
    host: str
    origin: Origin
    """Where a login that belongs to the address may be sent."""
    credentials: Credentials | None = field(default=None, repr=False)


GIVE_AGAIN = (
    "leads to another scheme, host or port than the stored credentials were given for: give the credentials again in "
    "the same change, or remove them first"
)


def leads_elsewhere(before: str | None, after: str) -> bool:
    """Whether a login given for the address `before` must not be sent to `after`."""
    try:
        return before is None or Origin.of(before) != Origin.of(after)
    except MalformedError:
        return True


def scheme_of(url: str) -> str:
    """Return the scheme in lower case; empty when there is none."""
    found = _SCHEME.match(url)
    return found[1].lower() if found is not None else ""


def parse_camera_url(text: str) -> Address:
    """`scheme://[user:password@]host[:port]/path`, perhaps with `{username}` and `{password}` in path or query.

    Raises ValueError saying what would be right, never quoting the address.
    """
    text = text.strip()
    scheme = _check_scheme(text, CAMERA_SCHEMES, CAMERA_SCHEMES_SHOWN)
    address = _parse(text, _CREDENTIAL_PLACEHOLDERS)
    _check_port(address, scheme)
    if scheme in _BARE_SOCKETS:
        _check_no_credentials(address, scheme)
    elif scheme in _WITH_APPLICATION:
        _check_application(address, scheme)
    elif scheme in {"http", "https"} and not address.url.partition("?")[0].lower().endswith(_FILES):
        msg = f"is an {scheme} address that ends neither in .m3u8 (HLS) nor in .ts (MPEG-TS): give the stream's own one"
        raise ValueError(msg)
    return address


def parse_url_template(text: str) -> Address:
    """Parse a destination's template; it names the camera by `{camera_code}` or `{camera_id}`.

    Raises ValueError saying what would be right, never quoting the address.
    """
    text = text.strip()
    scheme = _check_scheme(text, DESTINATION_SCHEMES, DESTINATION_SCHEMES_SHOWN)
    address = _parse(text, _TEMPLATE_PLACEHOLDERS | _CREDENTIAL_PLACEHOLDERS)
    _check_port(address, scheme)
    if scheme in _WITH_APPLICATION:
        _check_application(address, scheme)
    path = address.url.split("://", 1)[1].partition("/")[2]
    if not any(placeholder in path for placeholder in _UNIQUE_PLACEHOLDERS):
        msg = "must have {camera_code} or {camera_id} in its path, so that every camera gets an address of its own"
        raise ValueError(msg)
    return address


def parse_read_back_template(text: str) -> Address:
    """Parse the template of the address where a centre plays a stream back: as `parse_url_template`, and only RTSP.

    Raises ValueError as that does.
    """
    scheme = scheme_of(text.strip())
    if scheme in DESTINATION_SCHEMES and not can_be_read_back(text.strip()):
        msg = (
            f"is an {scheme} address, and only {' and '.join(READ_BACK_SCHEMES)} can be read back: give the RTSP "
            "address where the centre plays the stream, or leave it out and demand 'acknowledged'"
        )
        raise ValueError(msg)
    return parse_url_template(text)


def can_be_read_back(url: str) -> bool:
    """Whether a prober can play this address."""
    return scheme_of(url) in READ_BACK_SCHEMES


def check_networks(address: Address, allowed: AllowedNetworks | None) -> None:
    """Raise ValueError when the host is an IP address outside them; workers check names when they resolve them."""
    if allowed is None:
        return
    host, _, port_text = address.origin.partition("://")[2].rpartition(":")
    host, port = host.strip("[]"), int(port_text)
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if allowed.allow(host, port):
        return
    if allowed.allow(host):
        msg = f"leads to {address.host}:{port}, which is a port of the platform itself: no camera or centre is there"
        raise ValueError(msg)
    shown = ", ".join(str(network) for network in allowed.networks)
    msg = f"leads to {address.host}, which is in none of the allowed networks ({shown})"
    raise ValueError(msg)


def render(template: str, *, camera_code: str, facility_code: str, camera_id: UUID) -> str:
    """Fill in the address at a destination where one camera is published."""
    if "{camera_id}" in template:
        template = template.replace("{camera_id}", str(camera_id))
    return template.replace("{camera_code}", camera_code).replace("{facility_code}", facility_code)


def _check_scheme(text: str, schemes: tuple[str, ...], shown: str) -> str:
    scheme = scheme_of(text)
    if not scheme:
        msg = f"does not begin with a scheme; an address looks like rtsp://10.1.2.3:554/path; schemes: {shown}"
        raise ValueError(msg)
    if scheme not in schemes:
        msg = f"has the scheme {scheme[:_MAX_SHOWN_SCHEME]}://, which is not supported; schemes: {shown}"
        raise ValueError(msg)
    return scheme


def _check_no_credentials(address: Address, scheme: str) -> None:
    if address.credentials is not None:
        msg = f"holds credentials, and MPEG-TS over {scheme} knows no login: leave them out"
        raise ValueError(msg)


def _check_port(address: Address, scheme: str) -> None:
    authority = address.url.split("://", 1)[1].partition("/")[0].partition("?")[0]
    if scheme not in DEFAULT_PORTS and _PORT.search(authority) is None:
        msg = f"has no port, and {scheme} has no usual one: write {scheme}://10.1.2.3:5000"
        raise ValueError(msg)


def _check_application(address: Address, scheme: str) -> None:
    path = address.url.split("://", 1)[1].partition("?")[0].partition("/")[2]
    if len([part for part in path.split("/") if part]) < 2:
        msg = (
            f"names an application and no stream: RTMP needs both, write {scheme}://10.1.2.3/application/stream, at a "
            f"destination {scheme}://10.1.2.3/live/{{camera_code}}"
        )
        raise ValueError(msg)


def _parse(text: str, allowed: frozenset[str]) -> Address:
    if len(text) > MAX_LENGTH:
        msg = f"is longer than {MAX_LENGTH} characters"
        raise ValueError(msg)
    try:
        # All schemes share RFC 3986's authority; the check of its parts is the RTSP client's own.
        parsed = RtspUrl.parse(_SCHEME.sub("rtsp://", text, count=1))
    except MalformedError as error:
        msg = f"{error.message.replace('RTSP address', 'address')}; an address looks like rtsp://10.1.2.3:554/path"
        raise ValueError(msg) from None
    check_numbers(parsed.host)
    bare = strip_userinfo(text)
    if not bare.isascii() or _SPACE.search(bare):
        msg = "holds a space or a letter that no address has: percent-encode it"
        raise ValueError(msg)
    scheme, _, target = bare.partition("://")
    authority = target.partition("/")[0].partition("?")[0]
    if "#" in bare or ("@" in target and _may_be_login(authority, target, parsed)):
        msg = (
            "has an @ that may end a login, or a #: write %40, %23, %2F and %3F for @ # / ? in a user name, a password "
            "or a path"
        )
        raise ValueError(msg)
    _check_placeholders(bare, allowed)
    if _PLACEHOLDER.search(authority):
        msg = "holds a placeholder in host or port: they stand in path or query only"
        raise ValueError(msg)
    # What only looks like a key has to be confirmed at an RTMP destination (`may_hold_stream_key`).
    may_be_confirmed = allowed != _CREDENTIAL_PLACEHOLDERS and scheme.lower() in _WITH_APPLICATION
    _check_no_secret(target[len(authority) + 1 :], by_value=not may_be_confirmed)
    origin = Origin.at(scheme.lower(), parsed.host, parsed.port if _PORT.search(authority) is not None else None)
    return Address(bare, parsed.host, origin, _credentials(parsed))


def _may_be_login(authority: str, target: str, parsed: RtspUrl) -> bool:
    """Whether what stands before an @ in path or query may be a login with a / or ? of its own.

    `user:12/34@host` reads as host and port, and `user:p@ss/34@host` as a login at `ss`. An IP address is no user name,
    a name without a port has no password behind it, and no camera is at an @ behind which no host stands.
    """
    try:
        ipaddress.ip_address(parsed.host.partition("%")[0])
    except ValueError:
        has_password = parsed.credentials is not None or _PORT.search(authority) is not None
        behind = _AFTER_AT.split(target.rpartition("@")[2], maxsplit=1)[0]
        return has_password and ("." not in parsed.host.strip(".") or "." in behind or ":" in behind)
    return False


def check_numbers(host: str) -> None:
    """Raise ValueError for numbers that are no IPv4 address as people read it.

    Resolvers take them for one all the same: 010.20.1.5 is 8.20.1.5 to them, and 10.1.257 is 10.1.1.1.
    """
    if ":" in host or _ENDS_IN_NUMBER.fullmatch(host) is None:
        return
    try:
        ipaddress.IPv4Address(host.removesuffix("."))
    except ValueError:
        msg = "is no IPv4 address: write four numbers of 0 to 255, without zeros in front, e.g. 10.20.1.5"
        raise ValueError(msg) from None


def _check_placeholders(url: str, allowed: frozenset[str]) -> None:
    for found in _PLACEHOLDER.findall(url):
        if found not in allowed:
            msg = f"holds a placeholder that does not exist; there are {', '.join(sorted(allowed))}"
            raise ValueError(msg)


@lru_cache(maxsize=256)
def _check_no_secret(target: str, *, by_value: bool) -> None:
    """`target`: path and query. Many cameras have the same; one with a secret is not kept."""
    for name, _ in random_parameters(target) if by_value else ():
        msg = (
            f"holds what looks like a key in '{name}=': put it into the credentials and write {{password}} there, so "
            "that it is stored sealed"
        )
        raise ValueError(msg)
    for name, value in secret_parameters(target):
        if value and value not in _CREDENTIAL_PLACEHOLDERS:
            msg = (
                f"holds a secret in '{name}=': put it into the credentials and write {{password}} (and {{username}}) "
                "there, so that it is stored sealed"
            )
            raise ValueError(msg)


def check_no_login(address: Address) -> None:
    """Raise ValueError when the address of a sub stream brings a login of its own."""
    if address.credentials is not None:
        msg = "holds credentials: leave them out, the camera's login is used"
        raise ValueError(msg)


def may_hold_stream_key(template: str | None) -> bool:
    """Whether a part of an RTMP destination's path looks like a stream key that stands there in clear."""
    if template is None or scheme_of(template) not in {"rtmp", "rtmps"}:
        return False
    return bool(key_like_segments(template.split("://", 1)[1].partition("/")[2]))


def _credentials(parsed: RtspUrl) -> Credentials | None:
    if parsed.credentials is None or parsed.credentials == Credentials("", ""):
        return None
    if not parsed.credentials.username:
        msg = "holds a password and no user name: write user:password@"
        raise ValueError(msg)
    return Credentials(username=parsed.credentials.username, password=parsed.credentials.password)
