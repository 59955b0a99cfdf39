"""Texts and addresses that a device sends: untrusted until they went through here. Pure."""

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from prober.probes.onvif.model import MAX_TEXT
from vonggac.auth import Credentials
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl, strip_userinfo
from vonggac.telemetry.redaction import redact

MAX_URL = 1000
"""What inventory takes for a camera's address."""
_PATH = re.compile(r"/[!-\"$-~]*")
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
_USER = re.compile(r"(?<![a-z])(?P<key>(?:user(?:name)?|usr)=)(?P<value>.*?)(?=[&/?;]|_pass|$)", re.IGNORECASE)
_PASSWORD = re.compile(
    r"(?<![a-z])(?P<key>(?:pass(?:word|wd|phrase)?|pwd|psw)=)(?P<value>.*?)(?=[&/?;]|_channel|_stream|$)",
    re.IGNORECASE,
)
_OTHER_SECRET = re.compile(r"\b(?:token|auth|secret|key)=", re.IGNORECASE)
_TELLING_PASSWORD = 6
"""A shorter password may stand in a path by chance."""


@dataclass(frozen=True, slots=True)
class CleanUrl:
    """An address without credentials; `url` None when it cannot be used or shown."""

    url: str | None
    named_host: str | None = None
    had_secret: bool = False


def clean(text: object) -> str | None:
    """One short line without control characters and credentials; None when nothing is left."""
    if not isinstance(text, str):
        return None
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * MAX_TEXT]).split())
    return redact(line)[:MAX_TEXT].strip() or None


def clean_mac(text: object) -> str | None:
    """`0A-1B-2C-3D-4E-5F` as `0a:1b:2c:3d:4e:5f`; None for what is no hardware address."""
    mac = (clean(text) or "").lower().replace("-", ":")
    return mac if _MAC.fullmatch(mac) and mac != "00:00:00:00:00:00" else None


def service_address(xaddr: object, *, port: int, own_hosts: frozenset[str]) -> tuple[int, str] | None:
    """Port and path of a service on the asked host, None when the address cannot be read.

    A device may name whatever host it likes: only the asked one is ever connected to. Its port is believed when the
    host is the asked one; behind a port forwarding both are the inner ones, then only the path is taken.
    """
    try:
        parts = urlsplit(str(xaddr).strip())
        named, named_port = parts.hostname, parts.port
    except ValueError:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme not in ("http", "https") or len(path) > MAX_URL or not _PATH.fullmatch(path):
        return None
    if named in own_hosts and parts.scheme == "http":
        return named_port or 80, path
    return port, path


def clean_stream_url(uri: object, *, host: str, credentials: Credentials | None) -> CleanUrl:
    """The RTSP address of a stream on the asked `host`, with placeholders where it held credentials."""
    try:
        parsed = RtspUrl.parse(str(uri))
    except MalformedError:
        return CleanUrl(None)
    target = _without_credentials(parsed.target, credentials)
    had_secret = parsed.credentials is not None or target != parsed.target
    if _OTHER_SECRET.search(target):
        return CleanUrl(None, parsed.host, had_secret=True)
    url = replace(parsed, host=host, target=target).wire
    usable = len(url) <= MAX_URL and "@" not in url
    return CleanUrl(url if usable else None, parsed.host, had_secret)


def clean_http_url(uri: object, *, credentials: Credentials | None) -> CleanUrl:
    """An http(s) address as the device says it, without credentials."""
    text = str(uri).strip()
    if not re.fullmatch(r"https?://[!-~]+", text) or len(text) > MAX_URL:
        return CleanUrl(None)
    bare = strip_userinfo(text)
    cleaned = _without_credentials(bare, credentials)
    if _OTHER_SECRET.search(cleaned) or "@" in cleaned:
        return CleanUrl(None, had_secret=True)
    return CleanUrl(cleaned, had_secret=cleaned != text)


def _without_credentials(text: str, credentials: Credentials | None) -> str:
    text = _PASSWORD.sub(r"\g<key>{password}", _USER.sub(r"\g<key>{username}", text))
    if credentials is not None and len(credentials.password) >= _TELLING_PASSWORD:
        for written in {credentials.password, quote(credentials.password, safe="")}:
            text = text.replace(written, "{password}")
    return text
