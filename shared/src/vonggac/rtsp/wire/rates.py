"""How many frames, reports and messages a second one peer may send: a flood of tiny ones costs by their number.

The bounds, by what the most demanding camera has need of; bytes are not bounded here.

- A frame is earned by 256 received bytes, at any rate. 4K at 60 pictures a second and 100 Mbit/s is 12.5 MB/s in
  packets of 1,404 bytes: 8,900 a second, where its bytes earn 48,800. Packets of 300 bytes are 41,700, and earned too.
- Beside that 10,000 frames a second, whatever their size. A dark picture that stands still has the smallest packets: in
  4K with a slice for each row of macroblocks (135) at 60 pictures a second they are 8,100. Sound adds 50.
- 20,000 at once: two such seconds, which a recorder hands out at the start, or a line that stood still.
- 500 RTCP packets a second, 2,000 at once. RFC 3550 §6.2 lets the interval fall to 360 s over the session's kbit/s:
  278 a second at 100 Mbit/s. Cameras send one in a second at most.
- 20 messages a second, 200 at once. A handshake with a login has 9, a server's checks for life are one in seconds.

Cameras of another protocol are bounded by the same numbers: chunks and messages of RTMP, chunks of an HTTP answer,
reads and datagrams count as frames, requests for the segments of a playlist as messages. A chunk of RTMP is earned by
128 bytes, the size that everybody begins with, and control messages beside media are bounded like reports.

20 Mbit/s of frames of 4 bytes are 625,000 a second: over the bound after 33 ms. Of OPTIONS (40 bytes) they are 62,500:
after 4 ms.
"""

from collections.abc import Callable, Iterable, Sequence

from vonggac.events.causes import Cause
from vonggac.net.errors import PeerError
from vonggac.rtsp.wire.fast_path import FastPath
from vonggac.rtsp.wire.framing import Item, MediaBatch
from vonggac.rtsp.wire.tracks import Track

FRAMES_PER_S, FRAMES_AT_ONCE = 10_000, 20_000
BYTES_PER_FRAME = 256
BYTES_PER_CHUNK = 128
REPORTS_PER_S, REPORTS_AT_ONCE = 500, 2_000
MESSAGES_PER_S, MESSAGES_AT_ONCE = 20, 200


class _Bucket:
    """Fills by `per_s` a second up to `most`; empty: too many came."""

    __slots__ = ("_at", "_left", "_most", "_per_s")

    def __init__(self, per_s: int, most: int, now_s: float) -> None:
        self._per_s, self._most, self._left, self._at = per_s, most, float(most), now_s

    def take_count(self, count: float, now_s: float) -> bool:
        """Whether there were so many. What came in a time is set against that time, however late it is counted."""
        left = self._left + (now_s - self._at) * self._per_s - count
        self._at, self._left = now_s, min(left, self._most)
        return left >= 0


class PeerRates:
    """Of one connection. Everything raises PeerError flood once a bound is crossed."""

    __slots__ = ("_clock", "_frames", "_messages", "_passed_on", "_reports", "report_channels")

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        now_s = clock()
        self._clock = clock
        self._frames = _Bucket(FRAMES_PER_S, FRAMES_AT_ONCE, now_s)
        self._reports = _Bucket(REPORTS_PER_S, REPORTS_AT_ONCE, now_s)
        self._messages = _Bucket(MESSAGES_PER_S, MESSAGES_AT_ONCE, now_s)
        self._passed_on = (0, 0)
        self.report_channels = 0
        """The channels of RTCP, a bit each, once they are agreed: a report costs more than a frame."""

    def expect_reports(self, tracks: Iterable[Track]) -> None:
        """Bound the RTCP of these tracks by itself."""
        self.report_channels = sum(1 << track.rtcp_channel for track in tracks)

    def count_piece(self, items: Sequence[Item], size: int) -> None:
        """Count what one piece of `size` bytes completed: a piece without a whole frame costs as much as a frame."""
        frames = reports = 0
        for item in items:
            if type(item) is MediaBatch:
                frames += item.count
                if item.channels & self.report_channels:
                    reports += sum(self.report_channels >> channel & 1 for channel, _, _ in item.frames)
        self.count_frames(frames or 1, size)
        if reports:
            self.count_reports(reports, "RTCP packets")

    def count_frames(self, frames: int, size: int) -> None:
        """Frames of `size` bytes in all, headers included."""
        self._count(frames - size / BYTES_PER_FRAME, "frames")

    def count_chunks(self, chunks: int, size: int) -> None:
        """Chunks of RTMP of `size` bytes in all, and the parts of aggregates."""
        self._count(chunks - size / BYTES_PER_CHUNK, "chunks")

    def _count(self, unearned: float, what: str) -> None:
        if not self._frames.take_count(unearned, self._clock()):
            raise PeerError(Cause.FLOOD, f"more than {FRAMES_PER_S} {what} a second that carry next to nothing")

    def count_passed_on(self, fast_path: FastPath) -> None:
        """Count what the fast path, which counts nothing, passed on since last time; call about once a second."""
        (packets, size), self._passed_on = self._passed_on, (fast_path.packets, fast_path.bytes)
        self.count_frames(fast_path.packets - packets, fast_path.bytes - size)

    def count_reports(self, reports: int, what: str) -> None:
        """Count what goes along with media and is none; `what` is a word for people."""
        if not self._reports.take_count(reports, self._clock()):
            raise PeerError(Cause.FLOOD, f"more than {REPORTS_PER_S} {what} a second")

    def count_message(self, what: str = "RTSP messages") -> None:
        """Count a request or an answer; `what` is a word for people."""
        if not self._messages.take_count(1, self._clock()):
            raise PeerError(Cause.FLOOD, f"more than {MESSAGES_PER_S} {what} a second")
