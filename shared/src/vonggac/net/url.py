"""RTSP addresses, with the credentials separate from what is sent and what is shown."""

import base64
import re
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote

from vonggac.net.errors import MalformedError, PeerError
from vonggac.telemetry.redaction import redact

DEFAULT_PORT = 554
DEFAULT_TLS_PORT = 322
"""Of rtsps (RFC 7826 §4.2)."""

_DEFAULT_PORTS = {"rtsp": DEFAULT_PORT, "rtsps": DEFAULT_TLS_PORT}
_MAX_LENGTH = 2048
_MAX_SHOWN_SCHEME = 20
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"^[^\s\x00-\x1f\x7f/?#@\[\]\\=;,&%\"'<>|^`*!$()]+$")
_TARGET = re.compile(r"[/?]")
_PORT = re.compile(r":[0-9]{1,5}")
_NOT_IN_REQUESTS = re.compile(r"[^\x21-\x7e]+")
_PATH_SAFE = "%/?:@!$&'()*+,;=-._~[]|"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A login. Neither `repr` nor `str` shows it."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(***)"

    @property
    def words(self) -> tuple[str, str]:
        """What a peer may repeat in its answers and must not be shown: the password, and both as Basic sends them."""
        pair = f"{self.username}:{self.password}".encode("utf-8", "replace")
        return self.password, base64.b64encode(pair).decode("ascii")


@dataclass(frozen=True, slots=True, repr=False)
class RtspUrl:
    """`rtsp[s]://[user:password@]host[:port]/path[?query]`.

    `target` is path and query as they go on the wire, percent-encoded, with a leading `/`, or "" if none was
    given. `str()` and `repr()` show neither the userinfo nor password parameters in the path.
    """

    host: str
    port: int = DEFAULT_PORT
    target: str = ""
    credentials: Credentials | None = field(default=None, compare=False)
    scheme: str = "rtsp"
    """"rtsp" or "rtsps" (over TLS)."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse an address. Raises MalformedError naming what is wrong (never quoting it: it may hold a password)."""
        text = text.strip()
        if len(text) > _MAX_LENGTH:
            raise MalformedError(f"the RTSP address is longer than {_MAX_LENGTH} characters")
        found = _SCHEME.match(text)
        if found is None:
            raise MalformedError("the RTSP address does not begin with rtsp:// or rtsps://")
        scheme = found[1].lower()
        if scheme not in _DEFAULT_PORTS:
            raise MalformedError(f"the scheme is {scheme[:_MAX_SHOWN_SCHEME]}://, it must be rtsp:// or rtsps://")
        rest = text[found.end() :]
        if _CONTROL.search(rest):
            raise MalformedError("the RTSP address holds a control character")
        authority, target = _split_authority(rest)
        userinfo, at, hostport = authority.rpartition("@")
        host, port = _split_port(hostport)
        return cls(
            host,
            port or _DEFAULT_PORTS[scheme],
            _encode_target(target),
            _parse_userinfo(userinfo) if at else None,
            scheme,
        )

    @property
    def secure(self) -> bool:
        """Whether TLS is used."""
        return self.scheme == "rtsps"

    @property
    def authority(self) -> str:
        """`host` or `host:port`; IPv6 in brackets; the default port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def wire(self) -> str:
        """The address for request lines: without credentials."""
        return f"{self.scheme}://{self.authority}{self.target}"

    def __str__(self) -> str:
        return redact(self.wire)

    def __repr__(self) -> str:
        return f"RtspUrl({str(self)!r})"


def strip_userinfo(url: str) -> str:
    """Strip `user:password@` from the URL: some cameras echo it in Content-Base and control URLs."""
    scheme = _SCHEME.match(url)
    if scheme is None:
        return url
    authority, target = _split_authority(url[scheme.end() :])
    return scheme[0] + authority.rpartition("@")[2] + target


def on_host_of(url: str, reference: str) -> str:
    """`url` with scheme, host and port of `reference` where they differ; path and query as they are.

    Characters that a request line cannot hold (spaces, non-ASCII) are percent-encoded.

    A camera behind NAT announces its inner address in Content-Base and control URLs, and one behind a TLS proxy
    announces rtsp://: all requests go over the one connection, so they keep its address.
    """
    url = _NOT_IN_REQUESTS.sub(lambda part: quote(part[0], errors="replace"), url)
    found, own = _SCHEME.match(url), _SCHEME.match(reference)
    if found is None or own is None:
        return url
    authority, target = _split_authority(url[found.end() :])
    expected, _ = _split_authority(reference[own.end() :])
    if (found[1], authority) == (own[1], expected):
        return url
    if _endpoint(found[1], authority) == _endpoint(own[1], expected):
        return url
    return own[0] + expected + target


def _endpoint(scheme: str, authority: str) -> tuple[str, str, int] | None:
    """Scheme, host and port for comparing; None when the authority is none."""
    try:
        host, port = _split_port(authority.rpartition("@")[2])
    except MalformedError:
        return None
    return scheme.lower(), host.lower(), port or _DEFAULT_PORTS.get(scheme.lower(), 0)


def _split_authority(rest: str) -> tuple[str, str]:
    cut = _TARGET.search(rest)
    if cut is None:
        return rest, ""
    return rest[: cut.start()], rest[cut.start() :]


def _encode_target(target: str) -> str:
    """Encode characters that a request line cannot hold (spaces, non-ASCII); keep encoded ones."""
    encoded = quote(target, safe=_PATH_SAFE)
    return f"/{encoded}" if encoded.startswith("?") else encoded


def _parse_userinfo(userinfo: str) -> Credentials:
    username, _, password = userinfo.partition(":")
    return Credentials(unquote(username), unquote(password))


def _split_port(hostport: str) -> tuple[str, int | None]:
    if hostport.startswith("["):
        host, bracket, tail = hostport[1:].partition("]")
        if not bracket or not re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", host):
            raise MalformedError("the host in brackets is not an IPv6 address")
    else:
        host, colon, digits = hostport.partition(":")
        tail = colon + digits
        if not host:
            raise MalformedError("the RTSP address has no host")
        if not _HOST.match(host):
            raise MalformedError("the host holds a character that no host name has")
    if tail in ("", ":"):
        return host, None
    # A ':' here may come from a password with '/' or '?' that was not percent-encoded: do not quote the text.
    if not _PORT.fullmatch(tail) or not 1 <= int(tail[1:]) <= 65535:
        raise MalformedError(
            "the port is not a number from 1 to 65535 (in a password, '/' and '?' must be percent-encoded)"
        )
    return host, int(tail[1:])


def takes_credentials(url: str) -> bool:
    """Whether `fill_credentials` puts a login into it: then the peer gets the login with the first request."""
    return "{username}" in url or "{password}" in url


def repeats_password(target: str, filled: str, credentials: Credentials | None) -> bool:
    """Whether a password that was filled into the path `filled` stands in `target` as well, however it is encoded."""
    if credentials is None or not credentials.password:
        return False
    return all(credentials.password in _decoded(text) for text in (target, filled))


def _decoded(text: str) -> str:
    # Twice: some servers encode what they repeat once more.
    return text + "\n" + unquote(text) + "\n" + unquote(unquote(text))


def fill_credentials(url: str, credentials: Credentials | None) -> str:
    """`url` with `{username}` and `{password}` replaced, percent-encoded: recorders that want them in the path.

    The result is for sending only. Without credentials the placeholders become empty.
    """
    username, password = (credentials.username, credentials.password) if credentials else ("", "")
    return url.replace("{username}", quote(username, safe="")).replace("{password}", quote(password, safe=""))


def hide_login(error: PeerError, credentials: Credentials | None) -> None:
    """Remove the login from the error's message: some peers repeat what was sent."""
    if credentials is not None:
        error.message = redact(error.message, credentials.words)
