"""Reporting's seconds against the truth: pure. Times are seconds since 1970."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bench.truth.record import Gap

LEAST_S = 5.0
"""Outages of this length or more must be found, and dated to TOLERANCE_S."""
TOLERANCE_S = 1.5
NEAR_S = 4.0
"""An outage is found where what was reported touches it, or begins so soon after its beginning."""
ATTRIBUTED_S = 2.0
"""What begins so soon after a fault is of it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was reported of [start, end): `good`, `bad` or `unknown`."""

    start: float
    end: float
    verdict: str
    words: str = ""
    """Its state and cause, for a person who searches for the reason of an error."""


@dataclass(frozen=True, slots=True)
class Window:
    """A fault of this kind in [start, end); `blind`: those who probe slept, what nobody saw must be unknown.

    `proven_again`: when every delivery had a proof again, where read-backs were what failed.
    """

    kind: str
    start: float
    end: float
    things: frozenset[tuple[str, str]]
    blind: bool = False
    proven_again: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One true outage, and how it was reported; None where it was not."""

    kind: str
    thing: tuple[str, str]
    truth: Gap
    late_start_s: float | None
    late_end_s: float | None
    wrong_s: float
    reported: tuple[Stretch, ...] = ()
    """All that was reported around it, where it is wrong by more than the tolerance."""


def compare(
    kind: str, thing: tuple[str, str], truth: Gap, reported: Sequence[Stretch], *, blind: bool, gaps: Sequence[Gap] = ()
) -> Found:
    """The one outage `truth`. While everybody who probes sleeps, unknown is as right as bad.

    `gaps`: those of the line, where `truth` joins several; what was called good of the media amid them is right.
    """
    wanted = ("bad", "unknown") if blind else ("bad",)
    spans = union((one for one in reported if one.verdict in wanted), within_s=TOLERANCE_S)
    touching = [one for one in spans if one.start < truth.end and one.end > truth.start]
    if not touching:
        touching = [one for one in spans if one.start < truth.end + NEAR_S and one.end > truth.start - NEAR_S][:1]
    if not touching:
        return Found(kind, thing, truth, None, None, truth.length)
    first, last = touching[0], touching[-1]
    wrong = abs(first.start - truth.start) + abs(last.end - truth.end)
    for one, two in pairwise(touching):
        wrong += sum(max(0.0, min(gap.end, two.start) - max(gap.start, one.end)) for gap in gaps or [truth])
    late_start_s, late_end_s = first.start - truth.start, last.end - truth.end
    shown: tuple[Stretch, ...] = ()
    if max(abs(late_start_s), abs(late_end_s), wrong / 2) > TOLERANCE_S:
        shown = tuple(one for one in reported if one.start < last.end + NEAR_S and one.end > first.start - NEAR_S)
    return Found(kind, thing, truth, late_start_s, late_end_s, wrong, shown)


def beside(reported: Sequence[Stretch], gap: Gap, gaps: Iterable[Gap]) -> list[Stretch]:
    """What was reported between the gaps before and after this one, however short: a centre that flaps has many.

    What was called bad for up to the tolerance after the neighbour before, or goes on in the one after, and good beside
    this one, is the neighbour's.
    """
    others = union(gaps, within_s=TOLERANCE_S)
    start = max((one.end for one in others if one.end <= gap.start), default=-math.inf)
    end = min((one.start for one in others if one.start >= gap.end), default=math.inf)
    bad = union(one for one in reported if one.verdict == "bad")
    start = max((one.end for one in bad if start < one.end <= min(start + TOLERANCE_S, gap.start)), default=start)
    end = min((one.start for one in bad if max(end - TOLERANCE_S, gap.end) <= one.start < end <= one.end), default=end)
    return [
        replace(one, start=max(one.start, start), end=min(one.end, end))
        for one in reported
        if one.start < end and one.end > start
    ]


def outages_in(window: Window, thing: tuple[str, str], gaps: Iterable[Gap]) -> list[Gap]:
    """The outages that a fault made, by the gaps of a line of media.

    At a centre that flaps, media for less than the tolerance ends no outage. A camera that gave a prober its picture is
    there; that nobody asks it for more, while a forwarder waits to try again, is no outage of the camera.
    """
    if thing[1] == "camera":
        return [gap for gap in gaps if gap.length >= LEAST_S and within(gap, window) and gap.start < window.end]
    return [gap for gap in union(gaps, within_s=TOLERANCE_S) if gap.length >= LEAST_S and within(gap, window)]


def within(gap: Gap, window: Window) -> bool:
    """Whether it began in the window, or soon after."""
    return window.start - ATTRIBUTED_S <= gap.start < window.end + ATTRIBUTED_S


def union(stretches: Iterable[Stretch | Gap], *, within_s: float = 0.001) -> list[Gap]:
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


def untrue_connected_s(truth: Iterable[Gap], reported: Sequence[Stretch]) -> float:
    """Seconds called connected in which the centre received nothing, beyond the tolerance at both ends."""
    return sum(
        overlap_s(reported, "good", gap.start + TOLERANCE_S, gap.end - TOLERANCE_S)
        for gap in truth
        if gap.length > 2 * TOLERANCE_S
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
