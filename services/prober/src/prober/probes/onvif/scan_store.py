"""Scans in the bucket `scans`, where any replica finds them for an hour. Nothing here holds a credential.

`<scan_id>` is the head, `<scan_id>.found.<index>` one address, `<scan_id>.stop` the wish that it ends.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ValidationError

from prober.probes.onvif.model import OnvifFinding
from vonggac.bus import Bucket, Bus, Outgoing
from vonggac.bus.declared import topology
from vonggac.telemetry import get_logger

log = get_logger(__name__)


class ScanState(StrEnum):
    """How far a scan is."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """A mistake of ours ended it; the log says which."""
    LOST = "lost"
    """Never stored: the prober that ran it has given no sign of life."""


class ScanHead(BaseModel):
    """One scan. `updated_at` is renewed every second while it runs."""

    id: UUID
    worker_id: str
    state: ScanState
    total: int
    started_at: datetime
    updated_at: datetime


class ScanRecords:
    """Reading scans, and requesting their end. Everything raises NatsError or TimeoutError when NATS is away."""

    def __init__(self, bus: Bus) -> None:
        self._bucket = Bucket(bus, topology.SCANS)

    async def create(self, head: ScanHead) -> None:
        """Create a scan; it is stored when this returns, so that the caller may have the id."""
        await self._bucket.put(str(head.id), head.model_dump_json().encode())

    async def head(self, scan_id: UUID) -> ScanHead | None:
        """None when there is no such scan, or when it has expired."""
        value = await self._bucket.get(str(scan_id))
        return ScanHead.model_validate_json(value) if value else None

    async def findings(self, scan_id: UUID) -> list[OnvifFinding]:
        """In the order of the addresses asked for."""
        values = await self._bucket.all(f"{scan_id}.found.*")
        found = (self._parsed(key, values[key]) for key in sorted(values))
        return [finding for finding in found if finding is not None]

    async def request_stop(self, scan_id: UUID) -> None:
        await self._bucket.put(f"{scan_id}.stop", b"{}")

    async def is_stop_requested(self, scan_id: UUID) -> bool:
        return await self._bucket.get(f"{scan_id}.stop") is not None

    def _parsed(self, key: str, value: bytes) -> OnvifFinding | None:
        try:
            return OnvifFinding.model_validate_json(value)
        except ValidationError:
            log.warning("scan_result_malformed", key=key)
            return None


class ScanWriter:
    """What a running scan stores; kept in memory while NATS is away."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    def head(self, head: ScanHead) -> None:
        self._outgoing.queue_value(topology.SCANS, head.id, head.model_dump_json().encode())

    def queue_finding(self, scan_id: UUID, index: int, finding: OnvifFinding) -> None:
        key = f"{scan_id}.found.{index:03d}"
        self._outgoing.queue_value(topology.SCANS, key, finding.model_dump_json().encode())
