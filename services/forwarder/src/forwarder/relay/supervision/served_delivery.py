"""The supervisor of one served delivery: it offers its camera, watches the sessions that the centre opens, and decides.

All decisions are `forwarder.domain.serving.served_delivery.decide`.
"""

from datetime import datetime
from uuid import UUID

from forwarder.domain.assignment.ownership import NO_HISTORY, DeliveryHistory
from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Decision, Delivery
from forwarder.domain.progress import Opened
from forwarder.domain.serving import served_delivery as domain
from forwarder.domain.serving.asking import Asking
from forwarder.domain.serving.served_delivery import NotBack, SessionLeft, SessionsEnded
from forwarder.relay.server.offers import Offers
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.delivery import DeliverySupervisor, OnChange
from forwarder.relay.supervision.served_slot import ServedEvent, ServedSlot
from vonggac.events.causes import Cause
from vonggac.events.forwarder import Responsibility
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.inventory.serving import SelfCheckOutcome


class ServedDeliverySupervisor(DeliverySupervisor):
    """One camera for one centre that pulls."""

    slot: ServedSlot

    def __init__(
        self,
        camera_id: UUID,
        plan: PlannedDelivery,
        context: RelayContext,
        offers: Offers,
        on_change: OnChange,
        past: DeliveryHistory = NO_HISTORY,
    ) -> None:
        super().__init__(camera_id, plan, context, on_change, past)
        asking = Asking(received=past.last_success_at is not None, interrupted=past.interrupted)
        self.slot = self.serving = ServedSlot(context, offers, self._served_changed, asking)
        self._decide = self._decide_served
        self._responsible: Responsibility | None = Responsibility.UNKNOWN
        """Who could end it when that was last found; a change of state reports it anyhow."""

    def begin_serving(self) -> None:
        """Let the centre log in, whether or not there is a picture to give."""
        self.slot.offer_delivery(self.plan)

    def replan(self, plan: PlannedDelivery, *, revision: int) -> None:
        """Take the plan over. Password and rules may change amid a session: only what they no longer allow ends."""
        changed = (plan.url, plan.secret, plan.serving) != (self.plan.url, self.plan.secret, self.plan.serving)
        super().replan(plan, revision=revision)
        if changed:
            self.slot.offer_delivery(plan)

    def note_check(self, outcome: SelfCheckOutcome, at: datetime) -> None:
        """Note that a prober checked the address that the centre pulls from."""
        self.slot.asking = self.slot.asking.note_check(outcome, at)
        self._report_responsible()

    def tick(self, now_s: float, silent_s: float, usual_silence_s: float = 0.0) -> None:
        """Sample as for any delivery; what a check says ends by itself."""
        super().tick(now_s, silent_s, usual_silence_s)
        if not domain.comes_back(self._delivery, self.slot.now):
            self.slot.asking = self.slot.asking.note_absence()
            self._served_changed(NotBack())
        if self.slot.asking.checked_at is not None:
            self._report_responsible()

    async def end_session(self) -> None:
        """End what the centre receives, and serve it no more."""
        # Whoever takes the camera over knows by it that the centre did not leave.
        self._end_cause = Cause.ENDED if self.slot.is_open or self.slot.asking.interrupted else None
        await super().end_session()
        self.slot.withdraw_offer()

    def _report_responsible(self) -> None:
        """Report the delivery anew when somebody else can end its wait."""
        found = domain.responsibility(self.delivery, self.slot.asking, self.slot.now)
        if found is not self._responsible:
            self._responsible = found
            self.report_state()

    def _decide_served(self, delivery: Delivery, event: domain.Event, now: Instant) -> Decision:
        slot, limits = self.slot, self._context.limits
        return domain.decide(delivery, event, now, asking=slot.asking, over_udp=slot.over_udp, limits=limits)

    def _open(self) -> None:
        assert self._source is not None, "a camera is offered only while it is live"
        self.slot.open_session(self.plan, self._source)

    def _served_changed(self, event: ServedEvent) -> None:
        if isinstance(event, Opened):
            self._session_changed(event)
            return
        if isinstance(event, SessionLeft):
            self._written -= event.abandoned
        elif isinstance(event, SessionsEnded):
            self._sample_session(self._context.monotonic_s(), ends=True)
        self._weigh_good_sample()
        self._carry_out(self._decide_served(self._delivery, event, self._context.now()), orderly=True)
