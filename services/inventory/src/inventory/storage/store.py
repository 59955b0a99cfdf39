"""The one way to change anything: thing, change log and outbox in one transaction.

Writers take turns (one advisory lock): wanted state changes a few times a minute, and in exchange outbox rows stand in
the order of their commits, what a message is composed of cannot change under it, and nothing can deadlock.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb
from pydantic_core import to_jsonable_python
from sqlalchemy import Uuid, any_, bindparam, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage import outbox
from inventory.storage.bulk import copy_rows
from inventory.storage.conflicts import available, conflict, not_found
from inventory.storage.fitness import UnfitDeliveries
from inventory.storage.states import camera_plans, state
from inventory.storage.tables import Camera, Change, Delivery, Destination, Facility, Thing
from vonggac.database import Database
from vonggac.events.inventory import RemovedV1
from vonggac.http import ProblemError

WRITERS_LOCK = 1742_0510
_SEALED = ("sealed_secret", "sealed_read_back_secret")
_HIDDEN = frozenset({*_SEALED, "search", "revision", "created_at", "changed_at"})
_CHANGE_COLUMNS = ("changed_at", "changed_by", "request_id", "noun", "thing_id", "action", "before", "after")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, and in which request."""

    subject: str
    request_id: str


def snapshot(thing: Thing) -> dict[str, Any]:
    """What the change log shows of a thing: every column but secrets and bookkeeping, as JSON values."""
    values = {column.key: getattr(thing, column.key) for column in thing.__table__.columns if column.key not in _HIDDEN}
    shown: dict[str, Any] = to_jsonable_python(values)
    return shown


class Writing:
    """One transaction of one actor. Cameras that are touched get their next revision and their message at the end."""

    def __init__(self, session: AsyncSession, actor: Actor, now: datetime) -> None:
        self.session, self.actor, self.now = session, actor, now
        self._changes: list[tuple[Any, ...]] = []
        self._messages: list[outbox.OutboxMessage] = []
        self._new_cameras: set[UUID] = set()
        self._touched_cameras: set[UUID] = set()

    async def get[T: Thing](self, kind: type[T], thing_id: UUID) -> T:
        """Raises ProblemError 404."""
        found = await self.session.get(kind, thing_id)
        if found is None:
            raise not_found(kind.noun)
        return found

    async def add(self, thing: Thing) -> None:
        """Raises ProblemError 409 when a code is taken."""
        self.prepare(thing)
        self.session.add(thing)
        await self.flush()
        self.note_added(thing)

    def prepare(self, thing: Thing) -> None:
        """Give a new thing its id, first revision and times."""
        thing.id = thing.id or uuid4()
        thing.revision, thing.created_at, thing.changed_at = 1, self.now, self.now
        _refold(thing)

    def note_added(self, thing: Thing) -> None:
        """Log and announce a thing whose row the caller wrote."""
        self.record(thing, "created", None, snapshot(thing))
        if isinstance(thing, Camera):
            self._new_cameras.add(thing.id)
        self._announce(thing)

    async def change(self, thing: Thing, values: Mapping[str, Any]) -> bool:
        """Set `values`; False when that changes nothing. Raises ProblemError 409 when a code is taken."""
        code_before = getattr(thing, "code", None)
        if not self.stage(thing, values):
            return False
        await self.flush()
        if isinstance(thing, Destination) or (isinstance(thing, Facility) and thing.code != code_before):
            await self._touch_cameras_of(thing)
        return True

    def stage(self, thing: Thing, values: Mapping[str, Any]) -> bool:
        """As `change`, for many things: nothing is sent before `flush`, and the code must stay."""
        before = snapshot(thing)
        secrets_before = _secrets(thing)
        for name, value in values.items():
            setattr(thing, name, value)
        after = snapshot(thing)
        if before == after and secrets_before == _secrets(thing):
            return False
        _refold(thing)
        if not isinstance(thing, Camera):
            thing.revision += 1
            thing.changed_at = self.now
        self.record(thing, "changed", before, after)
        self._announce(thing)
        return True

    async def flush(self) -> None:
        """Send what is staged. Raises ProblemError 409 when a code is taken."""
        try:
            await self.session.flush()
        except IntegrityError as error:
            raise conflict(error) from None

    async def remove(self, thing: Thing) -> None:
        """Delete a thing nothing refers to any more, and publish its tombstone."""
        self.record(thing, "removed", snapshot(thing), None)
        await self.session.delete(thing)
        await self.flush()
        if isinstance(thing, Delivery):
            self._touched_cameras.add(thing.camera_id)
            return
        self._touched_cameras.discard(thing.id)
        tombstone = RemovedV1(id=thing.id, noun=thing.noun, revision=thing.revision + 1, removed_at=self.now)
        self._send(thing.noun, thing.id, tombstone)

    def touch(self, camera_ids: Iterable[UUID]) -> None:
        """These cameras' messages are stale: publish them anew."""
        self._touched_cameras.update(camera_ids)

    def record(self, thing: Thing, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
        """Add a line to the change log."""
        shown = (Jsonb(before) if before is not None else None, Jsonb(after) if after is not None else None)
        actor = self.actor
        self._changes.append((self.now, actor.subject, actor.request_id, thing.noun, thing.id, action, *shown))

    async def finish(self) -> None:
        """Write the change log and the messages; called once, just before the commit.

        Raises ProblemError 409, or 422 when a camera's codec cannot go where the plan sends it.
        """
        await self._bump_touched()
        moved: list[dict[str, Any]] = []
        unfit = UnfitDeliveries()
        async for plans in camera_plans(self.session, self._new_cameras | self._touched_cameras):
            for plan in plans:
                unfit.look_at(plan.payload)
                self._send("camera", plan.payload.id, plan.payload)
                moved += [{"delivery_id": delivery_id, "new_url": url} for delivery_id, url in plan.moved]
        unfit.refuse()
        await self._move(moved)
        if self._changes:
            await copy_rows(self.session, Change, _CHANGE_COLUMNS, self._changes)
        if self._messages:
            await outbox.append(self.session, self._messages, now=self.now)

    async def _bump_touched(self) -> None:
        bumped = self._touched_cameras - self._new_cameras
        for held in list(self.session.identity_map.values()):
            if isinstance(held, Camera) and held.id in bumped:
                held.revision += 1
                held.changed_at = self.now
                bumped.discard(held.id)
        await self.flush()
        if not bumped:
            return
        statement = (
            update(Camera.__table__)  # type: ignore[arg-type] # a Core statement: no session state to synchronise
            .where(Camera.id == any_(literal(sorted(bumped), ARRAY(Uuid))))
            .values(revision=Camera.revision + 1, changed_at=self.now)
        )
        await self.session.execute(statement)

    async def _move(self, moved: Sequence[dict[str, Any]]) -> None:
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
            raise conflict(error) from None

    async def _touch_cameras_of(self, thing: Destination | Facility) -> None:
        query = (
            select(Camera.id).where(Camera.facility_id == thing.id)
            if isinstance(thing, Facility)
            else select(Delivery.camera_id).where(Delivery.destination_id == thing.id)
        )
        self.touch((await self.session.scalars(query)).all())

    def _announce(self, thing: Thing) -> None:
        if isinstance(thing, Camera):
            self._touched_cameras.add(thing.id)
        elif isinstance(thing, Delivery):
            self._touched_cameras.add(thing.camera_id)
        else:
            self._send(thing.noun, thing.id, state(thing))

    def _send(self, noun: str, thing_id: UUID, payload: Any) -> None:
        self._messages.append(outbox.message(noun, thing_id, payload, now=self.now))


def _secrets(thing: Thing) -> tuple[str | None, ...]:
    return tuple(getattr(thing, name, None) for name in _SEALED)


def _refold(thing: Thing) -> None:
    if thing.searched:
        thing.search = thing.searchable()  # type: ignore[attr-defined] # every thing with searched columns has it


class Store:
    """Transactions on inventory's database."""

    def __init__(self, database: Database, *, on_commit: Callable[[], None], write_wait_s: float) -> None:
        self.database, self._on_commit, self._write_wait_s = database, on_commit, write_wait_s

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        with available():
            async with self.database.transaction() as session:
                yield session

    @asynccontextmanager
    async def write(self, actor: Actor, *, dry_run: bool = False) -> AsyncIterator[Writing]:
        """A transaction that waits for the writer before it; with `dry_run` all is checked and nothing is kept.

        Raises ProblemError 503 when that takes too long or PostgreSQL is away, 409 when it refuses.
        """
        with available():
            async with self.database.transaction() as session:
                await self._take_turn(session)
                writing = Writing(session, actor, datetime.now(UTC))
                yield writing
                await writing.finish()
                if dry_run:
                    await session.rollback()
        self._on_commit()

    async def _take_turn(self, session: AsyncSession) -> None:
        await session.execute(text(f"set local lock_timeout = {int(self._write_wait_s * 1000)}"))
        try:
            await session.execute(text(f"select pg_advisory_xact_lock({WRITERS_LOCK})"))
        except OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                msg = "another change takes long (an import?); try again shortly"
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", msg, headers={"Retry-After": "5"}) from None
            raise
