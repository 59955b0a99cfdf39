"""Cameras that show another picture are probed at once, whenever their schedule would have done it.

The forwarder that pulls a camera publishes when its picture becomes another one; each report goes to one prober (a NATS
queue group). So are cameras that a forwarder has just taken, of whose picture it knows nothing yet; and those that show
nothing, again and again, for that may end by a sign that no forwarder sees. Nothing is kept: what is missed here comes
with the schedule.
"""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from prober.messaging import Cameras, listen_for_media_changes
from prober.probes.camera.observer import Early, Observation, Observer
from prober.probes.camera.prober import NotNow
from vonggac.bus import Bus
from vonggac.events import Cause, MalformedEventError, decode_on
from vonggac.events.forwarder import CameraMediaObservedV1, MediaState
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.telemetry import get_logger

log = get_logger(__name__)

MOST_WAITING = 2_000
"""Cameras; more are left to their schedule."""
TRIES = 4
AGAIN_S = 3.0
"""After a probe that found nothing out, as where a keyframe is overdue and may still come."""
BUSY_TRIES, BUSY_AGAIN_S = 20, 0.5
AGAIN_BY_CAUSE_S: Mapping[Cause | None, float] = {
    Cause.DECODE_FAILED: 1.5,
    Cause.BLACK: 2.0,
    Cause.NO_SIGNAL_CARD: 2.0,
    Cause.COVERED: 2.5,
}
"""How soon a picture that shows nothing is decoded again, by its cause: decoding alone shows for certain when it is
over. What stands still takes longer to judge, and its end is a sign for its forwarder."""
EMPTY_TRIES = 400
"""How often; later it comes with the schedule."""
_UNJUDGED = b'"picture_judged":false'
_EMPTY = tuple(f'"picture_cause":"{cause.value}"'.encode() for cause in AGAIN_BY_CAUSE_S if cause is not None)
_NO_PICTURE = b'"picture_since":null'
_TAKEN = b'"sequence":1,'


class PictureChanges:
    """`run` until cancelled."""

    def __init__(self, bus: Bus, observer: Observer, *, most: int) -> None:
        """`most`: cameras at a time."""
        self._bus, self._cameras, self._observer, self._most = bus, Cameras(bus), observer, most
        self._waiting: set[UUID] = set()
        self._empty: dict[UUID, int] = {}
        """Cameras that show nothing, and how often they are still tried again."""
        self._queue: asyncio.Queue[UUID] = asyncio.Queue(MOST_WAITING)

    async def run(self) -> None:
        """Listen, and probe. Raises what the bus refuses."""
        subscription = await listen_for_media_changes(self._bus, self._on_change)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._most):
                    group.create_task(self._work())
        finally:
            try:
                await subscription.unsubscribe()
            except NatsError as error:
                log.debug("picture_changes_not_unsubscribed", error=type(error).__name__)

    async def _on_change(self, message: Msg) -> None:
        # Most reports are of other changes: no need to parse them.
        good = _UNJUDGED not in message.data and not any(cause in message.data for cause in _EMPTY)
        if good or (_NO_PICTURE in message.data and _TAKEN not in message.data):
            return
        try:
            fact = decode_on(message.subject, message.data).data
        except MalformedEventError as error:
            log.warning("media_change_malformed", subject=message.subject, error=type(error).__name__)
            return
        if not isinstance(fact, CameraMediaObservedV1) or fact.state is not MediaState.FLOWING:
            return
        if fact.picture_cause in AGAIN_BY_CAUSE_S:
            if fact.camera_id not in self._empty:
                self._empty[fact.camera_id] = EMPTY_TRIES
                self._again_later(fact.camera_id, fact.picture_cause)
        elif not fact.picture_judged and (fact.picture_since is not None or fact.sequence == 1):
            self._enqueue(fact.camera_id)

    def _enqueue(self, camera_id: UUID) -> None:
        if camera_id not in self._waiting and not self._queue.full():
            self._waiting.add(camera_id)
            self._queue.put_nowait(camera_id)

    def _again_later(self, camera_id: UUID, cause: Cause | None) -> None:
        asyncio.get_running_loop().call_later(AGAIN_BY_CAUSE_S[cause], self._enqueue, camera_id)

    async def _work(self) -> None:
        while True:
            camera_id = await self._queue.get()
            # What it reports from now on is a change that this probe may not have seen.
            self._waiting.discard(camera_id)
            try:
                await self._probe(camera_id)
            except (NatsError, TimeoutError, OSError) as error:
                log.info("picture_not_judged", camera_id=str(camera_id), error=type(error).__name__)

    async def _probe(self, camera_id: UUID) -> None:
        """Until it is known what the camera shows, or its schedule must do. Raises as `Cameras.get` does."""
        camera = await self._cameras.get(camera_id)
        if camera is None or not camera.in_service or not camera.forwarded:
            return
        tries = busy = 0
        while tries < TRIES and busy < BUSY_TRIES:
            outcome = await self._observer.observe(camera, on_demand=True)
            if isinstance(outcome, Early):
                return
            if isinstance(outcome, NotNow):
                busy += 1
                await asyncio.sleep(max(BUSY_AGAIN_S, outcome.delay_s))
                continue
            assert isinstance(outcome, Observation), "the third of three"
            if outcome.fact.verdict is not Verdict.UNKNOWN:
                self._count_empty(outcome.fact)
                return
            tries += 1
            await asyncio.sleep(AGAIN_S)

    def _count_empty(self, fact: CameraObservedV1) -> None:
        left = self._empty.pop(fact.camera_id, 0) - 1
        if fact.cause in AGAIN_BY_CAUSE_S and left > 0:
            self._empty[fact.camera_id] = left
            self._again_later(fact.camera_id, fact.cause)
