"""The outbox table: messages committed with the change that caused them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, any_, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from inventory.messaging import OutboxAwayError, StreamPosition, subject_of
from inventory.metrics import Metrics
from inventory.storage.bulk import copy_rows
from inventory.storage.conflicts import too_large
from inventory.storage.tables import THINGS, OutboxRow, PublishedStream
from vonggac.bus.clock import SteadyInstant, waited_ms
from vonggac.bus.declared import topology
from vonggac.database import Database, is_away
from vonggac.events import CloudEvent, Payload, new_event
from vonggac.events.envelope import CONTENT_TYPE, WAITED_HEADER, EventTooLargeError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

SOURCE = "/inventory"
KEPT = timedelta(minutes=5)
"""A row stays so long after NATS has stored it: longer than NATS takes to sync (decision 0031)."""
FORGET_EVERY = timedelta(seconds=10)
_COPIED = ("event_id", "subject", "body", "created_at", "written_boot", "written_ms")
_PLAIN = {"synchronize_session": False}
_NUMBERS = select(*(select(func.count()).select_from(kind).scalar_subquery().label(kind.noun) for kind in THINGS))
"""How many things of each noun there are, in one statement: one by one they are a round each."""


class OutboxMessage(NamedTuple):
    """A message as it goes to the bus."""

    event_id: str
    subject: str
    body: bytes


class WaitingRow(NamedTuple):
    """A row that is to be published."""

    id: int
    event_id: str
    subject: str
    body: bytes
    repetition: int
    written_boot: str | None
    written_ms: int | None

    @property
    def headers(self) -> dict[str, str]:
        """Its id, and how long ago its change was written, where the steady clock knows that; as of now.

        The id is a new one for each repetition: the server may know the first, and not the state that came after it.
        """
        message_id = f"{self.event_id}/{self.repetition}" if self.repetition else self.event_id
        headers = {"Nats-Msg-Id": message_id, "Content-Type": CONTENT_TYPE}
        if self.written_boot is not None and self.written_ms is not None:
            waited = waited_ms(SteadyInstant(self.written_boot, self.written_ms))
            if waited is not None:
                headers[WAITED_HEADER] = str(waited)
        return headers


_PUBLISHED = [getattr(OutboxRow, name) for name in WaitingRow._fields]


def new_message(noun: str, thing_id: UUID, payload: Payload, *, now: datetime) -> OutboxMessage:
    """Encode `payload` as an event. Raises ProblemError 422 when it exceeds the largest event."""
    event: CloudEvent[Payload] = new_event(payload, source=SOURCE, subject=str(thing_id), time=now)
    try:
        return OutboxMessage(event.id, subject_of(noun, thing_id), event.encode())
    except EventTooLargeError as error:
        raise too_large(noun, getattr(payload, "code", str(thing_id)), error.size) from None


async def append_messages(
    session: AsyncSession,
    messages: Iterable[OutboxMessage],
    *,
    now: datetime,
    written: SteadyInstant | None = None,
) -> None:
    """Append `messages` in this order, in the caller's transaction.

    `written`: when what they say was written, by the steady clock; None: earlier, as of what is only published again.
    """
    boot, elapsed_ms = (None, None) if written is None else written
    rows = ((entry.event_id, entry.subject, entry.body, now, boot, elapsed_ms) for entry in messages)
    await copy_rows(session, OutboxRow, _COPIED, rows)


async def come_last(session: AsyncSession, written_at: datetime, since: int) -> None:
    """Have the messages of a write that were appended before it queued come after those that others appended since.

    Who republishes a thing meanwhile publishes the state before: it must not be the last one of its subject. Called
    when nobody else appends any more. `since`: the newest row when the write began.
    """
    ours, others, later = aliased(OutboxRow), aliased(OutboxRow), aliased(OutboxRow)
    waiting = select(others.subject).where(
        others.id > since, others.created_at != written_at, others.published_at.is_(None)
    )
    subjects = set(await session.scalars(waiting))
    if not subjects:
        return
    newest = select(func.max(ours.id)).where(ours.created_at == written_at, ours.subject.in_(subjects))
    newest = newest.where(
        select(later.id)
        .where(later.subject == ours.subject, later.id > ours.id, later.created_at != written_at)
        .exists()
    )
    which = OutboxRow.id.in_(newest.group_by(ours.subject))
    await session.execute(update(OutboxRow).where(which).values(id=text("default")), execution_options=_PLAIN)


async def next_rows(session: AsyncSession, most: int) -> list[WaitingRow]:
    """Lock the oldest rows: another replica waits until this transaction ends, so the order stays."""
    waiting = select(*_PUBLISHED).where(OutboxRow.published_at.is_(None))
    query = waiting.order_by(OutboxRow.id).limit(most).with_for_update()
    return [WaitingRow(*row) for row in await session.execute(query)]


async def mark_published(session: AsyncSession, ids: Sequence[int], *, now: datetime) -> None:
    """Note that NATS has stored these rows; they are kept for KEPT."""
    which = OutboxRow.id == any_(literal(list(ids), ARRAY(BigInteger)))
    await session.execute(update(OutboxRow).where(which).values(published_at=now))


async def forget_published(session: AsyncSession, *, now: datetime) -> None:
    """Forget the rows that were kept long enough. Reads the whole table, which is long after an import."""
    await session.execute(delete(OutboxRow).where(OutboxRow.published_at < now - KEPT))


async def wait_again(session: AsyncSession) -> int:
    """Have the newest state of each thing that was published lately published again; returns how many that are.

    Not the older ones: after a newer state that the server still knows by its id, they would be the last.
    """
    newest = select(func.max(OutboxRow.id)).group_by(OutboxRow.subject)
    again = update(OutboxRow).where(OutboxRow.id.in_(newest), OutboxRow.published_at.is_not(None))
    result = await session.execute(again.values(published_at=None, repetition=OutboxRow.repetition + 1))
    return int(result.rowcount)  # type: ignore[attr-defined] # an UPDATE has one


async def count_waiting(session: AsyncSession, now: datetime) -> tuple[int, float]:
    """Count the messages waiting; return the number, and the age of the oldest in seconds."""
    waiting = select(func.count(), func.min(OutboxRow.created_at)).where(OutboxRow.published_at.is_(None))
    count, oldest = (await session.execute(waiting)).one()
    return count, (now - oldest).total_seconds() if oldest is not None else 0.0


class _Batch:
    def __init__(self, rows: Sequence[WaitingRow]) -> None:
        self.rows, self.stored = rows, list[int]()
        self.last_sequence: int | None = None


class Outbox:
    """The outbox as the relay reads it: one batch is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forget_from = datetime.now(UTC)

    @asynccontextmanager
    async def open_batch(self, most: int) -> AsyncIterator[_Batch]:
        """Open the oldest messages, locked until the end. Raises OutboxAwayError, and DBAPIError for a bug."""
        async with self._transaction() as session:
            batch = _Batch(await next_rows(session, most))
            yield batch
            if batch.stored:
                now = datetime.now(UTC)
                await mark_published(session, batch.stored, now=now)
                if now >= self._forget_from:
                    self._forget_from = now + FORGET_EVERY
                    await forget_published(session, now=now)
            if batch.last_sequence is not None:
                await _keep_position(session, StreamPosition(None, batch.last_sequence))

    async def read_position(self) -> StreamPosition | None:
        """Where INVENTORY stood when this database published to it last. Raises OutboxAwayError."""
        async with self._transaction() as session:
            row = await session.get(PublishedStream, topology.INVENTORY)
            return None if row is None else StreamPosition(row.stream_created_at, row.last_sequence)

    async def keep_position(self, position: StreamPosition) -> None:
        """Keep the position. Raises OutboxAwayError."""
        async with self._transaction() as session:
            await _keep_position(session, position)

    async def wait_again(self) -> int:
        """Have what was published lately published again. Raises OutboxAwayError."""
        async with self._transaction() as session:
            return await wait_again(session)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._database.transaction() as session:
                yield session
        except DBAPIError as error:
            if not is_away(error):
                raise
            reason = f"database {type(error.orig).__name__}"
            raise OutboxAwayError(reason) from error
        except (PoolTimeoutError, OSError) as error:
            reason = f"database {type(error).__name__}"
            raise OutboxAwayError(reason) from error


async def _keep_position(session: AsyncSession, position: StreamPosition) -> None:
    """Keep the position; a creation time that is not known leaves the kept one."""
    values = {"stream": topology.INVENTORY, "last_sequence": position.last_sequence}
    if position.created is not None:
        values["stream_created_at"] = position.created
    statement = insert(PublishedStream).values(values)
    changed = {name: statement.excluded[name] for name in values if name != "stream"}
    await session.execute(statement.on_conflict_do_update(index_elements=["stream"], set_=changed))


async def measure(database: Database, metrics: Metrics, is_connected: Callable[[], bool], *, every_s: float) -> None:
    """Keep the gauges current until cancelled."""
    while True:
        metrics.bus_connected.set(1 if is_connected() else 0)
        try:
            async with database.transaction() as session:
                count, age_s = await count_waiting(session, datetime.now(UTC))
                numbers = (await session.execute(_NUMBERS)).one()._asdict()
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            log.debug("metrics_not_measured", error=type(error).__name__)
        else:
            metrics.outbox_backlog.set(count)
            metrics.outbox_age.set(age_s)
            for noun, number in numbers.items():
                metrics.things.labels(noun).set(number)
        await asyncio.sleep(every_s)
