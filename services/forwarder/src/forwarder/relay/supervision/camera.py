"""The supervisor of one camera: it is pulled once, and its media goes to every delivery of the plan."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from uuid import UUID

from forwarder.domain.assignment import plan
from forwarder.domain.assignment.commands import RetryOutcome
from forwarder.domain.assignment.ownership import NO_HISTORY, DeliveryHistory
from forwarder.domain.assignment.plan import is_served
from forwarder.domain.camera_pull import Pull, PullState
from forwarder.domain.delivery import Limits
from forwarder.domain.picture.keyframes import STILL_WATCH_S
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.camera_puller import CameraPuller, sample_media
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor
from forwarder.relay.supervision.pictures.keyframes import CameraKeyframes
from forwarder.relay.supervision.served_delivery import ServedDeliverySupervisor
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryCommand, DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.telemetry import get_logger

log = get_logger(__name__)

NO_COMMANDS: Mapping[UUID, DeliveryCommand] = MappingProxyType({})

type OnDeliveryChange = Callable[["CameraRelay", DeliverySupervisor], None]
"""Called with every change of state, and once with `released` or `disabled` at the end."""


type OnMediaChange = Callable[["CameraRelay"], None]
"""Called when the camera's media began or stopped, when its picture is another one, stands still or moves again or was
judged, and at the end."""


class MediaReports:
    """Reports of a camera's media: none while another worker holds it, none after the last (`released`)."""

    def __init__(self, report: Callable[[], None]) -> None:
        self.paused = self.released = False
        self._report = report

    def report(self) -> None:
        """Report that the media began or stopped, or that there is news of the picture."""
        if not self.paused and not self.released:
            self._report()

    def release(self) -> None:
        """Report for the last time: this worker watches the camera no more."""
        if not self.paused and not self.released:
            self.released = True
            self._report()


class CameraRelay:
    """One camera and its deliveries, from `start` (or `prepare` and then `start_prepared`) to `release`."""

    def __init__(
        self,
        camera: CameraV1,
        context: RelayContext,
        on_change: OnDeliveryChange,
        commands: Mapping[UUID, DeliveryCommand] = NO_COMMANDS,
        history_of: Callable[[PlannedDelivery], DeliveryHistory] = lambda _planned: NO_HISTORY,
        on_media_change: OnMediaChange = lambda _relay: None,
    ) -> None:
        """`commands`: by delivery, a live view; `history_of`: what was known of one before."""
        self.camera = camera
        self.held_since: datetime = context.now().at
        self.superseded = False
        """Whether another worker holds the camera by now, whose reports are the latest."""
        self.media_reports = MediaReports(partial(on_media_change, self))
        self.puller = CameraPuller(
            camera,
            context,
            on_media=self._media_began,
            on_failed=self._pull_failed,
            on_away=self._camera_away,
            on_flow=partial(_follow_flow, self, context),
        )
        self.media_watch = self.puller.media_watch
        self._sample = partial(sample_media, self.puller, context)
        self.deliveries: dict[UUID, DeliverySupervisor] = {}
        self.keyframes = CameraKeyframes(context)
        self.keyframes.on_still = self.keyframes.watch.on_news = self.media_reports.report
        self._context, self._on_change, self._commands, self._history_of = context, on_change, commands, history_of
        self._loop = asyncio.get_running_loop()
        self._leaving: dict[UUID, asyncio.Task[None]] = {}
        """Deliveries that a changed plan took out and does not want again, while their sessions end."""
        self._leave_tasks: set[asyncio.Task[None]] = set()
        self._prepared: asyncio.Future[Cause | None] | None = None

    @property
    def pull(self) -> Pull:
        """How the camera's one pull stands."""
        return self.puller.state

    def start(self) -> None:
        """Begin to pull; every delivery reports its first state."""
        self._start_deliveries()
        self.puller.start()
        self._context.ticker.add(self._tick)
        self._context.ticker.add_sampling(self._sample)

    async def prepare(self) -> Cause | None:
        """Pull the camera, once, and keep its newest group of pictures; deliver nothing before `start_prepared`.

        None when everything is ready, else why not. Then, or when it is cancelled, only `release` is left to call.
        """
        self._prepared = self._loop.create_future()
        self.media_reports.paused = True
        self.puller.start()
        return await self._prepared

    def start_prepared(self, camera: CameraV1) -> None:
        """Deliver, from the kept keyframe on. `camera` is the plan as it is by now."""
        self._prepared = None
        camera = self._keep_seals(camera)
        restart = plan.compare(self.camera, camera).restart_source
        self.camera, self.held_since = camera, self._context.now().at
        self.media_reports.paused = False
        self.media_reports.report()
        self.puller.replan(camera)
        if restart:
            self.puller.end_session(None, None)
        self.puller.ensure_pulled()
        if (source := self.puller.live_source) is not None:
            self._media_is_live(source)
        self._start_deliveries()
        self._context.ticker.add(self._tick)
        self._context.ticker.add_sampling(self._sample)

    def report_disabled(self, deliveries: tuple[PlannedDelivery, ...] | None = None) -> None:
        """Report these deliveries, or all that the plan names and that shall not run, as `disabled`."""
        for planned in plan.unwanted(self.camera) if deliveries is None else deliveries:
            self._supervisor(planned).report_end(DeliveryState.DISABLED, plan.why_off(self.camera, planned.id))

    def apply_plan(self, camera: CameraV1) -> None:
        """Take a changed plan over in place: only what changed is restarted."""
        camera = self._keep_seals(camera)
        change = plan.compare(self.camera, camera)
        newer = camera.revision != self.camera.revision
        disabled = {planned.id for planned in change.disabled}
        self.camera = camera
        self.puller.replan(camera)
        for planned in change.stopped:
            gone = self.deliveries.pop(planned.id)
            state = DeliveryState.DISABLED if planned.id in disabled else DeliveryState.RELEASED
            task = self._loop.create_task(self._leave(gone, state), name=f"stop-{planned.id}")
            self._leaving[planned.id] = task
            self._leave_tasks.add(task)
            task.add_done_callback(self._leave_tasks.discard)
        stopped = {planned.id for planned in change.stopped}
        self.report_disabled(tuple(planned for planned in change.disabled if planned.id not in stopped))
        for planned in change.restarted:
            self.deliveries[planned.id].retarget(planned, revision=camera.revision)
        for planned in change.started:
            self._add_delivery(planned)
        if change.restart_source:
            self.puller.restart()
        self._replan_deliveries(camera, report=newer)

    async def release_deliveries(self, state: DeliveryState) -> None:
        """End every session in order, bounded to about a second; `state` is every delivery's last report.

        The camera goes on being pulled until `release`.
        """
        self.puller.retire()
        self._context.ticker.remove(self._tick)
        self._context.ticker.remove(self._sample)
        deliveries, self.deliveries = self.deliveries, {}
        endings = (delivery.release(state, _why_ended(self.camera, state, key)) for key, delivery in deliveries.items())
        await asyncio.gather(*endings)

    async def release(self, state: DeliveryState) -> None:
        """Release the deliveries, as `release_deliveries` does, and the camera: within about two seconds in all."""
        # Destinations first: whoever takes the camera next may publish only when the old session is gone.
        await self.release_deliveries(state)
        self.media_reports.release()
        await self.puller.close()
        if self._leave_tasks:
            await asyncio.wait(self._leave_tasks)

    def apply_command(self, delivery_id: UUID, command: DeliveryCommand | None) -> None:
        """Apply a person's command for one delivery, which came, changed, or went (None)."""
        supervisor = self.deliveries.get(delivery_id)
        if supervisor is None:
            return
        if command is not None and command.stopped:
            supervisor.stop_by_command(command)
        elif supervisor.delivery.state is DeliveryState.STOPPED:
            supervisor.start_by_command()
            self._inform(supervisor)

    def retry_now(self, delivery_id: UUID) -> RetryOutcome:
        """Retry at once, as a person wants: wait neither for the destination nor for the camera."""
        supervisor = self.deliveries.get(delivery_id)
        if supervisor is None:
            return RetryOutcome.NOT_RUNNING
        outcome = supervisor.retry_now()
        if outcome is RetryOutcome.STOPPED:
            return outcome
        if self.pull.state is PullState.COOLING_DOWN:
            return RetryOutcome.CAMERA_RESTS
        return RetryOutcome.RETRIED if self.puller.retry_now() else outcome

    def supersede(self) -> None:
        """Another worker holds the camera from now on: what is still reported here is history."""
        self.superseded = self.media_reports.paused = True

    def _start_deliveries(self) -> None:
        for planned in plan.wanted(self.camera).values():
            self._add_delivery(planned)
        self.report_disabled()

    async def _leave(self, gone: DeliverySupervisor, state: DeliveryState) -> None:
        key = gone.plan.id
        await gone.end_session()
        if self._leaving.get(key) is asyncio.current_task():
            # Else it is wanted again, or was meanwhile: its successor has the word.
            del self._leaving[key]
            gone.report_end(state, _why_ended(self.camera, state, key))

    def _keep_seals(self, camera: CameraV1) -> CameraV1:
        refused = DeliveryState.REFUSED
        taken = {key for key, supervisor in self.deliveries.items() if supervisor.delivery.state is not refused}
        resting = self.pull.state is PullState.COOLING_DOWN
        return self._context.keep_seals(self.camera, camera, deliveries=taken, source=not resting)

    def _replan_deliveries(self, camera: CameraV1, *, report: bool) -> None:
        for key, planned in plan.wanted(camera).items():
            supervisor = self.deliveries[key]
            supervisor.replan(planned, revision=camera.revision)
            if report:
                supervisor.report_state()

    def _add_delivery(self, planned: PlannedDelivery) -> None:
        supervisor = self._supervisor(planned)
        self.deliveries[planned.id] = supervisor
        if isinstance(supervisor, ServedDeliverySupervisor):
            supervisor.begin_serving()
        if (ending := self._leaving.pop(planned.id, None)) is not None:
            # A centre may refuse a second publisher of the same stream.
            supervisor.slot.wait_for(ending)
        command = self._commands.get(planned.id)
        if command is not None and command.stopped:
            supervisor.stop_by_command(command)
            if (source := self.puller.live_source) is not None:
                supervisor.camera_live(source)
        else:
            self._inform(supervisor)

    def _supervisor(self, planned: PlannedDelivery) -> DeliverySupervisor:
        report, history, offers = partial(self._on_change, self), self._history_of(planned), self._context.offers
        if offers is not None and is_served(planned) and self._context.centres_come():
            return ServedDeliverySupervisor(self.camera.id, planned, self._context, offers, report, history)
        return DeliverySupervisor(self.camera.id, planned, self._context, report, history)

    def _inform(self, supervisor: DeliverySupervisor) -> None:
        """Let a delivery know how the camera is."""
        if (source := self.puller.live_source) is not None:
            supervisor.camera_live(source)
        elif self.pull.cause is not None:
            supervisor.camera_away(self.pull.cause, self.pull.detail)
        else:
            supervisor.report_state()

    def _media_began(self, source: CameraSource) -> None:
        if self._prepared is not None:
            source.fanout.keep_gop_cache().when_begun(lambda: self._answer_prepared(None))
            return
        self._media_is_live(source)
        for delivery in self.deliveries.values():
            delivery.camera_live(source)

    def _media_is_live(self, source: CameraSource) -> None:
        self.puller.keep_gop_for_new_sessions()
        log.info("camera_live", camera_id=str(self.camera.id))
        self.keyframes.began(source)

    def _camera_away(self, cause: Cause | None, detail: str | None) -> None:
        self.keyframes.ended()
        for delivery in self.deliveries.values():
            delivery.camera_away(cause, detail)

    def _pull_failed(self, cause: Cause) -> bool:
        """Whether the camera is tried again. While it is prepared, another worker pulls it still: once is enough."""
        self._answer_prepared(cause)
        return self._prepared is None

    def _answer_prepared(self, cause: Cause | None) -> None:
        if self._prepared is not None and not self._prepared.done():
            self._prepared.set_result(cause)

    def _tick(self) -> None:
        now_s = self._context.monotonic_s()
        silent_s = self.puller.silent_for_s(now_s)
        if silent_s is None:
            return
        if self.media_watch.has_gaps(now_s):
            # So that what is missing is measured.
            self.keyframes.hash_all(STILL_WATCH_S, asker="gap")
        self.keyframes.tick(now_s)
        _sample_deliveries(self, self._context.limits, now_s, silent_s)


def _follow_flow(relay: CameraRelay, context: RelayContext) -> None:
    relay.media_reports.report()
    if relay.puller.live_source is not None and relay.media_watch.media.cause is Cause.STALLED:
        _sample_deliveries(relay, context.limits, context.monotonic_s(), 0.0)


def _sample_deliveries(relay: CameraRelay, limits: Limits, now_s: float, silent_s: float) -> None:
    usual_s = relay.media_watch.usual_silence_s
    if not relay.media_watch.media.flowing:
        # However short the gap is: while no media comes, no centre receives any.
        silent_s = max(silent_s, limits.silent_s, usual_s)
    for delivery in relay.deliveries.values():
        delivery.tick(now_s, silent_s, usual_s)


def _why_ended(camera: CameraV1, state: DeliveryState, delivery_id: UUID) -> str | None:
    return plan.why_off(camera, delivery_id) if state is DeliveryState.DISABLED else None
