"""Places of their own for cameras that do not answer, so that a dark site takes none from the others.

A probe of a camera that hangs costs next to nothing but its place, for ten seconds. So places come in two sorts, each
bounded: those of cameras that are expected to answer, and those of silent ones. Silent is a camera whose last probe
failed slowly, every camera of a site that has gone dark, and every probe that has lasted longer than probes last.
"""

import time
from collections import Counter
from collections.abc import Callable
from uuid import UUID

from prober.domain.schedule import PreviousProbe
from vonggac.events.prober import Verdict

SLOW_AFTER_S = 3.0
"""A probe of a camera that answers is over by then, decoding included."""
DARK_AFTER = 3
"""Slow failures in a row at one site, and no answer in between: its other cameras are expected to be silent too."""
ANSWER_SHARE = 0.5
"""Of a probe's time, for the first answer of a camera whose site is dark."""
CROWDED_S = 30.0
"""For so long after somebody found no place, silent cameras are probed less often."""


class SilentPlaces:
    """One per process. `most` places; with 0 there is only one sort of places."""

    def __init__(self, most: int, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._monotonic_s = monotonic_s
        self.taken = 0
        self._refused_s = float("-inf")
        self._slow: Counter[UUID] = Counter()

    @property
    def is_crowded(self) -> bool:
        """Whether silent cameras had to wait for a place lately."""
        return self._monotonic_s() - self._refused_s < CROWDED_S

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        if self.taken >= self.most:
            self._refused_s = self._monotonic_s()
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self.taken -= 1

    def is_dark(self, site: UUID) -> bool:
        """Whether nothing at the site answers."""
        return self._slow[site] >= DARK_AFTER

    def note_slow(self, site: UUID) -> None:
        """One more probe at the site hangs."""
        self._slow[site] += 1

    def note_answer(self, site: UUID) -> None:
        """Note that a camera of the site answered, be it with a refusal."""
        self._slow.pop(site, None)


class ProbePlace:
    """The place of one probe: among those of cameras that answer, until it is known or turns out to be silent."""

    def __init__(self, places: SilentPlaces, site: UUID, on_silent: Callable[[], None] | None) -> None:
        """`on_silent` gives the place among the others back; without it the probe has none, and needs none."""
        self._places, self._site, self._on_silent = places, site, on_silent
        self._is_silent = self.is_slow = False
        """Longer than SLOW_AFTER_S under way."""

    def is_free(self, previous: PreviousProbe | None) -> bool:
        """Whether the probe may begin: a camera that is expected to be silent needs a place for it."""
        if self._on_silent is None or not self._places.most:
            return True
        expected = previous is not None and previous.verdict is not Verdict.UP and previous.duration_s >= SLOW_AFTER_S
        return self._enter() if expected or self._places.is_dark(self._site) else True

    def lasts(self) -> None:
        """Go out of the others' way, where there is room: the probe lasts longer than those of cameras that answer."""
        if not self.is_slow:
            self.is_slow = True
            self._places.note_slow(self._site)
        if self._on_silent is not None and not self._is_silent:
            self._enter()

    def end(self, *, answered: bool) -> None:
        """End the probe's place; `answered`: by a camera, whatever it said."""
        if answered:
            self._places.note_answer(self._site)
        if self._is_silent:
            self._is_silent = False
            self._places.leave()

    @property
    def is_silent(self) -> bool:
        """Whether the probe has a place among the silent ones."""
        return self._is_silent

    def answer_within_s(self, timeout_s: float) -> float | None:
        """How long to wait for the first answer of a camera whose site is dark; None: for the whole `timeout_s`.

        So a round of a dark site ends before what the last one found ends to hold. A camera that answers has all its
        time: only the silence is shortened, and no longer than nothing at the site answers.
        """
        if self._on_silent is None or not self._places.is_dark(self._site):
            return None
        return max(SLOW_AFTER_S, timeout_s * ANSWER_SHARE) if timeout_s > SLOW_AFTER_S else None

    def _enter(self) -> bool:
        if self._on_silent is None or not self._places.most or not self._places.enter():
            return False
        self._is_silent = True
        self._on_silent()
        return True
