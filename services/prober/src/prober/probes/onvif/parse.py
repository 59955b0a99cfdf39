"""From a device's answers to what we keep of them. Pure: what a device leaves out, or writes wrongly, stays None."""

from collections.abc import Iterator, Mapping
from typing import Any

from prober.probes.onvif.model import DeviceFacts, MediaProfile
from prober.probes.onvif.texts import clean, clean_mac

_MAX_TOKEN = 64
"""Length of tt:ReferenceToken."""


def device_facts(info: object) -> DeviceFacts:
    """From GetDeviceInformation."""
    told: Mapping[str, object] = info if isinstance(info, Mapping) else {}
    return DeviceFacts(
        manufacturer=clean(told.get("Manufacturer")),
        model=clean(told.get("Model")),
        firmware=clean(told.get("FirmwareVersion")),
        serial_number=clean(told.get("SerialNumber")),
        hardware_id=clean(told.get("HardwareId")),
    )


def mac_of(interfaces: object, own_hosts: frozenset[str]) -> str | None:
    """From GetNetworkInterfaces: of the interface that has an asked address, else of the first with one."""
    found = []
    for interface in _dicts(interfaces):
        mac = clean_mac(_inner(interface, "Info").get("HwAddress"))
        if mac is not None:
            # A recorder has an interface for its cameras too; which one was asked only its addresses tell.
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
    """The profiles that have a video source and an encoder, in the device's order (the first is its main one)."""
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
