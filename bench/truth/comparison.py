"""Reporting's seconds against the truth: pure. Times are seconds since 1970."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.truth.record import Gap, Thing
from bench.truth.windows import EDGE_S, MEDIA, SETTLED_S, TOLERANCE_S, Bad, Rule, Window

NEAR_S = 4.0
"""An outage is found where what was reported touches it, or begins so soon after its beginning."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was reported of [start, end): `good`, `bad` or `unknown`."""

    start: float
    end: float
    verdict: str
    words: str = ""
    """Its state and cause, for a person who searches for the reason of an error."""


@dataclass(frozen=True, slots=True)
class Found:
    """One true outage, and how it was reported; None where it was not."""

    kind: str
    thing: Thing
    truth: Gap
    late_start_s: float | None
    late_end_s: float | None
    wrong_s: float
    """Seconds of it that are not called bad, and of good time that are."""
    rule: Rule = MEDIA

    @property
    def beyond_s(self) -> float:
        """How much later or earlier than its rule allows it was found to begin or to end."""
        if self.late_start_s is None or self.late_end_s is None:
            return 0.0
        return max(0.0, abs(self.late_start_s) - self.rule.late_start_s, abs(self.late_end_s) - self.rule.late_end_s)


def compare(thing: Thing, truth: Bad, reported: Sequence[Stretch]) -> Found:
    """How the one outage `truth` was reported. Of the media amid it that came, good is right."""
    spans = union((one for one in reported if one.verdict == "bad"), within_s=TOLERANCE_S)
    touching = [one for one in spans if one.start < truth.end and one.end > truth.start]
    if not touching:
        touching = [one for one in spans if one.start < truth.end + NEAR_S and one.end > truth.start - NEAR_S][:1]
    outage = Gap(truth.start, truth.end)
    if not touching:
        return Found(truth.kind, thing, outage, None, None, truth.length, truth.rule)
    first, last = touching[0], touching[-1]
    wrong_s = abs(first.start - truth.start) + abs(last.end - truth.end)
    for one, two in pairwise(touching):
        wrong_s += sum(max(0.0, min(gap.end, two.start) - max(gap.start, one.end)) for gap in truth.parts)
    return Found(truth.kind, thing, outage, first.start - truth.start, last.end - truth.end, wrong_s, truth.rule)


def beside(
    reported: Sequence[Stretch], gap: Gap | Bad, others: Iterable[Gap | Bad], *, within_s: float = TOLERANCE_S
) -> list[Stretch]:
    """What was reported between the outages before and after this one, however short: a centre that flaps has many.

    `within_s`: media for less than that ends no outage of this line.

    What was called bad for up to the tolerance after the neighbour before, or goes on in the one after, and good beside
    this one, is the neighbour's.
    """
    neighbours = union(others, within_s=within_s)
    start = max((one.end for one in neighbours if one.end <= gap.start), default=-math.inf)
    end = min((one.start for one in neighbours if one.start >= gap.end), default=math.inf)
    bad = union(one for one in reported if one.verdict == "bad")
    start = max((one.end for one in bad if start < one.end <= min(start + TOLERANCE_S, gap.start)), default=start)
    end = min((one.start for one in bad if max(end - TOLERANCE_S, gap.end) <= one.start < end <= one.end), default=end)
    return [
        replace(one, start=max(one.start, start), end=min(one.end, end))
        for one in reported
        if one.start < end and one.end > start
    ]


def untrue_good(bad: Iterable[Bad], reported: Sequence[Stretch]) -> list[Stretch]:
    """What was called good while it was bad."""
    untrue = union(part for one in bad for part in one.untrue)
    return [cut for gap in untrue for one in reported if one.verdict == "good" and (cut := _cut(one, gap)) is not None]


def untrue_bad(bad: Iterable[Bad], gaps: Iterable[Gap], blind: Iterable[Gap], reported: Sequence[Stretch]) -> list[Gap]:
    """What was called bad while it was good, beyond what is allowed at the edges.

    `gaps`: all of the line, however short, also those that are no outage of it. `blind`: nobody knows what was true.
    """
    edges = (Gap(one.start - TOLERANCE_S, one.end + TOLERANCE_S) for one in (*gaps, *blind))
    excused = union([*(one.excused for one in bad), *edges])
    spans = union(one for one in reported if one.verdict == "bad")
    return [left for span in spans for left in without(span, excused) if left.length > EDGE_S]


def unknown_when_good(
    thing: Thing, gaps: Iterable[Gap], windows: Iterable[Window], reported: Sequence[Stretch], period: Gap
) -> tuple[list[Stretch], float]:
    """What was called unknown of the time in which nothing disturbed this line, and the seconds of that."""
    spans = [span for window in windows if (span := window.disturbs(thing)) is not None]
    spans += [Gap(gap.start - SETTLED_S, gap.end + SETTLED_S) for gap in gaps]
    calm = without(period, union(spans))
    unknown = [one for one in reported if one.verdict == "unknown"]
    found = [cut for gap in calm for one in unknown if (cut := _cut(one, gap)) is not None]
    return found, sum(one.length for one in calm)


def unknown_before(truth: Bad, reported: Sequence[Stretch], *, stepped: float | None = None) -> float | None:
    """Seconds from the last that was called good to this break; None where it was called bad in between.

    0 where good goes on beyond it: that is for `untrue_good`. `stepped`: as of `Window`; to there only.
    """
    before = [one for one in reported if one.start < truth.start]
    last = max((one.end for one in before if one.verdict == "good"), default=None)
    if last is None or any(one.verdict == "bad" and one.end > last for one in before):
        return None
    return max(0.0, (truth.start if stepped is None else min(stepped, truth.start)) - last)


def without(span: Gap, excused: Iterable[Gap]) -> list[Gap]:
    """What is left of a span."""
    left, start = [], span.start
    for one in sorted(excused, key=lambda each: each.start):
        if one.end <= start or one.start >= span.end:
            continue
        if one.start > start:
            left.append(Gap(start, one.start))
        start = max(start, one.end)
    return [*left, Gap(start, span.end)] if start < span.end else left


def union(stretches: Iterable[Stretch | Gap | Bad], *, within_s: float = 0.001) -> list[Gap]:
    """Stretches that are no more than `within_s` apart, as one."""
    result: list[Gap] = []
    for one in sorted(stretches, key=lambda each: each.start):
        if result and one.start <= result[-1].end + within_s:
            result[-1] = Gap(result[-1].start, max(result[-1].end, one.end))
        else:
            result.append(Gap(one.start, one.end))
    return result


def overlap_s(reported: Iterable[Stretch], verdict: str, start: float, end: float) -> float:
    """Seconds of [start, end) that were reported so."""
    return sum(max(0.0, min(one.end, end) - max(one.start, start)) for one in reported if one.verdict == verdict)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _cut(one: Stretch, gap: Gap) -> Stretch | None:
    start, end = max(one.start, gap.start), min(one.end, gap.end)
    return replace(one, start=start, end=end) if end > start else None
