"""Which cameras a batch may have changed, for those who keep the present."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from reporting.domain.instants import millis
from reporting.ingest.scope import KEPT
from reporting.storage.upkeep.announcements import Announced, Later
from vonggac.events import Payload
from vonggac.events.forwarder import CameraMediaObservedV1, DeliveryObservedV1
from vonggac.events.inventory import CameraV1, MaintenanceWindowV1, RemovedV1, State
from vonggac.events.prober import CameraObservedV1, DeliveryVerifiedV1

_NOUNS = frozenset({"agency", "destination", "facility", "maintenance_window", "unit"})


def of_facts(
    facts: Iterable[tuple[Payload, datetime]], ruled: Iterable[UUID], now: datetime, *, everything: bool
) -> Announced:
    """Announce what these facts, each with its moment, and rulings on disputes may change."""
    cameras, ahead = set(ruled), dict[UUID, datetime]()
    for fact, at in facts:
        if isinstance(fact, CameraObservedV1 | DeliveryObservedV1 | CameraMediaObservedV1 | DeliveryVerifiedV1):
            cameras.add(fact.camera_id)
            if at >= now:
                ahead[fact.camera_id] = max(at, ahead.get(fact.camera_id, at))
    later = (Later(millis(max(ahead.values())), frozenset(ahead)),) if ahead else ()
    return Announced(frozenset(cameras), later, everything)


def of_register(states: Sequence[State | RemovedV1], news: set[tuple[UUID, int]], now: datetime) -> Announced:
    """Announce what these states may change; `news`: those of the dated ones that were not on record so."""
    cameras, ahead = set[UUID](), dict[UUID | None, datetime]()
    for state in states:
        is_camera = state.noun == "camera" if isinstance(state, RemovedV1) else isinstance(state, CameraV1)
        if is_camera and (state.id, state.revision) not in news:
            continue
        if is_camera:
            cameras.add(state.id)
        elif not _names_places(state):
            continue
        key = state.id if is_camera else None
        at = state.removed_at if isinstance(state, RemovedV1) else state.changed_at
        ahead[key] = max(at, ahead.get(key, at))
    everything = None in ahead
    after = max((at for at in ahead.values() if at >= now), default=None)
    later = () if after is None else (Later(millis(after), None if everything else frozenset(cameras)),)
    return Announced(frozenset(cameras), later, everything)


def _names_places(state: State | RemovedV1) -> bool:
    """Whether it may change how any camera stands, or what it is named by."""
    if isinstance(state, RemovedV1):
        return state.noun in _NOUNS
    return type(state) in KEPT or isinstance(state, MaintenanceWindowV1)
