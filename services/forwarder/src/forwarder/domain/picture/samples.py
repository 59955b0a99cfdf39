"""The hashes of single keyframes, one a minute, kept for a day: they show a loop longer than what is remembered.

No live picture comes again. Some that come again after the same time are those of a recording.
"""

from array import array
from typing import NamedTuple

from forwarder.domain.picture.words import WORD, find_word

SAMPLE_EVERY_S = 60.0
SAMPLES = 1440
"""A day of hashes, 8 bytes each."""
SAME_AFTER_S = 2.0
"""Of two samples that come again: how far apart the times may be after which they do."""
MOST_MATCHES = 6


class Match(NamedTuple):
    """The keyframe `word` came again at `at_s`, `after_s` later. Seconds since the camera's first keyframe."""

    after_s: float
    word: bytes
    at_s: float


class KeyframeSamples:
    """The samples of one camera, over all its sessions."""

    __slots__ = ("_at_s", "_stored_at_s", "_words", "matches")

    def __init__(self) -> None:
        self.matches: list[Match] = []
        """Different samples that came again after the same time, the first and the newest of them."""
        self._words, self._at_s = bytearray(), array("I")
        self._stored_at_s = 0.0

    def __len__(self) -> int:
        return len(self._at_s)

    def stored_s(self, word: bytes) -> float | None:
        """When the keyframe of this hash was stored; None where it was not."""
        found = find_word(self._words, word)
        return float(self._at_s[found]) if found >= 0 else None

    def store(self, now_s: float, word: bytes) -> None:
        """Store the newest keyframe where a sample is due."""
        if now_s - self._stored_at_s < SAMPLE_EVERY_S:
            return
        self._stored_at_s = now_s
        if find_word(self._words, word) >= 0:
            return
        self._words += word
        self._at_s.append(round(now_s))
        if len(self._at_s) > SAMPLES:
            del self._words[:WORD], self._at_s[0]

    def compare(self, now_s: float, word: bytes, *, oldest_s: float) -> bool:
        """Whether the newest keyframe is a sample that came again; `oldest_s`: later ones are remembered without it."""
        stored_s = self.stored_s(word)
        if stored_s is None:
            return False
        after_s = now_s - stored_s
        if after_s <= now_s - oldest_s or any(word == one.word for one in self.matches):
            return False
        if self.matches and abs(self.matches[0].after_s - after_s) > SAME_AFTER_S:
            self.matches.clear()
        self.matches.append(Match(after_s, word, now_s))
        if len(self.matches) > MOST_MATCHES:
            del self.matches[1]
        return True
