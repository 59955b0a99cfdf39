"""RTSP addresses by vendor, so that a technician gives a host and a channel, not a URL.

Patterns from vendors' manuals: Hikvision `/Streaming/Channels/{channel}0{stream}`, Dahua and its makes
`/cam/realmonitor`, others below. ONVIF knows better where a camera speaks it; this is the second way.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address

from pydantic import Field

from inventory.domain.fields import Fields

RTSP_PORT = 554
MOST_CHANNELS = 256
LONGEST_HOST = 253
_HOST = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9]+(?:\.[0-9]+){3}|(?![0-9.]+(?::|$))[0-9A-Za-z][0-9A-Za-z_-]*(?:\.[0-9A-Za-z_-]+)+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
"""An IP address or a name with its domain: a single word is more often a mistake."""


class Vendor(StrEnum):
    """Makes whose addresses are known; other makes with the same firmware use the same pattern."""

    HIKVISION = "hikvision"
    HIKVISION_OLD = "hikvision_old"
    HILOOK = "hilook"
    DAHUA = "dahua"
    KBVISION = "kbvision"
    IMOU = "imou"
    EZVIZ = "ezviz"
    UNIVIEW = "uniview"
    UNIVIEW_NVR = "uniview_nvr"
    TVT = "tvt"
    AVYCON = "avycon"
    XMEYE = "xmeye"
    TPLINK = "tplink"


class Stream(StrEnum):
    """Which of a camera's two streams."""

    MAIN = "main"
    SUB = "sub"


class VendorAddress(Fields):
    """Where a camera is, without its URL."""

    vendor: Vendor
    host: str = Field(
        min_length=1, max_length=LONGEST_HOST, pattern=r"^[0-9A-Za-z.:_-]+$", description="Name or IP address."
    )
    port: int = Field(default=RTSP_PORT, ge=1, le=65535)
    channel: int = Field(default=1, ge=1, le=MOST_CHANNELS, description="Channel of the recorder; 1 of a camera.")
    stream: Stream = Stream.MAIN


@dataclass(frozen=True, slots=True)
class Template:
    """The path of a make. `channels`: whether it plays other channels than the first."""

    vietnamese: str
    main: str
    sub: str
    channels: bool = True
    note: str = ""


_HIKVISION = ("/Streaming/Channels/{channel}01", "/Streaming/Channels/{channel}02")
_DAHUA = (
    "/cam/realmonitor?channel={channel}&subtype=0",
    "/cam/realmonitor?channel={channel}&subtype=1",
)
_H264 = ("/h264/ch{channel}/main/av_stream", "/h264/ch{channel}/sub/av_stream")
_TVT = ("/chID={channel}&streamType=main", "/chID={channel}&streamType=sub")

TEMPLATES: dict[Vendor, Template] = {
    Vendor.HIKVISION: Template("Hikvision", *_HIKVISION, note="Channel 2 of a recorder plays at 201 and 202."),
    Vendor.HIKVISION_OLD: Template("Hikvision đời cũ", *_H264),
    Vendor.HILOOK: Template("HiLook", *_HIKVISION),
    Vendor.DAHUA: Template("Dahua", *_DAHUA),
    Vendor.KBVISION: Template("KBVision", *_DAHUA),
    Vendor.IMOU: Template("Imou", *_DAHUA, note="The user is admin, the password the safety code on the label."),
    Vendor.EZVIZ: Template("EZVIZ", *_H264, note="Enable RTSP in the app; the password is the verification code."),
    Vendor.UNIVIEW: Template("Uniview", "/media/video1", "/media/video2", channels=False),
    Vendor.UNIVIEW_NVR: Template("Uniview (đầu ghi)", "/unicast/c{channel}/s0/live", "/unicast/c{channel}/s1/live"),
    Vendor.TVT: Template("TVT", *_TVT),
    Vendor.AVYCON: Template("Avycon", *_TVT),
    Vendor.XMEYE: Template(
        "XMeye",
        "/user={{username}}&password={{password}}&channel={channel}&stream=0.sdp",
        "/user={{username}}&password={{password}}&channel={channel}&stream=1.sdp",
        note="The credentials stand in the path: give them apart, the worker fills them in.",
    ),
    Vendor.TPLINK: Template(
        "TP-Link Tapo, VIGI", "/stream1", "/stream2", channels=False, note="Make a camera account in the app."
    ),
}


def make_url(address: VendorAddress) -> str:
    """Build the camera's URL without credentials. Raises ValueError for a channel that the make does not have."""
    template = TEMPLATES[address.vendor]
    if address.channel != 1 and not template.channels:
        msg = f"{template.vietnamese} plays one channel per address: give channel 1, or the recorder's make"
        raise ValueError(msg)
    path = template.main if address.stream is Stream.MAIN else template.sub
    port = "" if address.port == RTSP_PORT else f":{address.port}"
    return f"rtsp://{_host(address.host)}{port}{path.format(channel=address.channel)}"


def complete_url(text: str, vendor: str | None, channel: int | None, stream: Stream = Stream.MAIN) -> str:
    """Build the URL of a make's camera where `text` is its host, perhaps with a port; any other text stays as it is.

    Raises ValueError for a channel that the make does not have; one that no device has is the channel's own mistake.
    """
    found = _HOST.fullmatch(text.strip())
    if vendor is None or found is None or not 0 < (port := int(found["port"] or RTSP_PORT)) < 2**16:
        return text
    host = found["host"].strip("[]")
    if len(host) > LONGEST_HOST:
        return text
    number = channel if channel is not None and 1 <= channel <= MOST_CHANNELS else 1
    return make_url(VendorAddress(vendor=Vendor(vendor), host=host, port=port, channel=number, stream=stream))


def check_host(host: str) -> str:
    """Check a name or an IP address, and return it. Raises ValueError for one with a port."""
    try:
        return host if ":" not in host else str(IPv6Address(host))
    except ValueError:
        msg = "give the host alone, without a port; the port has a field of its own"
        raise ValueError(msg) from None


def _host(host: str) -> str:
    checked = check_host(host)
    return f"[{checked}]" if ":" in checked else checked
