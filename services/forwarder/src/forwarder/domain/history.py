"""What is known of a delivery from before: by an earlier session, or by an earlier holder of its camera."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Past:
    """Facts that no new beginning makes untrue; `delay_s` is that of the read-back at `verified_at`."""

    last_success_at: datetime | None = None
    verified_at: datetime | None = None
    delay_s: float | None = None


NOTHING_BEFORE = Past()
