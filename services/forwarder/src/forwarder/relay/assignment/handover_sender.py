"""Handing cameras over to other workers: at an orderly stop, and when one carries more than another.

The next holder pulls the camera first and answers that it is ready. Then the sessions at the destinations end in order,
and it opens its own, which begin with the keyframe that it has kept. A camera that cannot be pulled twice is released
before the next holder pulls it. Without a next holder the job goes back to the queue.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any
from uuid import UUID

from forwarder.domain.assignment import rebalancing
from forwarder.domain.assignment.rebalancing import Load
from forwarder.domain.camera_pull import PullState
from forwarder.relay.assignment import handover_receiver as receiver
from forwarder.relay.assignment.handover_receiver import HandoverOutcome, HandoverStep
from forwarder.relay.assignment.held_camera import HeldCamera, answer_job
from forwarder.relay.assignment.membership import MembershipWatch
from vonggac.bus import Bus, Job, Outgoing
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

AT_ONCE = 32
"""Cameras handed over at a time. Most of the time passes in waiting for a keyframe."""
RELEASED_AT_ONCE = 4
"""Of these, cameras whose sessions end at a time: what all do in the same moment, each waits for."""
BEGINS_WITHIN_S = 0.1
"""A camera whose sessions end slowly lets the next ones begin: none waits for another's destination."""
_RECEIVERS_OWN = frozenset(
    {Cause.ADDRESS_NOT_ALLOWED, Cause.SECRET_UNREADABLE, Cause.INTERNAL_ERROR, Cause.ROUTE, Cause.DNS}
)
"""Causes that lie with the asked worker: another one may be able to pull the camera."""
BEGUN_PART = 0.5
PREPARED_PART = 0.8
"""Parts of the time for an orderly stop: for beginning hand-overs, and for cameras to be ready elsewhere."""
ASKED_AT_MOST = 3
"""Workers that are asked for one camera before its job goes back to the queue."""
SESSIONS_END_WITHIN_S = 0.4
"""A destination that does not answer TEARDOWN must not make the gap at the other one longer."""
STORED_WITHIN_S = 0.4
REBALANCE_EVERY_S = 1.0

type StopCamera = Callable[[HeldCamera, DeliveryState], Awaitable[None]]
"""Stop what runs for a camera. Its job must still be answered."""


class HandoverWay(StrEnum):
    """How a camera was handed over."""

    PREPARED = "prepared"
    UNPREPARED = "unprepared"
    GIVEN_BACK = "given_back"


class _Releases:
    """RELEASED_AT_ONCE at a time, each for BEGINS_WITHIN_S at most: whoever takes longer goes on beside the next ones.

    All cameras of a process begin within a bounded time, whatever their destinations do, since the next holder keeps
    each ready for a few seconds only.
    """

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(RELEASED_AT_ONCE)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        await self._free.acquire()
        over = False

        def pass_on() -> None:
            nonlocal over
            if not over:
                over = True
                self._free.release()

        timer = asyncio.get_running_loop().call_later(BEGINS_WITHIN_S, pass_on)
        try:
            yield
        finally:
            timer.cancel()
            pass_on()


class HandoverSender:
    """The present holder's side. `handed_over` counts cameras by the way."""

    def __init__(self, bus: Bus, outgoing: Outgoing, members: MembershipWatch, stop_camera: StopCamera) -> None:
        self.handed_over: Counter[HandoverWay] = Counter()
        self._bus, self._outgoing, self._members = bus, outgoing, members
        self._stop_camera = stop_camera
        self._releases = _Releases()
        self._staying: set[UUID] = set()
        """Cameras whose keyframes are too far apart to be moved without need."""
        self._unprepared: set[tuple[UUID, str]] = set()
        """Cameras and the workers that could not pull them: they are not moved there without need."""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def release_all(self, cameras: Sequence[HeldCamera], *, within_s: float) -> None:
        """Hand all over in about `within_s` seconds. Those that get no place in time go back to the queue."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        places = asyncio.Semaphore(AT_ONCE)

        async def hand_over(held: HeldCamera) -> None:
            async with places:
                if held.ending:
                    return
                begun_in_time = loop.time() - began_s < within_s * BEGUN_PART
                if not begun_in_time or not await self._hand_over_to_any(held, began_s + within_s * PREPARED_PART):
                    await self._give_back(held)

        await asyncio.gather(*(hand_over(held) for held in cameras))
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def rebalance(
        self,
        worker_id: str,
        *,
        cameras: Callable[[], Sequence[HeldCamera]],
        changed_s: Callable[[], float],
        limits: rebalancing.Limits,
        now_s: Callable[[], float],
    ) -> None:
        """Hand cameras over while this worker carries the most. `changed_s`: when it last held or released one.

        Runs until cancelled.
        """
        while True:
            await asyncio.sleep(REBALANCE_EVERY_S)
            held, others = cameras(), self._members.others()
            me = Load(worker_id, len(held), None, stopping=False, heard_s=now_s())
            move = rebalancing.decide(
                worker_id,
                [me, *others],
                self._members.membership,
                now_s(),
                changed_s=changed_s(),
                limits=limits,
                barred=self._barred(held, others),
            )
            if move is not None:
                await self._move(self._movable(held, move.worker_id)[: move.cameras], move.worker_id)

    def _barred(self, held: Sequence[HeldCamera], others: Sequence[Load]) -> set[str]:
        """Workers that could pull none of these cameras."""
        present = {load.worker_id for load in others}
        self._unprepared = {pair for pair in self._unprepared if pair[1] in present}
        tried = {worker_id for _, worker_id in self._unprepared}
        return {worker_id for worker_id in tried if not self._movable(held, worker_id)}

    def _movable(self, held: Sequence[HeldCamera], worker_id: str) -> list[HeldCamera]:
        """Cameras that may move to this worker for balance."""
        known = {one.relay.camera.id for one in held}
        self._staying &= known
        self._unprepared = {pair for pair in self._unprepared if pair[0] in known}
        return [
            one
            for one in held
            if not one.ending
            and one.relay.pull.state is PullState.LIVE
            and one.relay.camera.id not in self._staying
            and (one.relay.camera.id, worker_id) not in self._unprepared
        ]

    async def _move(self, chosen: Sequence[HeldCamera], worker_id: str) -> None:
        if not chosen:
            return
        log.info("cameras_moved", to=worker_id, count=len(chosen))
        moves = [
            asyncio.create_task(self._hand_over(one, worker_id, stopping=False), name="hand-over") for one in chosen
        ]
        for task in moves:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Not cancelled with this loop: a hand-over that has begun must end with a holder.
        await asyncio.wait(moves)

    async def _hand_over_to_any(self, held: HeldCamera, until_s: float) -> bool:
        loop, asked = asyncio.get_running_loop(), set[str]()
        while len(asked) < ASKED_AT_MOST and loop.time() < until_s:
            chosen = self._members.choose_receiver(except_for=asked)
            if chosen is None:
                return False
            asked.add(chosen)
            if await self._hand_over(
                held, chosen, prepare_within_s=min(until_s - loop.time(), receiver.PREPARE_WITHIN_S)
            ):
                return True
        return False

    async def _hand_over(
        self,
        held: HeldCamera,
        worker_id: str,
        *,
        prepare_within_s: float = receiver.PREPARE_WITHIN_S,
        stopping: bool = True,
    ) -> bool:
        """Whether the camera is released here; if not, everything is as it was.

        Not `stopping`: a camera that the other worker cannot pull beside this one stays here, rather than be
        interrupted; unless it only allows no second session.
        """
        camera_id, live = held.relay.camera.id, held.relay.pull.state is PullState.LIVE
        prepared = HandoverOutcome.CAMERA
        if live:
            offer = await receiver.request_prepare(self._bus, worker_id, held.job, within_s=prepare_within_s)
            prepared = offer.outcome
            if prepared is HandoverOutcome.CAMERA:
                log.info("camera_not_prepared", camera_id=str(camera_id), cause=offer.cause)
                if not stopping and offer.cause is not Cause.SESSION_LIMIT:
                    self._mark_unmovable(worker_id, camera_id, offer.cause)
                    return False
                if offer.cause in _RECEIVERS_OWN:
                    return False
        if prepared not in {HandoverOutcome.READY, HandoverOutcome.CAMERA}:
            return False
        async with self._releases.begin():
            if held.ending or not isinstance(held.job.event.data, CameraV1):
                # The camera was removed or switched off meanwhile.
                if prepared is HandoverOutcome.READY:
                    await receiver.request_step(self._bus, worker_id, HandoverStep.DROP, held.job)
                return True
            held.ending = True
            ending = await self._release_sessions(held, prepared)
            job = held.job
            taken = await receiver.request_step(self._bus, worker_id, HandoverStep.GO, job)
        if taken.outcome is HandoverOutcome.TAKEN:
            way = HandoverWay.PREPARED if prepared is HandoverOutcome.READY else HandoverWay.UNPREPARED
            log.info("camera_handed_over", camera_id=str(camera_id), to=worker_id, way=way.value)
        else:
            way = HandoverWay.GIVEN_BACK
        await self._finish(held, job, way, ending)
        return True

    def _mark_unmovable(self, worker_id: str, camera_id: UUID, cause: Cause | None) -> None:
        if cause is Cause.NO_KEYFRAME:
            # The cause lies with the camera: no other worker would get a keyframe either.
            self._staying.add(camera_id)
        else:
            self._unprepared.add((camera_id, worker_id))

    async def _finish(self, held: HeldCamera, job: Job, way: HandoverWay, ending: asyncio.Task[None]) -> None:
        await ending
        await self._stop_camera(held, DeliveryState.RELEASED)
        if way is HandoverWay.GIVEN_BACK or held.job is not job:
            # The next worker that fetches it offers it to the camera's holder, if there is one.
            await answer_job(held.job.release())
        self.handed_over[way] += 1

    async def _release_sessions(self, held: HeldCamera, prepared: HandoverOutcome) -> asyncio.Task[None]:
        """End the sessions at the destinations, and the camera's if it allows no second one. What is slow goes on."""
        end = held.relay.release if prepared is HandoverOutcome.CAMERA else held.relay.release_deliveries
        ending = asyncio.create_task(end(DeliveryState.RELEASED), name="release-sessions")
        self._tasks.add(ending)
        ending.add_done_callback(self._tasks.discard)
        await asyncio.wait({ending}, timeout=SESSIONS_END_WITHIN_S)
        # The next holder's reports must not be overtaken by ours.
        await self._outgoing.flush(within_s=STORED_WITHIN_S)
        held.relay.supersede()
        return ending

    async def _give_back(self, held: HeldCamera) -> None:
        held.ending = True
        await self._stop_camera(held, DeliveryState.RELEASED)
        await self._outgoing.flush(within_s=STORED_WITHIN_S)
        await answer_job(held.job.release())
        log.info("camera_given_back", camera_id=str(held.relay.camera.id))
        self.handed_over[HandoverWay.GIVEN_BACK] += 1
