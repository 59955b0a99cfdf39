"""What a run of `truth.py` found: its rows and its last line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.truth.comparison import (
    Found,
    Stretch,
    beside,
    compare,
    percentile,
    unknown_before,
    unknown_when_good,
    untrue_bad,
    untrue_good,
)
from bench.truth.judgement import misses
from bench.truth.record import Gap, Thing
from bench.truth.windows import ATTRIBUTED_S, MEDIA, TOLERANCE_S, VERIFY_INTERVAL_S, Bad, Window, bad_of

CLOCK_S = 0.01
"""Workers date to the millisecond, by the server's clock, which they know to some milliseconds."""
BETWEEN = "between faults"
AROUND_S = 20.0
"""Before and after an outage, of what is printed of one that was not found well."""
CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class Error:
    """Seconds of a line that were called what they were not."""

    kind: str
    thing: Thing
    span: Gap
    called: str
    words: str

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.span.start, UTC).strftime("%H:%M:%S.%f")[:-3]
        said = f" ({self.words})" if self.words else ""
        line = " ".join(self.thing)
        return f"untrue: {line} called {self.called}{said} for {self.span.length:.3f} s from {at} UTC on, {self.kind}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what was recorded of it, what reporting accounts, and the states that were reported at the time."""

    thing: Thing
    gaps: Sequence[Gap]
    reported: Sequence[Stretch]
    words: Sequence[Stretch] = ()

    def words_of(self, span: Gap) -> str:
        said = (one.words for one in self.words if one.start < span.end and one.end > span.start)
        return ", ".join(dict.fromkeys(said))


@dataclass
class Result:
    """What was found; `figures` is of the last line what others have measured."""

    windows: list[Window] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    untrue: list[Error] = field(default_factory=list)
    """Called good of bad time."""
    accused: list[Error] = field(default_factory=list)
    """Called bad of good time."""
    known: list[Error] = field(default_factory=list)
    """Called known of the time in which nobody could measure."""
    blind_s: float = 0.0
    unknown_before: list[tuple[Window, float]] = field(default_factory=list)
    """Of each break of a delivery: from the last that was called connected."""
    unknown: list[Error] = field(default_factory=list)
    """Called unknown of `calm_s`, in which nothing disturbed the line."""
    calm_s: float = 0.0
    explained: list[str] = field(default_factory=list)
    """What was reported of each outage that was missed, or begun or ended beyond its rule."""
    figures: dict[str, float] = field(default_factory=dict)

    def add(self, line: Line, period: Gap, blind: Sequence[Gap] = ()) -> None:
        """Compare one line. `blind`: nobody knows what was true."""
        thing, reported = line.thing, line.reported
        gaps = [gap for gap in line.gaps if gap.end > period.start and gap.start < period.end]
        bad = bad_of(thing, gaps, self.windows)
        for one in bad:
            if one.must_be_found:
                others = [other for other in bad if other is not one]
                within_s = 0.0 if thing[1] == CAMERA else TOLERANCE_S
                found = compare(thing, one, beside(reported, one, [*gaps, *others], within_s=within_s))
                self.found.append(found)
                if found.late_start_s is None or found.beyond_s > 0:
                    self.explained.append(_explain(found, reported))
        for stretch in untrue_good(bad, reported):
            self.untrue.append(self._error(line, Gap(stretch.start, stretch.end), "good", bad))
        for span in untrue_bad(bad, gaps, blind, reported):
            self.accused.append(self._error(line, span, "bad", bad))
        self._add_blind(line)
        if thing[1] != CAMERA:
            self._add_unknown_before(thing, bad, reported)
        unknown, calm_s = unknown_when_good(thing, [*gaps, *blind], self.windows, reported, period)
        self.unknown += [self._error(line, Gap(one.start, one.end), "unknown", ()) for one in unknown]
        self.calm_s += calm_s

    def _error(self, line: Line, span: Gap, called: str, bad: Iterable[Bad]) -> Error:
        near = (one.kind for one in bad if one.start - ATTRIBUTED_S < span.end and span.start < one.end + ATTRIBUTED_S)
        return Error(next(near, self._kind_at(span)), line.thing, span, called, line.words_of(span))

    def _kind_at(self, span: Gap) -> str:
        for one in self.windows:
            if one.start - ATTRIBUTED_S < span.end and span.start < max(one.end, one.settled or 0.0) + ATTRIBUTED_S:
                return one.kind if one.start < span.end and span.start < one.end else f"after {one.kind}"
        return BETWEEN

    def _add_blind(self, line: Line) -> None:
        for window in self.windows:
            if not window.blind or line.thing not in window.things:
                continue
            start, end = window.start + CLOCK_S, window.end - CLOCK_S
            self.blind_s += end - start
            for one in line.reported:
                span = Gap(max(one.start, start), min(one.end, end))
                if one.verdict != "unknown" and span.length > 0:
                    self.known.append(Error(window.kind, line.thing, span, one.verdict, line.words_of(span)))

    def _add_unknown_before(self, thing: Thing, bad: Sequence[Bad], reported: Sequence[Stretch]) -> None:
        """Of the first break in each window: before it, all was proven."""
        for window in self.windows:
            if thing not in window.things or ":" in window.kind:
                continue
            first = next((one for one in bad if window.start - ATTRIBUTED_S <= one.start < window.end), None)
            before_s = unknown_before(first, reported, stepped=window.stepped) if first is not None else None
            if before_s is not None:
                self.unknown_before.append((window, before_s))

    def rows(self) -> list[str]:
        """A line per kind of fault, then each error."""
        heading = (
            "times",
            "outages",
            "missed",
            "late start",
            "late end",
            "untrue good",
            "untrue bad",
            "unknown before",
        )
        width = max((len(one.kind) for one in self.windows), default=4) + 2
        lines = [f"{'kind':>{width}}" + "".join(f"{cell:>15}" for cell in heading)]
        for kind in sorted({one.kind for one in self.windows} | {one.kind for one in (*self.untrue, *self.accused)}):
            found = [one for one in self.found if one.kind == kind]
            before = [seconds for window, seconds in self.unknown_before if window.kind == kind]
            cells: Sequence[object] = (
                len({one.start for one in self.windows if one.kind == kind}),
                len(found),
                sum(one.late_start_s is None for one in found),
                _worst(one.late_start_s for one in found),
                _worst(one.late_end_s for one in found),
                round(_sum(one for one in self.untrue if one.kind == kind), 1),
                round(_sum(one for one in self.accused if one.kind == kind), 1),
                round(max(before), 1) if before else "-",
            )
            lines.append(f"{kind:>{width}}" + "".join(f"{cell!s:>15}" for cell in cells))
        return [*lines, "", *self.explained, *map(str, (*self.untrue, *self.accused, *self.known, *self.unknown))]

    def line(self) -> dict[str, float]:
        """The last line, in the words of its readers."""
        seen = [one for one in self.found if one.late_start_s is not None]
        dated = [one for one in seen if one.rule == MEDIA]
        starts, ends = ([abs(getattr(one, f"late_{end}_s")) for one in dated] for end in ("start", "end"))
        wrong = [one.wrong_s for one in self.found if one.rule == MEDIA]
        known_s = _sum(self.known)
        figures = {
            "late_start_p99_s": percentile(starts, 0.99),
            "late_start_max_s": max(starts, default=0.0),
            "late_end_p99_s": percentile(ends, 0.99),
            "late_end_max_s": max(ends, default=0.0),
            "seconds_wrong_p99": percentile(wrong, 0.99),
            "late_beyond_max_s": max((one.beyond_s for one in seen if one.rule != MEDIA), default=0.0),
            "untrue_connected_s": _sum(one for one in self.untrue if one.thing[1] != CAMERA),
            "untrue_up_s": _sum(one for one in self.untrue if one.thing[1] == CAMERA),
            "untrue_down_s": _sum(self.accused),
            "calm_s": self.calm_s,
            "unknown_good_pct": 100 * _sum(self.unknown) / self.calm_s if self.calm_s else 0.0,
            **self._unknown_before_figures(),
            **({"unknown_when_blind_pct": 100 * (1 - known_s / self.blind_s)} if self.blind_s else {}),
            **self.figures,
        }
        # Rounded so finely that what is judged is what is printed.
        return {
            "outages": len(self.found),
            "missed": len(self.found) - len(seen),
            **{name: round(value, 3) for name, value in figures.items()},
        }

    def _unknown_before_figures(self) -> Mapping[str, float]:
        usual = [seconds for window, seconds in self.unknown_before if window.interval_s == VERIFY_INTERVAL_S]
        rare = [seconds for window, seconds in self.unknown_before if window.interval_s != VERIFY_INTERVAL_S]
        figures = {"unknown_before_break_max_s": max(usual, default=0.0)}
        return figures | ({"unknown_before_break_a_minute_max_s": max(rare)} if rare else {})

    @property
    def misses(self) -> list[str]:
        """What is out of bounds, in words; a run without any holds."""
        return misses(self.line(), {one.kind for one in self.windows})


def _sum(errors: Iterable[Error]) -> float:
    return sum(one.span.length for one in errors)


def _explain(found: Found, reported: Iterable[Stretch]) -> str:
    """In seconds since the outage began."""
    begins, ends = found.truth.start, found.truth.end
    near = [one for one in reported if one.end > begins - AROUND_S and one.start < ends + AROUND_S]
    parts = (f"{one.verdict} {one.start - begins:.1f} to {one.end - begins:.1f}" for one in near)
    name = "missed" if found.late_start_s is None else "late"
    return f"{name}: {' '.join(found.thing)}, {found.kind} for {ends - begins:.1f} s: {', '.join(parts)}"


def _worst(values: Iterable[float | None]) -> object:
    found = sorted((abs(value), value) for value in values if value is not None)
    return round(found[-1][1], 2) if found else "-"
