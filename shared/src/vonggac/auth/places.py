"""Where facilities lie, for services without a register: read from the register's stream when somebody asks.

Prober and forwarder know the facility of a camera. Who manages it, in which units it lies and whether it is restricted
is asked only for callers from whom something is kept, and remembered for some seconds. Each message is read by its
subject: a worker's login at NATS opens facilities and units, and not the people of the register.
"""

import asyncio
import time
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from nats.js.errors import NotFoundError

from vonggac.auth.scope import Place, Sight
from vonggac.auth.succession import UnitLinks, links_of, units_around
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.events import MalformedEventError, decode_on, subjects
from vonggac.events.inventory import FacilityV1, UnitV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

KEPT_S = 5.0
"""So soon is a site hidden that is made restricted."""
MOST_UNITS = 500
"""That one unit names, and these name: more than a province ever had communes."""
AT_ONCE = 32
"""Questions on their way at a time."""

type State = FacilityV1 | UnitV1


class _Kept(NamedTuple):
    read_at: float
    state: State | None


class FacilityPlaces:
    """The places of facilities, as the register has them now."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, UUID], _Kept] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def filter_visible(
        self, bus: Bus, sight: Sight, facility_ids: Collection[UUID | None]
    ) -> frozenset[UUID | None]:
        """Those that the caller sees; None stands for where nobody knows. Raises NatsError or TimeoutError."""
        if sight.is_everything:
            return frozenset(facility_ids)
        ids = [each for each in set(facility_ids) if each is not None]
        places = await asyncio.gather(*(self.place(bus, each) for each in ids))
        return frozenset(each for each, place in zip(ids, places, strict=True) if sight.shows(place))

    async def place(self, bus: Bus, facility_id: UUID) -> Place | None:
        """None when there is no such facility. Raises NatsError or TimeoutError when NATS is away."""
        state = await self._read(bus, "facility", facility_id)
        if not isinstance(state, FacilityV1):
            return None
        units = await self._units(bus, state.unit_id)
        return Place(state.id, state.managing_agency_id, units, state.restricted)

    async def _units(self, bus: Bus, unit_id: UUID) -> frozenset[UUID]:
        """Collect the unit, those above it, and those that they lay in before."""
        known: dict[UUID, UnitLinks] = {}
        waiting = [unit_id]
        while waiting and len(known) < MOST_UNITS:
            each = waiting.pop()
            if each in known:
                continue
            state = await self._read(bus, "unit", each)
            known[each] = links_of(state) if isinstance(state, UnitV1) else UnitLinks()
            waiting += known[each].near
        return units_around(unit_id, known)

    async def _read(self, bus: Bus, noun: str, thing_id: UUID) -> State | None:
        kept = self._kept.get((noun, thing_id))
        if kept is not None and time.monotonic() - kept.read_at < KEPT_S:
            return kept.state
        async with self._gate:
            state = await _read_state(bus, noun, thing_id)
        self._kept[noun, thing_id] = _Kept(time.monotonic(), state)
        return state


async def _read_state(bus: Bus, noun: str, thing_id: UUID) -> State | None:
    subject = subjects.inventory(noun, thing_id)
    try:
        stored = await bus.js.get_last_msg(topology.INVENTORY, subject, direct=True)
    except NotFoundError:
        return None
    try:
        data = decode_on(subject, stored.data or b"").data
    except MalformedEventError:
        log.warning("place_malformed", noun=noun, thing_id=str(thing_id))
        return None
    return data if isinstance(data, FacilityV1 | UnitV1) else None
