"""Which read-backs are facts that are stored, and what a fact says of those before it that are none.

A read-back says what the one before it said, nearly always: one in so many of them is stored, and carries the others.
So nothing is left out of the account, and less is written. In doubt a read-back is a fact.
"""

from datetime import timedelta

from prober.domain.schedule import HOLDS_INTERVALS, is_failing
from vonggac.events.forwarder import DeliveryState
from vonggac.events.prober import AgreeingReadBacks, DeliveryVerifiedV1, VerificationVerdict

READ_BACKS_PER_FACT = 4
SLACK_INTERVALS = 0.5


def follow(
    fact: DeliveryVerifiedV1,
    previous: DeliveryVerifiedV1 | None,
    *,
    state: DeliveryState | None = None,
    per_fact: int = READ_BACKS_PER_FACT,
) -> DeliveryVerifiedV1:
    """Add to a read-back what the next fact of its delivery has to say, and whether it is that fact itself.

    `previous`: the delivery's last one, by whichever worker. `state`: how the delivery stood before this one.
    """
    if previous is None:
        return fact
    agreed = previous.agreeing
    is_fact = (
        _is_news(fact, previous, state)
        or (agreed.count if agreed is not None else 0) + 1 >= per_fact
        or _ends_before_next(fact, previous, agreed, per_fact)
    )
    return fact.model_copy(update={"agreed": agreed, "is_fact": is_fact})


def _is_news(fact: DeliveryVerifiedV1, previous: DeliveryVerifiedV1, state: DeliveryState | None) -> bool:
    if (fact.verdict, fact.cause) != (previous.verdict, previous.cause):
        return True
    if fact.camera_revision != previous.camera_revision or fact.paused_since is not None:
        return True
    if fact.verdict is VerificationVerdict.VERIFIED and state is DeliveryState.ACKNOWLEDGED:
        # The first match of a session, or the first one after its proof had ended.
        return True
    # In doubt: one of two was dated by a wrong clock.
    return fact.observed_at < previous.observed_at


def _ends_before_next(
    fact: DeliveryVerifiedV1, previous: DeliveryVerifiedV1, agreed: AgreeingReadBacks | None, per_fact: int
) -> bool:
    """Whether the next read-back, as far away as the previous one, would come too late to be the next fact.

    What a failure says ends two intervals after it. Matches are not kept back for long where they come rarely.
    """
    apart = fact.observed_at - previous.observed_at
    last_fact_at = previous.observed_at
    if agreed is not None and agreed.read_backs:
        last_fact_at = agreed.read_backs[0].observed_at - apart
    intervals = HOLDS_INTERVALS if is_failing(fact.verdict) else per_fact + SLACK_INTERVALS
    return fact.observed_at + apart > last_fact_at + timedelta(seconds=intervals * fact.interval_s)
