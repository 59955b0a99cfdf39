"""One device under two cameras is counted twice: by its address, serial number or MAC address."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from inventory.domain.devices.vendors import RTSP_PORT

_DEFAULT_PORTS = {"rtsp": RTSP_PORT, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Device:
    """What tells one camera's device from another's."""

    camera_id: UUID
    code: str
    url: str
    serial: str | None = None
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """Another camera on record with the same device. `field`: url, serial or mac."""

    field: str
    code: str

    @property
    def advice(self) -> str:
        """What is wrong, and how to mend it."""
        shown = {"url": "address", "serial": "serial number", "mac": "MAC address"}[self.field]
        return (
            f"camera {self.code} has this {shown} already: correct one of the two, or give shared_device_reason; "
            "its message then carries the reason"
        )


@lru_cache(maxsize=64)
def normal_url(url: str) -> str:
    """The address for comparing: scheme and host in lower case, the default port left out, no slash at the end.

    Of a file each is asked for once or twice more, right after the first time.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    shown = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{shown}{port}{parts.path.rstrip('/')}{query}"


def find_same(device: Device, others: Iterable[Device]) -> tuple[Same, ...]:
    """The other cameras that are the same device, each with the first field that says so."""
    found = []
    for other in others:
        if other.camera_id == device.camera_id:
            continue
        for field, mine, theirs in (
            ("mac", device.mac, other.mac),
            ("serial", device.serial, other.serial),
            ("url", normal_url(device.url), normal_url(other.url)),
        ):
            # The channels of one recorder share its serial number and MAC address, not their address.
            if mine and mine == theirs and (field == "url" or not _of_one_recorder(device.url, other.url)):
                found.append(Same(field, other.code))
                break
    return tuple(found)


class Devices:
    """Many cameras by what tells their devices apart. The code names a camera: one that is new has no id."""

    def __init__(self) -> None:
        self._by_url: dict[str, str] = {}
        self._by_mark: dict[tuple[str, str], dict[tuple[str | None, int | None], str]] = {}

    def add(self, device: Device) -> None:
        """Know this camera too; of several with one device the first is named."""
        self._by_url.setdefault(normal_url(device.url), device.code)
        for mark in _marks(device):
            self._by_mark.setdefault(mark, {}).setdefault(_endpoint(device.url), device.code)

    def find_same(self, device: Device) -> Same | None:
        """Another camera that is the same device, as `find_same` finds it."""
        for field, value in _marks(device):
            # The channels of one recorder share its marks.
            for endpoint, code in self._by_mark.get((field, value), {}).items():
                if endpoint != _endpoint(device.url) and code != device.code:
                    return Same(field, code)
        code = self._by_url.get(normal_url(device.url), device.code)
        return Same("url", code) if code != device.code else None


def _marks(device: Device) -> list[tuple[str, str]]:
    marks = (("mac", device.mac), ("serial", device.serial))
    return [(field, value) for field, value in marks if value]


def _endpoint(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port


def _of_one_recorder(one: str, other: str) -> bool:
    return _endpoint(one) == _endpoint(other) and normal_url(one) != normal_url(other)
