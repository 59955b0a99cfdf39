"""What a long write makes ready before it queues: messages of many cameras, and the changes of many rows.

Messages are outbox rows of the transaction that nobody else sees yet; what a change of something else has made stale is
taken out again. Changes of rows wait in a temporary table, so that one statement writes them all, at the end
(decision 0043).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import Text, any_, delete, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.bulk import copy_rows
from inventory.storage.outbox import OutboxMessage, append_messages
from inventory.storage.queries.clocks import set_recorded_now
from inventory.storage.queries.codec_check import CodecCheck
from inventory.storage.queries.plans import plan_revisions
from inventory.storage.queries.write_dates import WriteDate
from inventory.storage.states import CameraPlan, FacilityFacts, plans_of, read_facility_facts, staged_plans
from inventory.storage.tables import Destination, Facility, OutboxRow, Thing
from vonggac.events.inventory import CameraV1
from vonggac.http import ProblemError


class PreparedMessages:
    """Messages, and the revisions of what they were composed from: facilities, destinations, plans."""

    def __init__(self, encode: Callable[[CameraV1], OutboxMessage], date: WriteDate) -> None:
        self._encode, self._now, self._steady = encode, date.at, date.steady
        self._facilities: Mapping[UUID, int] = {}
        self._destinations: Mapping[UUID, int] = {}
        self._plans: Mapping[UUID, tuple[int, ...]] = {}
        self._facts = FacilityFacts({}, {})
        self._facility_of: dict[UUID, UUID] = {}
        self._event_of: dict[UUID, str] = {}
        self._begun = False

    @property
    def cameras(self) -> Set[UUID]:
        """Those whose message is composed."""
        return self._facility_of.keys()

    async def compose_all(self, session: AsyncSession, planned: AsyncIterator[list[CameraPlan]]) -> None:
        """Compose the messages of cameras. Raises ProblemError 422 when a destination does not accept a codec."""
        await self._begin(session)
        async for plans in planned:
            await self._keep(session, self._compose(plans))

    async def compose_staged(self, session: AsyncSession, cameras: Sequence[Mapping[str, Any]]) -> None:
        """As `compose_all`, of cameras as they will be. `cameras`: their columns."""
        await self._begin(session)
        await self.compose_all(session, staged_plans(session, await self._read_facts(session, cameras), cameras))

    async def compose_new(
        self,
        session: AsyncSession,
        cameras: Sequence[Mapping[str, Any]],
        deliveries: Mapping[UUID, Sequence[Any]],
        write: Callable[[], Awaitable[None]],
    ) -> None:
        """As `compose_all`, in a thread, while `write` writes the rows: then PostgreSQL works as well."""
        await self._begin(session)
        facts = await self._read_facts(session, cameras)
        composing = asyncio.to_thread(lambda: self._compose(plans_of(facts, cameras, deliveries)))
        composed, _ = await asyncio.gather(composing, write())
        await self._keep(session, composed)

    async def _read_facts(self, session: AsyncSession, cameras: Sequence[Mapping[str, Any]]) -> FacilityFacts:
        """Each facility is read once: its revision says in the end whether that was right."""
        facilities = {camera["facility_id"] for camera in cameras} - self._facts.facilities.keys()
        if facilities:
            self._facts = self._facts.with_more(await read_facility_facts(session, facilities))
        return self._facts

    async def _begin(self, session: AsyncSession) -> None:
        """Note the revisions; before the first message is composed."""
        if not self._begun:
            self._begun = True
            self._facilities = await _revisions(session, Facility)
            self._destinations = await _revisions(session, Destination)
            self._plans = await plan_revisions(session)

    def _compose(self, plans: Iterable[CameraPlan]) -> list[tuple[CameraV1, OutboxMessage]]:
        return [(plan.payload, self._encode(plan.payload)) for plan in plans]

    async def _keep(self, session: AsyncSession, composed: Sequence[tuple[CameraV1, OutboxMessage]]) -> None:
        codecs = CodecCheck()
        for camera, message in composed:
            codecs.check_camera(camera)
            self._facility_of[camera.id] = camera.facility_id
            self._event_of[camera.id] = message.event_id
        codecs.raise_if_any()
        messages = (message for _, message in composed)
        await append_messages(session, messages, now=self._now, written=self._steady)

    async def withdraw(self, session: AsyncSession, cameras: Iterable[UUID]) -> None:
        """Take the messages of these cameras out again: they are composed anew."""
        events = [self._event_of[each] for each in cameras if each in self._event_of]
        if events:
            which = OutboxRow.event_id == any_(literal(events, ARRAY(Text)))
            await session.execute(delete(OutboxRow).where(which, OutboxRow.created_at == self._now))

    async def still_true(self, session: AsyncSession) -> Set[UUID]:
        """Find the cameras with a message of which no part has changed since.

        Raises ProblemError 503 when a destination has changed: that concerns every camera, so all is done anew.
        """
        if not self._facility_of:
            return frozenset()
        if await _revisions(session, Destination) != self._destinations:
            raise overtaken()
        present, plans = await _revisions(session, Facility), await plan_revisions(session)
        return {
            camera_id
            for camera_id, facility_id in self._facility_of.items()
            if present.get(facility_id) == self._facilities.get(facility_id)
            and plans.get(facility_id) == self._plans.get(facility_id)
        }


def overtaken() -> ProblemError:
    """Build the 503 of a long write of which every message is stale."""
    msg = "a destination was changed meanwhile; nothing was stored, send it again"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "overtaken", msg, headers={"Retry-After": "1"})


async def _revisions(session: AsyncSession, kind: type[Facility | Destination]) -> dict[UUID, int]:
    return {row.id: row.revision for row in await session.execute(select(kind.id, kind.revision))}


class StagedUpdates:
    """Of one table and one write. `columns`: what is written of each row, its next revision among it.

    They are dated by `now`, when they are made ready: each row is written only if nobody has written it since.
    """

    def __init__(self, session: AsyncSession, kind: type[Thing], columns: Sequence[str], now: datetime) -> None:
        self._session, self._kind, self._columns, self._now = session, kind, columns, now
        self._table, self._staged = kind.__tablename__, f"staged_{kind.__tablename__}"
        self._count = 0

    async def add(self, cells: Sequence[Sequence[Any]]) -> None:
        """More rows: id and the values of `columns`."""
        if not self._count:
            names = ", ".join(("id", *self._columns))
            stage = f"create temporary table {self._staged} on commit drop as select {names} from {self._table}"  # noqa: S608 # names of ours
            await self._session.execute(text(f"{stage} with no data"))
        self._count += len(cells)
        await copy_rows(self._session, self._staged, ("id", *self._columns), cells)

    async def write(self, now: datetime) -> dict[UUID, int | None]:
        """Change all rows with one statement; nobody else changes them from then on.

        Returns those that somebody has written since they were read, which stay as they are, with their revision;
        None: it is gone. What the transaction writes next is dated by `now`.
        """
        if not self._count:
            return {}
        await self._session.execute(text(f"analyze {self._staged}"))
        values = ", ".join(f"{name} = s.{name}" for name in self._columns)
        same = f"from {self._staged} s where s.id = t.id and t.revision = s.revision - 1"
        await set_recorded_now(self._session, self._now)
        done: Any = await self._session.execute(text(f"update {self._table} t set {values} {same}"))  # noqa: S608 # names of ours
        await set_recorded_now(self._session, now)
        return {} if done.rowcount == self._count else await self._not_written()

    async def _not_written(self) -> dict[UUID, int | None]:
        joined = f"select s.id, t.revision from {self._staged} s left join {self._table} t on t.id = s.id "  # noqa: S608 # names of ours
        others = "where (t.revision, t.changed_at) is distinct from (s.revision, s.changed_at)"
        return {row.id: row.revision for row in await self._session.execute(text(joined + others))}
