"""Which cameras this process forwards: jobs are fetched, held in progress, adopted, given back.

A camera is held for as long as its job is kept in progress. A changed plan, or a job that the server hands out again,
may reach any worker. That worker offers it to the camera's holder first, and holds the camera itself only without one.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from uuid import UUID

from nats.errors import Error as NatsError

from forwarder.domain.assignment import rebalancing
from forwarder.domain.assignment.ownership import NO_HISTORY, DeliveryHistory, comes_too_late, history_of, takes_over
from forwarder.domain.assignment.plan import wanted
from forwarder.messaging import Adoption, Reporter, StatusBoard
from forwarder.relay.assignment.camera_rpc import CameraRpc
from forwarder.relay.assignment.commands import CommandStore
from forwarder.relay.assignment.handover_receiver import HandoverReceiver
from forwarder.relay.assignment.handover_sender import HandoverSender, HandoverWay
from forwarder.relay.assignment.held_camera import HeldCamera, answer_job
from forwarder.relay.assignment.membership import MembershipWatch
from forwarder.relay.assignment.paced_reports import Changes, PacedReports
from forwarder.relay.supervision.camera import CameraRelay
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from vonggac.bus import Bus, Job, JobQueue, Outgoing
from vonggac.bus.declared import topology
from vonggac.bus.jobs import DEAD_LETTERED, NOT_UNDERSTOOD
from vonggac.events import share_field_names
from vonggac.events.forwarder import DeliveryCommand, DeliveryObservedV1, DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery, RemovedV1
from vonggac.telemetry import get_logger

log = get_logger(__name__)

_DEFAULT_LIMITS = rebalancing.Limits()

FETCH_AT_ONCE = 20
"""Small batches, so that workers that start together share the cameras."""
FETCH_WAIT_S = 5.0
FULL_RETRY_S = 2.0
REPORTED_AT_ONCE = 25
"""Cameras whose states are published anew before media has its turn again."""
FULL_PAUSE_S = 0.2
"""Of a full worker between two fetches: cameras that nobody has room for must not keep it busy."""
RECONNECTED_S = 10.0
"""For this long after a reconnection, a holder that does not answer may be reconnecting itself."""
HOLDER_ANSWERS_WITHIN_S = topology.DELIVERY_ACK_WAIT_S
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
        rebalance_limits: rebalancing.Limits = _DEFAULT_LIMITS,
    ) -> None:
        self.held: dict[UUID, HeldCamera] = {}
        self.ready = asyncio.Event()
        """Set once jobs are fetched and hand-overs received: what must be known before that is known."""
        self.jobs_turned_away = 0
        self.jobs_passed_on = 0
        self._bus, self._outgoing, self._context, self._reporter = bus, outgoing, context, reporter
        self._max_cameras = max_cameras
        self.jobs_unreadable = Counter({NOT_UNDERSTOOD: 0, DEAD_LETTERED: 0})
        self._queue = JobQueue(
            bus,
            stream=topology.DELIVERY_JOBS,
            durable=topology.FORWARDER,
            on_unreadable=lambda outcome: self.jobs_unreadable.update((outcome,)),
        )
        self._adoption = Adoption(bus)
        self.board = StatusBoard(bus, self._report_came)
        self._commands = CommandStore(bus, outgoing, self._command_changed)
        self._rebalance_limits = rebalance_limits
        self.members = MembershipWatch(bus, reporter.worker_id, context.monotonic_s)
        self._handover_sender = HandoverSender(bus, outgoing, self.members, self._stop_camera)
        self._handover_receiver = HandoverReceiver(bus, reporter.worker_id, self)
        self._reports = PacedReports(self._report_changes)
        self._releases: set[asyncio.Task[None]] = set()
        self._renew_now = asyncio.Event()
        self._reconnected_s = self._changed_s = float("-inf")
        bus.on_reconnect(self._reconnected)

    @property
    def handed_over(self) -> Mapping[str, int]:
        """Cameras handed over to other workers, by the way."""
        return {way.value: self._handover_sender.handed_over[way] for way in HandoverWay}

    async def run(self) -> None:
        """Fetch and hold until cancelled. Raises only for a mistake of ours."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.board.run(), name="delivery-status-watch")
            group.create_task(self._commands.run(), name="commands-watch")
            group.create_task(self.members.run(), name="members-watch")
            group.create_task(self._renew_jobs(), name="renew-jobs")
            group.create_task(self._fetch_when_loaded(), name="fetch-jobs")
            group.create_task(
                self._handover_sender.rebalance(
                    self._reporter.worker_id,
                    cameras=lambda: list(self.held.values()),
                    changed_s=lambda: self._changed_s,
                    limits=self._rebalance_limits,
                    now_s=self._context.monotonic_s,
                ),
                name="rebalance",
            )

    async def release_all(self, *, within_s: float) -> None:
        """Hand every camera over, in about `within_s` seconds."""
        await self._queue.close()
        await self._handover_receiver.close()
        renewing = asyncio.create_task(self._renew_jobs(), name="renew-jobs")
        try:
            await self._handover_sender.release_all(list(self.held.values()), within_s=within_s)
            if self._releases:
                await asyncio.wait(self._releases)
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})

    def has_room(self, camera_id: UUID) -> bool:
        """Whether this camera, handed over by another worker, can be held."""
        return camera_id not in self.held and len(self.held) + self._handover_receiver.preparing < self._max_cameras

    def new_relay(self, camera: CameraV1) -> CameraRelay:
        """Build the supervisor of a camera that is not held yet."""
        return CameraRelay(
            camera,
            self._context,
            self._reports.report,
            self._commands.commands,
            self._history_of,
            on_media_change=partial(_report_media, self._reporter, self._context),
        )

    def _history_of(self, planned: PlannedDelivery) -> DeliveryHistory:
        observed = self.board.deliveries.get(planned.id)
        if observed is None or observed.destination_id != planned.destination_id:
            return NO_HISTORY
        return history_of(observed, self.members.alive_at(observed.worker_id))

    def login_taken(self, login: str) -> None:
        """End the rest of cameras with this login: a device took it, be it from another worker."""
        for held in self.held.values():
            held.relay.puller.end_rest(login)

    async def report_all(self, *, slept: bool) -> None:
        """Publish every delivery and every camera's media anew: after a hole, earlier claims count no more.

        Facts only: while this worker slept, another one may have taken the camera and the latest states. Then what a
        session does is published when it is known: media is acknowledged again, or the session is broken.
        """
        for number, held in enumerate(list(self.held.values()), start=1):
            if number % REPORTED_AT_ONCE == 0:
                await asyncio.sleep(0)
            for supervisor in held.relay.deliveries.values():
                report = partial(self._reporter.report_change, held.relay, supervisor, latest=False)
                if slept:
                    supervisor.wake(report)
                else:
                    report()
            _report_media(self._reporter, self._context, held.relay)

    async def _fetch_when_loaded(self) -> None:
        # A stopped delivery must not start at a restart, and its history must not be reported as new.
        await self._commands.wait_loaded()
        await self.board.wait_loaded()
        await self.members.wait_loaded()
        await self._handover_receiver.listen()
        self.ready.set()
        await self._fetch_jobs()

    async def _fetch_jobs(self) -> None:
        while True:
            # A full worker fetches too: the job may change a camera that it or another worker holds.
            room = self._max_cameras - len(self.held)
            jobs = await self._queue.fetch(min(room, FETCH_AT_ONCE) if room > 0 else FETCH_AT_ONCE, wait_s=FETCH_WAIT_S)
            turned_away = self.jobs_turned_away
            await asyncio.gather(*(self._assign(job) for job in _newest(jobs)))
            if self.jobs_turned_away > turned_away:
                await asyncio.sleep(FULL_PAUSE_S)

    async def _renew_jobs(self) -> None:
        while True:
            if self._bus.connected:
                for held in list(self.held.values()):
                    await answer_job(held.job.keep_in_progress())
            self._renew_now.clear()
            try:
                async with asyncio.timeout(topology.DELIVERY_ACK_WAIT_S / 3):
                    await self._renew_now.wait()
            except TimeoutError:
                continue

    async def _assign(self, job: Job) -> None:
        camera_id = _camera_id(job)
        if camera_id is None:
            # Whoever published it there may have meant a camera: never taken away without a copy.
            await self._queue.dead_letter(job, f"type: {job.event.type} is no job for a forwarder")
            return
        held = self.held.get(camera_id)
        if held is not None:
            await self._adopt_job(held, job)
        elif not await self._offer_to_holder(camera_id, job):
            await self._assign_unheld(camera_id, job)

    async def _assign_unheld(self, camera_id: UUID, job: Job) -> None:
        camera, held = job.event.data, self.held.get(camera_id)
        if held is not None:
            # It was handed over to this worker while others were asked for it.
            await self._adopt_job(held, job)
        elif not isinstance(camera, CameraV1):
            gone = [observed.delivery_id for observed in self.board.of_camera(camera_id)]
            self._reporter.remove_statuses(gone)
            self._commands.remove(gone)
            await answer_job(job.complete())
        elif not wanted(camera):
            self.new_relay(camera).report_disabled()
            await answer_job(job.complete())
        elif len(self.held) >= self._max_cameras:
            self.jobs_turned_away += 1
            await answer_job(job.postpone(FULL_RETRY_S))
        else:
            await self.hold_camera(camera, job)

    async def hold_camera(self, camera: CameraV1, job: Job, prepared: CameraRelay | None = None) -> bool:
        """Hold a camera from now on. A `prepared` relay keeps its media flowing. False when the bus is away."""
        held = self.held.get(camera.id)
        if held is not None:
            # Its job came while it was prepared: the earlier holder was cut off, and goes on.
            if prepared is not None:
                await prepared.release(DeliveryState.RELEASED)
            await self._adopt_job(held, job)
            return True
        relay = prepared or self.new_relay(camera)

        async def adopt(offered: Job) -> None:
            held = self.held.get(camera.id)
            if held is not None:
                await self._adopt_job(held, offered)

        rpc = CameraRpc(self._bus, relay, self._reporter)
        try:
            adoption = await self._adoption.listen_for_offers(camera.id, adopt)
            await rpc.listen()
        except NatsError as error:
            # Without the bus the job is not ours either: the server delivers it to another worker.
            log.warning("camera_not_held", camera_id=str(camera.id), error=type(error).__name__)
            return False
        self._remove_unplanned(camera)
        share_field_names(job.event)
        self.held[camera.id] = HeldCamera(job, relay, adoption, rpc)
        self._changed_s = self._context.monotonic_s()
        log.info("camera_held", camera_id=str(camera.id), revision=camera.revision, deliveries=job.deliveries)
        if prepared is None:
            relay.start()
        else:
            relay.start_prepared(camera)
        await answer_job(job.keep_in_progress())
        return True

    async def _offer_to_holder(self, camera_id: UUID, job: Job) -> bool:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + HOLDER_ANSWERS_WITHIN_S
        while not await self._adoption.offer_job(camera_id, job):
            lately = loop.time() - self._reconnected_s < RECONNECTED_S
            known = self.board.held_by_another(camera_id, self._reporter.worker_id)
            if not (lately and known) or loop.time() > deadline:
                return False
            await answer_job(job.keep_in_progress())
            await asyncio.sleep(HOLDER_POLL_S)
        self.jobs_passed_on += 1
        log.info("job_passed_on", camera_id=str(camera_id))
        return True

    async def _adopt_job(self, held: HeldCamera, job: Job) -> None:
        """Hold the new job of a camera that is held here, whose job came again or changed; restart what changed."""
        if job.is_older_than(held.job):
            return
        held.job = job
        await answer_job(job.keep_in_progress())
        if held.ending:
            # The new job is assigned when the camera has been released.
            return
        camera = job.event.data
        if isinstance(camera, CameraV1):
            self._remove_unplanned(camera)
            if wanted(camera):
                held.relay.apply_plan(camera)
                return
        if not isinstance(camera, CameraV1):
            self._commands.remove(planned.id for planned in held.relay.camera.deliveries)
        held.relay.camera = (
            camera if isinstance(camera, CameraV1) else held.relay.camera.model_copy(update={"deliveries": ()})
        )
        state = DeliveryState.DISABLED if isinstance(camera, CameraV1) else DeliveryState.RELEASED
        self._begin_release(held, state, done=True)

    def _remove_unplanned(self, camera: CameraV1) -> None:
        """Remove the states and commands of deliveries that the plan no longer has."""
        planned = {delivery.id for delivery in camera.deliveries}
        gone = [
            observed.delivery_id
            for observed in self.board.of_camera(camera.id)
            if observed.delivery_id not in planned and observed.camera_revision < camera.revision
        ]
        self._reporter.remove_statuses(gone)
        self._commands.remove(gone)

    def _begin_release(self, held: HeldCamera, state: DeliveryState, *, done: bool) -> None:
        held.ending = True
        task = asyncio.create_task(self._finish_release(held, held.job, state, done=done))
        self._releases.add(task)
        task.add_done_callback(self._releases.discard)

    async def _finish_release(self, held: HeldCamera, job: Job, state: DeliveryState, *, done: bool) -> None:
        await self._stop_camera(held, state)
        if held.job is not job:
            await self._assign_unheld(held.relay.camera.id, held.job)
        elif done:
            await answer_job(job.complete())

    async def _stop_camera(self, held: HeldCamera, state: DeliveryState) -> None:
        """Stop what runs for a camera. Its job must still be answered."""
        camera_id = held.relay.camera.id
        await held.rpc.close()
        await held.relay.release(state)
        if self.held.get(camera_id) is held:
            del self.held[camera_id]
            self._changed_s = self._context.monotonic_s()
        await answer_job(held.adoption.unsubscribe())
        log.info("camera_released", camera_id=str(camera_id), state=state.value)

    def _report_came(self, observed: DeliveryObservedV1) -> None:
        held = self.held.get(observed.camera_id)
        if held is None or held.relay.superseded:
            return
        if takes_over(observed, worker_id=self._reporter.worker_id, held_since=held.relay.held_since):
            log.warning("camera_yielded", camera_id=str(observed.camera_id), to=observed.worker_id)
            held.relay.supersede()
            self._begin_release(held, DeliveryState.RELEASED, done=False)
        elif comes_too_late(observed, worker_id=self._reporter.worker_id, held_since=held.relay.held_since):
            supervisor = held.relay.deliveries.get(observed.delivery_id)
            if supervisor is not None:
                log.info("status_restored", delivery_id=str(observed.delivery_id), replaced_by=observed.worker_id)
                self._reporter.report_change(held.relay, supervisor)

    def _command_changed(self, delivery_id: UUID, command: DeliveryCommand | None) -> None:
        for held in self.held.values():
            held.relay.apply_command(delivery_id, command)

    def _report_changes(self, relay: CameraRelay, supervisor: DeliverySupervisor, changes: Changes) -> None:
        latest = not relay.superseded
        self._reporter.report_change(
            relay, supervisor, latest=latest, changes=changes.count, first_changed_at=changes.first_at
        )

    def _reconnected(self) -> None:
        self._reconnected_s = asyncio.get_running_loop().time()
        self._renew_now.set()


def _report_media(reporter: Reporter, context: RelayContext, relay: CameraRelay) -> None:
    nothing_new = relay.keyframes.stillness.nothing_new
    reporter.report_media(relay, context.now(), nothing_new, released=relay.media_reports.released)


def _camera_id(job: Job) -> UUID | None:
    data = job.event.data
    return data.id if isinstance(data, CameraV1 | RemovedV1) else None


def _newest(jobs: Iterable[Job]) -> list[Job]:
    """One job per camera: of two in one batch, the server has replaced the earlier one meanwhile."""
    newest = {job.event.subject: job for job in sorted(jobs, key=lambda job: job.stream_sequence)}
    return list(newest.values())
