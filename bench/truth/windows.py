"""What was true of each line, by the faults that came and the media that was recorded. Pure; seconds since 1970.

A camera's line is good while it shows a picture of now; a delivery's while its centre's application receives that, and
shows it to its viewers. No proof is taken into account, and none has a validity.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.truth.record import CENTRES, Gap, Thing

TOLERANCE_S = 1.5
"""Outages are dated to this."""
EDGE_S = 0.5
"""Good for so long at an edge of a gap is right: the record is read every tenth of a second, by a busy machine."""
LEAST_COUNTED_S = 2.0
"""A gap of media of this length or more is no good time, whoever slept over it."""
LEAST_S = 5.0
"""Outages of this length or more must be found."""
ATTRIBUTED_S = 2.0
"""What begins so soon after a fault is of it."""
VERIFY_INTERVAL_S = 8.0
MAX_DELAY_S = 30
"""As in production: what comes back later is no proof."""
READ_BACK_S = 4.0
"""A read-back that succeeds takes no longer."""
PRODUCTION_INTERVAL_S = 60.0
SETTLED_S = VERIFY_INTERVAL_S + READ_BACK_S
"""From a break to the first proof after it, at most, and from the last proof before it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How exact the account of a fault must be.

    `good_start_s`, `good_end_s`: called good for at most so long at its start and end. `late_start_s`, `late_end_s`:
    what is called bad begins and ends so late or early at most. `found`: it must be called bad; else unknown is as
    right.
    """

    good_start_s: float = EDGE_S
    good_end_s: float = EDGE_S
    late_start_s: float = TOLERANCE_S
    late_end_s: float = TOLERANCE_S
    found: bool = True

    def with_other(self, other: "Rule") -> "Rule":
        """The rule of time in which both faults were."""
        return Rule(
            max(self.good_start_s, other.good_start_s),
            max(self.good_end_s, other.good_end_s),
            max(self.late_start_s, other.late_start_s),
            max(self.late_end_s, other.late_end_s),
            self.found and other.found,
        )


MEDIA = Rule()
"""Media that stops is dated by those who sent it."""
EMPTY = Rule(3.0, 3.0, 3.0, 3.0)
"""Pictures that come and show nothing."""
DEEP_INTERVAL_S = 60.0
"""From one decoded picture of a camera to the next, as in production."""
DAMAGED = Rule(3.0, 3.0, DEEP_INTERVAL_S + 3.0, 3.0)
"""They weigh as much as good ones: decoding alone shows them, and the time since the last one is unknown."""
COVERED = Rule(10.0, 10.0, 10.0, 10.0)
LOOP_S = 13
"""Of the cameras' clips: a recording repeats itself from then on, and nobody can know before."""
LOOPS = Rule(LOOP_S + 3.0, 3.0, LOOP_S + 3.0, 3.0)
UNSEEN = Rule(found=False)
"""Nobody could see it."""


def lie(interval_s: float = VERIFY_INTERVAL_S) -> Rule:
    """The rule of a centre that lies: the first read-back that fails begins it, the first that succeeds ends it."""
    most_s = interval_s + READ_BACK_S
    return Rule(late_start_s=most_s, late_end_s=most_s)


@dataclass(frozen=True, slots=True)
class Window:
    """A fault of this kind in [start, end).

    `whole`: its things are bad from start to end, whatever media came; else while media was missing. `blind`: those who
    probe did not run, and what nobody saw must be unknown. `touched`: further lines that may be unknown for its sake.
    `settled`: when all was proven again. `stepped`: when the bus's clock was set before it; from then on nothing is
    known (decision 0103), whatever breaks. `interval_s`: from read-back to read-back before it, or from one decoded
    picture to the next.
    """

    kind: str
    start: float
    end: float
    things: frozenset[Thing]
    rule: Rule = MEDIA
    whole: bool = False
    blind: bool = False
    touched: frozenset[Thing] = frozenset()
    settled: float | None = None
    interval_s: float = VERIFY_INTERVAL_S
    stepped: float | None = None

    def disturbs(self, thing: Thing) -> Gap | None:
        """When this line may be unknown for its sake: from the last proof before to the first one after."""
        if thing not in self.things and thing not in self.touched:
            return None
        most_s = self.interval_s + READ_BACK_S
        return Gap(self.start - most_s, max(self.settled or 0.0, self.end) + most_s)


@dataclass(frozen=True, slots=True)
class Bad:
    """[start, end) was bad; `parts`: where media came in between, when not."""

    kind: str
    start: float
    end: float
    rule: Rule = MEDIA
    parts: tuple[Gap, ...] = ()
    blind: bool = False

    @property
    def length(self) -> float:
        return self.end - self.start

    @property
    def untrue(self) -> list[Gap]:
        """Where nothing may be called good."""
        counted = (one for one in self.parts if one.length >= LEAST_COUNTED_S)
        trimmed = (Gap(one.start + self.rule.good_start_s, one.end - self.rule.good_end_s) for one in counted)
        return [one for one in trimmed if one.length > 0]

    @property
    def must_be_found(self) -> bool:
        return self.rule.found and not self.blind and self.length >= LEAST_S

    @property
    def excused(self) -> Gap:
        """Where it may be called bad."""
        return Gap(
            self.start - max(TOLERANCE_S, min(self.rule.good_start_s, self.rule.good_end_s)),
            self.end + max(TOLERANCE_S, self.rule.late_end_s),
        )


def bad_of(thing: Thing, gaps: Sequence[Gap], windows: Iterable[Window]) -> list[Bad]:
    """All that was bad on a line, apart from each other."""
    found: list[Bad] = []
    of = [window for window in windows if thing in window.things]
    for window in of:
        if window.whole:
            span = Gap(window.start, window.end)
            found.append(Bad(window.kind, span.start, span.end, window.rule, (span,), window.blind))
    for gap in gaps:
        cause = next((one for one in of if within(gap, one)), None)
        if thing[1] in CENTRES:
            bad = Bad("between faults", gap.start, gap.end, MEDIA, (gap,))
        elif cause is not None and not cause.whole and gap.start < cause.end:
            # Only while it is ailing: that nobody plays a camera is no outage of it.
            bad = Bad(cause.kind, gap.start, gap.end, MEDIA, (gap,))
        else:
            continue
        if cause is not None:
            bad = replace(bad, kind=cause.kind, rule=cause.rule, blind=cause.blind)
        if gap.length >= LEAST_COUNTED_S or thing[1] in CENTRES:
            found.append(bad)
    return merged(found, within_s=TOLERANCE_S if thing[1] in CENTRES else 0.0)


def merged(bad: Iterable[Bad], *, within_s: float) -> list[Bad]:
    """Bad stretches no more than `within_s` apart, as one: media for less than that ends no outage of a centre."""
    result: list[Bad] = []
    for one in sorted(bad, key=lambda each: each.start):
        if result and one.start <= result[-1].end + within_s:
            last = result[-1]
            result[-1] = Bad(
                last.kind if last.length >= one.length else one.kind,
                last.start,
                max(last.end, one.end),
                last.rule.with_other(one.rule),
                (*last.parts, *one.parts),
                last.blind or one.blind,
            )
        else:
            result.append(one)
    return result


def within(gap: Gap, window: Window) -> bool:
    """Whether it began in the window, or soon after."""
    return window.start - ATTRIBUTED_S <= gap.start < window.end + ATTRIBUTED_S
