"""What comes in from the bus, in batches: events of the inventory and observations. What goes out: notices.

`Feed` runs a consumer for each stream and keeps the lag gauge current; the handlers are given to it. Events are
acknowledged after their handler has committed. `StreamWatch` has what the tables lost handled again. `Publisher`
publishes the outbox in order.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from pydantic import ValidationError

from reporting import metrics
from reporting.domain.evidence.stream_age import StreamAge
from reporting.settings import Settings
from vonggac.bus import Bus, EventConsumer, Outgoing, Received
from vonggac.bus.clock import ServerClock
from vonggac.bus.declared import permissions, topology
from vonggac.bus.events import StoredMessage, read_stream
from vonggac.events import decode, subjects
from vonggac.events.forwarder import FactsLost
from vonggac.events.prober import DeliveryVerifiedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

WAIT_S = 0.5
MEASURE_EVERY_S = 5.0
PUBLISHED_AT_ONCE = 100
STORED_WITHIN_S = 30.0
LIVE_EVERY_S = 1.0
READ_BACK_LISTENERS = "read_back_listeners"
"""Queue group of the replicas."""
OUTBOX_EVERY_S = 1.0
"""Between two reads of the outbox when nobody says that there is something."""
FED = (
    StreamAge(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
    StreamAge(topology.INVENTORY, topology.REPORTING_INVENTORY),
)


class Handlers(Protocol):
    """What handles the batches. Each commits all of a batch or raises."""

    async def inventory(self, batch: Sequence[Received]) -> None: ...
    async def observations(self, batch: Sequence[Received]) -> None: ...
    async def live_read_backs(self, read_backs: Sequence[DeliveryVerifiedV1]) -> None: ...
    def is_transient(self, error: Exception) -> bool:
        """Whether PostgreSQL or the network is at fault rather than the event."""


class KeptPosition(Protocol):
    """How far a stream is in the tables: all up to `floor`, and up to `reached` all that does not wait.

    `floor` None: a release that kept no position had handled it; `reached` None: one that kept only the floor.
    """

    @property
    def floor(self) -> int | None: ...
    @property
    def reached(self) -> int | None: ...
    @property
    def stream_created_at(self) -> datetime | None: ...


class Positions(Protocol):
    """Where the positions are kept, with the data. Raises what PostgreSQL raises."""

    async def read(self, stream: str) -> KeptPosition | None: ...
    async def keep(
        self, stream: str, floor: int, reached: int, created: datetime, *, went_back: bool = False
    ) -> None: ...
    async def note_register_read(self, at: datetime) -> None:
        """Note that at `at` all that INVENTORY had was in the tables."""


def new_consumers(bus: Bus, handlers: Handlers, *, batch: int) -> list[EventConsumer]:
    """One per stream, not yet running."""
    return [
        EventConsumer(
            bus,
            stream=stream,
            durable=durable,
            handler=handler,
            transient=handlers.is_transient,
            batch=batch,
            on_newer=metrics.EVENTS_NEWER.labels(durable).inc,
            on_misplaced=metrics.EVENTS_MISPLACED.labels(durable).inc,
        )
        for stream, durable, handler in (
            (topology.INVENTORY, topology.REPORTING_INVENTORY, handlers.inventory),
            (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS, handlers.observations),
        )
    ]


class Feed:
    """Holds the bus connection; `run` is a task of the service and lives as long as it."""

    def __init__(
        self,
        settings: Settings,
        handlers: Handlers,
        positions: Positions,
        tables_missing: Callable[[], Awaitable[str | None]],
        *,
        clock: ServerClock,
    ) -> None:
        """`tables_missing`: None when the tables are there, otherwise one line. `clock`: is kept measured."""
        self._settings, self._handlers, self._positions = settings, handlers, positions
        self._tables_missing, self.clock = tables_missing, clock
        self.bus: Bus | None = None
        self.feeding = False
        self._watches: Sequence[StreamWatch] = ()
        self.begun = asyncio.Event()
        """Set when the tables are there and events are consumed for the first time."""

    async def check(self) -> str | None:
        """Readiness: None when consuming, and in an outage of NATS, when reports are of what is in the tables."""
        if self.bus is None or not self.bus.connected:
            return None
        return await self.bus.check_streams() if self.feeding else "waiting for the tables and the streams"

    async def check_outage(self) -> str | None:
        """Degradation: one line while NATS is away, so that nothing new comes."""
        return "NATS is not connected" if self.bus is None else await self.bus.check_outage()

    @property
    def behind(self) -> bool:
        """Whether more than a batch waits, or nobody knows how much does."""
        most = self._settings.ingest_batch
        return not self._watches or any(one.pending is None or one.pending > most for one in self._watches)

    def ages(self) -> list[StreamAge]:
        """How far the tables are behind each stream; while NATS is away nobody knows what waits."""
        measured = {watch.age.stream: watch.age for watch in self._watches}
        ages = [measured.get(one.stream, one) for one in FED]
        is_there = self.bus is not None and self.bus.connected
        return ages if is_there else [one.without_pending() for one in ages]

    async def report_losses(self, lost: Mapping[str, datetime]) -> None:
        """Report to forwarders, by their ids, that facts are lost which they published up to then."""
        for worker_id, lost_until in lost.items():
            body = FactsLost(lost_until=lost_until).model_dump_json().encode()
            assert self.bus is not None, "facts came from there"
            try:
                await self.bus.client.publish(subjects.worker_facts_lost(worker_id), body)
            except NatsError as error:
                log.debug("loss_not_reported", worker_id=worker_id, error=type(error).__name__)
            else:
                log.info("loss_reported", worker_id=worker_id, lost_until=lost_until.isoformat())

    async def run(self) -> None:
        """Connect, wait until streams and tables stand, then consume until cancelled."""
        bus = await self._connected()
        try:
            await bus.wait_for_topology(permissions.REPORTING)
            await self._wait_for_tables()
            self.feeding = True
            self.begun.set()
            log.info("reporting_feeding")
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.clock.run(bus))
                consumers = new_consumers(bus, self._handlers, batch=self._settings.ingest_batch)
                for consumer in consumers:
                    tasks.create_task(consumer.run())
                tasks.create_task(LiveReadBacks(bus, self._handlers).run())
                self._watches = [StreamWatch(bus, consumer, self._positions, self.clock) for consumer in consumers]
                tasks.create_task(self._measure(self._watches))
        finally:
            self.feeding = False
            await bus.close()

    async def _connected(self) -> Bus:
        while self.bus is None:
            try:
                self.bus = await Bus.connect(self._settings, name="reporting", clock=self.clock)
            except (NatsError, OSError) as error:
                log.warning("bus_connect_failed", error=type(error).__name__)
                await asyncio.sleep(WAIT_S)
        return self.bus

    async def _wait_for_tables(self) -> None:
        logged = False
        while (reason := await self._tables_missing()) is not None:
            if not logged:
                log.info("reporting_waiting_for_tables", reason=reason)
                logged = True
            await asyncio.sleep(WAIT_S)

    async def _measure(self, watches: Sequence["StreamWatch"]) -> None:
        while True:
            for watch in watches:
                await watch.check(self._handlers.is_transient)
            await asyncio.sleep(MEASURE_EVERY_S)


def read_focal_points(bus: Bus) -> AsyncIterator[list[StoredMessage]]:
    """Read the newest states of all focal points in the register's stream, in pages. Raises NatsError, TimeoutError."""
    return read_stream(bus, topology.INVENTORY, 1, sys.maxsize, pattern=subjects.inventory("focal_point", "*"))


class LiveReadBacks:
    """The newest read-back of each delivery, most of which are no facts: for what is shown, and never accounted.

    One replica hears each. What is missed comes with the next one.
    """

    def __init__(self, bus: Bus, handlers: Handlers) -> None:
        self._bus, self._handlers = bus, handlers
        self._heard: dict[UUID, DeliveryVerifiedV1] = {}

    async def run(self) -> None:
        """Listen until cancelled. Raises bugs, and what the bus refuses."""
        subject = subjects.republished(topology.VERIFICATIONS, "*")
        await self._bus.client.subscribe(subject, queue=READ_BACK_LISTENERS, cb=self._hear)
        while True:
            await asyncio.sleep(LIVE_EVERY_S)
            heard, self._heard = self._heard, {}
            if not heard:
                continue
            try:
                await self._handlers.live_read_backs(list(heard.values()))
            except Exception as error:
                if not self._handlers.is_transient(error):
                    raise
                log.debug("live_read_backs_left_out", count=len(heard), error=type(error).__name__)

    async def _hear(self, message: Msg) -> None:
        if not message.data:
            return
        try:
            read_back = DeliveryVerifiedV1.model_validate_json(message.data)
        except ValidationError:
            log.debug("verification_malformed", subject=message.subject)
            return
        self._heard[read_back.delivery_id] = read_back


class StreamWatch:
    """One stream: how far behind the tables are, and whether they, or the stream, went back (decision 0032)."""

    def __init__(self, bus: Bus, consumer: EventConsumer, positions: Positions, clock: ServerClock) -> None:
        self._bus, self._consumer, self._positions, self._clock = bus, consumer, positions, clock
        self.pending: int | None = None
        """Events that are not handled yet; None: not known."""
        self.age = StreamAge(consumer.stream, consumer.durable)
        self._kept: tuple[int, int] | None = None
        """The floor, and what was reached, as this process kept them last."""

    async def check(self, is_transient: Callable[[Exception], bool]) -> None:
        """Once. Raises only bugs."""
        durable = self._consumer.durable
        try:
            asked_at = self._clock.now()
            info = await self._bus.js.consumer_info(self._consumer.stream, durable)
            self.pending = (info.num_pending or 0) + (info.num_ack_pending or 0)
            metrics.PENDING.labels(durable).set(self.pending)
            handled = info.ack_floor.stream_seq if info.ack_floor is not None else 0
            oldest_age_s = await self._measure_age(handled)
            delivered = info.delivered.stream_seq if info.delivered is not None else handled
            last = await self._keep_position(handled, delivered)
            if self._consumer.stream == topology.INVENTORY and not self.pending:
                await self._positions.note_register_read(asked_at)
            await self._note_age(handled, last, oldest_age_s)
        except (NatsError, APIError, TimeoutError) as error:
            self.pending = None
            self.age = self.age.without_pending()
            log.debug("lag_unknown", durable=durable, error=type(error).__name__)
        except Exception as error:
            if not is_transient(error):
                raise
            log.info("position_unknown", durable=durable, error=type(error).__name__)

    async def _measure_age(self, handled: int) -> float:
        """Seconds: how old the first event is that is not handled: also when few come, nobody may wait for hours."""
        age_s = 0.0
        if self.pending:
            async for first in read_stream(self._bus, self._consumer.stream, handled + 1, sys.maxsize, most=1):
                stored_at = first[0].stored_at
                age_s = 0.0 if stored_at is None else max((self._clock.now() - stored_at).total_seconds(), 0.0)
                break
        metrics.OLDEST_PENDING.labels(self._consumer.durable).set(age_s)
        return age_s

    async def _note_age(self, handled: int, last: int, oldest_age_s: float) -> None:
        """`last`: sequence of the stream's last message, which may be gone."""
        handled_at, stream_time = self.age.handled_at, self.age.stream_time
        async for found in read_stream(self._bus, self._consumer.stream, last, last, most=1):
            stream_time = found[0].stored_at
            if handled >= last:
                handled_at = stream_time
        self.age = self.age._replace(
            pending=self.pending, oldest_pending_age_s=oldest_age_s, handled_at=handled_at, stream_time=stream_time
        )

    async def _keep_position(self, handled: int, delivered: int) -> int:
        """Return the sequence of the stream's last message.

        `handled`: everything up to there was acknowledged, so it was in the tables at that moment.

        `delivered`: nothing after it was. Between the two, what waits for a newer release may hold the floor down
        while all that came after it is acknowledged.
        """
        stream = self._consumer.stream
        info, kept = await self._bus.js.stream_info(stream), await self._positions.read(stream)
        assert info.created is not None
        floor = 0 if kept is None else kept.floor
        created = None if kept is None else kept.stream_created_at
        if floor is None:
            floor = handled
        reached = floor if kept is None or kept.reached is None else kept.reached
        went_back = info.state.last_seq < max(floor, reached) or (created is not None and created != info.created)
        if went_back:
            log.warning("stream_forgot", stream=stream, floor=floor, last=info.state.last_seq)
        elif floor < delivered and (self._kept is None or floor < self._kept[0] or reached < self._kept[1]):
            # Also after every start: the last seconds before it were not noted yet, and the inbox knows them.
            replayed = await self._consumer.replay(floor + 1, delivered)
            metrics.EVENTS_REPLAYED.labels(self._consumer.durable).inc(replayed)
            log.info("events_replayed", stream=stream, first=floor + 1, last=delivered, count=replayed)
        await self._positions.keep(stream, handled, delivered, info.created, went_back=went_back)
        self._kept = handled, delivered
        return info.state.last_seq


class WaitingNotice(Protocol):
    """A message of the outbox."""

    @property
    def sequence(self) -> int: ...
    @property
    def noun(self) -> str: ...
    @property
    def thing_id(self) -> UUID: ...
    @property
    def body(self) -> bytes: ...


class Outbox(Protocol):
    """Where committed notices wait. Raises what PostgreSQL raises."""

    async def unpublished(self, most: int) -> Sequence[WaitingNotice]: ...
    async def mark_published(self, sequences: Sequence[int], now: datetime) -> None: ...


class Publisher:
    """Publishes the outbox in order, and marks what NATS has stored. Two replicas do no harm: the server knows the ids.

    What NATS acknowledged and forgot is published again for three minutes (decision 0031).
    """

    def __init__(self, feed: Feed, outbox: Outbox, is_transient: Callable[[Exception], bool]) -> None:
        self._feed, self._outbox, self._is_transient = feed, outbox, is_transient
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something in the outbox."""
        self._woken.set()

    async def run(self) -> None:
        """Publish from the feed's beginning on until cancelled; raises only bugs."""
        await self._feed.begun.wait()
        assert self._feed.bus is not None
        outgoing = Outgoing(self._feed.bus)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outgoing.run())
            while True:
                self._woken.clear()
                try:
                    while await self.publish(outgoing):
                        pass
                except Exception as error:
                    if not self._is_transient(error):
                        raise
                    log.info("outbox_not_read", error=type(error).__name__)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), OUTBOX_EVERY_S)

    async def publish(self, outgoing: Outgoing) -> int:
        """Publish the oldest; returns how many NATS has stored. Raises what PostgreSQL raises."""
        waiting = await self._outbox.unpublished(PUBLISHED_AT_ONCE)
        if not waiting:
            return 0
        for one in waiting:
            outgoing.queue_event(subjects.notice(one.noun, one.thing_id), decode(one.body))
        while not await outgoing.flush(within_s=STORED_WITHIN_S):
            log.warning("notices_not_stored", count=len(waiting))
        await self._outbox.mark_published([one.sequence for one in waiting], self._feed.clock.now())
        metrics.NOTICES_PUBLISHED.inc(len(waiting))
        return len(waiting)
