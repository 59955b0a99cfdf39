"""Whether a camera, and a facility with its cameras, is connected: the accounts' word, and only while it is up.

A facility is connected when every camera of a required area is (mandate 1.5). Cameras whose area nobody noted are among
them; those of other public areas are not, unless the facility has no others: `needed`, the same for the board of an
instant, the obligation and each day of a report. At an instant it is three-valued: one camera that certainly is not
connected decides, otherwise one that is unknown makes the facility unknown. In a stretch of time it was connected where
all of them were for SUSTAINED without a break.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from reporting.domain.compliance import complies, role_connections
from reporting.domain.instants import Millis
from reporting.domain.partition import DeliveryLine, Seen
from reporting.domain.segments import Period, Segment, overlay
from reporting.domain.timeline import CameraState
from vonggac.sufficiency import OTHER_PUBLIC

SUSTAINED: Millis = 600_000
"""A connection is accepted once it has held for ten minutes (mandate 1.5); it is dated to their beginning."""


class Connection(NamedTuple):
    """To the two centres. None is unknown: nobody could measure, or maintenance was agreed."""

    national: bool | None
    provincial: bool | None

    @property
    def both(self) -> bool | None:
        return conjunction((self.national, self.provincial))


NOT_CONNECTED = Connection(False, False)


def conjunction(values: Iterable[bool | None]) -> bool | None:
    """All of them, at least one; None where that is unknown."""
    found = list(values)
    if not found or False in found:
        return False
    return None if None in found else True


def of_camera(state: CameraState, national: bool | None, provincial: bool | None) -> Connection:
    """`national` and `provincial`: as the centres demand it, whatever the camera's state."""
    if state is CameraState.UP:
        return Connection(national, provincial)
    if state is CameraState.DOWN:
        return NOT_CONNECTED
    # A centre that certainly has nothing has nothing, whatever the camera is.
    return Connection(False if national is False else None, False if provincial is False else None)


def needed[One](cameras: Sequence[tuple[str | None, One]]) -> list[One]:
    """Pick those of the cameras in scope at a facility, each with its area, that make it connected or not."""
    return [one for area, one in cameras if area != OTHER_PUBLIC] or [one for _, one in cameras]


def of_facility(cameras: Sequence[tuple[str | None, Connection]]) -> Connection:
    """Compute a facility's connection from the area and the connection of each camera in scope."""
    found = needed(cameras)
    return Connection(
        conjunction([one.national for one in found]),
        conjunction([one.provincial for one in found]),
    )


def compliant_line(
    period: Period,
    seen: Sequence[Segment[Seen]],
    deliveries: Sequence[DeliveryLine],
    maintenance: Sequence[Segment[bool]],
) -> list[Segment[bool]]:
    """When a camera in scope was up and at both centres, within the period: by the rules of `partition.account`."""
    lines: list[Iterable[tuple[Millis, Millis, Any]]] = [maintenance, seen, *(one.pieces for one in deliveries)]
    plan = [(one.role, one.required) for one in deliveries]
    result: list[Segment[bool]] = []
    for start, end, (agreed, camera, *codes) in overlay(period, lines):
        if agreed or camera is None or camera.state is not CameraState.UP:
            continue
        connections = [None if code is None else code is True for code in codes]
        if complies(CameraState.UP, *role_connections(plan, connections)):
            if result and result[-1].end == start:
                result[-1] = Segment(result[-1].start, end, True)
            else:
                result.append(Segment(start, end, True))
    return result


def sustained_since(
    period: Period, cameras: Sequence[tuple[Sequence[Segment[bool]], Sequence[Segment[bool]]]]
) -> Millis | None:
    """Find the start of the first stretch of SUSTAINED in which every camera that was in scope was connected to both.

    Of each camera: when it was in scope, and when it was connected. None where there was no such stretch.
    """
    began: Millis | None = None
    lines: list[Iterable[tuple[Millis, Millis, bool]]] = [line for pair in cameras for line in pair]
    for start, end, values in overlay(period, lines):
        scoped = [connected for counted, connected in zip(values[::2], values[1::2], strict=True) if counted]
        if not scoped or not all(scoped):
            began = None
            continue
        began = start if began is None else began
        if end - began >= SUSTAINED:
            return began
    return None
