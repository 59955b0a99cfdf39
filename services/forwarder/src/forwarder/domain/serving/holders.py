"""Which worker serves which path, as all workers report."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from forwarder.domain.assignment.ownership import holds
from vonggac.events.forwarder import DeliveryObservedV1


@dataclass(frozen=True, slots=True)
class ServedPath:
    """What is at a path. `worker_id`: who holds its camera; None while nobody does."""

    path: str
    delivery_id: UUID
    camera_id: UUID
    destination_id: UUID
    worker_id: str | None


class ServedPaths:
    """Of all deliveries that are planned."""

    def __init__(self) -> None:
        self._by_path: dict[str, ServedPath] = {}
        self._path_of: dict[UUID, str] = {}
        self._cameras: Counter[UUID] = Counter()
        """By destination."""

    def note_report(self, delivery_id: UUID, observed: DeliveryObservedV1 | None) -> None:
        """Note the newest report of a delivery; None: it is planned no more."""
        path = observed.served_path if observed is not None else None
        before = self._path_of.get(delivery_id)
        if before is not None and before != path:
            self._remove(before)
        if observed is None or path is None:
            return
        at = self._by_path.get(path)
        holder = observed.worker_id if holds(observed) else None
        if at is not None and at.delivery_id != delivery_id and holder is None:
            # Another delivery has this path by now.
            return
        if at is not None:
            self._remove(path)
        self._path_of[delivery_id] = path
        self._cameras[observed.destination_id] += 1
        self._by_path[path] = ServedPath(path, delivery_id, observed.camera_id, observed.destination_id, holder)

    def find(self, path: str) -> ServedPath | None:
        """Find what is at a path; None where nothing is planned."""
        return self._by_path.get(path)

    def serves(self, destination_id: UUID) -> bool:
        """Whether any camera is planned for this destination."""
        return self._cameras[destination_id] > 0

    def _remove(self, path: str) -> None:
        removed = self._by_path.pop(path)
        del self._path_of[removed.delivery_id]
        self._cameras[removed.destination_id] -= 1
