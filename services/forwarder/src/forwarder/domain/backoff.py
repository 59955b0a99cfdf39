"""When to try again: exponential with full jitter, never given up.

Full jitter (the whole interval is random) keeps the deliveries of two hundred cameras from coming back to a restarted
centre in the same millisecond.
"""

FIRST_CEILING_S = 0.5
LAST_CEILING_S = 30.0
_DOUBLINGS = 6
OLDER_PUBLISHER_S = 2.5
"""The longest wait while a destination refuses us because of an older publisher."""
OLDER_PUBLISHER_LASTS_S = 300.0
"""So long it may be a session that is gone and that the destination has not given up; then somebody else publishes."""
EARLY_EVERY_S = 30.0
"""A reachability check brings one attempt forward in so long. An endpoint that comes and goes all the time is tried by
the back-off, and hardly more often."""


def ceiling_s(failures: int) -> float:
    """Compute the longest wait after `failures` (1 or more) failures in a row: 0.5 s, doubling up to 30 s."""
    return min(LAST_CEILING_S, FIRST_CEILING_S * 2.0 ** min(max(failures, 1) - 1, _DOUBLINGS))


def delay_s(failures: int, chance: float) -> float:
    """Compute the wait after `failures` failures in a row; `chance` is random in [0, 1)."""
    return ceiling_s(failures) * chance


def early_in_s(last_early_s: float, now_s: float) -> float:
    """How long a reachability check must wait until it may bring an attempt forward; monotonic seconds.

    `last_early_s`: when one was brought forward last, `-inf` for never.
    """
    return max(0.0, last_early_s + EARLY_EVERY_S - now_s)


def older_publisher_delay_s(chance: float) -> float:
    """Compute the wait after a refusal because of an older publisher, which may be gone at any moment."""
    return OLDER_PUBLISHER_S * (0.2 + 0.8 * chance)
