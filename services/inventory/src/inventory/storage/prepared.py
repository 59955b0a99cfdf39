"""Messages of new cameras, composed before their write queues, and whether they are still true when it has."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence, Set
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.outbox import OutboxMessage
from inventory.storage.queries.codec_check import CodecCheck
from inventory.storage.queries.plans import plan_revisions
from inventory.storage.states import CameraPlan, plans_of, read_facility_facts
from inventory.storage.tables import Destination, Facility
from vonggac.events.inventory import CameraV1
from vonggac.http import ProblemError


class PreparedMessages:
    """Messages, and the revisions of what they were composed from: facilities, destinations, plans."""

    def __init__(self, encode: Callable[[CameraV1], OutboxMessage]) -> None:
        self._encode = encode
        self._facilities: Mapping[UUID, int] = {}
        self._destinations: Mapping[UUID, int] = {}
        self._plans: Mapping[UUID, tuple[int, ...]] = {}
        self._messages: dict[UUID, tuple[UUID, OutboxMessage]] = {}
        self._begun = False

    @property
    def cameras(self) -> Set[UUID]:
        """Those whose message is composed."""
        return self._messages.keys()

    async def compose_all(self, session: AsyncSession, planned: AsyncIterator[list[CameraPlan]]) -> None:
        """Compose the messages of cameras. Raises ProblemError 422 when a destination does not accept a codec."""
        await self._begin(session)
        async for plans in planned:
            self._keep(self._compose(plans))

    async def compose_new(
        self, session: AsyncSession, cameras: Sequence[Mapping[str, Any]], deliveries: Mapping[UUID, Sequence[Any]],
        write: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        """As `compose_all`, in a thread, while `write` writes the rows: then PostgreSQL works as well."""
        await self._begin(session)
        facts = await read_facility_facts(session, {camera["facility_id"] for camera in cameras})
        composing = asyncio.to_thread(lambda: self._compose(plans_of(facts, cameras, deliveries)))
        composed, _ = await asyncio.gather(composing, write())
        self._keep(composed)

    async def _begin(self, session: AsyncSession) -> None:
        """Note the revisions; before the first message is composed."""
        if not self._begun:
            self._begun = True
            self._facilities = await _revisions(session, Facility)
            self._destinations = await _revisions(session, Destination)
            self._plans = await plan_revisions(session)

    def _compose(self, plans: Iterable[CameraPlan]) -> list[tuple[CameraV1, OutboxMessage]]:
        return [(plan.payload, self._encode(plan.payload)) for plan in plans]

    def _keep(self, composed: Iterable[tuple[CameraV1, OutboxMessage]]) -> None:
        codecs = CodecCheck()
        for camera, message in composed:
            codecs.check_camera(camera)
            self._messages[camera.id] = (camera.facility_id, message)
        codecs.raise_if_any()

    async def still_true(self, session: AsyncSession) -> Mapping[UUID, OutboxMessage]:
        """By camera, the messages of which no part has changed since.

        Raises ProblemError 503 when a destination has changed: that concerns every camera, so all is done anew.
        """
        if not self._messages:
            return {}
        if await _revisions(session, Destination) != self._destinations:
            raise overtaken()
        present, plans = await _revisions(session, Facility), await plan_revisions(session)
        return {
            camera_id: message
            for camera_id, (facility_id, message) in self._messages.items()
            if present.get(facility_id) == self._facilities.get(facility_id)
            and plans.get(facility_id) == self._plans.get(facility_id)
        }


def overtaken() -> ProblemError:
    """The 503 of a long write of which every message is stale."""
    msg = "a destination was changed meanwhile; nothing was stored, send it again"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "overtaken", msg, headers={"Retry-After": "1"})


async def _revisions(session: AsyncSession, kind: type[Facility | Destination]) -> dict[UUID, int]:
    return {row.id: row.revision for row in await session.execute(select(kind.id, kind.revision))}
