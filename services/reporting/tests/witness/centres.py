"""What centres give back: some are honest, some keep or discard what they acknowledge, some are silent for a while."""

import random
from typing import Any

from services.reporting.tests.witness.world import BEFORE, CAUSES, PERIOD, SECOND, Worker, World

from reporting.domain.instants import moment
from vonggac.events.inventory import PlannedDelivery
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

LYING = tuple(VerificationVerdict)
HONEST = (VerificationVerdict.VERIFIED, VerificationVerdict.VERIFIED, VerificationVerdict.NOT_CHECKABLE)
EVERY_S = (4, 16, 60, 60, 60, 60)


def add_read_backs(made: World, camera_id: Any, planned: PlannedDelivery, probers: list[Worker], after: int) -> None:
    """A centre of one mind for a while; now and then a second read-back is made beside the first."""
    chance = made.chance
    centre = chance.choice([HONEST, LYING, LYING])
    at, verdict = made.some_time(before=BEFORE, after=0), VerificationVerdict.VERIFIED
    cause = None
    while at < made.start + PERIOD + after:
        if chance.random() < 0.3:
            verdict, cause = chance.choice(centre), chance.choice([None, *CAUSES])
        worker = chance.choice(probers)
        life = worker.life_at(at)
        if life is not None:
            good = verdict is VerificationVerdict.VERIFIED
            made.facts.append(
                DeliveryVerifiedV1(
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
            )
        at += chance.choice([*[60 * SECOND] * 6, 60_500, 130 * SECOND, made.grid, 3 * SECOND])


def _paused_since(chance: random.Random, at: int) -> Any:
    """Some centres give nothing for a while before the match."""
    return moment(at - chance.choice([0, 6 * SECOND, 30 * SECOND, 70 * SECOND])) if chance.random() < 0.1 else None


def _captured_at(chance: random.Random, at: int) -> Any:
    """A picture is under way for a moment, or kept for new viewers; one is of a clock that is off."""
    if chance.random() < 0.02:
        return None
    return moment(at - chance.choice([0, 40, 900, 2 * SECOND, 9 * SECOND, 9 * SECOND, 40 * SECOND, -SECOND]))
