"""Worlds of chaos around local midnights, days apart, and the periods in which the ledger is compared with them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.reporting.tests.witness.chaos import world
from services.reporting.tests.witness.world import World

from reporting.domain.instants import millis
from reporting.domain.ledger import Day, day_of, midnight
from reporting.domain.segments import Period

FIRST = day_of(millis(datetime(2026, 2, 1, 12, tzinfo=UTC)))
CAMERAS, APART = 12, 3
BEFORE_MIDNIGHT = (5, 12, 20, 24)
"""Minutes of a world's 25 that lie on the day before."""
PERIODS = ("whole", "parts", "begins in the chaos")


@dataclass
class Asked:
    """What the witness needs of a world, for another period."""

    unit: Any
    register: Any
    facts: Any
    numbers: Any
    stored: Any
    windows: Any
    twice: Any
    after: Any
    period: tuple[int, int]


def made(number: int) -> tuple[World, Day]:
    """A world, and the day whose midnight it lies around."""
    day = FIRST + APART * number
    start = midnight(day) - BEFORE_MIDNIGHT[number % len(BEFORE_MIDNIGHT)] * 60_000
    return world(1000 + number, start, CAMERAS), day


def end_of(worlds: int) -> int:
    """A moment after all of them."""
    return midnight(FIRST + APART * worlds + 2) + 1


def period_of(day: Day, which: str) -> Period:
    """Two whole days, whole days with two parts, and one with a part."""
    length = 17 * 60_000 + 123
    return {
        "whole": Period(midnight(day - 1), midnight(day + 1)),
        "parts": Period(midnight(day - 1) - length, midnight(day + 1) + length),
        "begins in the chaos": Period(midnight(day) - 4 * 60_000 - 7, midnight(day + 2)),
    }[which]
