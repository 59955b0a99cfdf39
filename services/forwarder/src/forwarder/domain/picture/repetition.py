"""Whether a camera shows a recording in a loop: its keyframes come again, bit for bit, with others between.

No live picture does that. Every keyframe is weighed, with a checksum of how its picture begins, and few are hashed
(some milliseconds each). Four in a row that came before, in this session and as fast, prove that nothing new is shown.
Where beginnings cannot be read, three weights in a row that came before are a sign: from then on every keyframe is
hashed, and the third coming of three different ones is the proof. With the third coming it is a recording, and its
first pass was no live picture either. A loop longer than the keyframes that are remembered is found by the hashes of
single ones, one a minute, kept for a day: three of them that come again after the same time.
"""

from array import array
from dataclasses import dataclass
from datetime import UTC, datetime

from forwarder.domain.picture.keyframes import ComparedKeyframe
from forwarder.domain.picture.samples import SAMPLE_EVERY_S, KeyframeSamples
from forwarder.domain.picture.words import WORD, find_word, slice_word, weight_word, word_of

REMEMBERED = 600
"""Keyframes of which weight, hash and time are remembered, 12 bytes each: ten minutes at a keyframe a second."""
LEAST = 3
"""Different keyframes in a row. Two that alternate are one still picture (`still_with`)."""
SURE = 4
"""Keyframes in a row of which weight and beginning came before."""
SLOWEST = 0.5
"""What comes again in less than this part of its time is kept media that is sent again, and not what is shown."""
MISSED = 2
"""Keyframes of a run that may be missed, or be odd, as where a recording begins anew."""
NEW = MISSED + 1
"""Keyframes that never came before end it; it ended with the first of them."""
OLD = 2
"""Keyframes in a row that came before: it goes on. One alone may pass where a recording ends."""
HASH_LONGEST_S = 900.0
"""For so long at most every keyframe is hashed on a sign."""
NEW_AFTER_S = 3 * SAMPLE_EVERY_S
"""A loop of which samples alone are known is over when none came again for so long."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """Nothing new is shown since `since`: the first keyframe that came again, or of a recording its very first one.

    `period_s`: they come again after so long.
    """

    since: datetime
    period_s: float


class RememberedKeyframes:
    """What is remembered of one camera's keyframes, over all its sessions; about 20 KB after a day."""

    __slots__ = (
        "_at_ms",
        "_before",
        "_by_samples",
        "_dated_back",
        "_epoch",
        "_hash_until",
        "_hashes",
        "_heads",
        "_last_before",
        "_matched",
        "_new",
        "_new_since",
        "_old",
        "_run",
        "_run_since_ms",
        "_run_until_ms",
        "_samples",
        "_session_ms",
        "_weights",
        "new_since",
        "repetition",
    )  # fmt: skip

    def __init__(self) -> None:
        self.repetition: Repetition | None = None
        """None while the keyframes are new."""
        self.new_since: datetime | None = None
        """When the first new keyframe came after the last repetition."""
        self._epoch: datetime | None = None
        self._weights, self._hashes, self._at_ms = bytearray(), bytearray(), array("Q")
        self._before = 0
        """The last keyframes are those of so many places before them; 0 for none."""
        self._run = 0
        self._last_before, self._run_since_ms, self._run_until_ms = 0, 0, 0
        """Of the last run: its places before, and when its first and its last keyframe came."""
        self._heads = 0
        """So many of the newest keyframes, in a row, were weighed with how they begin."""
        self._session_ms = 0
        self._by_samples = self._dated_back = False
        self._matched: list[bytes] = []
        """Different hashes of this run that are those of their places before."""
        self._new_since: datetime | None = None
        self._new = self._old = 0
        self._hash_until = -1.0
        self._samples = KeyframeSamples()

    @property
    def shown(self) -> Repetition | None:
        """Of the newest keyframe: None where that is new, and the repetition may be over."""
        return self.repetition if self._new_since is None else None

    def wants_hashes(self, at: datetime) -> bool:
        """Whether each of the next keyframes shall be hashed."""
        return self.repetition is not None or self._run >= LEAST or self._seconds(at) < self._hash_until

    def first_coming(self, digest: str, at: datetime) -> datetime | None:
        """When the keyframe of this hash came first, with others between then and `at`; None where it is new."""
        word = word_of(digest)
        stored_s, found = self._samples.stored_s(word), find_word(self._hashes, word)
        if stored_s is not None and self._seconds(at) - stored_s > SAMPLE_EVERY_S:
            return self._moment(stored_s)
        if found < 0 or not self._others_after(found, word, len(self._at_ms)):
            return None
        while (earlier := find_word(self._hashes, word, last=found)) >= 0:
            found = earlier
        return self._moment(self._at_ms[found] / 1000)

    def begin_session(self, at: datetime) -> None:
        """Note that the camera's media flows anew: some send kept pictures again then."""
        self._session_ms = max(0, round(self._seconds(at) * 1000))

    def add(self, keyframe: ComparedKeyframe, *, still: bool = False) -> bool:
        """Add the newest keyframe; True if a repetition began or ended with it. `still`: it equals that before it."""
        if self._epoch is None:
            self._epoch = keyframe.captured_at
        now_s = max(0.0, self._seconds(keyframe.captured_at))
        word = word_of(keyframe.hash) if keyframe.hash is not None else bytes(WORD)
        self._weights += weight_word(keyframe.octets, keyframe.head)
        self._heads = self._heads + 1 if keyframe.head else 0
        self._hashes += word
        self._at_ms.append(round(now_s * 1000))
        before = self.repetition
        if not still or before is not None:
            self._follow(word)
            if keyframe.hash is not None and self._samples.compare(now_s, word, oldest_s=self._at_ms[0] / 1000):
                self._hash_until = now_s + LEAST * SAMPLE_EVERY_S
            if self.repetition is None:
                self._prove()
            else:
                self._date_back()
                self._find_end(now_s, word, keyframe.captured_at)
        if keyframe.hash is not None:
            self._samples.store(now_s, word)
        self._trim()
        return (before is None) is not (self.repetition is None)

    def _follow(self, word: bytes) -> None:
        """See whether the newest keyframe goes on a run of those that came before, or begins one."""
        newest = len(self._at_ms) - 1
        if self._before and self._weight(newest) == self._weight(newest - self._before):
            self._run += 1
        else:
            self._before, self._run, self._matched = self._came_before(), 0, []
            if not self._before:
                return
            self._run = LEAST
            self._date_run(newest)
        self._run_until_ms = self._at_ms[newest]
        known = slice_word(self._hashes, newest - self._before)
        if any(word) and known == word and word not in self._matched:
            self._matched.append(word)

    def _date_run(self, newest: int) -> None:
        """Date a run that begins, or one that goes on after a keyframe that was missed."""
        since, places = newest, self._before
        while since > places and self._weight(since - 1) == self._weight(since - 1 - places):
            since -= 1
        missed = abs(places - self._last_before) <= MISSED and newest - since + MISSED < len(self._at_ms)
        if not missed or self._at_ms[max(0, since - MISSED)] > self._run_until_ms:
            self._run_since_ms = self._at_ms[since]
        self._last_before = places

    def _came_before(self) -> int:
        """How many places before the last three keyframes the same weights stand; 0 for nowhere."""
        last = self._weights[-LEAST * WORD :]
        if len({slice_word(last, index) for index in range(len(last) // WORD)}) < LEAST - 1:
            return self._hash_before()
        end = len(self._weights)
        found = end - LEAST * WORD
        while (found := self._weights.rfind(last, 0, found + LEAST * WORD - 1)) >= 0:
            places = (end - LEAST * WORD - found) // WORD
            if found % WORD == 0 and places >= LEAST:
                return places
        return self._hash_before()

    def _hash_before(self) -> int:
        """As `_came_before`, by the newest hash alone: of keyframes that are seldom read, or all weigh the same."""
        newest = len(self._at_ms) - 1
        word = slice_word(self._hashes, newest)
        if not any(word):
            return 0
        found = find_word(self._hashes, word, last=newest)
        if found < 0 or newest - found < LEAST or not self._others_after(found, word, newest):
            return 0
        period_s = (self._at_ms[newest] - self._at_ms[found]) / 1000
        self._hash_until = self._at_ms[newest] / 1000 + min(HASH_LONGEST_S, 1.3 * period_s + 10)
        return newest - found

    def _prove(self) -> None:
        """Prove it by the second coming of how keyframes begin, or the third: two by hash, one at least by weight."""
        newest, places = len(self._at_ms) - 1, self._before
        if self._is_second_coming(newest):
            _, before = self._coming_again(newest)[0]
            period_s = (self._at_ms[newest] - self._at_ms[before]) / 1000
            self._begin(Repetition(self._moment(self._since_ms(newest) / 1000), period_s), by_samples=False)
            self._date_back()
        elif len(self._matched) >= LEAST and self._third_coming(newest, places):
            period_s = (self._at_ms[newest] - self._at_ms[newest - places]) / 1000
            self._begin(Repetition(self._moment(self._run_since_ms / 1000), period_s), by_samples=False)
            self._date_back()
        elif len(self._samples.matches) >= LEAST:
            first = self._samples.matches[0]
            self._begin(Repetition(self._moment(first.at_s), first.after_s), by_samples=True)

    def _is_second_coming(self, newest: int) -> bool:
        """Whether the newest keyframes came before: by weight and beginning, in this session and at the same pace."""
        again = self._coming_again(newest)
        if len(again) < SURE or len({self._weight(place) for place, _ in again}) < LEAST:
            return False
        (last, last_before), (first, first_before) = again[0], again[-1]
        if last != newest or last - last_before < LEAST or self._at_ms[first_before] < self._session_ms:
            return False
        took_ms, before_ms = (
            self._at_ms[last] - self._at_ms[first],
            self._at_ms[last_before] - self._at_ms[first_before],
        )
        return before_ms > 0 and SLOWEST <= took_ms / before_ms <= 1 / SLOWEST

    def _coming_again(self, newest: int) -> list[tuple[int, int]]:
        """Of the newest keyframes, newest first, those that came before, and where; some may be missing or odd."""
        result = list[tuple[int, int]]()
        for place in range(newest, max(-1, newest - min(self._heads, SURE + MISSED)), -1):
            before = find_word(self._weights, self._weight(place), last=place)
            if before < 0 and place == newest:
                break
            if before >= 0 and (not result or before < result[-1][1]):
                result.append((place, before))
        return result

    def _date_back(self) -> None:
        """With its third coming it is a recording, and has been one since its first keyframe came first."""
        newest, places, found = len(self._at_ms) - 1, self._before, self.repetition
        if found is None or self._dated_back:
            return
        first_ms = -1
        again = self._coming_again(newest)
        thrice = [one for one in again if find_word(self._weights, self._weight(one[0]), last=one[1]) >= 0]
        if len(thrice) >= LEAST:
            first_ms = self._at_ms[place_after_new(self._weights, self._first_of_recording(newest), newest)]
        elif not self._heads and places and self._third_coming(newest, places):
            first_ms = self._run_since_ms - (self._at_ms[newest] - self._at_ms[newest - places])
        if first_ms >= 0:
            self.repetition = Repetition(min(found.since, self._moment(first_ms / 1000)), found.period_s)
            self._dated_back = True

    def _first_of_recording(self, newest: int) -> int:
        """Find the place of the recording's first keyframe: back from the newest one's first coming, all came again."""
        place = self._weights.find(self._weight(newest)) // WORD
        # All that is of the first pass came again after it: two live pictures before it may weigh the same by chance.
        known, first, missed = place, place, 0
        while place > newest - self._heads + 1 and missed <= MISSED:
            place -= 1
            if find_word(self._weights, self._weight(place), last=newest + 1) > known:
                first, missed = place, 0
            else:
                missed += 1
        return first

    def _since_ms(self, newest: int) -> int:
        """When the first of the keyframes came that came again, in a row with the newest one."""
        place = first = newest
        missed = 0
        while place > newest - self._heads + 1 and missed <= MISSED:
            place -= 1
            if find_word(self._weights, self._weight(place), last=place) >= 0:
                first, missed = place, 0
            else:
                missed += 1
        return self._at_ms[first]

    def _third_coming(self, newest: int, places: int) -> bool:
        """Whether the run is longer than the loop, or its newest keyframes came two loops ago as well."""
        if self._run >= places + LEAST:
            return True
        places *= 2
        return newest - places >= LEAST - 1 and all(
            self._weight(place) == self._weight(place - places) for place in range(newest - LEAST + 1, newest + 1)
        )

    def _begin(self, repetition: Repetition, *, by_samples: bool) -> None:
        self.repetition, self._by_samples = repetition, by_samples
        self._new_since = self.new_since = None
        self._new = self._old = 0
        self._dated_back = by_samples

    def _find_end(self, now_s: float, word: bytes, at: datetime) -> None:
        """End the repetition at the first of NEW keyframes that never came before, and no OLD ones between them."""
        if self._by_samples:
            last_s = self._samples.matches[-1].at_s
            if now_s - last_s >= NEW_AFTER_S:
                self._end(self._moment(last_s))
            return
        if not any(word) and not self._heads:
            return
        newest = len(self._at_ms) - 1
        goes_on = self._run >= LEAST and not any(slice_word(self._hashes, newest - self._before))
        goes_on = goes_on or (self._heads > 0 and find_word(self._weights, self._weight(newest), last=newest) >= 0)
        known = any(word) and (
            find_word(self._hashes, word, last=newest) >= 0 or self._samples.stored_s(word) is not None
        )
        if goes_on or known:
            self._old += 1
            if self._old >= OLD:
                self._new_since, self._new = None, 0
            return
        self._new_since, self._new, self._old = self._new_since or at, self._new + 1, 0
        if self._new >= NEW:
            self._end(self._new_since)

    def _end(self, at: datetime) -> None:
        self.repetition, self.new_since, self._new_since = None, at, None
        self._before, self._run, self._matched = 0, 0, []
        self._samples.matches.clear()
        self._hash_until = -1.0

    def _trim(self) -> None:
        more = len(self._at_ms) - REMEMBERED - REMEMBERED // 10
        if more > 0:
            more = len(self._at_ms) - REMEMBERED
            del self._at_ms[:more], self._weights[: more * WORD], self._hashes[: more * WORD]

    def _others_after(self, found: int, word: bytes, end: int) -> bool:
        """Whether two other pictures came after the one at `found`, and not it alone in turns with one."""
        words = {slice_word(self._hashes, place) for place in range(found + 1, end)} - {word, bytes(WORD)}
        weights = {self._weight(place) for place in range(found + 1, end)} - {self._weight(found)}
        return max(len(words), len(weights)) >= LEAST - 1

    def _weight(self, place: int) -> bytes:
        return slice_word(self._weights, place) if place >= 0 else b""

    def _seconds(self, at: datetime) -> float:
        return (at - self._epoch).total_seconds() if self._epoch is not None else 0.0

    def _moment(self, seconds: float) -> datetime:
        epoch = self._epoch or datetime.fromtimestamp(0, UTC)
        return datetime.fromtimestamp(epoch.timestamp() + seconds, UTC)


def place_after_new(weights: bytearray, first: int, newest: int) -> int:
    """Find the place after the last NEW keyframes in a row since `first` that came only once.

    The camera showed something new then, between two passes of the recording.
    """
    alone = 0
    for place in range(newest, first - 1, -1):
        weight = slice_word(weights, place)
        came_again = find_word(weights, weight, last=place) >= 0 or find_word(weights, weight) > place
        alone = 0 if came_again else alone + 1
        if alone == NEW:
            return place + NEW
    return first
