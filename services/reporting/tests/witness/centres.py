"""What centres give back: some are honest, some keep or discard what they acknowledge, some are silent for a while."""

import random
from typing import Any

from services.reporting.tests.witness.world import BEFORE, CAUSES, PERIOD, SECOND, Worker, World

from reporting.domain.instants import moment
from vonggac.events.forwarder import DeliveryObservedV1
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import AgreeingReadBacks, DeliveryVerifiedV1, VerificationVerdict

LYING = tuple(VerificationVerdict)
HONEST = (VerificationVerdict.VERIFIED, VerificationVerdict.VERIFIED, VerificationVerdict.NOT_CHECKABLE)
MOST_CARRIED = 7
EVERY_S = (4, 16, 60, 60, 60, 60)


def add_read_backs(made: World, camera_id: Any, planned: PlannedDelivery, probers: list[Worker], after: int) -> None:
    """A centre of one mind for a while; now and then a second read-back is made beside the first."""
    chance = made.chance
    centre = chance.choice([HONEST, LYING, LYING])
    at, verdict = made.some_time(before=BEFORE, after=0), VerificationVerdict.VERIFIED
    cause = None
    read_backs: list[tuple[int, DeliveryVerifiedV1]] = []
    while at < made.start + PERIOD + after:
        if chance.random() < 0.3:
            verdict, cause = chance.choice(centre), chance.choice([None, *CAUSES])
        worker = chance.choice(probers)
        life = worker.life_at(at)
        if life is not None:
            good = verdict is VerificationVerdict.VERIFIED
            fact = DeliveryVerifiedV1(
                delivery_id=planned.id,
                camera_id=camera_id,
                destination_id=planned.destination_id,
                camera_revision=1,
                worker_id=worker.id,
                observed_at=moment(at + worker.skew),
                verdict=verdict,
                captured_at=_captured_at(chance, at + worker.skew) if good or chance.random() < 0.2 else None,
                paused_since=_paused_since(chance, at + worker.skew) if good else None,
                cause=None if good else cause,
                interval_s=chance.choice(EVERY_S),
                duration_ms=chance.choice([0, 900, 4000, 12_000]),
                awake_since=None if chance.random() < 0.1 else moment(life[0] + worker.skew),
            )
            read_backs.append((at, fact))
        at += chance.choice([*[60 * SECOND] * 6, 60_500, 130 * SECOND, made.grid, 3 * SECOND])
    _store_some(made, planned, read_backs)


def _store_some(made: World, planned: PlannedDelivery, read_backs: list[tuple[int, DeliveryVerifiedV1]]) -> None:
    """What says the same as the one before it is a fact now and then; else the next fact carries it, or a report of the
    forwarder's, or both, unless the bucket forgets it."""
    chance = made.chance
    rarely = chance.choice([0.0, 0.4, 0.75, 0.75])
    last: DeliveryVerifiedV1 | None = None
    carried: list[tuple[int, AgreeingReadBacks | None]] = []
    for at, said in read_backs:
        previous = None if last is None or chance.random() < 0.02 else last
        same = previous is not None and (said.verdict, said.cause) == (previous.verdict, previous.cause)
        agreed = None if previous is None else previous.agreeing
        full = agreed is not None and agreed.count >= MOST_CARRIED
        is_fact = not same or full or said.paused_since is not None or chance.random() >= rarely
        last = said.model_copy(update={"agreed": agreed, "is_fact": is_fact})
        carried.append((at, last.agreeing))
        if last.is_fact:
            made.facts.append(last)
    for number, fact in enumerate(made.facts):
        if isinstance(fact, DeliveryObservedV1) and fact.delivery_id == planned.id and chance.random() < 0.5:
            known = [agreed for at, agreed in carried if moment(at) <= fact.observed_at]
            if known and known[-1] is not None:
                made.facts[number] = fact.model_copy(update={"agreed": known[-1]})


def _paused_since(chance: random.Random, at: int) -> Any:
    """Some centres give nothing for a while before the match."""
    return moment(at - chance.choice([0, 6 * SECOND, 30 * SECOND, 70 * SECOND])) if chance.random() < 0.1 else None


def _captured_at(chance: random.Random, at: int) -> Any:
    """A picture is under way for a moment, or kept for new viewers; one is of a clock that is off."""
    if chance.random() < 0.02:
        return None
    return moment(at - chance.choice([0, 40, 900, 2 * SECOND, 9 * SECOND, 9 * SECOND, 40 * SECOND, -SECOND]))
