"""What was measured, read from the rows of docs/benchmarks.md: a figure that is measured again changes every sum."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"


class NoFigureError(ValueError):
    """A row of the page is gone, or its "latest" is worded otherwise; the message says which."""


@dataclass(frozen=True, slots=True)
class Range:
    """From the least to the most that was measured; equal where there is one figure."""

    least: float
    most: float

    def times(self, factor: float) -> "Range":
        """Both ends multiplied."""
        return Range(self.least * factor, self.most * factor)

    def plus(self, other: "Range") -> "Range":
        """The sum of both."""
        return Range(self.least + other.least, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that sums are made of. Times of CPU are of one core."""

    relay_ms: Range
    """CPU of a stream-second: one pull of 2 Mbit/s, two deliveries."""
    camera_mb: Range
    """Memory of a relayed camera."""
    camera_tls_mb: Range
    """The same with both destinations under TLS."""
    forwarder_mb: Range
    """Memory of a forwarder process without cameras."""
    deep_probe_ms: Range
    """CPU of a probe with a decoded picture."""
    read_back_ms: Range
    """CPU of a delivery read back."""
    proof_s: Range
    """Time of a read-back until its verdict; both deliveries of a camera are read back side by side."""
    renewals_leader_cores: Range
    renewals_follower_cores: Range
    renewals_forwarder_cores: Range
    """CPU of 20,000 jobs kept in progress: at NATS' leader, at each other node, at the forwarders together."""
    ingest_per_s: Range
    """Observations that reporting takes a second, on one core."""


RENEWED_CAMERAS = 20_000


def read(page: str) -> Measured:
    """The figures of a page. Raises NoFigureError."""
    grown = _row(page, "the same, of the 100 streams above")
    together = _figure(grown, rf"Process and cameras together: ({_NUMBER}) MB")
    each = _figure(grown, rf"({_NUMBER}) MB against")
    jobs = _row(page, "20,000 jobs kept in progress")
    verified = _row(page, "one delivery read back and compared")
    return Measured(
        relay_ms=_figure(_row(page, "relay, RTSP to two RTSP destinations, 150 streams"), rf"({_NUMBER}) ms"),
        camera_mb=_span(_figure(_row(page, "memory per relayed camera |"), rf"({_NUMBER}) MB"), each),
        camera_tls_mb=_figure(_row(page, "memory per relayed camera, both destinations under TLS"), rf"({_NUMBER}) MB"),
        forwarder_mb=together.plus(each.times(-100)),
        deep_probe_ms=_all(_row(page, "deep probe, one decoded 1080p keyframe")),
        read_back_ms=_figure(verified, rf"({_NUMBER}) ms CPU"),
        proof_s=_figure(verified, rf"({_NUMBER}) s until the verdict"),
        renewals_leader_cores=_figure(jobs, rf"({_NUMBER}) of a core at the leader"),
        renewals_follower_cores=_figure(jobs, rf"({_NUMBER}) at each other node"),
        renewals_forwarder_cores=_figure(jobs, rf"({_NUMBER}) at the client"),
        ingest_per_s=_all(_row(page, "reporting ingest")),
    )


@cache
def latest() -> Measured:
    """Those of docs/benchmarks.md. Raises NoFigureError."""
    return read(PAGE.read_text("utf-8"))


def _row(page: str, begins: str) -> str:
    """The "latest" of the first row that begins so."""
    for line in page.splitlines():
        if line.startswith(f"| {begins}"):
            return line.split(" | ")[2]
    msg = f"docs/benchmarks.md has no row that begins with {begins!r}"
    raise NoFigureError(msg)


def _figure(latest: str, pattern: str) -> Range:
    """The first figure that stands so, or the range of which it is the end: `0.30–0.31 MB`."""
    found = re.search(pattern.replace("(", rf"(?:({_NUMBER})–)?(", 1), latest.replace("*", ""))
    if found is None:
        msg = f"docs/benchmarks.md: no {pattern!r} in {latest!r}"
        raise NoFigureError(msg)
    return Range(_number(found[1] or found[2]), _number(found[2]))


def _all(latest: str) -> Range:
    """The least and the most of all figures."""
    found = [_number(text) for text in re.findall(_NUMBER, latest.replace("*", ""))]
    if not found:
        msg = f"docs/benchmarks.md: no figure in {latest!r}"
        raise NoFigureError(msg)
    return Range(min(found), max(found))


def _span(one: Range, other: Range) -> Range:
    return Range(min(one.least, other.least), max(one.most, other.most))


def _number(text: str) -> float:
    return float(text.replace(",", ""))
