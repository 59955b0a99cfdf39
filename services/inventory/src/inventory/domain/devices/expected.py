"""The device that the survey found, so that the prober detects another device in its place."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from inventory.domain.fields import Fields
from inventory.domain.text import clean

_MAC = re.compile(r"(?:[0-9a-f]{2}[:. -]?){5}[0-9a-f]{2}", re.IGNORECASE)
_BETWEEN_DIGITS = re.compile(r"[:. -]")
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def check_mac(text: str) -> str:
    """Lower case, with colons, of `0A-1B-…`, `0a1b.2c3d.4e5f` or any other usual spelling.

    Raises ValueError when `text` is not a MAC address.
    """
    text = text.strip()
    if not _MAC.fullmatch(text):
        msg = "a MAC address is twelve hexadecimal digits, e.g. 0a:1b:2c:3d:4e:5f"
        raise ValueError(msg)
    digits = _BETWEEN_DIGITS.sub("", text).lower()
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


def check_onvif_address(text: str) -> str:
    """Return `text`, stripped. Raises ValueError unless it is host or host:port."""
    text = text.strip()
    if not _ADDRESS.fullmatch(text):
        msg = "an ONVIF address is host or host:port, e.g. 10.20.1.5:8080, without http:// and path"
        raise ValueError(msg)
    return text


type Pixels = Annotated[int, Field(ge=16, le=16_384)]


class SurveyedDevice(Fields):
    """All fields are optional: the prober compares only those that are given."""

    codec: Literal["h264", "h265"] | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    fps: Annotated[float, Field(gt=0, le=240)] | None = Field(default=None, description="Pictures a second, as set.")
    serial: Annotated[str, AfterValidator(clean), StringConstraints(min_length=1, max_length=64)] | None = None
    mac: Annotated[str, AfterValidator(check_mac)] | None = None
    onvif_address: Annotated[str, StringConstraints(max_length=255), AfterValidator(check_onvif_address)] | None = (
        Field(default=None, description="host or host:port; the prober reads serial number, MAC and clock there.")
    )
