"""The supervisor of one camera: pulls it once, hands the media to its deliveries, and alone decides to pull again."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from forwarder.domain import camera_pull as domain
from forwarder.domain import plan
from forwarder.domain.camera_pull import Pull, PullState
from forwarder.domain.commands import RetryOutcome
from forwarder.domain.history import NOTHING_BEFORE, Past
from forwarder.relay.sources.registry import play
from forwarder.relay.sources.rtsp import CameraSource
from forwarder.relay.supervision.context import Surroundings
from forwarder.relay.supervision.delivery import DeliverySupervisor
from forwarder.relay.supervision.keyframes import CameraKeyframes
from forwarder.relay.supervision.reachability import SILENT, Door
from forwarder.relay.supervision.resealed import sealed_as_before
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryOrder, DeliveryState
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.logins.attempt import device_origins
from vonggac.net.errors import PeerError
from vonggac.rtsp import ReceptionStats
from vonggac.telemetry import get_logger

log = get_logger(__name__)

BACKLOG_KEPT_S = 5.0
"""After the camera's first media its current group of pictures is kept for so long, for sessions that are opened."""
AFTER_KNOCK_S = 1.0
_NOT_CONNECTED = frozenset({Cause.REFUSED, Cause.ROUTE})
"""Nobody was there for certain; a timeout may be that of a camera that is merely slow."""
NO_ORDERS: Mapping[UUID, DeliveryOrder] = MappingProxyType({})

type OnDeliveryChange = Callable[["CameraRelay", DeliverySupervisor], None]
"""Told of every change of state, and once with `released` or `disabled` at the end."""


class CameraRelay:
    """One camera and its deliveries, from `start` (or `prepare` and then `go`) to `stop`."""

    def __init__(
        self,
        camera: CameraV1,
        surroundings: Surroundings,
        on_change: OnDeliveryChange,
        orders: Mapping[UUID, DeliveryOrder] = NO_ORDERS,
        past_of: Callable[[PlannedDelivery], Past] = lambda _planned: NOTHING_BEFORE,
    ) -> None:
        """`orders`: by delivery, as they are at the time of looking; `past_of`: what was known of one before."""
        now = surroundings.now()
        self.camera = camera
        self.held_since: datetime = now.at
        self.pull: Pull = domain.begun(now)
        self.pulls = 0
        self.deliveries: dict[UUID, DeliverySupervisor] = {}
        self.keyframes = CameraKeyframes(surroundings)
        self._surroundings, self._on_change, self._orders, self._past_of = surroundings, on_change, orders, past_of
        self._loop = asyncio.get_running_loop()
        self._source: CameraSource | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self._leaving: dict[UUID, asyncio.Task[None]] = {}
        """Deliveries that a changed plan took out and does not want again, while their sessions end."""
        self._retry_timer: asyncio.TimerHandle | None = None
        self._backlog_timer: asyncio.TimerHandle | None = None
        self._leave_door: Callable[[], None] | None = None
        self._prepared: asyncio.Future[Cause | None] | None = None
        self._pictures = 0
        self._media_s = now.monotonic_s
        self._stopped = False

    @property
    def reception(self) -> ReceptionStats | None:
        """What was lost on the way here over UDP; None over TCP, and without a session."""
        return self._source.reception if self._source is not None else None

    @property
    def silent_s(self) -> float:
        """How long the camera has sent no media; 0 while it is not live."""
        if self.pull.state is not PullState.LIVE:
            return 0.0
        return self._surroundings.monotonic_s() - self._media_s

    def start(self) -> None:
        """Begin to pull; every delivery tells its first state."""
        for planned in plan.wanted(self.camera).values():
            self._add(planned)
        self.say_disabled()
        self._pull()
        self._surroundings.ticker.add(self._tick)

    async def prepare(self) -> Cause | None:
        """Pull the camera, once, and keep its newest group of pictures; deliver nothing before `go`.

        None when everything is ready, else why not. Then, or when it is cancelled, only `stop` is left to call.
        """
        self._prepared = self._loop.create_future()
        self._pull()
        return await self._prepared

    def go(self, camera: CameraV1) -> None:
        """Deliver, from the kept keyframe on. `camera` is the plan as it is by now."""
        self._prepared = None
        camera = self._sealed_as_before(camera)
        restart = plan.compare(self.camera, camera).restart_source
        self.camera, self.held_since = camera, self._surroundings.now().at
        if restart:
            self._end_source(None, None)
        if self._source is None and self._attempt is None:
            self.pull = domain.begun(self._surroundings.now())
            self._pull()
        if self._source is not None and self.pull.state is PullState.LIVE:
            self._tell_live(self._source)
        for planned in plan.wanted(camera).values():
            self._add(planned)
        self.say_disabled()
        self._surroundings.ticker.add(self._tick)

    def say_disabled(self) -> None:
        """Say so of every delivery of a camera that shall not run."""
        self._say_disabled(plan.unwanted(self.camera))

    def change(self, camera: CameraV1) -> None:
        """Take a changed plan over in place: only what changed is restarted."""
        camera = self._sealed_as_before(camera)
        change = plan.compare(self.camera, camera)
        newer = camera.revision != self.camera.revision
        disabled = {planned.id for planned in change.disabled}
        self.camera = camera
        for planned in change.stopped:
            gone = self.deliveries.pop(planned.id)
            state = DeliveryState.DISABLED if planned.id in disabled else DeliveryState.RELEASED
            self._leaving[planned.id] = self._loop.create_task(self._leave(gone, state), name=f"stop-{planned.id}")
            self._keep(self._leaving[planned.id])
        stopped = {planned.id for planned in change.stopped}
        self._say_disabled(tuple(planned for planned in change.disabled if planned.id not in stopped))
        for planned in change.restarted:
            self.deliveries[planned.id].retarget(planned, revision=camera.revision)
        for planned in change.started:
            self._add(planned)
        if change.restart_source:
            self._end_source(None, None)
            self.pull = domain.begun(self._surroundings.now())
            self._pull()
        self._adopt_unchanged(camera, announce=newer)

    async def _leave(self, gone: DeliverySupervisor, state: DeliveryState) -> None:
        key = gone.plan.id
        await gone.end()
        if self._leaving.get(key) is asyncio.current_task():
            # Else it is wanted again, or was meanwhile: its successor has the word.
            del self._leaving[key]
            gone.say(state)

    async def end_deliveries(self, state: DeliveryState) -> None:
        """End every session in order, bounded to about a second; `state` is every delivery's last word.

        The camera goes on being pulled until `stop`.
        """
        self._stopped = True
        self._surroundings.ticker.remove(self._tick)
        deliveries, self.deliveries = self.deliveries, {}
        await asyncio.gather(*(delivery.stop(state) for delivery in deliveries.values()))

    async def stop(self, state: DeliveryState) -> None:
        """The same, and leave the camera: bounded to about two seconds in all."""
        # Destinations first: whoever takes the camera next may publish only when the old session is gone.
        await self.end_deliveries(state)
        self._end_source(None, None)
        if self._endings:
            await asyncio.wait(self._endings)

    def obey(self, delivery_id: UUID, order: DeliveryOrder | None) -> None:
        """A person's order on one delivery came, changed, or went (None)."""
        supervisor = self.deliveries.get(delivery_id)
        if supervisor is None:
            return
        if order is not None and order.stopped:
            supervisor.halt(order)
        elif supervisor.delivery.state is DeliveryState.STOPPED:
            supervisor.resume()
            self._tell_pull(supervisor)

    def try_again(self, delivery_id: UUID) -> RetryOutcome:
        """A person wants no more waiting: neither for the destination nor for the camera."""
        supervisor = self.deliveries.get(delivery_id)
        if supervisor is None:
            return RetryOutcome.NOT_RUNNING
        outcome = supervisor.try_again()
        if outcome is RetryOutcome.STOPPED:
            return outcome
        if self.pull.state is PullState.COOLING_DOWN:
            return RetryOutcome.CAMERA_RESTS
        if self.pull.state is PullState.BACKING_OFF and self._retry_timer is not None:
            self._cancel_retry()
            self.pull = domain.begun(self._surroundings.now())
            self._pull()
            return RetryOutcome.RETRIED
        return outcome

    def _sealed_as_before(self, camera: CameraV1) -> CameraV1:
        refused = DeliveryState.REFUSED
        taken = {key for key, supervisor in self.deliveries.items() if supervisor.delivery.state is not refused}
        resting = self.pull.state is PullState.COOLING_DOWN
        return sealed_as_before(self.camera, camera, self._surroundings, deliveries=taken, source=not resting)

    def _adopt_unchanged(self, camera: CameraV1, *, announce: bool) -> None:
        for key, planned in plan.wanted(camera).items():
            supervisor = self.deliveries[key]
            supervisor.replan(planned, revision=camera.revision)
            if announce:
                supervisor.announce()

    def _add(self, planned: PlannedDelivery) -> None:
        supervisor = self._supervisor(planned)
        self.deliveries[planned.id] = supervisor
        if (ending := self._leaving.pop(planned.id, None)) is not None:
            # A centre may refuse a second publisher of the same stream.
            supervisor.begin_after(ending)
        order = self._orders.get(planned.id)
        if order is not None and order.stopped:
            supervisor.halt(order)
            if self._source is not None and self.pull.state is PullState.LIVE:
                supervisor.camera_live(self._source)
        else:
            self._tell_pull(supervisor)

    def _supervisor(self, planned: PlannedDelivery) -> DeliverySupervisor:
        return DeliverySupervisor(planned, self._surroundings, self._changed, self._past_of(planned))

    def _tell_pull(self, supervisor: DeliverySupervisor) -> None:
        if self._source is not None and self.pull.state is PullState.LIVE:
            supervisor.camera_live(self._source)
        elif self.pull.cause is not None:
            supervisor.camera_away(self.pull.cause, self.pull.detail)
        else:
            supervisor.announce()

    def _say_disabled(self, deliveries: tuple[PlannedDelivery, ...]) -> None:
        for planned in deliveries:
            self._supervisor(planned).say(DeliveryState.DISABLED)

    def _changed(self, delivery: DeliverySupervisor) -> None:
        self._on_change(self, delivery)

    def _pull(self) -> None:
        self._cancel_retry()
        self.pulls += 1
        self._attempt = self._loop.create_task(self._play(), name=f"pull-{self.camera.id}")

    def _retry(self) -> None:
        self.pull = domain.retried(self.pull, self._surroundings.now())
        self._pull()

    async def _play(self) -> None:
        if self._endings:
            # Many cameras allow two sessions: the old one ends before a new one is asked for.
            await asyncio.wait(self._endings)
        surroundings, camera = self._surroundings, self.camera
        try:
            credentials = surroundings.open_secret(camera.secret, camera.url, *device_origins(camera.expected))
            source = await play(camera, credentials, surroundings, on_began=self._media_began, on_lost=self._lost)
        except PeerError as error:
            self._attempt = None
            self._failed(error.cause, error.message, elsewhere=error.elsewhere)
            return
        except Exception as error:  # a mistake of ours with one camera must not end the others
            log.error("camera_attempt_crashed", camera_id=str(camera.id), exc_info=error)
            self._attempt = None
            self._failed(Cause.INTERNAL_ERROR, type(error).__name__)
            return
        self._attempt, self._source = None, source
        source.wait_for_bytes(surroundings.receive_low_water_bytes)
        self._media_s = surroundings.now().monotonic_s

    def _media_began(self) -> None:
        if self._source is None or self._stopped:
            return
        now = self._surroundings.now()
        self.pull = domain.media_came(self.pull, now)
        self._media_s, self._pictures = now.monotonic_s, self._source.fanout.pictures
        if self._prepared is not None:
            self._source.fanout.keep_backlog().when_begun(self._is_prepared)
            return
        self._tell_live(self._source)
        for delivery in self.deliveries.values():
            delivery.camera_live(self._source)

    def _tell_live(self, source: CameraSource) -> None:
        self._drop_backlog_later()
        log.info("camera_live", camera_id=str(self.camera.id))
        self.keyframes.began(source)

    def _lost(self, error: PeerError | None) -> None:
        # None: our own close.
        if error is not None and self._source is not None:
            self._failed(error.cause, error.message, elsewhere=error.elsewhere)

    def _failed(self, cause: Cause, detail: str | None, *, elsewhere: bool = False) -> None:
        if self._stopped:
            return
        surroundings = self._surroundings
        was_live = self.pull.state is PullState.LIVE
        self.pull = domain.failed(
            self.pull, cause, detail, surroundings.now(), chance=surroundings.chance(), limits=surroundings.pull_limits
        )
        if was_live or self.pull.failures == 1:
            log.warning("camera_away", camera_id=str(self.camera.id), cause=cause.value, detail=detail)
        self._end_source(cause, detail)
        if self._prepared is not None:
            # Whoever holds the camera pulls it still; one attempt beside that is all.
            if not self._prepared.done():
                self._prepared.set_result(cause)
            return
        self._retry_timer = self._loop.call_later(self.pull.retry_in_s, self._retry)
        door = Door.of(self.camera.url, self.camera.tls) if cause in SILENT else None
        if door is not None:
            closed = cause in _NOT_CONNECTED and not elsewhere
            self._leave_door = surroundings.knocks.wait(door, surroundings.allowed, self._door_opened, closed=closed)

    def _door_opened(self) -> None:
        # A recorder's cameras all hear it in the same moment.
        delay_s = AFTER_KNOCK_S * self._surroundings.chance()
        if self._retry_timer is not None and self._retry_timer.when() - self._loop.time() > delay_s:
            self._retry_timer.cancel()
            self._retry_timer = self._loop.call_later(delay_s, self._retry)

    def _is_prepared(self) -> None:
        if self._prepared is not None and not self._prepared.done():
            self._prepared.set_result(None)

    def _drop_backlog_later(self) -> None:
        if self._backlog_timer is not None:
            self._backlog_timer.cancel()
        self._backlog_timer = self._loop.call_later(BACKLOG_KEPT_S, self._drop_backlog)

    def _drop_backlog(self) -> None:
        self._backlog_timer = None
        if self._source is not None:
            self._source.fanout.backlog = None

    def _cancel_retry(self) -> None:
        if self._retry_timer is not None:
            self._retry_timer.cancel()
            self._retry_timer = None
        if self._leave_door is not None:
            self._leave_door()
            self._leave_door = None

    def _end_source(self, cause: Cause | None, detail: str | None) -> None:
        """Let the present session and attempt go; the deliveries wait for the camera."""
        self._cancel_retry()
        if self._backlog_timer is not None:
            self._backlog_timer.cancel()
            self._backlog_timer = None
        if self._attempt is not None:
            self._keep(self._attempt)
            self._attempt.cancel()
            self._attempt = None
        source, self._source = self._source, None
        self.keyframes.ended()
        if source is not None:
            self._keep(self._loop.create_task(source.close(), name=f"leave-{self.camera.id}"))
        if not self._stopped:
            for delivery in self.deliveries.values():
                delivery.camera_away(cause, detail)

    def _tick(self) -> None:
        if self._source is None:
            return
        now_s = self._surroundings.monotonic_s()
        pictures = self._source.fanout.pictures
        if pictures != self._pictures:
            self._pictures, self._media_s = pictures, now_s
        silent_s = now_s - self._media_s
        if silent_s >= self._surroundings.media_timeout_s:
            live = self.pull.state is PullState.LIVE
            self._failed(Cause.STALLED if live else Cause.NO_MEDIA, f"no media for {silent_s:.0f} s")
        elif self.pull.state is PullState.LIVE:
            self.keyframes.tick(now_s)
            for delivery in self.deliveries.values():
                delivery.tick(now_s, silent_s)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
