"""What was lost with a stream, by how it stood when it was last seen and how it stands now. No I/O."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from vonggac.bus.declared import topology
from vonggac.events.setup import LossKind, Refill, StreamLostV1

_REFILLS = {
    topology.INVENTORY: Refill.REGISTER,
    **dict.fromkeys((topology.PROBE_JOBS, topology.DELIVERY_JOBS, topology.VERIFY_JOBS), Refill.JOBS),
    **dict.fromkeys((topology.OBSERVATIONS, topology.NOTICES), Refill.KEPT_FACTS),
}
_READ_BY = {
    topology.INVENTORY: topology.REPORTING_INVENTORY,
    topology.OBSERVATIONS: topology.REPORTING_OBSERVATIONS,
}
_EMPTY_THEMSELVES = frozenset(
    {topology.PROBE_JOBS, topology.DELIVERY_JOBS, topology.VERIFY_JOBS, topology.DEAD_LETTERS}
)
"""A job goes with its camera, a dead letter with its replay."""


class StreamStatus(BaseModel):
    """How a stream or a consumer stood at `seen_at`, by the server's clock."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seen_at: AwareDatetime
    created: AwareDatetime
    messages: int | None = None
    """None: a consumer."""
    last_sequence: int = 0
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    first_sequence: int = 0
    unread: int | None = None
    """By reporting; None of a stream that it does not read."""
    max_age_s: float = 0.0
    max_bytes: int = 0
    replicas: int = 1
    taken_until: AwareDatetime | None = None
    """All that was stored by then was taken by reporting; None: not known."""
    mark_at: AwareDatetime | None = None
    mark_sequence: int = 0
    """What was stored last at that moment: once it is taken, `taken_until` is there."""

    def after(self, before: "StreamStatus | None") -> "StreamStatus":
        """Add what was known of how far reporting was. A stream that was made anew begins anew."""
        taken, at, sequence = None, None, 0
        if before is not None and before.created == self.created:
            taken, at, sequence = before.taken_until, before.mark_at, before.mark_sequence
        if self.unread is not None:
            read = self.last_sequence - self.unread
            if at is not None and read >= sequence:
                taken, at = at, None
            if at is None:
                at, sequence = self.seen_at, self.last_sequence
            if not self.unread:
                taken = self.seen_at
        return self.model_copy(update={"taken_until": taken, "mark_at": at, "mark_sequence": sequence})


def name_of(stream: str, consumer: str | None = None) -> str:
    """As a stream, or a consumer of it, is called in what is noted of them."""
    return stream if consumer is None else f"{stream}/{consumer}"


def find_losses(before: Mapping[str, StreamStatus], now: Mapping[str, StreamStatus]) -> Iterator[StreamLostV1]:
    """Find what was lost between two moments at which all stood, by `name_of`. What never stood before is no loss."""
    for name, stands in now.items():
        stream, _, consumer = name.partition("/")
        if name not in before or (consumer and _is_anew(before.get(stream), now.get(stream))):
            # With a stream its consumers are gone.
            continue
        stood = before[name]
        if (kind := _kind_of_loss(stream, stood, stands)) is not None:
            yield StreamLostV1(
                stream=stream,
                consumer=consumer or None,
                kind=kind,
                lost_from=_lost_from(stream, stood, stands, kind, consumer=bool(consumer)),
                lost_until=stands.created if kind is LossKind.GONE else stands.seen_at,
                seen_at=stood.seen_at,
                messages=stood.messages,
                unread=stood.unread,
                filled_with=_refill_of(stream, kind, consumer=bool(consumer)),
            )


def reader_of(stream: str) -> str | None:
    """Find the consumer by which reporting reads a stream."""
    return _READ_BY.get(stream)


def _is_anew(before: StreamStatus | None, now: StreamStatus | None) -> bool:
    return before is not None and now is not None and before.created != now.created


def _is_restored(stood: StreamStatus, stands: StreamStatus) -> bool:
    """Whether a stream that was made anew came from a backup: only so it holds what was stored before it was made.

    An empty one goes on behind its last sequence.
    """
    if stands.messages is None:
        return False
    if stands.first_at is not None:
        return stands.first_at < stands.created
    return 0 < stood.last_sequence <= stands.last_sequence


def _kind_of_loss(stream: str, stood: StreamStatus, stands: StreamStatus) -> LossKind | None:
    if stands.created != stood.created and not _is_restored(stood, stands):
        return LossKind.GONE
    if stands.messages is None or not stood.messages:
        return None
    if stands.last_sequence < stood.last_sequence:
        return LossKind.WENT_BACK
    # Bounds of age, bytes and values a key take the oldest, and never half of it between two rounds, of a full stream.
    all_gone = stands.first_sequence > stood.last_sequence and stands.messages * 2 < stood.messages
    if not all_gone or stream in _EMPTY_THEMSELVES or _expired(stood, stands):
        return None
    return LossKind.EMPTIED


def _expired(stood: StreamStatus, stands: StreamStatus) -> bool:
    if not stood.max_age_s or stood.last_at is None:
        return False
    return stood.last_at + timedelta(seconds=stood.max_age_s) <= stands.seen_at


def _lost_from(stream: str, stood: StreamStatus, stands: StreamStatus, kind: LossKind, *, consumer: bool) -> datetime:
    if consumer:
        return stood.seen_at
    if stream in _READ_BY:
        return stood.taken_until or stood.first_at or stood.seen_at
    if kind is LossKind.WENT_BACK:
        return min(stands.last_at or stood.seen_at, stood.seen_at)
    return stood.first_at or stood.seen_at if stream in topology.BOUNDED else stood.seen_at


def _refill_of(stream: str, kind: LossKind, *, consumer: bool) -> Refill:
    if consumer:
        return Refill.MESSAGES_OF_STREAM
    if stream.startswith(topology.key_value_stream("")):
        return Refill.VALUES
    if kind is LossKind.EMPTIED:
        # Its publishers check its identity and its last sequence.
        return Refill.NOTHING
    if kind is LossKind.WENT_BACK and stream == topology.INVENTORY:
        return Refill.KEPT_FACTS
    return _REFILLS.get(stream, Refill.NOTHING)
