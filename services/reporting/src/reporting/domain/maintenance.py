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


def refusal(window: Window) -> tuple[str, str] | None:
    """Field and message when `window` cannot be agreed; None when it can."""
    if window.ends_at <= window.starts_at:
        return "to", "must be later than from"
    if window.starts_at <= window.created_at:
        return "from", "must lie in the future: maintenance is agreed beforehand, it cannot excuse an outage afterwards"
    return None


def agreed(windows: Iterable[Window]) -> list[Segment[bool]]:
    """The union of the windows that were entered before they began, sorted, without overlap."""
    result: list[Segment[bool]] = []
    for window in sorted(window for window in windows if refusal(window) is None):
        if result and window.starts_at <= result[-1].end:
            result[-1] = Segment(result[-1].start, max(result[-1].end, window.ends_at), True)
        else:
            result.append(Segment(window.starts_at, window.ends_at, True))
    return result
