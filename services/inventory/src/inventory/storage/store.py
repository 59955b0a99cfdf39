"""Write transactions: thing, change log, history and outbox together.

Writers queue at one advisory lock: wanted state changes a few times a minute. In exchange, outbox rows of a thing are
in the order of their commits, the parts of a message cannot change while it is composed, and nothing deadlocks. A long
write, such as an import, writes what is new before it queues (decision 0043).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Uuid, any_, bindparam, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage import outbox
from inventory.storage.change_log import SEALED, Actor, ChangeLog, Pending, note_person, snapshot, snapshot_text
from inventory.storage.conflicts import conflict_problem, database_problems
from inventory.storage.prepared import PreparedMessages
from inventory.storage.queries.clocks import announce_long_write
from inventory.storage.queries.codec_check import CodecCheck
from inventory.storage.queries.concurrent_writes import Beginning, check_untouched, note_beginning
from inventory.storage.queries.sight import follow_units, note_sight, read_thing
from inventory.storage.queries.write_dates import WriteDate, WriteDates
from inventory.storage.states import camera_plans, log_moved, payload_of
from inventory.storage.tables import Camera, DecisionRequest, Delivery, Destination, Facility, Thing
from inventory.storage.tables.base import derived_columns
from vonggac.auth import Sight
from vonggac.auth.scope import EVERYTHING
from vonggac.database import Database
from vonggac.events.inventory import RemovedV1

WRITERS_LOCK = 1742_0510
MOST_WAITING = 1000
"""Messages that wait for the end of a write."""
OTHERS_WAIT = "900ms"  # A writer in the queue waits no longer for a row: others wait for it.


type Queue = Callable[[AsyncSession], Awaitable[WriteDate]]


class WriteTransaction:
    """One transaction of one actor. Stale cameras get their next revision and their message at its end."""

    def __init__(
        self,
        session: AsyncSession,
        actor: Actor,
        date: WriteDate,
        queue: Queue | None = None,
        beginning: Beginning | None = None,
    ) -> None:
        """`queue` takes the place among the writers, and gives the instant of what is written from then on.

        `beginning`: of a long write.
        """
        self.session, self.actor, self._date = session, actor, date
        self._queue, self._beginning = queue, beginning  # No queue once the place is taken.
        self._prepared = PreparedMessages(lambda camera: self.message_of("camera", camera.id, camera), date)
        self.log = ChangeLog(actor.subject, actor.request_id, actor.reason)
        self.pending = Pending(session, self.log)
        self._finished = False

    @property
    def now(self) -> datetime:
        """The instant of what is written from now on."""
        return self._date.at

    async def get_thing[T: Thing](self, kind: type[T], thing_id: UUID) -> T:
        """Read a thing. Raises ProblemError 404, also of one that the actor does not see; 410 when it was removed."""
        return await read_thing(self.session, kind, thing_id)

    async def add_thing(self, thing: Thing) -> None:
        """Store a new thing. Raises ProblemError 409 when its code is taken."""
        self.prepare_new(thing)
        self.session.add(thing)
        await self.flush_changes()
        self.record_created(thing)

    def prepare_new(self, thing: Thing) -> None:
        """Set id, first revision and times of a new thing."""
        thing.id = thing.id or uuid4()
        thing.revision, thing.created_at, thing.changed_at = 1, self.now, self.now
        _derive(thing)

    def record_created(self, thing: Thing) -> None:
        """Log and publish a thing whose row the caller writes."""
        self.log_change(thing, "created", None, snapshot(thing))
        if isinstance(thing, Camera):
            self.pending.new_cameras.add(thing.id)
        _queue_message_of(self, thing)

    async def change_thing(self, thing: Thing, values: Mapping[str, Any]) -> bool:
        """Set `values`; False when nothing changes. Raises ProblemError 409 when a code is taken."""
        code_before = getattr(thing, "code", None)
        if not self.stage_change(thing, values):
            return False
        await self.flush_changes()
        if isinstance(thing, Destination) or (isinstance(thing, Facility) and thing.code != code_before):
            await self._mark_cameras_stale(thing)
        return True

    def stage_change(self, thing: Thing, values: Mapping[str, Any]) -> bool:
        """As `change_thing`, for many things: `flush_changes` sends them; the code must stay the same."""
        before = snapshot(thing)
        secrets_before = _secrets(thing)
        for name, value in values.items():
            setattr(thing, name, value)
        after = snapshot(thing)
        if before == after and secrets_before == _secrets(thing):
            return False
        _derive(thing)
        if not isinstance(thing, Camera):
            thing.revision += 1
            thing.changed_at = self.now
        if isinstance(thing, Facility) and before["status"] != after["status"]:
            self.pending.stale_facilities.add(thing.id)
        self.log_change(thing, "changed", before, after)
        _queue_message_of(self, thing)
        return True

    async def flush_changes(self) -> None:
        """Send staged changes to the database. Raises ProblemError 409 when a code is taken."""
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise conflict_problem(error) from None

    async def remove_thing(self, thing: Thing) -> None:
        """Delete a thing without references, and publish its tombstone."""
        if isinstance(thing, Delivery):
            self.pending.stale_cameras.add(thing.camera_id)
            self.log_change(thing, "removed", snapshot(thing), None)
        else:
            keys = thing.__table__.columns.keys()
            self.record_removed(type(thing), {name: getattr(thing, name) for name in keys})
        await self.session.delete(thing)
        await self.flush_changes()

    def record_removed(self, kind: type[Thing], row: Mapping[str, Any]) -> None:
        """Log and publish the removal of a row, given by its columns; the caller deletes it."""
        self.log.add_row(self.now, kind, row["id"], snapshot_text(kind, row), None)
        self.pending.stale_cameras.discard(row["id"])
        tombstone = RemovedV1(id=row["id"], noun=kind.noun, revision=row["revision"] + 1, removed_at=self.now)
        self.pending.messages.append(self.message_of(kind.noun, row["id"], tombstone))

    def mark_facility_stale(self, facility_id: UUID) -> None:
        """Publish the cameras of a facility again at the end."""
        self.pending.stale_facilities.add(facility_id)

    def mark_stale(self, camera_ids: Iterable[UUID]) -> None:
        """Publish these cameras again at the end: their messages are stale."""
        self.pending.stale_cameras.update(camera_ids)

    def log_change(
        self, thing: Thing, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        """Add a line to the change log."""
        self.log.add(self.now, thing.noun, thing.id, action, before, after)

    async def finish(self) -> None:
        """Write the change log and the outbox rows; what is on record is then what will be committed.

        Nothing is changed after it. Raises ProblemError 409, or 422 when a destination does not accept a codec.
        """
        if self._finished:
            return
        self._finished = True
        await self.enter_queue()
        if self.pending.stale_facilities:
            query = select(Camera.id).where(Camera.facility_id.in_(self.pending.stale_facilities))
            self.mark_stale((await self.session.scalars(query)).all())
        await self._raise_revisions()
        moved: list[dict[str, Any]] = []
        codecs = CodecCheck()
        ready = await self._prepared.still_true(self.session)
        await self._prepared.withdraw(self.session, self._prepared.cameras - (ready - self.pending.stale_cameras))
        waiting = (self.pending.new_cameras - ready) | self.pending.stale_cameras
        async for plans in camera_plans(self.session, waiting):
            for plan in plans:
                codecs.check_camera(plan.payload)
                self.pending.messages.append(self.message_of("camera", plan.payload.id, plan.payload))
                moved += log_moved(self.log, self.now, plan)
            if len(self.pending.messages) >= MOST_WAITING:
                await self.write_log()
        codecs.raise_if_any()
        await self._store_moved_urls(moved)
        await self.write_log()

    async def write_log(self) -> None:
        """Append the log and the messages so far: of thousands of things they need not wait for the end."""
        await self.log.write(self.session)
        if self.pending.messages:
            messages, self.pending.messages = self.pending.messages, []
            await outbox.append_messages(self.session, messages, now=self.now, written=self._date.steady)

    async def prepare(self) -> None:
        """Of a long write, before it queues: write the log and the messages of what is new, cameras after the rest.

        Raises ProblemError 422 when a destination does not accept a camera's codec.
        """
        await self.write_log()
        new = self.pending.new_cameras - self._prepared.cameras
        if new:
            await self._prepared.compose_all(self.session, camera_plans(self.session, new))
        self.pending.stale_cameras -= self.pending.new_cameras

    async def prepare_created(
        self,
        cameras: Sequence[Mapping[str, Any]],
        deliveries: Mapping[UUID, Sequence[Any]],
        write: Callable[[], Awaitable[None]],
    ) -> None:
        """Compose messages of new cameras while `write` writes their rows and log: a part of `prepare`.

        `cameras`: their columns; `deliveries`: of each, as `delivery_parts` makes them.
        """
        await self._prepared.compose_new(self.session, cameras, deliveries, write)
        self.publish_later(camera["id"] for camera in cameras)

    async def prepare_changed(self, cameras: Sequence[Mapping[str, Any]]) -> None:
        """Compose messages of cameras for `prepare`, by their columns as the caller will update them in the queue."""
        await self._prepared.compose_staged(self.session, cameras)
        self.publish_later(camera["id"] for camera in cameras)

    def publish_later(self, camera_ids: Iterable[UUID]) -> None:
        """Compose the messages of cameras at the end, whose rows, with their revision, the caller writes."""
        self.pending.new_cameras.update(camera_ids)

    async def enter_queue(self, resting_on: Collection[str] = ()) -> None:
        """Of a long write: wait for the other writers, which wait from now on; what is on record stays until the end.

        `resting_on`: nouns. Raises OvertakenError when others wrote a thing of one of them since the beginning, and
        ProblemError 503 when the wait is too long.
        """
        if self._queue is not None:
            queue, self._queue, written_at = self._queue, None, self.now
            self._date = await queue(self.session)
            if self._beginning is not None:
                await outbox.come_last(self.session, written_at, self._beginning.message)
        if self._beginning is not None and resting_on:
            await check_untouched(self.session, self._beginning, self.actor.request_id, resting_on)

    async def _raise_revisions(self) -> None:
        bumped = self.pending.stale_cameras - self.pending.new_cameras
        for held in [each for each in self.session.identity_map.values() if isinstance(each, Camera)]:
            if held.id in bumped:
                held.revision += 1
                held.changed_at = self.now
                bumped.discard(held.id)
        await self.flush_changes()
        if not bumped:
            return
        statement = (
            update(Camera.__table__)  # type: ignore[arg-type] # a Core statement: no session state to synchronise
            .where(Camera.id == any_(literal(sorted(bumped), ARRAY(Uuid))))
            .values(revision=Camera.revision + 1, changed_at=self.now)
        )
        await self.session.execute(statement)

    async def _store_moved_urls(self, moved: Sequence[dict[str, Any]]) -> None:
        try:
            if moved:
                table = Delivery.__table__
                statement = (
                    update(table)  # type: ignore[arg-type] # a Core statement for executemany
                    .where(table.c.id == bindparam("delivery_id"))
                    .values(url=bindparam("new_url"), revision=table.c.revision + 1, changed_at=self.now)
                )
                await (await self.session.connection()).execute(statement, list(moved))
            await self.session.execute(text("set constraints all immediate"))
        except IntegrityError as error:
            raise conflict_problem(error) from None

    async def _mark_cameras_stale(self, thing: Destination | Facility) -> None:
        query = (
            select(Camera.id).where(Camera.facility_id == thing.id)
            if isinstance(thing, Facility)
            else select(Delivery.camera_id).where(Delivery.destination_id == thing.id)
        )
        self.mark_stale((await self.session.scalars(query)).all())

    def message_of(self, noun: str, thing_id: UUID, payload: Any) -> outbox.OutboxMessage:
        """Make the message that a thing is as `payload` says, by whom and why."""
        who = "removed_by" if isinstance(payload, RemovedV1) else "changed_by"
        payload = payload.model_copy(update={who: self.actor.subject, "reason": self.actor.reason})
        return outbox.new_message(noun, thing_id, payload, now=self.now)


def _queue_message_of(transaction: WriteTransaction, thing: Thing) -> None:
    pending = transaction.pending
    if isinstance(thing, Camera):
        pending.stale_cameras.add(thing.id)
    elif isinstance(thing, Delivery):
        pending.stale_cameras.add(thing.camera_id)
    elif not isinstance(thing, DecisionRequest):
        pending.messages.append(transaction.message_of(thing.noun, thing.id, payload_of(thing)))


def _secrets(thing: Thing) -> tuple[str | None, ...]:
    return tuple(getattr(thing, name, None) for name in SEALED)


def _derive(thing: Thing) -> None:
    named = {name: getattr(thing, name) for name in (*thing.searched, thing.ordered) if name is not None}
    for name, value in derived_columns(type(thing), named).items():
        setattr(thing, name, value)


class Store:
    """Transactions on inventory's database."""

    def __init__(
        self,
        database: Database,
        *,
        on_commit: Callable[[], None],
        write_wait_s: float,
        dates: WriteDates | None = None,
    ) -> None:
        self.database, self._on_commit, self._write_wait_s = database, on_commit, write_wait_s
        self._dates = dates or WriteDates()
        self.now, self.is_dated = self._dates.now, self._dates.measured
        """The time that changes are dated by, aware UTC."""

    @asynccontextmanager
    async def read_transaction(self, sight: Sight = EVERYTHING) -> AsyncIterator[AsyncSession]:
        """`sight`: of whom it is read for."""
        with database_problems():
            async with self.database.transaction() as session:
                note_sight(session, sight)
                yield session

    async def follow_units(self, units: frozenset[UUID]) -> frozenset[UUID]:
        """Find these, and all units that lie in them by now. Raises ProblemError 503 when PostgreSQL is away."""
        async with self.read_transaction() as session:
            return await follow_units(session, units)

    @asynccontextmanager
    async def write_transaction(self, actor: Actor, *, dry_run: bool = False) -> AsyncIterator[WriteTransaction]:
        """Open a transaction that waits for the writer before it; with `dry_run` check all and store nothing.

        Raises ProblemError 503 when the wait exceeds `write_wait_s`, PostgreSQL is away or the clock is not measured
        yet, 409 for a conflict.
        """
        self._dates.check()
        with database_problems():
            async with self.database.transaction() as session:
                note_sight(session, actor.sight)
                transaction = WriteTransaction(session, actor, await self._enter_queue(session))
                await note_person(session, actor.subject, actor.name, actor.post, transaction.now)
                yield transaction
                await transaction.finish()
                if dry_run:
                    await session.rollback()
        self._on_commit()

    @asynccontextmanager
    async def long_write_transaction(
        self, actor: Actor, hold: Callable[[AsyncSession], Awaitable[None]] | None = None
    ) -> AsyncIterator[WriteTransaction]:
        """Open a transaction that queues only at its end: for files of thousands of rows (decision 0043).

        Its body writes what nobody else has changed since it was read, calls `prepare`, then one of `enter_queue`.
        `hold` locks rows before the write is dated: nobody writes them any more. Raises as `write_transaction` does.
        """
        self._dates.check()
        with database_problems():
            async with self.database.transaction() as session:
                note_sight(session, actor.sight)
                beginning = await note_beginning(session)
                await session.execute(text(f"set local lock_timeout = {int(self._write_wait_s * 1000)}"))
                if hold is not None:
                    await hold(session)
                date = await self._dates.date_write(session)
                await announce_long_write(session, date.at)
                transaction = WriteTransaction(session, actor, date, self._enter_queue, beginning)
                await note_person(session, actor.subject, actor.name, actor.post, transaction.now)
                yield transaction
                await transaction.finish()
        self._on_commit()

    async def _enter_queue(self, session: AsyncSession) -> WriteDate:
        await self._lock_writers(session)
        return await self._dates.date_write(session)

    async def _lock_writers(self, session: AsyncSession) -> None:
        await session.execute(text(f"set local lock_timeout = {int(self._write_wait_s * 1000)}"))
        await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        await session.execute(text(f"set local lock_timeout = '{OTHERS_WAIT}'"))
