"""A moment as decisions need it: the wall clock for people, the monotonic one for durations."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Instant:
    """`at` is aware UTC; `monotonic_s` counts seconds from an arbitrary zero and never steps back."""

    at: datetime
    monotonic_s: float

    def earlier(self, monotonic_s: float) -> "Instant":
        """Compute the moment at which the monotonic clock stood at `monotonic_s`."""
        return Instant(self.at - timedelta(seconds=self.monotonic_s - monotonic_s), monotonic_s)

    def after(self, delay_s: float) -> datetime:
        """Compute the wall clock's time `delay_s` from now."""
        return self.at + timedelta(seconds=delay_s)
