"""Publishes the outbox in order, and reads which jobs stand in the work queues; consumes nothing.

Delivery is at least once: a row is marked after NATS has stored its message, and `Nats-Msg-Id` lets the server drop a
repetition. It stays some minutes more, and is published again when the stream has forgotten it (decision 0031). Two
rows of one subject are never published at the same time, so a retry cannot overtake a newer state.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from pydantic import BaseModel, ConfigDict, ValidationError

from inventory.domain.reconciling import HELD_EVERY_S, Queue, Seen
from inventory.metrics import Metrics
from vonggac.bus import Bucket, Bus, ServerClock
from vonggac.bus.connection import BusSettings
from vonggac.bus.declared import topology
from vonggac.events import subjects
from vonggac.events.envelope import worker_of
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WINDOW = 256
AT_ONCE = 16  # Rows on their way to NATS: whoever reads a list meanwhile waits for all of them at each step.
STORE_WITHIN_S = 5.0
CHECK_EVERY_S = 20.0
RETRY_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)
subject_of = subjects.inventory
"""Where the state of a thing is published."""


type Republish = Callable[[], Awaitable[int]]


class OutboxAwayError(Exception):
    """The outbox cannot be read or written now; the text says why."""


class Row(Protocol):
    """A message of the outbox."""

    @property
    def id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def headers(self) -> dict[str, str]:
        """Its id, and how long ago its change was written; as of now."""


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """Which stream INVENTORY is (by its creation time, None: not known), and the last sequence we got from it."""

    created: datetime | None
    last_sequence: int


class OutboxMark(BaseModel):
    """How far the outbox of a register has come; its value in the bucket `positions` is what was published of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    highest: int
    epoch: int


class RestoredRegister(Protocol):
    """Knows whether the register went back, and begins an epoch. Raises what PostgreSQL raises."""

    async def read_mark(self) -> OutboxMark: ...
    async def begin_epoch(self, published: OutboxMark, subjects: Collection[str]) -> int | None: ...


class Batch[R: Row](Protocol):
    """The oldest messages of the outbox; those named in `stored` are marked when the batch is closed."""

    last_sequence: int | None
    """The newest of what was stored: kept with the marks."""

    @property
    def rows(self) -> Sequence[R]: ...
    @property
    def stored(self) -> list[int]: ...


class Outbox(Protocol):
    """Where committed messages wait."""

    def open_batch(self, most: int) -> AbstractAsyncContextManager[Batch[Row]]:
        """At most `most` messages, which no other replica gets meanwhile. Raises OutboxAwayError, also at the end."""

    async def read_position(self) -> StreamPosition | None: ...
    async def keep_position(self, position: StreamPosition) -> None: ...
    async def wait_again(self) -> int: ...


class Relay:
    """Publishes the outbox until cancelled, through outages of NATS and PostgreSQL. Row locks order replicas."""

    def __init__(
        self, outbox: Outbox, bus: Bus, metrics: Metrics, *, poll_s: float, republish: Republish | None = None
    ) -> None:
        """`republish` puts the state of everything into the outbox: for a stream that was made anew."""
        self._outbox, self._bus, self._metrics, self._poll_s = outbox, bus, metrics, poll_s
        self._republish = republish
        self._woken = asyncio.Event()
        self._last_sequence = 0
        self._forgot = False
        self._checked_at, self._checked_at_s = 0, 0.0
        """At which connection, and when."""
        bus.on_reconnect(self.wake)

    def wake(self) -> None:
        """Check the outbox now."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled; raises only bugs."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                await self._check_stream()
                while await self._publish_window():
                    failures = 0
            except (_UnstoredError, OutboxAwayError) as reason:
                failures = await self._pause(failures, str(reason))
            else:
                failures = 0
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._poll_s)

    async def _pause(self, failures: int, reason: str) -> int:
        self._metrics.publish_failures.inc()
        if failures == 0:
            log.warning("outbox_not_published", reason=reason)
        delay_s = RETRY_AFTER_S[min(failures, len(RETRY_AFTER_S) - 1)]
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), delay_s)
        self._woken.clear()
        return failures + 1

    async def _publish_window(self) -> bool:
        """Publish some rows; False when there are none. Raises _UnstoredError after keeping what was stored."""
        if not self._bus.connected:
            # Not tried: a message buffered by the client would hold a transaction open until its timeout.
            raise _UnstoredError("NATS is not connected")
        async with self._outbox.open_batch(WINDOW) as batch:
            rows = window(batch.rows)
            if not rows:
                return False
            before = self._last_sequence
            results: list[str | None] = []
            while len(results) < len(rows) and not any(results):
                part = rows[len(results) : len(results) + AT_ONCE]
                results += await asyncio.gather(*(self._store(row, before) for row in part))
            batch.stored.extend(row.id for row, failure in zip(rows, results, strict=False) if failure is None)
            batch.last_sequence = self._last_sequence
        self._metrics.published.inc(len(batch.stored))
        if len(batch.stored) < len(rows):
            raise _UnstoredError(next(failure for failure in results if failure is not None))
        return True

    async def _check_stream(self) -> None:
        """See whether the stream is still the one that this database published to. Raises _UnstoredError."""
        now_s, connection = time.monotonic(), self._bus.connections
        if connection == self._checked_at and now_s - self._checked_at_s < CHECK_EVERY_S and not self._forgot:
            return
        try:
            info = await self._bus.js.stream_info(topology.INVENTORY)
        except (TimeoutError, NatsError, JetStreamError, OSError) as error:
            raise _UnstoredError(f"NATS {type(error).__name__}") from None
        kept, last = await self._outbox.read_position(), info.state.last_seq
        if kept is not None:
            anew = kept.created is not None and kept.created != info.created
            if anew or self._forgot or last < max(kept.last_sequence, self._last_sequence):
                await self._publish_again(everything=anew)
        self._last_sequence, self._forgot = last, False
        await self._outbox.keep_position(StreamPosition(info.created, last))
        self._checked_at, self._checked_at_s = connection, now_s

    async def _publish_again(self, *, everything: bool) -> None:
        count = await self._outbox.wait_again()
        if everything and self._republish is not None:
            count += await self._republish()
        self._metrics.published_again.inc(count)
        log.warning("stream_forgot", stream=topology.INVENTORY, published_again=count)

    async def _store(self, row: Row, last_sequence: int) -> str | None:
        """None when NATS has stored the message, otherwise the reason."""
        try:
            ack = await self._bus.js.publish(
                row.subject,
                row.body,
                timeout=STORE_WITHIN_S,
                stream=topology.INVENTORY,
                headers=row.headers,
            )
        except (TimeoutError, NatsError, JetStreamError, OSError) as error:
            return f"NATS {type(error).__name__}"
        if not ack.duplicate:
            # A place that was given out before: the stream went back.
            self._forgot = self._forgot or ack.seq <= last_sequence
            self._last_sequence = max(self._last_sequence, ack.seq)
        return None


class _UnstoredError(Exception):
    """NATS did not store a message; the text is the reason."""


def window[R: Row](rows: Sequence[R]) -> list[R]:
    """Take the rows up to the first whose subject is among the rows before it."""
    subjects: set[str] = set()
    taken: list[R] = []
    for row in rows:
        if row.subject in subjects:
            break
        subjects.add(row.subject)
        taken.append(row)
    return taken


type BusTask = Callable[[Bus], Coroutine[None, None, None]]
"""What runs beside the relay on its connection, until cancelled."""


async def connect_and_relay(
    settings: BusSettings, relay_ready: "RelayReady", clock: ServerClock, beside: Sequence[BusTask] = ()
) -> None:
    """Connect to NATS, publish the outbox until cancelled, then close the connection. `clock` reads the server's."""
    bus = await Bus.connect(settings, name="inventory", clock=clock)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(relay_ready(bus).run(), name="relay")
            for task in beside:
                group.create_task(task(bus))
    finally:
        await bus.close()


class RelayReady:
    """Creates the relay when NATS is connected, and wakes it from then on."""

    def __init__(self, outbox: Outbox, metrics: Metrics, *, poll_s: float, republish: Republish | None = None) -> None:
        self._outbox, self._metrics, self._poll_s, self._republish = outbox, metrics, poll_s, republish
        self._relay: Relay | None = None
        self.bus: Bus | None = None

    def __call__(self, bus: Bus) -> Relay:
        self.bus = bus
        self._relay = Relay(self._outbox, bus, self._metrics, poll_s=self._poll_s, republish=self._republish)
        return self._relay

    @property
    def connected(self) -> bool:
        return self.bus is not None and self.bus.connected

    async def check(self) -> str | None:
        """Readiness: None unless NATS says that it has no stream for changes, or no room."""
        return None if self.bus is None else await self.bus.check_streams()

    async def check_outage(self) -> str | None:
        """Degradation: one line while NATS is away; changes wait in the outbox meanwhile, and all else works."""
        return "NATS is not connected" if self.bus is None else await self.bus.check_outage()

    def wake(self) -> None:
        if self._relay is not None:
            self._relay.wake()


@dataclass(frozen=True, slots=True)
class _WorkQueue:
    """A work queue, and where its work is seen."""

    stream: str
    durable: str
    worker: str
    """How the names of its workers begin."""
    job: Callable[[str], str]


_WORK_QUEUES = {
    Queue.PROBE: _WorkQueue(topology.PROBE_JOBS, topology.PROBER, "prober-", subjects.probe_job),
    Queue.DELIVERY: _WorkQueue(topology.DELIVERY_JOBS, topology.FORWARDER, "forwarder-", subjects.delivery_job),
    Queue.VERIFY: _WorkQueue(topology.VERIFY_JOBS, topology.VERIFIER, "prober-", subjects.verify_job),
}


class JobBoard:
    """Which jobs stand, and what was seen of them. Every method raises NatsError or TimeoutError when NATS is away."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._workers = bus, Bucket(bus, topology.WORKERS)

    async def camera_ids(self, queue: Queue) -> frozenset[str]:
        """Ids of the cameras that have a job in this queue."""
        work = _WORK_QUEUES[queue]
        info = await self._bus.js.stream_info(work.stream, subjects_filter=work.job("*"))
        return frozenset(subject.rpartition(".")[2] for subject in info.state.subjects or ())

    async def workers(self) -> frozenset[str]:
        """Ids of the workers that live."""
        return frozenset(map(worker_of, await self._workers.all())) - {""}

    async def watched(self, queue: Queue, workers: AbstractSet[str]) -> bool:
        """Whether a job that is not seen must be lost: somebody works, and all jobs are given out."""
        work = _WORK_QUEUES[queue]
        if not any(worker.startswith(work.worker) for worker in workers):
            return False
        info = await self._bus.js.consumer_info(work.stream, work.durable)
        return not info.num_pending

    async def last_seen(self, queue: Queue, camera: CameraV1, workers: AbstractSet[str], now: datetime) -> Seen | None:
        """Find the newest sign of the camera's job by the server's time; None when there is none."""
        match queue:
            case Queue.PROBE:
                found = [await self._entry(topology.CAMERA_STATUS, camera.id)]
            case Queue.DELIVERY:
                found = [await self._entry(topology.DELIVERY_STATUS, each.id) for each in camera.forwarded]
            case Queue.VERIFY:
                found = [await self._entry(topology.VERIFICATIONS, each.id) for each in camera.read_back]
        return max(
            (_sign(queue, *each, workers, now) for each in found if each), key=lambda seen: seen.at, default=None
        )

    async def _entry(self, bucket: str, key: UUID) -> tuple[datetime, bytes] | None:
        try:
            entry = await self._bus.js.get_last_msg(f"KV_{bucket}", subjects.key_value(bucket, key), direct=True)
        except NotFoundError:
            return None
        return (entry.time, entry.data) if entry.time is not None and entry.data else None


class _Sign(BaseModel):
    """What the statuses have in common that says whether somebody works on a camera."""

    worker_id: str = ""
    interval_s: float = HELD_EVERY_S
    state: str = ""


def _sign(queue: Queue, stored_at: datetime, body: bytes, workers: AbstractSet[str], now: datetime) -> Seen:
    try:
        sign = _Sign.model_validate_json(body)
    except ValidationError:
        sign = _Sign()
    held = queue is Queue.DELIVERY and sign.worker_id in workers and sign.state != DeliveryState.RELEASED
    return Seen(now if held else stored_at, sign.interval_s)


async def watch_register(
    bus: Bus,
    *,
    register: RestoredRegister,
    is_transient: Callable[[Exception], bool],
    on_epoch: Callable[[], None],
    every_s: float,
) -> None:
    """Notice that the register was restored from an older copy, and begin an epoch (decision 0032); until cancelled."""
    while True:
        try:
            await _compare_register(bus, register, on_epoch)
        except Exception as error:
            if not (isinstance(error, NatsError | TimeoutError | OSError) or is_transient(error)):
                raise
            log.debug("register_not_compared", error=type(error).__name__)
        await asyncio.sleep(every_s)


async def _compare_register(bus: Bus, register: RestoredRegister, on_epoch: Callable[[], None]) -> None:
    bucket, mark = Bucket(bus, topology.POSITIONS), await register.read_mark()
    value, revision = await bucket.entry(topology.INVENTORY.lower())
    published = OutboxMark.model_validate_json(value) if value else None
    if published is not None and published.highest > mark.highest:
        info = await bus.js.stream_info(topology.INVENTORY, subjects_filter=subjects.inventory("*", "*"))
        if await register.begin_epoch(published, list(info.state.subjects or {})) is None:
            log.error("register_empty", published=published.highest)
            return
        on_epoch()
        mark = await register.read_mark()
    if published != mark:
        await bucket.replace(topology.INVENTORY.lower(), mark.model_dump_json().encode(), revision)
