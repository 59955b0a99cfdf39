"""One device under two cameras is counted twice: by an address, serial number, MAC address or channel of a recorder."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from vonggac.net.sameness import normal_endpoint, normal_serial, normal_url

IN_BRACKETS = "://["
"""So begins the host of an address that has many spellings: IPv6."""

SHOWN = {
    "url": "address", "sub_url": "address", "serial": "serial number", "mac": "MAC address",
    "channel": "channel of the recorder",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Device:
    """What tells one camera's device from another's. `sub_url`: it is the same picture, smaller."""

    camera_id: UUID
    code: str
    url: str
    serial: str | None = None
    mac: str | None = None
    sub_url: str | None = None
    recorder_id: UUID | None = None
    channel: int | None = None

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Field and normal form of each."""
        addresses = (("url", self.url), ("sub_url", self.sub_url))
        return tuple((field, normal_url(url)) for field, url in addresses if url)


@dataclass(frozen=True, slots=True)
class SameDevice:
    """Another camera on record with the same device. `field`: url, sub_url, serial, mac or channel."""

    field: str
    code: str

    @property
    def advice(self) -> str:
        """What is wrong, and how to mend it."""
        return one_device("camera", self.code, self.field)


def one_device(what: str, code: str, field: str) -> str:
    """Format the sentence about a camera or recorder whose device another one on record has."""
    return (
        f"{what} {code} has this {SHOWN[field]} already: correct one of the two, or give shared_device_reason; "
        "its message then carries the reason"
    )


def find_same(device: Device, others: Iterable[Device]) -> tuple[SameDevice, ...]:
    """Find the other cameras that are the same device, each with the first field that says so."""
    fields = ((other, _same_field(device, other)) for other in others if other.camera_id != device.camera_id)
    return tuple(SameDevice(field, other.code) for other, field in fields if field is not None)


def _same_field(device: Device, other: Device) -> str | None:
    there = {address for _, address in other.addresses}
    # The channels of one recorder share its serial number and MAC address, not their address.
    if normal_endpoint(device.url) != normal_endpoint(other.url) or normal_url(device.url) == normal_url(other.url):
        there_too = set(_marks(other))
        for mark in _marks(device):
            if mark in there_too:
                return mark[0]
    for field, address in device.addresses:
        if address in there:
            return field
    is_channel = device.recorder_id is not None and device.channel is not None
    same_channel = (device.recorder_id, device.channel) == (other.recorder_id, other.channel)
    return "channel" if is_channel and same_channel else None


class Devices:
    """Many cameras by what tells their devices apart. The code names a camera: one that is new has no id."""

    def __init__(self) -> None:
        self._by_url: dict[str, str] = {}
        self._by_channel: dict[tuple[UUID | None, int], str] = {}
        self._by_mark: dict[tuple[str, str], dict[tuple[str, int | None], str]] = {}

    def add(self, device: Device) -> None:
        """Know this camera too; of several with one device the first is named."""
        for _, address in device.addresses:
            self._by_url.setdefault(address, device.code)
        if device.channel is not None:
            self._by_channel.setdefault((device.recorder_id, device.channel), device.code)
        for mark in _marks(device):
            self._by_mark.setdefault(mark, {}).setdefault(normal_endpoint(device.url), device.code)

    def find_same(self, device: Device) -> SameDevice | None:
        """Another camera that is the same device, as `find_same` finds it."""
        for field, value in _marks(device):
            # The channels of one recorder share its marks.
            for endpoint, code in self._by_mark.get((field, value), {}).items():
                if endpoint != normal_endpoint(device.url) and code != device.code:
                    return SameDevice(field, code)
        for field, address in device.addresses:
            if (code := self._by_url.get(address, device.code)) != device.code:
                return SameDevice(field, code)
        if device.channel is not None:
            code = self._by_channel.get((device.recorder_id, device.channel), device.code)
            return SameDevice("channel", code) if code != device.code else None
        return None


def _marks(device: Device) -> list[tuple[str, str]]:
    marks = (("mac", device.mac), ("serial", normal_serial(device.serial) if device.serial else None))
    return [(field, value) for field, value in marks if value]
