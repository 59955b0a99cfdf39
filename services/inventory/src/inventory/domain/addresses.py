"""Addresses of cameras and destinations, with credentials split off: no address that is stored holds any."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from vonggac.rtsp.errors import MalformedError
from vonggac.rtsp.url import Credentials, RtspUrl, strip_userinfo

_SECRET_PARAMETER = re.compile(r"\b(pass(?:word|wd|phrase)?|pwd|psw|token|auth|secret|key)=([^&/?;]*)", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
_CREDENTIAL_PLACEHOLDERS = frozenset({"{username}", "{password}"})
_TEMPLATE_PLACEHOLDERS = frozenset({"{camera_code}", "{facility_code}", "{camera_id}"})
_UNIQUE_PLACEHOLDERS = frozenset({"{camera_code}", "{camera_id}"})
MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Address:
    """An RTSP address without credentials, and those that stood in it."""

    url: str
    credentials: Credentials | None = field(default=None, repr=False)


def parse_camera_url(text: str) -> Address:
    """`rtsp://[user:password@]host[:port]/path`, perhaps with `{username}` and `{password}` in path or query.

    Raises ValueError saying what would be right, never quoting the address.
    """
    return _parse(text, _CREDENTIAL_PLACEHOLDERS)


def parse_url_template(text: str) -> Address:
    """A destination's template; it names the camera by `{camera_code}` or `{camera_id}`.

    Raises ValueError saying what would be right, never quoting the address.
    """
    address = _parse(text, _TEMPLATE_PLACEHOLDERS | _CREDENTIAL_PLACEHOLDERS)
    path = address.url.split("://", 1)[1].partition("/")[2]
    if not any(placeholder in path for placeholder in _UNIQUE_PLACEHOLDERS):
        msg = "must have {camera_code} or {camera_id} in its path, so that every camera gets an address of its own"
        raise ValueError(msg)
    return address


def render(template: str, *, camera_code: str, facility_code: str, camera_id: UUID) -> str:
    """Where one camera is published at a destination."""
    values: Mapping[str, str] = {
        "camera_code": camera_code,
        "facility_code": facility_code,
        "camera_id": str(camera_id),
    }
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


def _parse(text: str, allowed: frozenset[str]) -> Address:
    text = text.strip()
    if len(text) > MAX_LENGTH:
        msg = f"is longer than {MAX_LENGTH} characters"
        raise ValueError(msg)
    try:
        parsed = RtspUrl.parse(text)
    except MalformedError as error:
        msg = f"{error.message}; an address looks like rtsp://10.1.2.3:554/path"
        raise ValueError(msg) from None
    bare = strip_userinfo(text)
    if not bare.isascii() or any(char.isspace() for char in bare):
        msg = "holds a space or a letter that no address has: percent-encode it"
        raise ValueError(msg)
    if "@" in bare or "#" in bare:
        msg = "has a second @ or a #: in a user name or password write %40, %23, %2F and %3F for @ # / ?"
        raise ValueError(msg)
    _check_placeholders(bare, allowed)
    _check_no_secret(bare)
    return Address(bare, _credentials(parsed))


def _check_placeholders(url: str, allowed: frozenset[str]) -> None:
    for found in _PLACEHOLDER.findall(url):
        if found not in allowed:
            msg = f"holds a placeholder that does not exist; there are {', '.join(sorted(allowed))}"
            raise ValueError(msg)


def _check_no_secret(url: str) -> None:
    for name, value in _SECRET_PARAMETER.findall(url):
        if value not in _CREDENTIAL_PLACEHOLDERS:
            msg = (
                f"holds a secret in '{name}=': write {name}={{password}} (and {{username}}) there and give the "
                "credentials apart, so that they are stored sealed"
            )
            raise ValueError(msg)


def _credentials(parsed: RtspUrl) -> Credentials | None:
    if parsed.credentials is None or not parsed.credentials.username:
        return None
    return Credentials(username=parsed.credentials.username, password=parsed.credentials.password)
