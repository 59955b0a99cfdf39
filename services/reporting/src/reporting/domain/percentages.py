"""Three percentages out of good, bad and unknown time, so that nobody has to guess what was done with the unknown."""

from decimal import Decimal
from math import floor
from typing import NamedTuple

from reporting.domain.instants import Millis


class Percentages(NamedTuple):
    """Unrounded, 0 to 100. None where there is no time to divide by.

    `measured` leaves unknown out (its `coverage` says how much was measured), `strict` counts unknown as bad,
    `lenient` as good. Maintenance is in none of them.
    """

    measured_percent: float | None
    strict_percent: float | None
    lenient_percent: float | None
    coverage_percent: float | None


def percentages(good: Millis, bad: Millis, unknown: Millis) -> Percentages:
    """From lengths of time that do not overlap."""
    measured, total = good + bad, good + bad + unknown
    return Percentages(
        measured_percent=_percent(good, measured),
        strict_percent=_percent(good, total),
        lenient_percent=_percent(good + unknown, total),
        coverage_percent=_percent(measured, total),
    )


class Budget(NamedTuple):
    """What a target leaves: `allowed_ms` may be bad, `used_ms` was; what is unknown is not used."""

    target_percent: Decimal
    allowed_ms: Millis
    used_ms: Millis

    @property
    def remaining_ms(self) -> Millis:
        """Below zero when the target is missed."""
        return self.allowed_ms - self.used_ms


def budget(target_percent: Decimal, good: Millis, bad: Millis, unknown: Millis) -> Budget:
    """Compute the budget, its allowance cut to the millisecond."""
    return Budget(target_percent, int((good + bad + unknown) * (100 - target_percent) / 100), bad)


TO_HUNDREDTHS = 100.0 * (1 + 2**-51)
"""A hair more than 100: a share of which exactly half a hundredth is left, such as 1.005, lies below it as a float."""


def rounded(percent: float | None) -> str | None:
    """Two places, half up, as the forms print it: 96.875 is "96.88", and 1.005 is "1.01"."""
    if percent is None:
        return None
    whole, hundredths = divmod(floor(percent * TO_HUNDREDTHS + 0.5), 100)
    return f"{whole}.{hundredths:02d}"


def _percent(part: Millis, whole: Millis) -> float | None:
    return 100 * part / whole if whole else None
