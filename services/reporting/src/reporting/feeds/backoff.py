"""When a message is tried again: after seconds at first, after hours later, and never for ever."""

import random
from datetime import timedelta

DELAYS_S = (5, 30, 120, 600, 1800, 7200, 18_000, 36_000, 50_400)
"""After the first, second, … failed attempt; 32 hours in all, as Standard Webhooks advises."""
MOST_ASKED_S = 3600
"""A receiver that asks to wait longer is asked again after that."""


def next_delay(failed: int, asked_s: float | None = None, draw: float | None = None) -> timedelta | None:
    """Compute the wait after so many failed attempts; None: given up.

    `asked_s`: what the receiver asked for (Retry-After). `draw` in [0, 1): its random part, up to a fifth, so that
    messages that failed together do not come again together.
    """
    if failed > len(DELAYS_S):
        return None
    spread = random.random() if draw is None else draw  # noqa: S311 - spreads load, guards nothing
    delay_s = DELAYS_S[failed - 1] * (1 + spread / 5)
    return timedelta(seconds=max(delay_s, min(asked_s or 0, MOST_ASKED_S)))
