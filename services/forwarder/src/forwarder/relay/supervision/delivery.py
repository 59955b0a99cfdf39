"""The supervisor of one delivery: it opens sessions, watches them, and alone decides to try again.

All decisions are `forwarder.domain.delivery.decide`; this is the edge that carries them out. It never waits for
anything that another delivery waits for.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from forwarder.domain import delivery as domain
from forwarder.domain.assignment import commands
from forwarder.domain.assignment.commands import RetryOutcome
from forwarder.domain.assignment.ownership import NO_HISTORY, DeliveryHistory
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Action, CameraAway, CameraLive, Decision, Delivery, Event, Failed, RetryDue
from forwarder.domain.progress import Opened, ProgressRead
from forwarder.domain.proof import Mismatched, Unreached
from forwarder.domain.reported import ServingStatus
from forwarder.relay.sources.base import CameraSource
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.reachability import Endpoint
from forwarder.relay.supervision.recovery import DestinationRecovery
from forwarder.relay.supervision.session_slot import DeliverySlot, SessionSlot
from forwarder.relay.supervision.timer import Timer
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryCommand, DeliveryState, HintReason
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import AgreeingReadBacks

QUICK_SAMPLE_S = 0.2
"""Until media of a new session is acknowledged it is read this often, then once a second; and while nothing is."""
_QUICK = frozenset({DeliveryState.CONNECTING, DeliveryState.SENDING})
_FLOWING = frozenset({DeliveryState.ACKNOWLEDGED, DeliveryState.VERIFIED, DeliveryState.MISMATCH})

type OnChange = Callable[["DeliverySupervisor"], None]
type Report = Callable[[], None]
type Decide = Callable[[Delivery, Event, Instant], Decision]


class DeliverySupervisor:
    """One camera at one destination. `delivery` is its state, `on_change` is called with every new one."""

    def __init__(
        self,
        camera_id: UUID,
        plan: PlannedDelivery,
        context: RelayContext,
        on_change: OnChange,
        past: DeliveryHistory = NO_HISTORY,
    ) -> None:
        self.plan = plan
        self._camera_id = camera_id
        self.read_back_since = 0
        """Revision of the plan that brought the present read-back address."""
        self.agreed: AgreeingReadBacks | None = None
        """The last read-backs of the delivery, as far as they are no facts: they go with its next report."""
        self.serving: ServingStatus | None = None
        """What the centre does, where it pulls; None where it is published to."""
        self._decide: Decide = partial(_decide, context)
        self.slot: DeliverySlot = SessionSlot(context, self._session_changed)
        self._delivery: Delivery = domain.waiting(context.now(), past)
        self._context, self._on_change = context, on_change
        self._recovery = DestinationRecovery(
            context,
            endpoint=lambda: Endpoint.of(self.plan.url, self.plan.tls),
            retry=partial(self.handle, RetryDue()),
            restart_attempt=self._restart_attempt,
            give_up_stalled=self._give_up_stalled,
        )
        self._quick = Timer()
        self._source: CameraSource | None = None
        self._silent_s = self._usual_silence_s = 0.0
        self._written = self._acknowledged = 0
        self._unacknowledged = False
        self._report_when_flowing: Report | None = None
        self._good_sample: tuple[float, ProgressRead] | None = None

    @property
    def delivery(self) -> Delivery:
        """The state as it is now."""
        self._weigh_good_sample()
        return self._delivery

    def camera_live(self, source: CameraSource) -> None:
        """Note that the camera's media flows, from `source`."""
        if source is not self._source:
            # The sound of another stream may be one that the destination takes, or it has learnt to take it.
            self.slot.offer_audio_again()
        self._source, self._silent_s = source, 0.0
        self.handle(CameraLive())

    def camera_away(self, cause: Cause | None, detail: str | None) -> None:
        """Note that the camera's media has ended, or cannot be had. No cause: by our own doing."""
        self._sample_session(self._context.monotonic_s(), ends=True)
        self._source = None
        self.handle(CameraAway(cause, detail))

    def tick(self, now_s: float, silent_s: float, usual_silence_s: float = 0.0) -> None:
        """Sample the session; call once a second. `silent_s`: how long the camera has sent no media; up to
        `usual_silence_s` that says nothing."""
        self._silent_s, self._usual_silence_s = silent_s, usual_silence_s
        self._sample_session(now_s)

    def replan(self, plan: PlannedDelivery, *, revision: int) -> None:
        """Take over what restarts nothing. What was read back elsewhere, or still comes of it, is of no account."""
        before, self.plan = self.plan, plan
        if plan.read_back_url != before.read_back_url:
            self.read_back_since = revision
            self._carry_out(Decision(domain.unproven(self.delivery, self._context.now())), orderly=True)

    def report_state(self) -> None:
        """Report the state although it did not change: the plan's revision did."""
        self._on_change(self)

    def wake(self, report: Report) -> None:
        """Call `report` as soon as the state is known again: this process slept.

        Of a session that stood before, nothing is known until the destination acknowledges media of now; what was read
        back before proves nothing of it.
        """
        self._sample_session(self._context.monotonic_s())
        if self.delivery.state is DeliveryState.VERIFIED:
            self._delivery = domain.unproven(self._delivery, self._context.now())
        if self._delivery.state not in _FLOWING or not self.slot.is_open:
            report()
            return
        self._report_when_flowing = report
        self._quick.start(QUICK_SAMPLE_S, self._sample_quickly)

    def retarget(self, plan: PlannedDelivery, *, revision: int) -> None:
        """Another address or other credentials: begin anew, whatever was before."""
        moved = plan.destination_id != self.plan.destination_id
        self.replan(plan, revision=revision)
        self.slot.offer_audio_again()
        if self._delivery.state is DeliveryState.STOPPED:
            self.report_state()
            return
        self._close(orderly=True)
        now = self._context.now()
        waiting = DeliveryState.WAITING_FOR_CAMERA
        self._delivery = domain.waiting(now) if moved else domain.restarted(self._delivery, waiting, now)
        if self._source is None:
            self._on_change(self)
        else:
            self.handle(CameraLive())

    def stop_by_command(self, command: DeliveryCommand) -> None:
        """Stop as a person commands: end in order, and stay so. Stopped again, report the new reason."""
        before = self.delivery
        self._carry_out(commands.stopped(before, command, self._context.now()), orderly=True)
        if before.state is DeliveryState.STOPPED and before.detail != self._delivery.detail:
            self.report_state()

    def start_by_command(self) -> None:
        """Start again: the command to stop is gone."""
        self._carry_out(commands.started(self.delivery, self._context.now()), orderly=True)
        if self._source is not None:
            self.handle(CameraLive())

    def retry_now(self) -> RetryOutcome:
        """Retry at once: a person wants no more waiting for the destination."""
        if self.delivery.state is DeliveryState.STOPPED:
            return RetryOutcome.STOPPED
        context = self._context
        decision, waited = commands.tried_again(self.delivery, context.now(), limits=context.limits)
        self._carry_out(decision, orderly=True)
        return RetryOutcome.RETRIED if waited else RetryOutcome.NOT_WAITING

    async def release(self, state: DeliveryState, detail: str | None = None) -> None:
        """End in order, bounded to about a second; `state` is the last report (`released` or `disabled`)."""
        await self.end_session()
        self.report_end(state, detail)

    _end_cause: Cause | None = None
    """Of the last report, where another worker may take the camera over."""

    async def end_session(self) -> None:
        """End in order, as `release` does, without a report."""
        self._source = None
        self._close(orderly=True)
        self._context.reachability.drop_connection(Endpoint.of(self.plan.url, self.plan.tls))
        await self.slot.wait_closed()

    def report_end(self, state: DeliveryState, detail: str | None = None) -> None:
        """Report for the last time a delivery that runs no more or never ran; `detail`: why, for people."""
        ended = domain.restarted(self.delivery, state, self._context.now())
        self._delivery = replace(
            ended, cause=self._end_cause if state is DeliveryState.RELEASED else None, detail=detail
        )
        self._on_change(self)

    def handle(self, event: Event) -> None:
        """Take in what happened. A read-back's result is of a plan not older than `read_back_since`."""
        self._weigh_good_sample()
        decision = self._decide(self._delivery, event, self._context.now())
        self._carry_out(decision, orderly=isinstance(event, CameraAway))
        if isinstance(event, Mismatched | Unreached):
            unproven = HintReason.NEIGHBOUR_UNPROVEN
            self._context.hints.ask_for_neighbours(self.plan.destination_id, self.plan.id, unproven)

    def _carry_out(self, decision: Decision, *, orderly: bool) -> None:
        before, self._delivery = self._delivery, decision.delivery
        for action in decision.actions:
            if action is Action.CLOSE:
                self._close(orderly=orderly)
            elif action is Action.OPEN:
                self._open()
            else:
                self._recovery.wait_for_retry(self._delivery, unreachable=self.slot.unreachable)
        after = self._delivery
        if _breaks(after) and not _breaks(before):
            self._context.hints.ask_for_neighbours(self.plan.destination_id, self.plan.id, HintReason.NEIGHBOUR_FAILED)
        if self.slot.is_open and before.unacknowledged is not after.unacknowledged:
            if after.unacknowledged:
                self._recovery.watch_stalled()
            else:
                self._recovery.stop_watching()
        if _word(after) != _word(before):
            self._report_when_flowing = None
            self._on_change(self)

    def _weigh_good_sample(self) -> None:
        # A sample that changes no word is weighed only when somebody asks: hundreds come in every second.
        if self._good_sample is not None:
            (when_s, sample), self._good_sample = self._good_sample, None
            then = self._context.now().earlier(when_s)
            self._delivery = self._decide(self._delivery, sample, then).delivery

    def _open(self) -> None:
        assert self._source is not None, "a session is opened only while the camera is live"
        self.slot.open_session(self.plan, self._source)
        self._recovery.watch_attempt()

    def _close(self, *, orderly: bool) -> None:
        self._quick.cancel()
        self._recovery.cancel()
        self.slot.close_session(orderly=orderly)
        self._context.hints.remove_session(self.plan.id)

    def _session_changed(self, event: Opened | Failed) -> None:
        opened = isinstance(event, Opened)
        if opened:
            self._recovery.cancel()
            self._written = self._acknowledged = 0
            if self.plan.read_back_url is not None:
                self._context.hints.add_session(self._camera_id, self.plan.destination_id, self.plan.id)
        else:
            self._sample_session(self._context.monotonic_s(), ends=True)
        self.handle(event)
        if opened:
            self._quick.start(QUICK_SAMPLE_S, self._sample_quickly)

    def _restart_attempt(self) -> None:
        if self.slot.is_opening and self._source is not None:
            self._close(orderly=False)
            self._open()

    def _give_up_stalled(self) -> bool:
        self._sample_session(self._context.monotonic_s())
        if not self.slot.is_open or not self.delivery.unacknowledged:
            return False
        self.handle(Failed(Cause.STALLED, "the address answers again, and the session does not go on"))
        return True

    def _sample_session(self, now_s: float, *, ends: bool = False) -> None:
        """Sample the session; `ends`: acknowledgements since the sample before, a second ago, date a good one's end.

        It makes none good: a destination that takes a first burst and hangs up took no stream.
        """
        progress = self.slot.read_session(now_s)
        if progress is None:
            return
        if ends and (progress.acknowledged <= self._acknowledged or self._delivery.state not in _FLOWING):
            return
        written, acknowledged, unread_for_s, doubtful, ack_age_s, hint = progress
        if hint is not None:
            self._context.hints.ask_for(self.plan.id, hint)
        sample = ProgressRead(
            written, acknowledged, self._silent_s, unread_for_s, self._usual_silence_s, doubtful, ack_age_s
        )
        advanced = acknowledged > self._acknowledged and written > self._written
        self._written, self._acknowledged = written, acknowledged
        self._unacknowledged = written > acknowledged and not advanced
        if self._unacknowledged and not self._quick.running and self._delivery.state in _FLOWING:
            self._quick.start(QUICK_SAMPLE_S, self._sample_quickly)
        lively = self._silent_s < max(self._context.limits.silent_s, self._usual_silence_s)
        if advanced and lively and now_s < self._delivery.good_until_s:
            self._good_sample = (now_s, sample)
        else:
            self.handle(sample)
        if advanced and self._report_when_flowing is not None:
            report, self._report_when_flowing = self._report_when_flowing, None
            report()

    def _sample_quickly(self) -> None:
        self._sample_session(self._context.monotonic_s())
        state, unknown = self.delivery.state, self._unacknowledged or self._report_when_flowing is not None
        if self.slot.is_open and (state in _QUICK or (unknown and state in _FLOWING)):
            self._quick.start(QUICK_SAMPLE_S, self._sample_quickly)


def _decide(context: RelayContext, delivery: Delivery, event: Event, now: Instant) -> Decision:
    return domain.decide(delivery, event, now, chance=context.chance(), limits=context.limits)


def _breaks(delivery: Delivery) -> bool:
    """Whether its session has broken, or its destination acknowledges nothing more."""
    return delivery.state is DeliveryState.BACKING_OFF or delivery.unacknowledged


def _word(delivery: Delivery) -> tuple[object, ...]:
    """List what is reported anew when it changes: no detail alone, but why a session is stalled, and a doubt."""
    return delivery.state, delivery.cause, delivery.since, delivery.unacknowledged, delivery.doubted
