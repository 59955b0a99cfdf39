"""The difference of each day of a camera and of its deliveries after its ledger was written anew."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reporting.domain.instants import Millis
from reporting.domain.ledger import CAMERA_SUMS, Day
from reporting.domain.partition import LEDGER_NAMES
from reporting.storage.availability.evidence import DeliveryChange, Gained
from reporting.storage.availability.ledger import CameraRow
from reporting.storage.availability.packed import DeliveryRow


def day_changes(
    span: tuple[Day, Day], current: CameraRow, before: Sequence[CameraRow], after: Sequence[CameraRow]
) -> Iterator[tuple[Day, Gained, Mapping[str, DeliveryChange]]]:
    """Yield the days of [first, last) whose figures differ, with what the camera and each of its deliveries gained.

    `current` holds at the first midnight, `before` and `after` are the rows that follow.
    """
    if list(before) == list(after):
        return
    olds, news = ({row.day: row for row in rows} for rows in (before, after))
    old = new = current
    ids = sorted({id_ for row in (current, *before, *after) for id_ in row.deliveries})
    first, last = span
    for day in range(first, last):
        later_old, later_new = olds.get(day + 1, old), news.get(day + 1, new)
        if later_old is old and later_new is new and _stands_as(old, new, ids):
            continue
        change = _gained(CAMERA_SUMS, (old.at(day), later_old.at(day + 1)), (new.at(day), later_new.at(day + 1)))
        deliveries = {}
        for id_ in ids:
            was = old.delivery(id_, day), later_old.delivery(id_, day + 1)
            found = _delivery_gained(was, (new.delivery(id_, day), later_new.delivery(id_, day + 1)))
            if found.change or found.by_cause:
                deliveries[id_] = found
        if change or deliveries:
            yield day, change, deliveries
        old, new = later_old, later_new


def _stands_as(old: CameraRow, new: CameraRow, ids: Iterable[str]) -> bool:
    """Whether time goes on alike after both."""
    return old.kind == new.kind and all(old.find_last_row(id_)[0].kind == new.find_last_row(id_)[0].kind for id_ in ids)


type _Ends[T] = tuple[T, T]
"""Of a day: its two midnights."""


def _gained(names: Sequence[str], old: _Ends[Sequence[Millis]], new: _Ends[Sequence[Millis]]) -> Gained:
    lengths = zip(names, *old, *new, strict=True)
    found = {
        name: (end - start) - (end_before - start_before) for name, start_before, end_before, start, end in lengths
    }
    return {name: length for name, length in found.items() if length}


def _delivery_gained(old: _Ends[DeliveryRow], new: _Ends[DeliveryRow]) -> DeliveryChange:
    causes = sorted({cause for row in (*old, *new) for cause in row.by_cause})
    (old_start, old_end), (new_start, new_end) = (
        tuple([row.by_cause.get(cause, 0) for cause in causes] for row in ends) for ends in (old, new)
    )
    return DeliveryChange(
        _gained(LEDGER_NAMES, (old[0].sums, old[1].sums), (new[0].sums, new[1].sums)),
        _gained(causes, (old_start, old_end), (new_start, new_end)),
    )
