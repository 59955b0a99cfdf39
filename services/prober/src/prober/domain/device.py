"""Which device is at a camera's address: by signs that cost nothing, and whether another one stands there now."""

import re
from datetime import datetime

from prober.domain.findings import StreamSeen
from vonggac.events.inventory import ExpectedDevice
from vonggac.events.prober import DeviceSigns
from vonggac.rtsp.wire.habits import WORDS, words_of

_HARDWARE = {"serial": "serial number", "mac": "MAC", "link_mac": "MAC on the local link"}
LEAST_HABITS = 2
"""So many differ between two probes of two devices. Each alone changes with a setting or a new firmware."""
_STREAM = {"stream": "stream", "described": "described stream"}


def signs_of(seen: StreamSeen) -> DeviceSigns:
    """Collect the signs of the device that one probe saw."""
    return DeviceSigns(
        serial=_folded(seen.serial),
        mac=_folded(seen.mac),
        link_mac=_folded(seen.link_mac),
        stream=seen.stream,
        described=seen.described,
        maker=words_of(seen.maker),
        habits=dict(seen.habits),
    )


def compare_device(
    known: DeviceSigns | None, seen: DeviceSigns, expected: ExpectedDevice | None, now: datetime
) -> DeviceSigns:
    """Choose the signs to go on with; `changed_at`: since when another device is found, until somebody confirms it.

    Serial number and MAC prove a device: with the same ones another size or firmware is a setting. Without them another
    stream is another device, unless it is the one that the register expects, and so is one that shares no word with the
    description before, or whose habits differ in two: one alone is a setting or new firmware, and none is adopted
    before a probe saw all that are known.
    """
    if known is None:
        return seen
    if known.changed_at is not None and not _is_proven(known, seen):
        return known
    change = None if known.changed_at is not None else _difference(known, seen, expected)
    found = seen.model_dump(exclude_none=True, exclude={"habits"})
    if change is None:
        compared = _is_proven(known, seen) or {*known.habits} <= {*seen.habits}
        habits = {**known.habits, **seen.habits} if compared else {**seen.habits, **known.habits}
        return known.model_copy(update={**found, "habits": habits, "changed_at": None, "change": None})
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
    others = [name for name, before in known.habits.items() if seen.habits.get(name, before) != before]
    if known.maker and seen.maker and known.maker != seen.maker and WORDS not in others:
        others.append(WORDS)
    if len(others) >= LEAST_HABITS:
        return f"other {' and other '.join(others)}"
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
