"""Seconds of a delivery by the report against what its centre received, where the evidence is what fails. Pure.

Reporting counts a delivery as connected, not connected or unknown by the evidence that its destination demands: a
picture read back from it. Who can read nothing back accuses nobody; what was tried and failed is not connected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from bench.truth.comparison import TOLERANCE_S
from bench.truth.record import Gap, Thing

type Evidence = Literal["", "none", "refused"]
"""Of a window: read-backs go on, nobody can make one, or the centre refuses each."""

VERIFY_INTERVAL_S = 8.0
PROOF_LASTS_S = 3 * (VERIFY_INTERVAL_S + 4.0)
"""A match holds for three intervals and read-backs of at most so long; then a delivery needs a new one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One delivery in one window: what reporting counted, and how much of it its centre received nothing."""

    kind: str
    thing: Thing
    gap_s: float
    edges: int
    connected_s: float
    not_connected_s: float
    unknown_s: float

    @property
    def slack_s(self) -> float:
        return self.edges * TOLERANCE_S

    @property
    def accused_s(self) -> float:
        """Not connected by the report, though media came."""
        return max(0.0, self.not_connected_s - self.gap_s - self.slack_s)

    @property
    def connected_too_long_s(self) -> float:
        """Connected for longer than the last proof can have held, though every read-back was refused."""
        return max(0.0, self.connected_s - PROOF_LASTS_S - VERIFY_INTERVAL_S)

    @property
    def unjudged_s(self) -> float:
        """Unknown, though read-backs were tried."""
        return max(0.0, self.unknown_s - self.slack_s - TOLERANCE_S)


def within_window(gaps: Iterable[Gap], start: float, end: float) -> tuple[float, int]:
    """Seconds of gaps in [start, end), and how many of their ends lie in it."""
    inside = [gap for gap in gaps if gap.end > start and gap.start < end]
    length = sum(min(gap.end, end) - max(gap.start, start) for gap in inside)
    return length, sum((start <= gap.start) + (gap.end <= end) for gap in inside)


def figures(counted: Iterable[Counted], non_compliant_s: float) -> dict[str, float]:
    """Of the last line. `non_compliant_s`: of all cameras, while nobody could make a read-back."""
    found = list(counted)
    unproven = [one for one in found if one.kind == "prober stopped"]
    refused = [one for one in found if one.kind == "read-back refused"]
    result: dict[str, float] = {}
    if unproven:
        result["not_connected_when_unproven_s"] = sum(one.accused_s for one in unproven)
        result["non_compliant_when_unproven_s"] = non_compliant_s
        result["unknown_when_unproven_s"] = sum(one.unknown_s for one in unproven)
    if refused:
        result["not_connected_when_refused_s"] = sum(one.not_connected_s for one in refused)
        result["unknown_when_refused_s"] = sum(one.unjudged_s for one in refused)
        result["connected_too_long_when_refused_s"] = sum(one.connected_too_long_s for one in refused)
    return result


def rows(counted: Iterable[Counted]) -> list[str]:
    """A line per kind: what was received, and what of it reporting called connected."""
    found = list(counted)
    heading = ("kind", "deliveries", "received s", "missing s", "connected", "not connected", "unknown")
    lines = [f"{heading[0]:>18}" + "".join(f"{cell:>15}" for cell in heading[1:])]
    for kind in dict.fromkeys(one.kind for one in found):
        of = [one for one in found if one.kind == kind]
        gap_s, connected_s = sum(one.gap_s for one in of), sum(one.connected_s for one in of)
        not_connected_s, unknown_s = sum(one.not_connected_s for one in of), sum(one.unknown_s for one in of)
        received_s = connected_s + not_connected_s + unknown_s - gap_s
        cells = (len(of), *(round(one, 1) for one in (received_s, gap_s, connected_s, not_connected_s, unknown_s)))
        lines.append(f"{kind:>18}" + "".join(f"{cell!s:>15}" for cell in cells))
    return lines
