"""What a run of `truth.py` found: its rows and its last line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.truth import evidence
from bench.truth.comparison import Found, Window, percentile
from bench.truth.evidence import Counted
from bench.truth.faults import KINDS
from bench.truth.judgement import misses
from bench.truth.record import Gap, Thing


@dataclass
class Result:
    """What was found; `figures` is the last line without the counts."""

    found: list[Found] = field(default_factory=list)
    blind: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By kind: seconds called unknown, of seconds in which nobody could measure."""
    known_blind: list[tuple[Window, Thing, Gap, str]] = field(default_factory=list)
    """What was called known of the time in which nobody could measure."""
    untrue: dict[str, float] = field(default_factory=dict)
    false_s: dict[str, float] = field(default_factory=dict)
    false: list[tuple[str, Thing, Gap, set[str]]] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    non_compliant_s: float = 0.0
    """Of all cameras, while nobody could make a read-back."""
    figures: dict[str, float] = field(default_factory=dict)

    def rows(self) -> list[str]:
        """A line per kind of fault."""
        heading = ("kind", "times", "outages", "missed", "late start", "late end", "wrong p99", "unknown %", "untrue s")
        lines = ["".join(f"{cell:>12}" for cell in heading)]
        for kind in KINDS:
            windows = [one for one in self.windows if one.kind == kind]
            if not windows:
                continue
            found = [one for one in self.found if one.kind == kind]
            unknown, of = self.blind.get(kind, (0.0, 0.0))
            cells: Sequence[object] = (
                len(windows),
                len(found),
                sum(one.late_start_s is None for one in found),
                _worst(found, "late_start_s"),
                _worst(found, "late_end_s"),
                round(percentile([one.wrong_s for one in found], 0.99), 2),
                round(100 * unknown / of) if of else "-",
                round(self.untrue.get(kind, 0.0), 1),
            )
            lines.append(f"{kind:>18}" + "".join(f"{cell!s:>12}" for cell in cells))
        for kind, thing, span, words in self.false:
            at = datetime.fromtimestamp(span.start, UTC).strftime("%H:%M:%S.%f")[:-3]
            called = ", ".join(sorted(words))
            lines.append(f"untrue: {' '.join(thing)} called {called} for {span.length:.1f} s from {at} UTC on, {kind}")
        for window, thing, known, state in self.known_blind:
            after_s, length_ms = known.start - window.start, 1000 * known.length
            lines.append(f"{' '.join(thing)} called {state} for {length_ms:.0f} ms, {after_s:.3f} s into {window.kind}")
        return [*lines, "", *evidence.rows(self.counted)]

    def line(self) -> dict[str, float]:
        """The last line, in the words of its readers."""
        seen = [one for one in self.found if one.late_start_s is not None]
        starts, ends = ([abs(getattr(one, f"late_{end}_s")) for one in seen] for end in ("start", "end"))
        unknown, of = (sum(one[at] for one in self.blind.values()) for at in (0, 1))
        figures = {
            "late_start_p99_s": percentile(starts, 0.99),
            "late_start_max_s": max(starts, default=0.0),
            "late_end_p99_s": percentile(ends, 0.99),
            "late_end_max_s": max(ends, default=0.0),
            "seconds_wrong_p99": percentile([one.wrong_s for one in self.found], 0.99),
            "untrue_connected_s": sum(self.untrue.values()),
            "untrue_down_s": sum(self.false_s.values()),
            **({"unknown_when_blind_pct": 100 * unknown / of} if of else {}),
            **evidence.figures(self.counted, self.non_compliant_s),
            **self.figures,
        }
        # Rounded so finely that what is judged is what is printed.
        return {
            "outages": len(self.found),
            "missed": len(self.found) - len(seen),
            **{name: round(value, 3) for name, value in figures.items()},
        }

    @property
    def misses(self) -> list[str]:
        """What is out of bounds, in words; a run without any holds."""
        return misses(self.line(), {one.kind for one in self.windows})


def _worst(found: Sequence[Found], name: str) -> object:
    values: list[float] = [getattr(one, name) for one in found if getattr(one, name) is not None]
    if not values:
        return "-"
    worst = max(values, key=_size)
    return round(worst, 2)


def _size(seconds: float) -> float:
    return abs(seconds)
