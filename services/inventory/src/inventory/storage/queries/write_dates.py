"""When a write is: by the NATS server's clock, never before that was measured, never before what is on record."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.storage.queries.clocks import set_recorded_now
from vonggac.bus.clock import SteadyInstant, steady_now
from vonggac.http import ProblemError

RETRY_AFTER_S = 5
_NOW = text(
    "select greatest(cast(:now as timestamptz), max(changed_at) + interval '1 microsecond') from changes "
    "where changed_at < cast(:now as timestamptz) + interval '1 day'"
)
"""No two writes have one instant, and none an earlier one than the write before: a clock that is minutes slow, or was
fast, moves no change before another. What is a day ahead was dated by a clock that was never right."""


class WriteDate(NamedTuple):
    """The instant of a write, and what the machine's steady clock showed at it."""

    at: datetime
    steady: SteadyInstant | None


class WriteDates:
    """Dates writes. `now`: aware UTC, the server's; `measured`: whether it is known yet in this process."""

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), measured: Callable[[], bool] = lambda: True
    ) -> None:
        self.now, self.measured = now, measured

    def check(self) -> None:
        """Raise ProblemError 503 while the clock is not known: this machine's own may be minutes off."""
        if self.measured():
            return
        msg = (
            "the clock of NATS is not measured yet since this service started, so no change can be dated; nothing was "
            "changed, try again shortly, and check that NATS runs if it lasts"
        )
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "clock_not_measured", msg, headers=headers)

    async def date_write(self, session: AsyncSession) -> WriteDate:
        """Date this write later than every one before it: the triggers of the history read the instant too."""
        steady = steady_now()
        now: datetime = (await session.execute(_NOW, {"now": self.now()})).scalar_one()
        await set_recorded_now(session, now)
        return WriteDate(now, steady)
