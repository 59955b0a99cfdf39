"""A world of chaos: its workers, its cameras, and all that is said of them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from vonggac.events import Payload
from vonggac.events.causes import Cause
from vonggac.events.inventory import MaintenanceWindowV1

SECOND = 1000
MINUTE = 60 * SECOND
BEFORE, PERIOD, AFTER = 8 * MINUTE, 25 * MINUTE, 5 * MINUTE
CAUSES = (*[Cause.TIMEOUT, Cause.REFUSED, Cause.AUTH_FAILED] * 8, *Cause)
"""Any of them, three of them more often, so that neighbours agree."""
OF_THE_PICTURE = (Cause.FROZEN, Cause.BLACK)


@dataclass
class Worker:
    """`lives` in true time; everything it says is off by `skew`."""

    id: str
    skew: int
    lives: list[tuple[int, int]]
    says_since: bool = True

    def life_at(self, at: int) -> tuple[int, int] | None:
        return next((life for life in self.lives if life[0] <= at < life[1]), None)


@dataclass
class World:
    """Some cameras of one unit in one period of their own. `windows`: maintenance as it stood at last.

    `numbers`: publisher and sequence of a fact, by its identity.
    """

    number: int
    start: int
    chance: random.Random
    unit: UUID
    cameras: list[UUID] = field(default_factory=list)
    register: list[Payload] = field(default_factory=list)
    facts: list[Payload] = field(default_factory=list)
    connecting: dict[UUID, int] = field(default_factory=dict)
    """Since when new cameras are being connected: logins and pictures are wrong at first."""
    grid: int = 1
    """What begins at some time begins at a multiple of it: a coarse one makes many things happen in one millisecond."""
    numbers: dict[int, tuple[str, int]] = field(default_factory=dict)
    stored: dict[int, int] = field(default_factory=dict)
    """When NATS stored a fact, by its identity; none where it does not matter."""
    twice: tuple[int, int] | None = None
    """The clock of the bus was set back from its end to its beginning."""
    after: set[int] = field(default_factory=set)
    """The facts that were stored after that, by their identity."""
    windows: list[MaintenanceWindowV1] = field(default_factory=list)

    @property
    def period(self) -> tuple[int, int]:
        return self.start, self.start + PERIOD

    def uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def some_time(self, before: int = BEFORE, after: int = AFTER) -> int:
        return self.some_time_of(self.chance, before, after)

    def some_time_of(self, chance: random.Random, before: int = BEFORE, after: int = AFTER) -> int:
        """The same by another chance."""
        found = chance.randrange(self.start - before, self.start + PERIOD + after)
        return found - found % self.grid

    def arriving(self) -> Iterator[Payload]:
        """The facts in any order, some of them twice."""
        order = [*self.facts, *self.chance.choices(self.facts, k=len(self.facts) // 10)]
        if self.chance.random() < 0.5:
            self.chance.shuffle(order)
        else:
            late = sorted((number + self.chance.uniform(0, 90), number) for number in range(len(order)))
            order = [order[number] for _, number in late]
        return iter(order)
