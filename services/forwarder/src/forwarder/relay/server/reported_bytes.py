"""How much of what was sent over UDP has arrived: what the receiver reports of the video say, and nothing more."""

from collections import deque

from vonggac.media.rtcp import ReportBlock

_LOST_OF = 256
"""`fraction_lost` counts in 1/256 (RFC 3550 §6.4.1)."""
_HALF = 0x8000
_MOST_MARKS = 128


class ReportedBytes:
    """Of one session. What a report calls lost is not counted, and nothing that it cannot have covered."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque(maxlen=_MOST_MARKS)
        """Sequence number of the last packet that was sent by a reading, and the bytes written by then."""
        self._highest: int | None = None
        self._reached = self._arrived = 0
        self._grew_s: float | None = None

    def read(self, sent: int, last_sequence: int | None, reported: ReportBlock | None, now_s: float) -> int:
        """Bytes that have arrived; it never falls. Call about once a second.

        `sent`: media bytes so far, with the last packet of the video that was among them; `reported`: the last report.
        """
        if reported is not None and reported.highest_sequence != self._highest:
            self._highest = reported.highest_sequence
            reached = self._reached
            while self._marks and (reported.highest_sequence - self._marks[0][0]) & 0xFFFF < _HALF:
                reached = self._marks.popleft()[1]
            if reached > self._reached:
                self._arrived += (reached - self._reached) * (_LOST_OF - reported.fraction_lost) // _LOST_OF
                self._reached, self._grew_s = reached, now_s
        if last_sequence is not None and (not self._marks or self._marks[-1][1] < sent):
            self._marks.append((last_sequence, sent))
        return self._arrived

    def age_s(self, now_s: float) -> float:
        """How long ago a report last said that media arrives; 0 before the first."""
        return now_s - self._grew_s if self._grew_s is not None else 0.0
