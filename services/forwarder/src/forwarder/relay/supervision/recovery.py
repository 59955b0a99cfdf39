"""When a delivery is tried again: after its wait, or sooner, when an address that fell silent answers again.

Sooner only once in `EARLY_EVERY_S`: a destination that comes and goes must not talk the back-off down.
"""

import math
from collections.abc import Callable

from forwarder.domain.backoff import early_in_s
from forwarder.domain.delivery import Delivery
from forwarder.relay.supervision.context import RelayContext
from forwarder.relay.supervision.reachability import SILENT, Endpoint, EndpointWatch
from forwarder.relay.supervision.timer import Timer

RETRY_WITHIN_S = 0.5
"""After an address answers again, its deliveries are tried within this time, each at a random moment of it."""
HANGING_AFTER_S = 1.0
"""An attempt that takes longer may be stuck at an address that went silent: its address is checked meanwhile."""
GOES_ON_WITHIN_S = 1.0
"""A stalled session's time to go on when its address, found silent, answers again."""


class DestinationRecovery:
    """One delivery's wait: for a retry, for an attempt that hangs, or for a stalled session. One at a time."""

    def __init__(
        self,
        context: RelayContext,
        *,
        endpoint: Callable[[], Endpoint | None],
        retry: Callable[[], None],
        restart_attempt: Callable[[], None],
        give_up_stalled: Callable[[], bool],
    ) -> None:
        """`endpoint`: what is checked. `retry`: the wait is over. `restart_attempt`: the attempt under way is lost.

        `give_up_stalled`: the address of a stalled session answers again; whether the session was given up for that.
        """
        self._context, self._endpoint = context, endpoint
        self._retry, self._restart_attempt, self._give_up_stalled = retry, restart_attempt, give_up_stalled
        self._timer = Timer()
        self._watch = EndpointWatch(context.reachability, context.allowed)
        self._after_check = False
        self._early_s = -math.inf

    def wait_for_retry(self, delivery: Delivery, *, unreachable: bool) -> None:
        """Retry in `delivery.retry_in_s`. `unreachable`: the attempt before has found the address silent."""
        self._timer.start(delivery.retry_in_s, self._retry)
        if delivery.failure is not None and delivery.failure.cause in SILENT:
            self._watch.start(self._endpoint(), self._shorten_wait, silent=unreachable)

    def watch_attempt(self) -> None:
        """Learn of an attempt that begins whether it is stuck, unless a reachability check led to it.

        Such an attempt runs its full time: a slow destination must not be begun at for ever.
        """
        self._watch.stop()
        after_check, self._after_check = self._after_check, False
        if not after_check:
            self._timer.start(HANGING_AFTER_S, lambda: self._watch.start(self._endpoint(), self._attempt_is_lost))

    def watch_stalled(self) -> None:
        """Nothing of the session is acknowledged any more: check its address.

        An address that was away for seconds is there again long before the kernel sends once more what was lost
        meanwhile: it waits twice as long each time.
        """
        self._watch.start(self._endpoint(), lambda: self._timer.start(GOES_ON_WITHIN_S, self._end_stalled))

    def stop_watching(self) -> None:
        """Check the address no more; a retry that is waited for stays due."""
        self._watch.stop()

    def cancel(self) -> None:
        """Wait for nothing."""
        self._timer.cancel()
        self._watch.stop()

    def _shorten_wait(self) -> None:
        self._timer.shorten(self._early_in_s(), self._retry_after_check)

    def _early_in_s(self) -> float:
        # All deliveries to this address are called in the same moment.
        return RETRY_WITHIN_S * self._context.chance() + early_in_s(self._early_s, self._context.monotonic_s())

    def _retry_after_check(self) -> None:
        self._after_check = True
        self._early_s = self._context.monotonic_s()
        self._retry()

    def _attempt_is_lost(self) -> None:
        # The address was silent and answers now: what the attempt has sent is lost, and another one gets through.
        self._timer.start(self._early_in_s(), self._begin_anew)

    def _begin_anew(self) -> None:
        self._after_check = True
        self._early_s = self._context.monotonic_s()
        self._restart_attempt()

    def _end_stalled(self) -> None:
        if self._give_up_stalled():
            self._shorten_wait()
