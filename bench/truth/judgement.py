"""Whether a run of `truth.py` holds: a bound for each figure of its last line. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bench.truth.windows import PRODUCTION_INTERVAL_S, READ_BACK_S, SETTLED_S, TOLERANCE_S

MOST_RECORD_BLIND_S = 15.0
"""Together. While the simulator does not answer there is no truth to compare with: more, and a run fails."""
MOST_RECONNECTS_PER_MIN = 18.0
"""In the first minute of a flapping centre. The back-off (0.5 s, doubling to 30 s, at random) makes 8 in the middle and
hardly ever 16; one that is talked down makes more than 30."""
MOST_GROWTH_MB = 256.0
MOST_UNKNOWN_PCT = 0.5
A_MINUTE = ("read-back a minute", "damaged keyframes")
BLIND = ("forwarders asleep", "prober asleep", "everything killed")
NO_OUTAGE = frozenset(
    {
        *BLIND,
        "prober stopped",
        "forwarder killed",
        "NATS amnesia",
        "late by 20 s",
        "bus clock fast",
        "bus clock slow",
    }
)
"""Kinds of which nothing must be found: nobody can see it, or it is no outage."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure may be. `of`: it is measured only when one of these kinds of faults comes."""

    name: str
    least: float | None = None
    most: float | None = None
    of: tuple[str, ...] = ()

    def missed_by(self, line: Mapping[str, float]) -> str | None:
        """In words; None where it holds."""
        value = line.get(self.name)
        if value is None:
            return f"{self.name} was not measured"
        if self.least is not None and not value >= self.least:
            return f"{self.name} is {value}; it must be at least {self.least:g}"
        if self.most is not None and not value <= self.most:
            return f"{self.name} is {value}; it must be at most {self.most:g}"
        return None


BOUNDS = (
    Bound("missed", most=0),
    Bound("late_start_p99_s", most=TOLERANCE_S),
    Bound("late_end_p99_s", most=TOLERANCE_S),
    Bound("seconds_wrong_p99", most=2 * TOLERANCE_S),
    # Empty pictures and centres that lie: nothing beyond the seconds that are stated for each kind.
    Bound("late_beyond_max_s", most=0),
    Bound("untrue_connected_s", most=0),
    Bound("untrue_up_s", most=0),
    Bound("untrue_down_s", most=0),
    Bound("calm_s", least=1),
    Bound("unknown_good_pct", most=MOST_UNKNOWN_PCT),
    Bound("unknown_before_break_max_s", most=SETTLED_S),
    Bound("unknown_before_break_a_minute_max_s", most=PRODUCTION_INTERVAL_S + READ_BACK_S, of=A_MINUTE),
    Bound("unknown_when_blind_pct", least=100, of=BLIND),
    Bound("non_compliant_when_unproven_s", most=0, of=("prober stopped",)),
    Bound("amnesia_lost", most=0),
    Bound("jobs_lost", most=0),
    Bound("record_blind_s", most=MOST_RECORD_BLIND_S),
    Bound("reconnects_per_min_flapping", most=MOST_RECONNECTS_PER_MIN, of=("centre flapping",)),
    Bound("rss_growth_mb_black_hole", most=MOST_GROWTH_MB, of=("centre black hole",)),
)


def misses(line: Mapping[str, float], kinds: Collection[str]) -> list[str]:
    """What of a run's last line is out of bounds, in words. `kinds`: the faults that came."""
    bounds = [bound for bound in BOUNDS if not bound.of or {*bound.of} & {*kinds}]
    if any(kind not in NO_OUTAGE and ":" not in kind for kind in kinds):
        bounds.insert(0, Bound("outages", least=1))
    return [missed for bound in bounds if (missed := bound.missed_by(line)) is not None]
