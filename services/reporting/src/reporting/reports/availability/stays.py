"""Where a camera stood, as far as the ledger's whole days go: what its moves divide them into."""

from typing import NamedTuple

from reporting.domain.ledger import Cut, Day, day_of
from reporting.domain.scope import Camera, Facility
from reporting.domain.segments import Segment


def place_of(facility: Facility) -> tuple[object, ...]:
    """Return what a facility's cameras are grouped by: while it stays, so do they."""
    return facility.id, facility.unit.id, facility.agency.id, facility.type


def stayed(camera: Camera) -> bool:
    """Whether all of the camera's time counts at one place."""
    if any(one.elsewhere for _, _, one in camera.pieces):
        return False
    return len(camera.pieces) == 1 or len({place_of(piece.facility) for _, _, piece in camera.pieces}) == 1


class Stay(NamedTuple):
    """Whole days [first, last) of a camera at one place; None: at one that is not asked for."""

    first: Day
    last: Day
    facility: Facility | None


class Divided(NamedTuple):
    """The whole days of a camera that moved: its stays, and the days on which it moved."""

    stays: list[Stay]
    moved: list[Day]


def whole_days(camera: Camera, cut: Cut) -> Divided:
    """How a camera's moves divide the whole days of `cut`."""
    stays, moved = list[Stay](), set[Day]()
    for start, end, facility in _stays(camera):
        first, last = max(day_of(start - 1) + 1, cut.first), min(day_of(end), cut.last)
        if first < last:
            stays.append(Stay(first, last, facility))
        moved.update(day for day in (day_of(start), day_of(end - 1)) if cut.first <= day < cut.last)
    covered = [(stay.first, stay.last) for stay in stays]
    return Divided(stays, sorted(day for day in moved if not any(first <= day < last for first, last in covered)))


def _stays(camera: Camera) -> list[Segment[Facility | None]]:
    """Where a camera stood, without neighbours of one place."""
    result: list[Segment[Facility | None]] = []
    for start, end, piece in camera.pieces:
        here = None if piece.elsewhere else piece.facility
        last = result[-1].value if result else None
        same = last is here or (last is not None and here is not None and place_of(last) == place_of(here))
        if result and same:
            result[-1] = Segment(result[-1].start, end, here)
        else:
            result.append(Segment(start, end, here))
    return result
