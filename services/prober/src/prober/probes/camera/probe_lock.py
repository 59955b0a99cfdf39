"""One probe of a camera at a time over all probers, on demand too.

Scheduled probes cannot meet: the queue gives a camera's job to one prober. A probe on demand is announced to all
probers first (core NATS): whichever probes the camera now objects, the others leave it alone until the probe is over.
So the many scheduled probes pay nothing for the few on demand.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prober.messaging import listen_for_probe_locks, locked_camera, publish_probe_lock, request_probe_lock
from vonggac.bus import Bus
from vonggac.telemetry import get_logger

log = get_logger(__name__)

OBJECTION_WITHIN_S = 0.25
"""The others' time to object."""
LONGEST_S = 120.0


class _Lock(BaseModel):
    """The message: who locks the camera, and for how long at most; 0 when the probe is over."""

    model_config = ConfigDict(extra="ignore")

    worker_id: str
    lasts_s: float = Field(ge=0, le=LONGEST_S)
    removed: bool = False
    """The camera is not watched any more: nobody goes on with a probe of it."""


class ProbeLock:
    """One per process. `run` is a task of the service."""

    def __init__(
        self,
        bus: Bus,
        *,
        worker_id: str,
        is_probing: Callable[[UUID], bool],
        on_probed_elsewhere: Callable[[UUID], None] | None = None,
        on_removed: Callable[[UUID], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_probing`: whether this process probes a camera now; `on_probed_elsewhere`: another one does, or did.

        `on_removed`: another prober learned that the camera is not watched any more.
        """
        self._bus, self._worker_id, self._is_probing, self._clock = bus, worker_id, is_probing, clock
        self._on_probed_elsewhere, self._on_removed = on_probed_elsewhere, on_removed
        self._mine: set[UUID] = set()
        self._elsewhere: dict[UUID, float] = {}

    async def run(self) -> None:
        """Listen until cancelled; the connection subscribes again by itself."""
        subscription = await listen_for_probe_locks(self._bus, self._on_message)
        try:
            await asyncio.Event().wait()
        finally:
            try:
                await subscription.unsubscribe()
            except (NatsError, ValueError) as error:
                log.debug("probe_lock_not_unsubscribed", error=type(error).__name__)

    def is_locked_elsewhere(self, camera_id: UUID) -> bool:
        """Whether another prober probes the camera on demand."""
        ends_at = self._elsewhere.get(camera_id)
        if ends_at is not None and ends_at <= self._clock():
            # No message ended it: that prober died.
            del self._elsewhere[camera_id]
            return False
        return ends_at is not None

    @asynccontextmanager
    async def lock(self, camera_id: UUID, *, lasts_s: float) -> AsyncIterator[bool]:
        """Whether the camera may be probed on demand now; for at most `lasts_s` the other probers leave it alone."""
        if self.is_locked_elsewhere(camera_id) or camera_id in self._mine:
            yield False
            return
        self._mine.add(camera_id)
        try:
            yield await self._is_agreed(camera_id, lasts_s)
        finally:
            self._mine.discard(camera_id)
            await self._release(camera_id)

    async def announce_removed(self, camera_id: UUID) -> None:
        """Whichever prober probes the camera now ends that."""
        await self._publish(camera_id, self._encoded(0.0, removed=True))

    async def _is_agreed(self, camera_id: UUID, lasts_s: float) -> bool:
        """Nobody objects in time; with NATS away nobody can, and no observation could be published either."""
        wanted = self._encoded(min(lasts_s, LONGEST_S))
        try:
            await request_probe_lock(self._bus, camera_id, wanted, timeout_s=OBJECTION_WITHIN_S)
        except TimeoutError:
            return True
        except (NatsError, OSError) as error:
            log.info("probe_lock_not_published", camera_id=str(camera_id), error=type(error).__name__)
            return True
        return False

    async def _release(self, camera_id: UUID) -> None:
        await self._publish(camera_id, self._encoded(0.0))

    async def _publish(self, camera_id: UUID, message: bytes) -> None:
        try:
            await publish_probe_lock(self._bus, camera_id, message)
        except (NatsError, OSError) as error:
            log.info("probe_lock_not_published", camera_id=str(camera_id), error=type(error).__name__)

    def _encoded(self, lasts_s: float, *, removed: bool = False) -> bytes:
        return _Lock(worker_id=self._worker_id, lasts_s=lasts_s, removed=removed).model_dump_json().encode()

    async def _on_message(self, message: Msg) -> None:
        try:
            lock = _Lock.model_validate_json(message.data)
            camera_id = locked_camera(message)
        except (ValidationError, ValueError):
            log.warning("probe_lock_malformed", subject=message.subject)
            return
        if lock.worker_id == self._worker_id:
            return
        if lock.removed and self._on_removed is not None:
            self._on_removed(camera_id)
        if self._on_probed_elsewhere is not None:
            self._on_probed_elsewhere(camera_id)
        if not lock.lasts_s:
            self._elsewhere.pop(camera_id, None)
        elif self._is_probing(camera_id) or camera_id in self._mine:
            await message.respond(b"")
        else:
            self._elsewhere[camera_id] = self._clock() + lock.lasts_s
