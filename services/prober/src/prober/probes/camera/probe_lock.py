"""One look at a camera at a time over all probers, also when a person asks for one.

Scheduled looks cannot meet: the queue gives a camera's job to one prober. A look that a person asks for is told to all
probers first (core NATS): whoever looks at the camera now answers, the others leave it alone until the look is over.
So the many scheduled looks pay nothing for the few that are asked for.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vonggac.bus import Bus
from vonggac.events import subjects
from vonggac.telemetry import get_logger

log = get_logger(__name__)

OBJECTION_WITHIN_S = 0.25
"""The others' time to say that they look at the camera now."""
LONGEST_S = 120.0


class _Turn(BaseModel):
    """What is told: who looks, and for how long at most; 0 when the look is over."""

    model_config = ConfigDict(extra="ignore")

    worker_id: str
    lasts_s: float = Field(ge=0, le=LONGEST_S)


class Turns:
    """One per process. `run` is a task of the service."""

    def __init__(
        self,
        bus: Bus,
        *,
        worker_id: str,
        is_looking: Callable[[UUID], bool],
        on_others: Callable[[UUID], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_looking`: whether this process looks at a camera now; `on_others`: another one looks, or has looked."""
        self._bus, self._worker_id, self._is_looking, self._clock = bus, worker_id, is_looking, clock
        self._on_others = on_others
        self._mine: set[UUID] = set()
        self._others: dict[UUID, float] = {}

    async def run(self) -> None:
        """Listen until cancelled; the connection subscribes again by itself."""
        subscription = await self._bus.client.subscribe(subjects.prober_turn("*"), cb=self._on_turn)
        try:
            await asyncio.Event().wait()
        finally:
            try:
                await subscription.unsubscribe()
            except (NatsError, ValueError) as error:
                log.debug("turns_not_unsubscribed", error=type(error).__name__)

    def is_others(self, camera_id: UUID) -> bool:
        """Whether another prober looks at the camera because a person asked."""
        ends_at = self._others.get(camera_id)
        if ends_at is not None and ends_at <= self._clock():
            # Its end was never told: that prober died.
            del self._others[camera_id]
            return False
        return ends_at is not None

    @asynccontextmanager
    async def take(self, camera_id: UUID, *, lasts_s: float) -> AsyncIterator[bool]:
        """Whether a person's look may be made now; while it lasts, at most `lasts_s`, the others make none."""
        if self.is_others(camera_id) or camera_id in self._mine:
            yield False
            return
        self._mine.add(camera_id)
        try:
            yield await self._is_agreed(camera_id, lasts_s)
        finally:
            self._mine.discard(camera_id)
            await self._tell(camera_id, 0.0)

    async def _is_agreed(self, camera_id: UUID, lasts_s: float) -> bool:
        """Nobody objects in time; with NATS away nobody can, and an observation could not be told either."""
        told = self._encoded(min(lasts_s, LONGEST_S))
        try:
            await self._bus.client.request(subjects.prober_turn(camera_id), told, timeout=OBJECTION_WITHIN_S)
        except TimeoutError:
            return True
        except (NatsError, OSError) as error:
            log.info("turn_not_told", camera_id=str(camera_id), error=type(error).__name__)
            return True
        return False

    async def _tell(self, camera_id: UUID, lasts_s: float) -> None:
        try:
            await self._bus.client.publish(subjects.prober_turn(camera_id), self._encoded(lasts_s))
        except (NatsError, OSError) as error:
            log.info("turn_not_told", camera_id=str(camera_id), error=type(error).__name__)

    def _encoded(self, lasts_s: float) -> bytes:
        return _Turn(worker_id=self._worker_id, lasts_s=lasts_s).model_dump_json().encode()

    async def _on_turn(self, message: Msg) -> None:
        try:
            turn = _Turn.model_validate_json(message.data)
            camera_id = UUID(message.subject.rpartition(".")[2])
        except (ValidationError, ValueError):
            log.warning("turn_malformed", subject=message.subject)
            return
        if turn.worker_id == self._worker_id:
            return
        if self._on_others is not None:
            self._on_others(camera_id)
        if not turn.lasts_s:
            self._others.pop(camera_id, None)
        elif self._is_looking(camera_id) or camera_id in self._mine:
            await message.respond(b"")
        else:
            self._others[camera_id] = self._clock() + turn.lasts_s
