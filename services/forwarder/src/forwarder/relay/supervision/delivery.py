"""The supervisor of one delivery: it opens sessions, watches them, and alone decides to try again.

All decisions are `forwarder.domain.delivery.decide`; this is the edge that carries them out. It never waits for
anything that another delivery waits for.
"""

import asyncio
from collections.abc import Callable

from forwarder.domain import commands as orders
from forwarder.domain import delivery as domain
from forwarder.domain.clock import Instant
from forwarder.domain.commands import RetryOutcome
from forwarder.domain.delivery import (
    Action,
    CameraAway,
    CameraLive,
    Decision,
    Delivery,
    Event,
    Failed,
    Opened,
    RetryDue,
    Sampled,
)
from forwarder.domain.history import NOTHING_BEFORE, Past
from forwarder.domain.proof import Mismatched, Verified
from forwarder.relay.destinations.registry import publish
from forwarder.relay.destinations.rtsp import Counts, Session, Target, UnreachableError
from forwarder.relay.sources.rtsp import CameraSource
from forwarder.relay.supervision.context import Surroundings
from forwarder.relay.supervision.reachability import SILENT, Door
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryOrder, DeliveryState
from vonggac.events.inventory import PlannedDelivery
from vonggac.net.errors import PeerError, StatusError
from vonggac.telemetry import get_logger

log = get_logger(__name__)

AFTER_KNOCK_S = 0.5
HANGING_AFTER_S = 1.0
"""An attempt that takes longer may be stuck at an address that went silent: it is knocked at meanwhile."""
GOES_ON_WITHIN_S = 1.0
"""A stalled session's time to go on when its address, found silent, answers again."""
QUICK_LOOK_S = 0.2
"""Until a new session is confirmed it is looked at this often, then once a second."""
_MEDIA_REFUSED = 415
"""RTSP status: not this kind of media."""
_QUICK = frozenset({DeliveryState.CONNECTING, DeliveryState.SENDING})

type OnChange = Callable[["DeliverySupervisor"], None]


class DeliverySupervisor:
    """One camera at one destination. `delivery` is its state, `on_change` is told of every new one."""

    def __init__(
        self, plan: PlannedDelivery, surroundings: Surroundings, on_change: OnChange, past: Past = NOTHING_BEFORE
    ) -> None:
        self.plan = plan
        self.sessions = 0
        self.read_back_since = 0
        """Revision of the plan that brought the present read-back address."""
        self._delivery: Delivery = domain.waiting(surroundings.now(), past)
        self._surroundings, self._on_change = surroundings, on_change
        self._loop = asyncio.get_running_loop()
        self._source: CameraSource | None = None
        self._session: Session | None = None
        self._past = Counts()
        self._opening: asyncio.Task[None] | None = None
        self._closings: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._silent_s = 0.0
        self._written = self._acknowledged = 0
        self._good_sample: tuple[float, Sampled] | None = None
        self._without_audio = False
        self._found_closed = False
        self._after_knock = False
        self._leave_door: Callable[[], None] | None = None

    @property
    def delivery(self) -> Delivery:
        """The state as it is now."""
        self._weigh_good_sample()
        return self._delivery

    @property
    def counts(self) -> Counts:
        """Since this worker took the camera."""
        return self._past + self._session.counts if self._session else self._past

    def camera_live(self, source: CameraSource) -> None:
        if source is not self._source:
            # The sound of another stream may be one that the destination takes, or it has learnt to take it.
            self._without_audio = False
        self._source, self._silent_s = source, 0.0
        self._handle(CameraLive())

    def camera_away(self, cause: Cause | None, detail: str | None) -> None:
        self._source = None
        self._handle(CameraAway(cause, detail))

    def tick(self, now_s: float, silent_s: float) -> None:
        """Look at the session; call once a second. `silent_s`: how long the camera has sent no media."""
        self._silent_s = silent_s
        self._look(now_s)

    def read_back(self, result: Verified | Mismatched) -> None:
        """Take in what a read-back from the destination told, by a plan not older than `read_back_since`."""
        self._handle(result)

    def replan(self, plan: PlannedDelivery, *, revision: int) -> None:
        """Take over what restarts nothing. What was read back elsewhere, or still comes of it, is of no account."""
        before, self.plan = self.plan, plan
        if plan.read_back_url != before.read_back_url:
            self.read_back_since = revision
            self._carry_out(Decision(domain.unproven(self.delivery, self._surroundings.now())), orderly=True)

    def announce(self) -> None:
        """Tell the state although it did not change: its surroundings (the plan's revision) did."""
        self._on_change(self)

    def retarget(self, plan: PlannedDelivery, *, revision: int) -> None:
        """Another address or other credentials: begin anew, whatever was before."""
        moved = plan.destination_id != self.plan.destination_id
        self.replan(plan, revision=revision)
        self._without_audio = False
        if self._delivery.state is DeliveryState.STOPPED:
            self.announce()
            return
        self._close(orderly=True)
        now = self._surroundings.now()
        waiting = DeliveryState.WAITING_FOR_CAMERA
        self._delivery = domain.waiting(now) if moved else domain.restarted(self._delivery, waiting, now)
        if self._source is None:
            self._on_change(self)
        else:
            self._handle(CameraLive())

    def halt(self, order: DeliveryOrder) -> None:
        """A person stopped it: end in order, and stay so until `resume`. Stopped again, it tells the new reason."""
        before = self.delivery
        self._carry_out(orders.stopped(before, order, self._surroundings.now()), orderly=True)
        if before.state is DeliveryState.STOPPED and before.detail != self._delivery.detail:
            self.announce()

    def resume(self) -> None:
        """The order to stop is gone."""
        self._carry_out(orders.started(self.delivery, self._surroundings.now()), orderly=True)
        if self._source is not None:
            self._handle(CameraLive())

    def try_again(self) -> RetryOutcome:
        """A person wants no more waiting for the destination."""
        if self.delivery.state is DeliveryState.STOPPED:
            return RetryOutcome.STOPPED
        surroundings = self._surroundings
        decision, waited = orders.tried_again(self.delivery, surroundings.now(), limits=surroundings.limits)
        self._carry_out(decision, orderly=True)
        return RetryOutcome.RETRIED if waited else RetryOutcome.NOT_WAITING

    async def stop(self, state: DeliveryState) -> None:
        """End in order, bounded to about a second; `state` is the last word (`released` or `disabled`)."""
        await self.end()
        self.say(state)

    async def end(self) -> None:
        """The same without a word."""
        self._source = None
        self._close(orderly=True)
        if self._closings:
            await asyncio.wait(self._closings)

    def begin_after(self, ending: asyncio.Task[None]) -> None:
        """Open no session before this is done."""
        self._keep(ending)

    def say(self, state: DeliveryState) -> None:
        """The last word on this delivery, for one that runs no more or never ran."""
        self._delivery = domain.restarted(self.delivery, state, self._surroundings.now())
        self._on_change(self)

    def _handle(self, event: Event) -> None:
        self._weigh_good_sample()
        decision = self._decide(event, self._surroundings.now())
        self._carry_out(decision, orderly=isinstance(event, CameraAway))

    def _carry_out(self, decision: Decision, *, orderly: bool) -> None:
        before, self._delivery = self._delivery, decision.delivery
        for action in decision.actions:
            if action is Action.CLOSE:
                self._close(orderly=orderly)
            elif action is Action.OPEN:
                self._open()
            else:
                self._wait()
        after = self._delivery
        self._mind_stall(before, after)
        if _word(after) != _word(before):
            self._on_change(self)

    def _weigh_good_sample(self) -> None:
        # A sample that changes no word is weighed only when somebody asks: hundreds come in every second.
        if self._good_sample is not None:
            (when_s, sample), self._good_sample = self._good_sample, None
            self._delivery = self._decide(sample, self._surroundings.now().earlier(when_s)).delivery

    def _decide(self, event: Event, now: Instant) -> Decision:
        surroundings = self._surroundings
        return domain.decide(self._delivery, event, now, chance=surroundings.chance(), limits=surroundings.limits)

    def _wait(self) -> None:
        self._later(self._delivery.retry_in_s, self._retry)
        failure = self._delivery.failure
        if failure is not None and failure.cause in SILENT:
            self._knock(self._door_opened, closed=self._found_closed)

    def _knock(self, opened: Callable[[], None], *, closed: bool) -> None:
        self._stop_knocking()
        door = Door.of(self.plan.url, self.plan.tls)
        if door is not None:
            surroundings = self._surroundings
            self._leave_door = surroundings.knocks.wait(door, surroundings.allowed, opened, closed=closed)

    def _stop_knocking(self) -> None:
        if self._leave_door is not None:
            self._leave_door()
            self._leave_door = None

    def _door_opened(self) -> None:
        # All deliveries to this address hear it in the same moment.
        delay_s = AFTER_KNOCK_S * self._surroundings.chance()
        if self._timer is not None and self._timer.when() - self._loop.time() > delay_s:
            self._later(delay_s, self._retry_after_knock)

    def _retry_after_knock(self) -> None:
        self._after_knock = True
        self._retry()

    def _retry(self) -> None:
        self._handle(RetryDue())

    def _hanging(self) -> None:
        """An attempt takes long: learn whether it is stuck, unless it has come from a knock itself."""
        self._timer = None
        if self._opening is not None:
            self._knock(self._opened_meanwhile, closed=False)

    def _opened_meanwhile(self) -> None:
        # The address was silent and answers now: what this attempt has sent is lost, and another one gets through.
        if self._opening is not None:
            self._later(AFTER_KNOCK_S * self._surroundings.chance(), self._begin_anew)

    def _begin_anew(self) -> None:
        self._timer = None
        if self._opening is not None and self._source is not None:
            self._close(orderly=False)
            self._after_knock = True
            self._open()

    def _mind_stall(self, before: Delivery, after: Delivery) -> None:
        """A session that nothing is confirmed of is knocked for, too.

        An address that was away for seconds is there again long before the kernel sends once more what was lost
        meanwhile: it waits twice as long each time.
        """
        if self._session is None or before.unconfirmed is after.unconfirmed:
            return
        if after.unconfirmed:
            self._knock(self._answers_again, closed=False)
        else:
            self._stop_knocking()

    def _answers_again(self) -> None:
        self._later(GOES_ON_WITHIN_S, self._give_up_stalled)

    def _give_up_stalled(self) -> None:
        self._timer = None
        self._look(self._surroundings.monotonic_s())
        if self._session is not None and self.delivery.unconfirmed:
            self._handle(Failed(Cause.STALLED, "the address answers again, and the session does not go on"))
            self._door_opened()

    def _open(self) -> None:
        assert self._source is not None, "a session is opened only while the camera is live"
        self._stop_knocking()
        self._opening = self._loop.create_task(self._attempt(self._source), name=f"publish-{self.plan.id}")
        after_knock, self._after_knock = self._after_knock, False
        if not after_knock:
            # One that comes from a knock runs its full time: a slow destination must not be begun at for ever.
            self._later(HANGING_AFTER_S, self._hanging)

    async def _attempt(self, source: CameraSource) -> None:
        if self._closings:
            # A centre may refuse a second publisher of the same stream: the old session ends first.
            await asyncio.wait(self._closings)
        try:
            session = await publish(self._target(), source, self._lost)
        except PeerError as error:
            if isinstance(error, StatusError) and error.status == _MEDIA_REFUSED and len(source.tracks) > 1:
                self._leave_sound_out()
            self._found_closed = isinstance(error, UnreachableError)
            self._opening = None
            self._handle(Failed(error.cause, error.message))
            return
        except Exception as error:  # a mistake of ours in one delivery must not end the others
            log.error("delivery_attempt_crashed", delivery_id=str(self.plan.id), exc_info=error)
            self._opening, self._found_closed = None, False
            self._handle(Failed(Cause.INTERNAL_ERROR, type(error).__name__))
            return
        self._opening, self._session, self._found_closed = None, session, False
        self._stop_knocking()
        self._written = self._acknowledged = 0
        self.sessions += 1
        self._handle(Opened())
        self._later(QUICK_LOOK_S, self._quick_look)

    def _leave_sound_out(self) -> None:
        """Offer the video alone until the camera's next stream; told once for each."""
        if not self._without_audio:
            self._without_audio = True
            log.warning("delivery_without_sound", delivery_id=str(self.plan.id), destination=self.plan.destination_code)

    def _target(self) -> Target:
        surroundings = self._surroundings
        return Target(
            url=self.plan.url,
            credentials=surroundings.open_secret(self.plan.secret, self.plan.url),
            video_only=self._without_audio,
            deadline_s=surroundings.connect_deadline_s,
            bounds=surroundings.bounds,
            allowed=surroundings.allowed,
            tls=self.plan.tls,
            enhanced_rtmp=self.plan.enhanced_rtmp,
        )

    def _lost(self, error: PeerError | None) -> None:
        # None: our own close. A session that is not the present one was closed by us, too.
        if error is not None and self._session is not None:
            self._handle(Failed(error.cause, error.message))

    def _look(self, now_s: float) -> None:
        if self._session is None:
            return
        written, acknowledged = self._session.look(now_s)
        sample = Sampled(written, acknowledged, self._silent_s)
        advanced = acknowledged > self._acknowledged and written > self._written
        self._written, self._acknowledged = written, acknowledged
        lively = self._silent_s < self._surroundings.limits.silent_s
        if advanced and lively and now_s < self._delivery.good_until_s:
            self._good_sample = (now_s, sample)
        else:
            self._handle(sample)

    def _quick_look(self) -> None:
        self._timer = None
        self._look(self._surroundings.monotonic_s())
        if self._session is not None and self.delivery.state in _QUICK:
            self._later(QUICK_LOOK_S, self._quick_look)

    def _close(self, *, orderly: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stop_knocking()
        if self._opening is not None:
            self._keep(self._opening)
            self._opening.cancel()
            self._opening = None
        session, self._session = self._session, None
        if session is None:
            return
        self._past += session.counts
        if orderly:
            self._keep(self._loop.create_task(session.close(), name=f"teardown-{self.plan.id}"))
        else:
            session.abort()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)

    def _later(self, delay_s: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(delay_s, then)


def _word(delivery: Delivery) -> tuple[object, ...]:
    """What is told anew when it changes. A detail alone is no news, except why a session is stalled."""
    return delivery.state, delivery.cause, delivery.since, delivery.unconfirmed
