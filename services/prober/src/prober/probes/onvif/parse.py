"""From a device's answers to what we keep of them. Pure: what a device leaves out, or writes wrongly, stays None.

Texts and addresses that a device sends are untrusted until they went through here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from prober.probes.onvif.model import MAX_TEXT, DeviceFacts, MediaProfile
from vonggac.auth import Credentials
from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl, strip_userinfo
from vonggac.telemetry.redaction import redact

_MAX_TOKEN = 64
"""Length of tt:ReferenceToken."""
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
_LONG_PASSWORD = 6
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
    """Clean the RTSP address of a stream on the asked `host`, with placeholders where it held credentials."""
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
    """Clean an http(s) address as the device says it: no credentials stay."""
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
    if credentials is not None and len(credentials.password) >= _LONG_PASSWORD:
        for written in {credentials.password, quote(credentials.password, safe="")}:
            text = text.replace(written, "{password}")
    return text


def device_facts(info: object) -> DeviceFacts:
    """From GetDeviceInformation."""
    facts: Mapping[str, object] = info if isinstance(info, Mapping) else {}
    return DeviceFacts(
        manufacturer=clean(facts.get("Manufacturer")),
        model=clean(facts.get("Model")),
        firmware=clean(facts.get("FirmwareVersion")),
        serial_number=clean(facts.get("SerialNumber")),
        hardware_id=clean(facts.get("HardwareId")),
    )


def mac_of(interfaces: object, own_hosts: frozenset[str]) -> str | None:
    """From GetNetworkInterfaces: of the interface that has an asked address, else of the first with one."""
    found = []
    for interface in _dicts(interfaces):
        mac = clean_mac(_inner(interface, "Info").get("HwAddress"))
        if mac is not None:
            # A recorder has an interface for its cameras too; which one was asked only its addresses show.
            found.append((own_hosts.isdisjoint(_addresses(interface)), mac))
    return min(found, key=lambda one: one[0])[1] if found else None


def media_address(answer: object, namespace: str) -> object:
    """XAddr of the media service, from GetServices (a list) or GetCapabilities; None when there is none."""
    if isinstance(answer, Mapping):
        return _inner(answer, "Media").get("XAddr")
    return next((entry.get("XAddr") for entry in _dicts(answer) if entry.get("Namespace") == namespace), None)


def uri_of(answer: object) -> object:
    """From GetStreamUri and GetSnapshotUri."""
    return answer.get("Uri") if isinstance(answer, Mapping) else None


def profiles_in(answer: object) -> list[Mapping[str, Any]]:
    """List the profiles with a video source and an encoder, in the device's order (the first is its main one)."""
    return [entry for entry in _dicts(answer) if _has_video(entry)]


def profile_of(entry: Mapping[str, Any]) -> MediaProfile | None:
    """None when the profile has no token by which to ask for its stream."""
    token = entry.get("token")
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN:
        return None
    encoder = _inner(entry, "VideoEncoderConfiguration")
    resolution, rate = _inner(encoder, "Resolution"), _inner(encoder, "RateControl")
    return MediaProfile(
        token=token,
        name=clean(entry.get("Name")),
        source=clean(_inner(entry, "VideoSourceConfiguration").get("SourceToken")),
        codec=(clean(encoder.get("Encoding")) or "").lower() or None,
        width=_positive(resolution.get("Width")),
        height=_positive(resolution.get("Height")),
        fps=_positive(rate.get("FrameRateLimit")),
        bitrate_kbps=_positive(rate.get("BitrateLimit")),
    )


def _has_video(entry: Mapping[str, Any]) -> bool:
    return bool(_inner(entry, "VideoSourceConfiguration")) and bool(_inner(entry, "VideoEncoderConfiguration"))


def _dicts(answer: object) -> list[Mapping[str, Any]]:
    return [entry for entry in answer if isinstance(entry, Mapping)] if isinstance(answer, list) else []


def _addresses(node: object) -> Iterator[str]:
    """Every text under the name Address, however deep: IPv4 and IPv6 nest it differently."""
    if isinstance(node, Mapping):
        if isinstance(node.get("Address"), str):
            yield node["Address"]
        for value in node.values():
            yield from _addresses(value)
    elif isinstance(node, list):
        for value in node:
            yield from _addresses(value)


def _inner(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = entry.get(name)
    return value if isinstance(value, Mapping) else {}


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < 1 << 31 else None
