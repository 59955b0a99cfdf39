"""The change log (R25), and who a login was at an act, as its token said then (decision 0161).

Each line is the text that is stored, so that thousands of them weigh little until then.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json, to_jsonable_python
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.bulk import copy_rows
from inventory.storage.outbox import OutboxMessage
from inventory.storage.tables import ActorName, Change, Thing
from inventory.storage.tables.base import DERIVED
from vonggac.auth import Principal, Role, Sight
from vonggac.auth.scope import EVERYTHING

SEALED = ("sealed_secret", "sealed_read_back_secret", "sealed_previous_secret")
_HIDDEN = frozenset({*SEALED, *DERIVED, "revision", "created_at", "changed_at"})
_COLUMNS = ("changed_at", "changed_by", "request_id", "noun", "thing_id", "action", "before", "after", "reason")


@cache
def _shown_columns(kind: type[Thing]) -> tuple[str, ...]:
    return tuple(column.key for column in kind.__table__.columns if column.key not in _HIDDEN)


def snapshot(thing: Thing) -> dict[str, Any]:
    """Convert a thing to what the change log shows: every column but secrets and bookkeeping, as JSON values."""
    values = {name: getattr(thing, name) for name in _shown_columns(type(thing))}
    shown: dict[str, Any] = to_jsonable_python(values)
    return shown


def snapshot_text(kind: type[Thing], values: Mapping[str, Any]) -> str:
    """As `snapshot`, of the columns of a row, as JSON text; a column that `values` lacks is empty."""
    return to_json({name: values.get(name) for name in _shown_columns(kind)}).decode()


class ChangeLog:
    """The lines of one write, until `write` appends them to the table."""

    def __init__(self, subject: str, request_id: str, reason: str | None) -> None:
        self._subject, self._request_id, self._reason = subject, request_id, reason
        self._lines: list[tuple[Any, ...]] = []

    def add(
        self,
        now: datetime,
        noun: str,
        thing_id: UUID,
        action: str,
        before: Mapping[str, Any] | str | None,
        after: Mapping[str, Any] | str | None,
    ) -> None:
        """Add a line. `before`, `after`: JSON values, or JSON text of `snapshot_text`."""
        shown = (_text(before), _text(after))
        self._lines.append((now, self._subject, self._request_id, noun, thing_id, action, *shown, self._reason))

    def add_row(self, now: datetime, kind: type[Thing], thing_id: UUID, before: str | None, after: str | None) -> None:
        """As `add`, of a row whose states are texts of `snapshot_text`; None where there is none."""
        action = "created" if before is None else "removed" if after is None else "changed"
        self.add(now, kind.noun, thing_id, action, before, after)

    def states_of(self, thing_id: UUID) -> list[tuple[Any, Any]]:
        """Before and after, as JSON values, of each line of a thing that is not written yet."""
        lines = [line for line in self._lines if line[4] == thing_id]
        return [(_values(line[6]), _values(line[7])) for line in lines]

    @property
    def count(self) -> int:
        """Lines that are not written yet."""
        return len(self._lines)

    def forget_after(self, count: int) -> None:
        """Keep the first `count` of them: what the others say was undone."""
        del self._lines[count:]

    async def write(self, session: AsyncSession) -> None:
        """Append the lines, in their order."""
        if self._lines:
            lines, self._lines = self._lines, []
            await copy_rows(session, Change, _COLUMNS, lines)


class Pending:
    """What a write still has to log, to compose and to publish: new and stale cameras, messages of everything else."""

    def __init__(self, session: AsyncSession, log: ChangeLog) -> None:
        self._session, self._log = session, log
        self.messages: list[OutboxMessage] = []
        self.new_cameras: set[UUID] = set()
        self.stale_cameras: set[UUID] = set()
        self.stale_facilities: set[UUID] = set()

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """Run a part of the write that may be refused: nothing of it is then on record, in the log or in a message."""
        lines, messages = self._log.count, len(self.messages)
        sets = (self.new_cameras, self.stale_cameras, self.stale_facilities)
        self.new_cameras, self.stale_cameras, self.stale_facilities = set(), set(), set()
        try:
            async with self._session.begin_nested():
                yield
        except BaseException:
            self._log.forget_after(lines)
            del self.messages[messages:]
            raise
        else:
            for whole, more in zip(sets, (self.new_cameras, self.stale_cameras, self.stale_facilities), strict=True):
                whole |= more
        finally:
            self.new_cameras, self.stale_cameras, self.stale_facilities = sets


def _values(text: str | None) -> Any:
    return None if text is None else from_json(text)


def _text(values: Mapping[str, Any] | str | None) -> str | None:
    return values if values is None or isinstance(values, str) else to_json(values).decode()


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller, the request, and why."""

    subject: str
    request_id: str
    reason: str | None = None
    roles: frozenset[Role] = frozenset()
    sight: Sight = EVERYTHING
    name: str = ""
    """As the token says; empty: it does not."""
    post: str = ""


def actor_of(caller: Principal, request_id: str, reason: str | None = None) -> Actor:
    """Build the actor that a caller is in one request."""
    return Actor(caller.subject, request_id, reason, caller.roles, caller.sight, caller.name, caller.post)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a login was."""

    name: str
    post: str | None


@dataclass(frozen=True, slots=True)
class WrittenAct:
    """A login that wrote a field of a thing, which stands there since an instant at the latest."""

    thing_id: UUID
    field: str
    login: str
    until: datetime


async def note_person(session: AsyncSession, login: str, name: str, post: str, at: datetime) -> None:
    """Keep name and post of a login from `at` on, where they differ from those before; both may be empty."""
    latest = select(ActorName.name, ActorName.post).where(ActorName.login == login, ActorName.since <= at)
    known = (await session.execute(latest.order_by(ActorName.since.desc(), ActorName.id.desc()).limit(1))).first()
    if (name, post) != (("", "") if known is None else tuple(known)):
        await session.execute(insert(ActorName).values(login=login, since=at, name=name, post=post))


async def find_people(
    session: AsyncSession, acts: Collection[tuple[str, datetime]]
) -> Mapping[tuple[str, datetime], Person]:
    """Who each login was at the instant of its act; one without a name then is left out."""
    logins = {login for login, _at in acts}
    query = select(ActorName).where(ActorName.login.in_(logins)).order_by(ActorName.since, ActorName.id)
    known: dict[str, list[ActorName]] = {}
    for row in (await session.scalars(query)).all() if logins else ():
        known.setdefault(row.login, []).append(row)
    found: dict[tuple[str, datetime], Person] = {}
    for login, at in acts:
        held = next((row for row in reversed(known.get(login, ())) if row.since <= at), None)
        if held is not None and held.name:
            found[login, at] = Person(held.name, held.post or None)
    return found


async def date_acts(session: AsyncSession, acts: Sequence[WrittenAct]) -> Mapping[WrittenAct, datetime]:
    """When each login wrote its field last, by the change log; one that the log does not know is left out."""
    found: dict[WrittenAct, datetime] = {}
    for field in {act.field for act in acts}:
        of_field = [act for act in acts if act.field == field]
        query = select(Change.thing_id, Change.changed_by, Change.changed_at).where(
            Change.thing_id.in_({act.thing_id for act in of_field}),
            Change.changed_by.in_({act.login for act in of_field}),
            Change.before[field].is_distinct_from(Change.after[field]),
        )
        lines = (await session.execute(query.order_by(Change.id.desc()))).all()
        for act in of_field:
            wrote = (
                line.changed_at
                for line in lines
                if (line.thing_id, line.changed_by) == (act.thing_id, act.login) and line.changed_at <= act.until
            )
            if (at := next(wrote, None)) is not None:
                found[act] = at
    return found
