"""The list of imports: begun, how far, done, refused, stopped, taken back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.change_log import note_person
from inventory.storage.store import Store
from inventory.storage.tables import ImportRow
from vonggac.http import ProblemError

STOP_WITHIN_S = 5.0
LOST_AFTER = timedelta(minutes=2)
"""A running import that is not heard of for so long has lost its process; nothing of it was stored."""


type AlsoWritten = Callable[[AsyncSession], Awaitable[None]]


class State(StrEnum):
    """What became of an import."""

    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    STOPPED = "stopped"
    LOST = "lost"
    REVERTED = "reverted"


class Phase(StrEnum):
    """How far a running one is."""

    READING = "reading"
    CHECKING = "checking"
    STORING = "storing"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent which file, and why."""

    subject: str
    request_id: str
    reason: str | None
    file_name: str | None
    sha256: str
    name: str = ""
    post: str = ""


class ImportEntry:
    """The entry of one import; every call but `done` is a transaction of its own, beside the writers' queue."""

    def __init__(self, store: Store, kind: str, sender: Sender, *, dry_run: bool) -> None:
        self.id = uuid4()
        self._store, self._kind, self._sender, self._dry_run = store, kind, sender, dry_run

    async def begin(self, beside: AlsoWritten | None = None) -> None:
        """`beside`: writes in the same transaction."""
        now, sender = self._store.now(), self._sender
        values = {
            "id": self.id, "kind": self._kind, "state": State.RUNNING, "dry_run": self._dry_run,
            "file_name": sender.file_name, "sha256": sender.sha256, "sent_by": sender.subject,
            "request_id": sender.request_id, "reason": sender.reason, "began_at": now, "seen_at": now,
            "phase": Phase.READING, "rows": 0, "created": 0, "updated": 0, "unchanged": 0, "stop_wanted": False,
        }  # fmt: skip
        async with self._store.read_transaction() as session:
            await session.execute(insert(ImportRow).values(**values))
            await note_person(session, sender.subject, sender.name, sender.post, now)
            if beside is not None:
                await beside(session)

    async def report(self, phase: Phase, rows: int) -> None:
        """Record phase and rows. Raises ProblemError 409 when somebody wants it to stop."""
        async with self._store.read_transaction() as session:
            values = {"phase": phase, "rows": rows, "seen_at": self._store.now()}
            statement = update(ImportRow).where(ImportRow.id == self.id).values(**values)
            stop = await session.scalar(statement.returning(ImportRow.stop_wanted))
        if stop:
            raise ProblemError(HTTPStatus.CONFLICT, "stopped", "the import was stopped; nothing was stored")

    async def done(self, session: AsyncSession, counts: Mapping[str, int], result: Any = None) -> None:
        """In the transaction of what it stored."""
        values = {"state": State.DONE, "phase": Phase.FINISHED, "finished_at": self._store.now(), "result": result}
        await session.execute(update(ImportRow).where(ImportRow.id == self.id).values(**counts, **values))

    async def failed(self, error: ProblemError | None) -> None:
        """Nothing was stored. `error`: why; None when its process stops."""
        stopped = error is None or error.problem.code == "stopped"
        values = {
            "state": State.STOPPED if stopped else State.REFUSED,
            "phase": Phase.FINISHED,
            "finished_at": self._store.now(),
            "problem": error.problem.model_dump(mode="json") if error is not None else None,
        }
        async with self._store.read_transaction() as session:
            await session.execute(update(ImportRow).where(ImportRow.id == self.id).values(**values))


def state_of(row: ImportRow, now: datetime) -> State:
    """Decide the state that a reader sees."""
    if row.state == State.RUNNING and now - row.seen_at > LOST_AFTER:
        return State.LOST
    return State(row.state)


class Background:
    """Imports that go on after their request was answered. They end with the process."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    def start(self, import_id: UUID, work: Any) -> None:
        task = asyncio.create_task(work, name=f"import {import_id}")
        self._tasks[import_id] = task
        task.add_done_callback(lambda _done: self._tasks.pop(import_id, None))

    async def stop_all(self) -> None:
        """Cancel them; each notes that it was stopped, and nothing of it is stored.

        Bounded: one that does not end is left behind, and is lost as if its process had died.
        """
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
