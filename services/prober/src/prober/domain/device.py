"""Which device is at a camera's address: by signs that cost nothing, and whether another one stands there now."""

import re
from datetime import datetime

from prober.domain.findings import StreamSeen
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import DeviceSigns

_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])")
_HARDWARE = {"serial": "serial number", "mac": "MAC", "link_mac": "MAC on the local link"}
_STREAM = {"stream": "stream", "described": "described stream"}


def signs_of(seen: StreamSeen) -> DeviceSigns:
    """What one probe saw of the device."""
    return DeviceSigns(
        serial=_folded(seen.serial),
        mac=_folded(seen.mac),
        link_mac=_folded(seen.link_mac),
        stream=seen.stream,
        described=seen.described,
        maker=" ".join(sorted({word.lower() for word in _WORD.findall(seen.maker or "")}))[:200] or None,
    )


def compare_device(
    known: DeviceSigns | None, seen: DeviceSigns, expected: ExpectedDevice | None, now: datetime
) -> DeviceSigns:
    """The signs to go on with; `changed_at` is set from when another device was found until somebody confirms it.

    Serial number and MAC prove a device: with the same ones another size or firmware is a setting. Without them another
    stream is another device, unless it is the one that the register expects, and so is one that shares no word with the
    description before.
    """
    if known is None:
        return seen
    if known.changed_at is not None and not _is_proven(known, seen):
        return known
    change = None if known.changed_at is not None else _difference(known, seen, expected)
    found = seen.model_dump(exclude_none=True)
    if change is None:
        return known.model_copy(update={**found, "changed_at": None, "change": None})
    missing = {name: value for name, value in found.items() if getattr(known, name) is None}
    return known.model_copy(update={**missing, "changed_at": now, "change": change})


def _is_proven(known: DeviceSigns, seen: DeviceSigns) -> bool:
    """Whether the device that was known shows itself by its hardware, and nothing of that differs."""
    pairs = [(getattr(known, name), getattr(seen, name)) for name in _HARDWARE]
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    return bool(both) and all(one == other for one, other in both)


def _difference(known: DeviceSigns, seen: DeviceSigns, expected: ExpectedDevice | None) -> str | None:
    for name, word in _HARDWARE.items():
        before, there = getattr(known, name), getattr(seen, name)
        if before is not None and there is not None and before != there:
            return f"{word} {there} in place of {before}"
    if _is_proven(known, seen):
        return None
    for name, word in _STREAM.items():
        before, there = getattr(known, name), getattr(seen, name)
        if before is not None and there is not None and before != there and not _is_expected(there, expected):
            return f"{word} {there} in place of {before}"
    if known.maker and seen.maker and not {*known.maker.split()} & {*seen.maker.split()}:
        return "the device describes itself in other words"
    return None


def _is_expected(stream: str, expected: ExpectedDevice | None) -> bool:
    """Whether the register expects this size: the operator set it."""
    if expected is None or expected.width is None or expected.height is None:
        return False
    codec = expected.codec.lower() if expected.codec else stream.partition(" ")[0]
    return stream.startswith(f"{codec} ") and stream.endswith(f" {expected.width}x{expected.height}")


def _folded(text: str | None) -> str | None:
    """Labels and menus of one device differ in case, spaces and colons."""
    return re.sub(r"[\s:.-]", "", text).upper()[:64] or None if text is not None else None
