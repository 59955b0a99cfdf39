"""Time agreed beforehand in which a camera may be down (R08: shown separately, neither up nor down)."""

from collections.abc import Iterable
from typing import NamedTuple

from reporting.domain.instants import Millis
from reporting.domain.segments import Segment


class Window(NamedTuple):
    """[starts_at, ends_at), entered at `created_at`."""

    starts_at: Millis
    ends_at: Millis
    created_at: Millis


def is_agreed(window: Window) -> bool:
    """Whether it counts: it was entered before it begins, so that it excuses no outage, and has not been cancelled."""
    return window.created_at < window.starts_at < window.ends_at


def agreed(windows: Iterable[Window]) -> list[Segment[bool]]:
    """Join the windows that were entered before they began to their union, sorted, without overlap."""
    result: list[Segment[bool]] = []
    for window in sorted(filter(is_agreed, windows)):
        if result and window.starts_at <= result[-1].end:
            result[-1] = Segment(result[-1].start, max(result[-1].end, window.ends_at), True)
        else:
            result.append(Segment(window.starts_at, window.ends_at, True))
    return result
