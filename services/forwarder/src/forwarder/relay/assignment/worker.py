"""Which cameras this process forwards: jobs are fetched, held in progress, adopted, given back.

A camera is held for as long as its job is kept in progress. A changed plan, or a job that the server hands out again,
may reach any worker; whoever gets it offers it to the camera's holder first, and takes the camera only if there is
none.
"""

import asyncio
from collections.abc import Iterable, Mapping
from uuid import UUID

from nats.errors import Error as NatsError

from forwarder.domain import rebalancing as balance
from forwarder.domain.ownership import NO_HISTORY, DeliveryHistory, history_of, takes_over
from forwarder.domain.plan import wanted
from forwarder.messaging import Adoption, Reporter, StatusBoard
from forwarder.relay.assignment.camera_rpc import Answering
from forwarder.relay.assignment.commands import OrderBook
from forwarder.relay.assignment.handover_receiver import Taking
from forwarder.relay.assignment.handover_sender import Giving, Way
from forwarder.relay.assignment.held_camera import Held, answer
from forwarder.relay.assignment.membership import Presence
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from vonggac.bus import Bus, Job, JobQueue, Outgoing, topology
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryOrder, DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery, RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_UNHURRIED = balance.Limits()

FETCH_AT_ONCE = 20
"""Small batches, so that workers that start together share the cameras."""
FETCH_WAIT_S = 5.0
FULL_RETRY_S = 2.0
FULL_PAUSE_S = 0.2
"""Of a full worker between two fetches: cameras that nobody has room for must not keep it busy."""
RECONNECTED_S = 10.0
"""For this long after a reconnection, a holder that does not answer may be reconnecting itself."""
HOLDER_RETURNS_WITHIN_S = topology.DELIVERY_ACK_WAIT_S
HOLDER_POLL_S = 0.25


class Worker:
    """Holds cameras. `run` until cancelled, then `release_all`."""

    def __init__(
        self,
        bus: Bus,
        outgoing: Outgoing,
        context: RelayContext,
        reporter: Reporter,
        *,
        max_cameras: int,
        balance_limits: balance.Limits = _UNHURRIED,
    ) -> None:
        self.held: dict[UUID, Held] = {}
        self.ready = asyncio.Event()
        """Set once jobs are fetched and others' cameras are taken: what must be known before is known."""
        self.jobs_turned_away = 0
        self.jobs_passed_on = 0
        self._bus, self._outgoing, self._context, self._reporter = bus, outgoing, context, reporter
        self._max_cameras = max_cameras
        self._queue = JobQueue(bus, stream=topology.DELIVERY_JOBS, durable=topology.FORWARDER)
        self._adoption = Adoption(bus)
        self.board = StatusBoard(bus, self._seen)
        self._book = OrderBook(bus, outgoing, self._ordered)
        self._balance_limits = balance_limits
        self.presence = Presence(bus, reporter.worker_id, context.monotonic_s)
        self._giving = Giving(bus, outgoing, self.presence, self._retire)
        self._taking = Taking(bus, reporter.worker_id, self)
        self._endings: set[asyncio.Task[None]] = set()
        self._hold_now = asyncio.Event()
        self._reconnected_s = self._changed_s = float("-inf")
        bus.on_reconnect(self._reconnected)

    @property
    def cameras_held(self) -> int:
        return len(self.held)

    @property
    def handed_over(self) -> Mapping[str, int]:
        """Cameras given to others, by the way."""
        return {way.value: self._giving.handed_over[way] for way in Way}

    async def run(self) -> None:
        """Fetch and hold until cancelled. Raises only what is a mistake of ours."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.board.run(), name="delivery-status-watch")
            group.create_task(self._book.run(), name="orders-watch")
            group.create_task(self.presence.run(), name="workers-watch")
            group.create_task(self._keep_holding(), name="hold-jobs")
            group.create_task(self._take_for_ever(), name="take-cameras")
            group.create_task(self._rebalance(), name="rebalance")

    async def release_all(self, *, within_s: float) -> None:
        """Hand every camera over, in about `within_s` seconds."""
        await self._queue.close()
        await self._taking.end()
        holding = asyncio.create_task(self._keep_holding(), name="hold-jobs")
        try:
            await self._giving.give_all(list(self.held.values()), within_s=within_s)
            if self._endings:
                await asyncio.wait(self._endings)
        finally:
            holding.cancel()
            await asyncio.wait({holding})

    def has_room(self, camera_id: UUID) -> bool:
        """Whether this camera, handed over by another worker, may be taken."""
        return camera_id not in self.held and len(self.held) + self._taking.preparing < self._max_cameras

    def new_relay(self, camera: CameraV1) -> CameraRelay:
        """For a camera that is not held yet."""
        return CameraRelay(camera, self._context, self._changed, self._book.orders, self._history_of)

    def _history_of(self, planned: PlannedDelivery) -> DeliveryHistory:
        observed = self.board.deliveries.get(planned.id)
        if observed is None or observed.destination_id != planned.destination_id:
            return NO_HISTORY
        return history_of(observed, self.presence.alive_at(observed.worker_id))

    def report_all(self) -> None:
        """Publish every delivery's state anew: after a hole, what was said before counts no more.

        Facts only: while this worker slept, another one may have taken the camera and the latest states.
        """
        for held in list(self.held.values()):
            for supervisor in held.relay.deliveries.values():
                self._reporter.changed(held.relay, supervisor, latest=False)

    async def _rebalance(self) -> None:
        def held() -> list[Held]:
            return list(self.held.values())

        await self._giving.rebalance(
            self._reporter.worker_id,
            held,
            lambda: self._changed_s,
            self._balance_limits,
            self._context.monotonic_s,
        )

    async def _take_for_ever(self) -> None:
        # What was stopped must not be begun at a restart, and what is known of the past must not be told anew.
        await self._book.wait_loaded()
        await self.board.wait_loaded()
        await self.presence.wait_loaded()
        await self._taking.begin()
        self.ready.set()
        await self._fetch_for_ever()

    async def _fetch_for_ever(self) -> None:
        while True:
            # A full worker fetches too: the job may be a change of a camera that it or another one holds.
            room = self._max_cameras - len(self.held)
            jobs = await self._queue.fetch(min(room, FETCH_AT_ONCE) if room > 0 else FETCH_AT_ONCE, wait_s=FETCH_WAIT_S)
            turned_away = self.jobs_turned_away
            await asyncio.gather(*(self._take(job) for job in _newest(jobs)))
            if self.jobs_turned_away > turned_away:
                await asyncio.sleep(FULL_PAUSE_S)

    async def _keep_holding(self) -> None:
        while True:
            if self._bus.connected:
                for held in list(self.held.values()):
                    await answer(held.job.hold())
            self._hold_now.clear()
            try:
                async with asyncio.timeout(topology.DELIVERY_ACK_WAIT_S / 3):
                    await self._hold_now.wait()
            except TimeoutError:
                continue

    async def _take(self, job: Job) -> None:
        camera_id = _camera_id(job)
        if camera_id is None:
            log.error("job_is_no_camera", event_type=job.event.type)
            await answer(job.done())
            return
        held = self.held.get(camera_id)
        if held is not None:
            await self._adopt(held, job)
        elif not await self._holder_adopts(camera_id, job):
            await self._take_unheld(camera_id, job)

    async def _take_unheld(self, camera_id: UUID, job: Job) -> None:
        camera = job.event.data
        if not isinstance(camera, CameraV1):
            gone = [observed.delivery_id for observed in self.board.of_camera(camera_id)]
            self._reporter.forget(gone)
            self._book.forget(gone)
            await answer(job.done())
        elif not wanted(camera):
            self.new_relay(camera).report_disabled()
            await answer(job.done())
        elif len(self.held) >= self._max_cameras:
            self.jobs_turned_away += 1
            await answer(job.again_in(FULL_RETRY_S))
        else:
            await self.hold(camera, job)

    async def hold(self, camera: CameraV1, job: Job, prepared: CameraRelay | None = None) -> bool:
        """Take a camera; with a relay that is `prepared`, its media goes on. False when the bus is away."""
        relay = prepared or self.new_relay(camera)

        async def adopt(offered: Job) -> None:
            held = self.held.get(camera.id)
            if held is not None:
                await self._adopt(held, offered)

        answering = Answering(self._bus, relay, self._reporter)
        try:
            offers = await self._adoption.listen(camera.id, adopt)
            await answering.begin()
        except NatsError as error:
            # Without the bus the job is not ours either: the server gives it to somebody else.
            log.warning("camera_not_taken", camera_id=str(camera.id), error=type(error).__name__)
            return False
        self._forget_unplanned(camera)
        self.held[camera.id] = Held(job, relay, offers, answering)
        self._changed_s = self._context.monotonic_s()
        log.info("camera_taken", camera_id=str(camera.id), revision=camera.revision, deliveries=job.deliveries)
        if prepared is None:
            relay.start()
        else:
            relay.start_prepared(camera)
        await answer(job.hold())
        return True

    async def _holder_adopts(self, camera_id: UUID, job: Job) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HOLDER_RETURNS_WITHIN_S
        while not await self._adoption.offer(camera_id, job):
            lately = loop.time() - self._reconnected_s < RECONNECTED_S
            known = self.board.held_by_another(camera_id, self._reporter.worker_id)
            if not (lately and known) or loop.time() > deadline:
                return False
            await answer(job.hold())
            await asyncio.sleep(HOLDER_POLL_S)
        self.jobs_passed_on += 1
        log.info("job_passed_on", camera_id=str(camera_id))
        return True

    async def _adopt(self, held: Held, job: Job) -> None:
        """The camera is ours and its job came again, or came changed: answer for the new one, restart what changed."""
        if job.stream_sequence < held.job.stream_sequence:
            return
        held.job = job
        await answer(job.hold())
        if held.ending:
            # Taken up again when the camera has been left.
            return
        camera = job.event.data
        if isinstance(camera, CameraV1):
            self._forget_unplanned(camera)
            if wanted(camera):
                held.relay.apply_plan(camera)
                return
        if not isinstance(camera, CameraV1):
            self._book.forget(planned.id for planned in held.relay.camera.deliveries)
        held.relay.camera = (
            camera if isinstance(camera, CameraV1) else held.relay.camera.model_copy(update={"deliveries": ()})
        )
        state = DeliveryState.DISABLED if isinstance(camera, CameraV1) else DeliveryState.RELEASED
        self._end(held, state, done=True)

    def _forget_unplanned(self, camera: CameraV1) -> None:
        """Deliveries that the plan does not know any more leave neither a state nor an order behind."""
        planned = {delivery.id for delivery in camera.deliveries}
        gone = [
            observed.delivery_id
            for observed in self.board.of_camera(camera.id)
            if observed.delivery_id not in planned and observed.camera_revision < camera.revision
        ]
        self._reporter.forget(gone)
        self._book.forget(gone)

    def _end(self, held: Held, state: DeliveryState, *, done: bool) -> None:
        held.ending = True
        task = asyncio.create_task(self._finish(held, held.job, state, done=done))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _finish(self, held: Held, job: Job, state: DeliveryState, *, done: bool) -> None:
        await self._retire(held, state)
        if held.job is not job:
            await self._take_unheld(held.relay.camera.id, held.job)
        elif done:
            await answer(job.done())

    async def _retire(self, held: Held, state: DeliveryState) -> None:
        """Stop what runs for a camera; its job stays to be answered."""
        camera_id = held.relay.camera.id
        await held.answering.end()
        await held.relay.release(state)
        if self.held.get(camera_id) is held:
            del self.held[camera_id]
            self._changed_s = self._context.monotonic_s()
        await answer(held.offers.unsubscribe())
        log.info("camera_left", camera_id=str(camera_id), state=state.value)

    def _seen(self, observed: DeliveryObservedV1) -> None:
        held = self.held.get(observed.camera_id)
        if held is None or held.relay.superseded:
            return
        if takes_over(observed, worker_id=self._reporter.worker_id, held_since=held.relay.held_since):
            log.warning("camera_yielded", camera_id=str(observed.camera_id), to=observed.worker_id)
            held.relay.supersede()
            self._end(held, DeliveryState.RELEASED, done=False)

    def _ordered(self, delivery_id: UUID, order: DeliveryOrder | None) -> None:
        for held in self.held.values():
            held.relay.apply_command(delivery_id, order)

    def _changed(self, relay: CameraRelay, supervisor: DeliverySupervisor) -> None:
        self._reporter.changed(relay, supervisor, latest=not relay.superseded)

    def _reconnected(self) -> None:
        self._reconnected_s = asyncio.get_running_loop().time()
        self._hold_now.set()


def _camera_id(job: Job) -> UUID | None:
    data = job.event.data
    return data.id if isinstance(data, CameraV1 | RemovedV1) else None


def _newest(jobs: Iterable[Job]) -> list[Job]:
    """One job per camera: of two in one batch the earlier was replaced on the server meanwhile."""
    newest = {job.event.subject: job for job in sorted(jobs, key=lambda job: job.stream_sequence)}
    return list(newest.values())
