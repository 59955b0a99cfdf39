"""What people say of recordings in a loop, kept in the bucket `repetition_disputes` and known to every prober."""

import asyncio
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import ValidationError

from prober.domain.dispute import DisputeState, decide_dispute, end_of, state_of
from prober.domain.result import ProbeResult
from prober.domain.verdict import unknown
from vonggac.bus import Bucket, Bus
from vonggac.bus.bucket_cache import watch_bucket
from vonggac.bus.declared import topology
from vonggac.events import Cause
from vonggac.events.prober import DisputeDecision, RepetitionDispute, Verdict
from vonggac.telemetry import get_logger

log = get_logger(__name__)

READ_WITHIN_S = 1.0
"""The camera's verdict does not wait longer for NATS."""
UNREAD = "the same keyframes come again, and NATS did not answer whether somebody disputes that"


class DisputeRecord(RepetitionDispute):
    """With who said it and why; the names are on no event."""

    disputed_by: str
    reason: str
    repeats_since: datetime | None = None
    decided_by: str | None = None
    decision_reason: str | None = None

    @property
    def dispute(self) -> RepetitionDispute:
        """Without names and reasons."""
        return RepetitionDispute.model_validate(self.model_dump(include=set(RepetitionDispute.model_fields)))


class Disputes:
    """`run` follows the bucket, so that no probe asks NATS; it ends disputes whose recording is over."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._bucket = bus, Bucket(bus, topology.REPETITION_DISPUTES)
        self._records: dict[UUID, DisputeRecord] = {}
        self._replayed = False
        self._absent_since: dict[UUID, datetime] = {}
        """Of cameras with a dispute: the first of the last probes that found no repetition."""

    async def run(self) -> None:
        """Until cancelled."""
        await watch_bucket(self._bus, topology.REPETITION_DISPUTES, self._on_value, on_replayed=self._on_replayed)

    async def load(self, camera_id: UUID) -> tuple[DisputeRecord | None, int]:
        """Load the record and its revision (0: never any). Raises NatsError or TimeoutError when NATS is away."""
        value, revision = await self._bucket.entry(str(camera_id))
        return _parse(value), revision

    async def store(self, camera_id: UUID, record: DisputeRecord, revision: int) -> bool:
        """Whether it was stored: not after somebody else changed it since `revision`. Raises as `load` does."""
        stored = await self._bucket.replace(str(camera_id), record.model_dump_json().encode(), revision)
        if stored:
            self._records[camera_id] = record
        return stored

    async def add_dispute(self, camera_id: UUID, result: ProbeResult) -> ProbeResult:
        """Add to the result what people said, and whether this probe ends it."""
        try:
            record = await self._find(camera_id)
        except (NatsError, TimeoutError, OSError):
            accuses = result.repeats is not None and result.judgement.verdict is Verdict.UP
            return replace(result, judgement=unknown(Cause.REPEATS, UNREAD)) if accuses else result
        if record is None:
            return result
        now = self._bus.clock.now()
        if record.ended_at is None:
            record = await self._end(camera_id, record, result, now)
        return replace(result, dispute=record.dispute)

    def is_disputed(self, camera_id: UUID) -> bool:
        """Whether somebody disputes that the camera repeats, and nobody has decided, as far as this prober knows."""
        record = self._records.get(camera_id)
        return record is not None and state_of(record) is DisputeState.DISPUTED

    async def _end(self, camera_id: UUID, record: DisputeRecord, result: ProbeResult, now: datetime) -> DisputeRecord:
        if result.repeats is not None:
            self._absent_since.pop(camera_id, None)
            return record
        absent_since = self._absent_since.setdefault(camera_id, now)
        ended_at = end_of(record, result, absent_since=absent_since, now=now)
        if ended_at is None:
            return record
        ended = record.model_copy(update={"ended_at": ended_at})
        try:
            stored, revision = await self.load(camera_id)
            if stored is not None and stored.disputed_at == record.disputed_at and stored.ended_at is None:
                ended = stored.model_copy(update={"ended_at": ended_at})
                await self.store(camera_id, ended, revision)
        except (NatsError, TimeoutError, OSError) as error:
            # The next probe ends it.
            log.info("repetition_end_not_stored", camera_id=str(camera_id), error=type(error).__name__)
            return record
        self._absent_since.pop(camera_id, None)
        return ended

    async def _find(self, camera_id: UUID) -> DisputeRecord | None:
        if self._replayed:
            return self._records.get(camera_id)
        async with asyncio.timeout(READ_WITHIN_S):
            return (await self.load(camera_id))[0]

    def _on_value(self, key: str, value: bytes | None) -> None:
        record = _parse(value)
        try:
            camera_id = UUID(key)
        except ValueError:
            return
        if record is None:
            self._records.pop(camera_id, None)
        else:
            self._records[camera_id] = record

    def _on_replayed(self) -> None:
        self._replayed = True


def decided(record: DisputeRecord, decision: DisputeDecision, *, by: str, reason: str, at: datetime) -> DisputeRecord:
    """Record the decision of a dispute that was open."""
    result = decide_dispute(record.dispute, decision, at)
    said = {"decision": result.decision, "decided_at": result.decided_at}
    return record.model_copy(update={**said, "decided_by": by, "decision_reason": reason})


def _parse(value: bytes | None) -> DisputeRecord | None:
    if not value:
        return None
    try:
        return DisputeRecord.model_validate_json(value)
    except ValidationError:
        log.warning("repetition_dispute_malformed")
        return None
