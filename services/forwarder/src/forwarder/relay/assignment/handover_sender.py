"""Handing cameras over to other workers: at an orderly stop, and when one carries more than another.

The next holder pulls the camera first and says that it is ready; then the sessions at the destinations end in order,
and it opens its own, beginning with the keyframe that it has kept. A camera that cannot be pulled twice is left before
the next holder is told to take it. Without a next holder the job goes back to the queue.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from forwarder.domain import rebalancing as balance
from forwarder.domain.camera_pull import PullState
from forwarder.domain.rebalancing import Load
from forwarder.relay.assignment import handover_receiver as taking
from forwarder.relay.assignment.handover_receiver import Outcome, Step
from forwarder.relay.assignment.held_camera import Held, answer
from forwarder.relay.assignment.membership import Presence
from vonggac.bus import Bus, Job, Outgoing
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import CameraV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

AT_ONCE = 32
"""Cameras handed over at a time: most of it is waiting for a keyframe."""
LET_GO_AT_ONCE = 4
"""Of these: what all do in the same moment, each waits for."""
_THEIRS = frozenset({Cause.ADDRESS_NOT_ALLOWED, Cause.SECRET_UNREADABLE, Cause.INTERNAL_ERROR, Cause.ROUTE, Cause.DNS})
"""Why a camera could not be prepared that lies with the worker that was asked: another one may be able to have it."""
BEGUN_PART = 0.5
PREPARED_PART = 0.8
"""Of the time for an orderly stop: for turns to begin, and for cameras to be ready elsewhere."""
ASKED_AT_MOST = 3
"""Workers that are asked for one camera before its job goes back to the queue."""
SESSIONS_END_WITHIN_S = 0.4
"""A destination that does not answer TEARDOWN must not make the gap at the other one longer."""
STORED_WITHIN_S = 0.4
LOOK_EVERY_S = 1.0

type Retire = Callable[[Held, DeliveryState], Awaitable[None]]
"""Stop what runs for a camera; its job stays to be answered."""


class Way(StrEnum):
    """How a camera was handed over."""

    PREPARED = "prepared"
    UNPREPARED = "unprepared"
    GIVEN_BACK = "given_back"


class Giving:
    """The present holder's side. `handed_over` counts cameras by the way."""

    def __init__(self, bus: Bus, outgoing: Outgoing, presence: Presence, retire: Retire) -> None:
        self.handed_over: Counter[Way] = Counter()
        self._bus, self._outgoing, self._presence = bus, outgoing, presence
        self._retire = retire
        self._letting_go = asyncio.Semaphore(LET_GO_AT_ONCE)
        self._staying: set[UUID] = set()
        """Cameras whose keyframes are too far apart to be moved without need."""
        self._unprepared: set[tuple[UUID, str]] = set()
        """Cameras and the workers that could not have them: they are not moved there without need."""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def give_all(self, cameras: Sequence[Held], *, within_s: float) -> None:
        """Hand all over, in about `within_s` seconds; those whose turn comes too late just go back to the queue."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        turn = asyncio.Semaphore(AT_ONCE)

        async def give(held: Held) -> None:
            async with turn:
                if held.ending:
                    return
                begun_in_time = loop.time() - began_s < within_s * BEGUN_PART
                if not begun_in_time or not await self._give_to_anybody(held, began_s + within_s * PREPARED_PART):
                    await self._give_back(held)

        await asyncio.gather(*(give(held) for held in cameras))
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def rebalance(
        self,
        worker_id: str,
        cameras: Callable[[], Sequence[Held]],
        changed_s: Callable[[], float],
        limits: balance.Limits,
        now_s: Callable[[], float],
    ) -> None:
        """Give cameras away while this worker carries the most. `changed_s`: when it last took or left one.

        Runs until cancelled.
        """
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            held, others = cameras(), self._presence.others()
            me = Load(worker_id, len(held), None, stopping=False, heard_s=now_s())
            move = balance.decide(
                worker_id,
                [me, *others],
                self._presence.membership,
                now_s(),
                changed_s=changed_s(),
                limits=limits,
                barred=self._barred(held, others),
            )
            if move is not None:
                await self._move(self._movable(held, move.worker_id)[: move.cameras], move.worker_id)

    def _barred(self, held: Sequence[Held], others: Sequence[Load]) -> set[str]:
        """Workers that could have none of these cameras."""
        present = {load.worker_id for load in others}
        self._unprepared = {pair for pair in self._unprepared if pair[1] in present}
        tried = {worker_id for _, worker_id in self._unprepared}
        return {worker_id for worker_id in tried if not self._movable(held, worker_id)}

    def _movable(self, held: Sequence[Held], worker_id: str) -> list[Held]:
        """Those that may be given to this worker for balance."""
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

    async def _move(self, chosen: Sequence[Held], worker_id: str) -> None:
        if not chosen:
            return
        log.info("cameras_moved", to=worker_id, count=len(chosen))
        moves = [asyncio.create_task(self._give(one, worker_id, leaving=False), name="move") for one in chosen]
        for task in moves:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        # Not cancelled with this loop: a camera that is half given away must come to somebody.
        await asyncio.wait(moves)

    async def _give_to_anybody(self, held: Held, until_s: float) -> bool:
        loop, asked = asyncio.get_running_loop(), set[str]()
        while len(asked) < ASKED_AT_MOST and loop.time() < until_s:
            chosen = self._presence.choose(passed_over=asked)
            if chosen is None:
                return False
            asked.add(chosen)
            if await self._give(held, chosen, prepare_within_s=min(until_s - loop.time(), taking.PREPARE_WITHIN_S)):
                return True
        return False

    async def _give(
        self, held: Held, worker_id: str, *, prepare_within_s: float = taking.PREPARE_WITHIN_S, leaving: bool = True
    ) -> bool:
        """Whether the camera is out of our hands; if not, everything is as it was.

        Not `leaving`: a camera that the other one cannot have beside us is kept, rather than interrupted. Only where a
        second session is all that is wanting it is had there, too, once we have left it.
        """
        camera_id, live = held.relay.camera.id, held.relay.pull.state is PullState.LIVE
        prepared = Outcome.CAMERA
        if live:
            offer = await taking.prepare(self._bus, worker_id, held.job, within_s=prepare_within_s)
            prepared = offer.outcome
            if prepared is Outcome.CAMERA:
                log.info("camera_not_prepared", camera_id=str(camera_id), cause=offer.cause)
                if not leaving and offer.cause is not Cause.SESSION_LIMIT:
                    self._keep_from(worker_id, camera_id, offer.cause)
                    return False
                if offer.cause in _THEIRS:
                    return False
        if prepared not in {Outcome.READY, Outcome.CAMERA}:
            return False
        async with self._letting_go:
            if held.ending or not isinstance(held.job.event.data, CameraV1):
                # Removed or switched off meanwhile.
                if prepared is Outcome.READY:
                    await taking.ask(self._bus, worker_id, Step.DROP, held.job)
                return True
            held.ending = True
            ending = await self._let_go(held, prepared)
            job = held.job
            taken = await taking.ask(self._bus, worker_id, Step.GO, job)
        if taken.outcome is Outcome.TAKEN:
            way = Way.PREPARED if prepared is Outcome.READY else Way.UNPREPARED
            log.info("camera_handed_over", camera_id=str(camera_id), to=worker_id, way=way.value)
        else:
            way = Way.GIVEN_BACK
        await self._leave(held, job, way, ending)
        return True

    def _keep_from(self, worker_id: str, camera_id: UUID, cause: Cause | None) -> None:
        if cause is Cause.NO_KEYFRAME:
            # Of the camera: no other worker would get one either.
            self._staying.add(camera_id)
        else:
            self._unprepared.add((camera_id, worker_id))

    async def _leave(self, held: Held, job: Job, way: Way, ending: asyncio.Task[None]) -> None:
        await ending
        await self._retire(held, DeliveryState.RELEASED)
        if way is Way.GIVEN_BACK or held.job is not job:
            # Whoever gets it next offers it to the camera's holder, if there is one.
            await answer(held.job.give_back())
        self.handed_over[way] += 1

    async def _let_go(self, held: Held, prepared: Outcome) -> asyncio.Task[None]:
        """The sessions at the destinations end; the camera's too when it allows no second one. What is slow goes on."""
        end = held.relay.release if prepared is Outcome.CAMERA else held.relay.release_deliveries
        ending = asyncio.create_task(end(DeliveryState.RELEASED), name="let-go")
        self._tasks.add(ending)
        ending.add_done_callback(self._tasks.discard)
        await asyncio.wait({ending}, timeout=SESSIONS_END_WITHIN_S)
        # The next holder's reports must not be overtaken by ours.
        await self._outgoing.flush(within_s=STORED_WITHIN_S)
        held.relay.supersede()
        return ending

    async def _give_back(self, held: Held) -> None:
        held.ending = True
        await self._retire(held, DeliveryState.RELEASED)
        await self._outgoing.flush(within_s=STORED_WITHIN_S)
        await answer(held.job.give_back())
        log.info("camera_given_back", camera_id=str(held.relay.camera.id))
        self.handed_over[Way.GIVEN_BACK] += 1
