"""Watches the latest probe of each camera for faults of whole sites, and publishes each once."""

from collections import defaultdict
from uuid import UUID

from pydantic import ValidationError

from prober.domain.sites import CameraProbe, decide_site
from prober.messaging import Announcer, parse_status
from vonggac.bus import Bucket, Bus
from vonggac.bus.bucket_cache import watch_bucket
from vonggac.bus.declared import topology
from vonggac.events.prober import SiteObservedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

LEAST_CAMERAS = 3
"""Cameras of a facility that must fail alike to make a fault of the site."""


class SiteWatch:
    """Runs in every prober: all see the same probes in the same order, and what they publish has the same id."""

    def __init__(self, bus: Bus, announcer: Announcer, *, least_cameras: int = LEAST_CAMERAS) -> None:
        self._bus, self._announcer, self._least = bus, announcer, least_cameras
        self._probes: dict[UUID, dict[UUID, CameraProbe]] = defaultdict(dict)
        self._facility: dict[UUID, UUID] = {}
        self._published: dict[UUID, SiteObservedV1] = {}
        self._replayed = False

    async def run(self) -> None:
        """Until cancelled."""
        known = [_parse(value) for value in (await self._load_published()).values()]
        self._published = {fact.facility_id: fact for fact in known if fact is not None}
        await watch_bucket(self._bus, topology.CAMERA_STATUS, self._on_status, on_replayed=self._on_replayed)

    async def _load_published(self) -> dict[str, bytes]:
        return await Bucket(self._bus, topology.SITE_STATUS).all()

    def _on_replayed(self) -> None:
        self._replayed = True
        for facility_id in {*self._probes, *self._published}:
            self._decide(facility_id)

    def _on_status(self, key: str, value: bytes | None) -> None:
        camera_id = _camera_of(key)
        if camera_id is None:
            log.warning("camera_status_malformed", key=key)
            return
        status = parse_status(value)
        before = self._facility.pop(camera_id, None)
        if before is not None:
            self._probes[before].pop(camera_id, None)
        if status is not None and status.facility_id is not None:
            self._facility[camera_id] = status.facility_id
            self._probes[status.facility_id][camera_id] = CameraProbe.of(status)
        for facility_id in {before, status.facility_id if status else None} - {None}:
            assert facility_id is not None
            self._decide(facility_id)

    def _decide(self, facility_id: UUID) -> None:
        if not self._replayed:
            return
        probes = self._probes[facility_id]
        fact = decide_site(facility_id, probes.values(), self._published.get(facility_id), least_cameras=self._least)
        if not probes:
            del self._probes[facility_id]
        if fact is None:
            return
        self._published[facility_id] = fact
        self._announcer.publish_site_fault(fact)
        log.warning("site_observed", facility_id=str(facility_id), state=fact.state, cause=fact.cause)


def _camera_of(key: str) -> UUID | None:
    """None for a key that is no camera's: one entry must not end the watch of all."""
    try:
        return UUID(key)
    except ValueError:
        return None


def _parse(value: bytes) -> SiteObservedV1 | None:
    try:
        return SiteObservedV1.model_validate_json(value)
    except ValidationError:
        log.warning("site_status_malformed")
        return None
